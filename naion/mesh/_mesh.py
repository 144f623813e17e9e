"""The grid counts a user chooses, and the shell geometry that follows."""

import functools
from numbers import Integral, Real
from typing import Any, NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Float


class Shells(NamedTuple):
    """Control volumes of a sphere of radius one.

    Attributes:
        nodes: radii at which concentrations live, (n_r,); the last is the surface.
        faces: radii of the faces between them, (n_r-1,).
        volumes: integral of r^2 dr over each control volume, (n_r,); sums to 1/3.
    """

    nodes: Float[np.ndarray, " n_r"]
    faces: Float[np.ndarray, " n_r-1"]
    volumes: Float[np.ndarray, " n_r"]


def _plain(n: Any) -> Any:
    """NumPy's integers as Python's, which can be written to JSON."""
    return int(n) if isinstance(n, np.integer) else n


_count = functools.partial(eqx.field, static=True, converter=_plain)


class Mesh(eqx.Module):
    """Grid counts. Hashable: changing one compiles a new program.

    Attributes:
        n_neg: finite volumes in the negative electrode.
        n_sep: finite volumes in the separator.
        n_pos: finite volumes in the positive electrode.
        n_r: radial nodes in every particle, centre and surface included.
        grading: how strongly shells shrink towards the surface, r_i/R =
            (1 - exp(-s i/N)) / (1 - exp(-s)); 0 gives equal shells.
    """

    n_neg: int = _count(default=14)
    n_sep: int = _count(default=4)
    n_pos: int = _count(default=16)
    n_r: int = _count(default=30)
    grading: float = eqx.field(static=True, default=2.5)

    def __check_init__(self):
        for name in ("n_neg", "n_sep", "n_pos", "n_r"):
            n = getattr(self, name)
            if not isinstance(n, Integral) or isinstance(n, bool):
                raise ValueError(f"Mesh: {name} is {n!r}; expected a whole number.")
        if not isinstance(self.grading, Real) or not 0.0 <= self.grading < 100.0:
            raise ValueError(
                f"Mesh: grading is {self.grading!r}; expected a number from 0 to 100."
            )
        for name in ("n_neg", "n_sep", "n_pos"):
            if getattr(self, name) < 2:
                raise ValueError(
                    f"Mesh needs at least 2 volumes in each region, "
                    f"but {name} is {getattr(self, name)}."
                )
        if self.n_r < 4:
            raise ValueError(f"Mesh needs at least 4 radial nodes, got {self.n_r}.")

    @property
    def n_x(self) -> int:
        """Finite volumes through the cell."""
        return self.n_neg + self.n_sep + self.n_pos

    @property
    def n_e(self) -> int:
        """Finite volumes that hold particles."""
        return self.n_neg + self.n_pos

    def shells(self) -> Shells:
        """Shell geometry, with a node on the surface.

        A node at the surface makes the surface concentration an unknown of its own: no
        extrapolation, and a jump of current meets a small volume first.
        """
        i = np.linspace(0.0, 1.0, self.n_r)
        s = self.grading
        nodes = i if s == 0 else np.expm1(-s * i) / np.expm1(-s)
        faces = 0.5 * (nodes[1:] + nodes[:-1])
        edges = np.concatenate([[0.0], faces, [1.0]])
        return Shells(nodes, faces, np.diff(edges**3) / 3.0)
