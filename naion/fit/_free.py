"""Which numbers a fit may move, how far, and what is believed of them beforehand."""

import difflib
from dataclasses import dataclass
from typing import Any, Literal

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..parameters import Cell, ParameterSet
from ..properties import Corrected, Property, Table


class Subject(eqx.Module):
    """What is fitted: a cell, and the state of charge each group of tests started from.

    Attributes:
        cell: parameters; its `charged` state is where every test starts.
        missing: charge missing from that state, one entry for each group [A.h].
    """

    cell: Cell
    missing: Float[Array, " n_group"]

    def __init__(self, cell: Cell, missing: Any):
        self.cell = cell
        self.missing = jnp.asarray(missing, float)


@dataclass(frozen=True)
class Free:
    """A free parameter: one number, several tied together, or an array.

    Attributes:
        paths: dotted paths in the `Subject`, such as
            "cell.negative.particle.diffusivity.scale"; tied when more than one.
        bounds: lowest and highest value.
        transform: "log" for positive scales, "linear" otherwise.
        prior: believed standard deviation around the start value, in the transformed
            variable (for "log": of the natural logarithm); infinite for none.
        smooth: for arrays, the standard deviation of second differences.
    """

    paths: tuple[str, ...]
    bounds: tuple[float, float]
    transform: Literal["log", "linear"] = "linear"
    prior: float = float("inf")
    smooth: float = float("inf")

    def __post_init__(self):
        low, high = self.bounds
        if not low < high:
            raise ValueError(f"{self.name}: bounds {self.bounds} are not increasing.")
        if self.transform == "log" and low <= 0.0:
            raise ValueError(f"{self.name}: a log transform needs bounds above zero.")

    @property
    def name(self) -> str:
        """The first path without 'cell.'."""
        return self.paths[0].removeprefix("cell.")

    def forward(self, value: Any) -> Any:
        """From the value to the transformed variable."""
        return jnp.log(value) if self.transform == "log" else jnp.asarray(value)

    def backward(self, z: Any) -> Any:
        """From the transformed variable to the value."""
        return jnp.exp(z) if self.transform == "log" else z


def assumed(found: ParameterSet) -> tuple[Free, ...]:
    """The assumed numbers of a set as free parameters, their ranges as priors.

    A range is read as two standard deviations to either side, and as the bounds. Where
    an assumption is a table or an expression, its scale is free.
    """
    frees = []
    for entry in found.provenance:
        if entry.quality != "A" or entry.range is None:
            continue
        path, value, (low, high) = f"cell.{entry.path}", entry.value, entry.range
        if isinstance(leaf(found.cell, entry.path), Property):
            if isinstance(value, str):
                path += ".scale"
            elif value != 0.0:
                path, low, high = f"{path}.scale", low / value, high / value
            else:
                path += ".curve.value"
        log = low > 0.0
        width = float(np.log(high / low)) if log else high - low
        kind = "log" if log else "linear"
        frees.append(Free((path,), (low, high), kind, prior=width / 4.0))
    return tuple(frees)


def leaf(tree: Any, path: str) -> Any:
    """The leaf at a dotted path.

    Raises:
        KeyError: naming the part that does not exist and its nearest neighbours.
    """
    node = tree
    for i, part in enumerate(parts := path.split(".")):
        if not hasattr(node, part):
            known = [k for k in vars(node)] if hasattr(node, "__dict__") else []
            near = difflib.get_close_matches(part, known, cutoff=0.3) or known
            raise KeyError(
                f"{path!r}: {'.'.join(parts[:i]) or 'the cell'} has no {part!r}. "
                f"Nearest: {', '.join(near) or 'none'}."
            )
        node = getattr(node, part)
    return node


def sizes(free: tuple[Free, ...], subject: Subject) -> list[int]:
    """How many numbers each free parameter has."""
    return [int(np.size(leaf(subject, f.paths[0]))) for f in free]


def get_vector(free: tuple[Free, ...], subject: Subject) -> np.ndarray:
    """Transformed values of all free parameters, one flat vector."""
    return np.concatenate(
        [np.ravel(f.forward(leaf(subject, f.paths[0]))) for f in free]
    )


def set_vector(free: tuple[Free, ...], subject: Subject, z: Any) -> Subject:
    """The subject with the free parameters of a flat vector; differentiable."""
    where, values, start = [], [], 0
    for f, size in zip(free, sizes(free, subject), strict=True):
        shape = jnp.shape(leaf(subject, f.paths[0]))
        value = f.backward(z[start : start + size].reshape(shape))
        start += size
        where += list(f.paths)
        values += [value] * len(f.paths)
    return eqx.tree_at(lambda s: [leaf(s, p) for p in where], subject, values)


def with_ocp_correction(
    cell: Cell, electrode: Literal["negative", "positive"], knots: Any
) -> Cell:
    """A cell whose open-circuit potential carries a correction, zero to begin with.

    The correction lives at "<electrode>.particle.ocp.curve.correction.y".
    """
    x = jnp.asarray(knots, float)
    correction = Table(x, jnp.zeros_like(x), extrapolation="clamp")

    def curve(c: Cell):
        return getattr(c, electrode).particle.ocp.curve

    return eqx.tree_at(curve, cell, Corrected(curve(cell), correction))
