"""All free parameters of a fit as one vector: names, bounds, priors and roles."""

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ..parameters import Cell, Role, is_of_design, leaf, role_of
from ._free import FreeParameter, Specimen

T = TypeVar("T")


@dataclass(frozen=True)
class FreeVector:
    """Layout of the vector z of transformed values of all free parameters, (n,).

    It holds no values and is hashable: fits with equal vectors share compiled programs.

    Attributes:
        free: the free parameters.
        counts: number of entries of each.
        roles: role of each, such as kinetics or transport.
        of_design: whether a cell design replaces each.
    """

    free: tuple[FreeParameter, ...]
    counts: tuple[int, ...]
    roles: tuple[Role, ...]
    of_design: tuple[bool, ...]

    @classmethod
    def of(cls, free: Iterable[FreeParameter], specimen: Specimen) -> "FreeVector":
        """The vector of free parameters of a specimen; errors as in `parameters.leaf`."""
        free = tuple(free)
        first = [f.paths[0] for f in free]
        return cls(
            free,
            tuple(int(np.size(leaf(specimen, path))) for path in first),
            tuple(role_of(specimen, path) for path in first),
            tuple(is_of_design(specimen, path) for path in first),
        )

    @classmethod
    def of_cell(cls, free: Iterable[FreeParameter], cell: Cell) -> "FreeVector":
        """The vector of free parameters of a cell, without calibrations."""
        return cls.of(free, Specimen(cell, [0.0]))

    def __len__(self) -> int:
        return sum(self.counts)

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """Slice of the entries of each free parameter."""
        ends = np.cumsum([0, *self.counts]).tolist()
        return tuple(map(slice, ends[:-1], ends[1:]))

    @cached_property
    def owners(self) -> tuple[FreeParameter, ...]:
        """The free parameter of each entry."""
        each = map(lambda f, n: (f,) * n, self.free, self.counts)
        return sum(each, start=())

    @cached_property
    def names(self) -> tuple[str, ...]:
        """One name for each entry."""
        each = map(
            lambda f, n: [f.name] if n == 1 else [f"{f.name}[{i}]" for i in range(n)],
            self.free,
            self.counts,
        )
        return tuple(name for names in each for name in names)

    @cached_property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest transformed values, (n,) each."""
        ends = np.array([f.bounds for f in self.owners]).reshape(-1, 2)
        # With NumPy, so that bounds are concrete numbers also while JAX traces.
        is_log = np.array([f.transform == "log" for f in self.owners], bool)[:, None]
        low, high = np.where(is_log, np.log(np.where(is_log, ends, 1.0)), ends).T
        return low, high

    @cached_property
    def priors(self) -> np.ndarray:
        """Standard deviations of the priors, infinite where there is none, (n,)."""
        return np.array([f.prior for f in self.owners])

    @property
    def scales(self) -> np.ndarray:
        """Lengths by which entries compare: the prior, or a tenth of the bounds, (n,)."""
        low, high = self.bounds
        width = np.where(np.isfinite(self.priors), self.priors, 0.1 * (high - low))
        return np.minimum(width, high - low)

    def has_role(self, *roles: Role) -> np.ndarray:
        """Which entries belong to free parameters with one of some roles, (n,)."""
        return np.repeat([role in roles for role in self.roles], self.counts)

    def part(self, keep: Iterable[bool]) -> tuple["FreeVector", np.ndarray]:
        """The vector of some free parameters, and the indices of their entries, (m,)."""
        keep = np.array(list(keep), bool)

        def kept(each: tuple[T, ...]) -> tuple[T, ...]:
            return tuple(each[k] for k in np.flatnonzero(keep))

        rest = kept(self.counts), kept(self.roles), kept(self.of_design)
        at = np.flatnonzero(np.repeat(keep, self.counts))
        return FreeVector(kept(self.free), *rest), at

    def get(self, specimen: Specimen) -> np.ndarray:
        """The transformed values of a specimen, (n,)."""
        # Concrete numbers also while JAX traces a function of this vector.
        with jax.ensure_compile_time_eval():
            found = [f.forward(leaf(specimen, f.paths[0])) for f in self.free]
            return np.concatenate([np.zeros(0), *map(np.ravel, found)])

    def set(self, specimen: Specimen, z: Any) -> Specimen:
        """The specimen with the transformed values z; differentiable by z."""
        where, values = [], []
        for f, at in zip(self.free, self.slices, strict=True):
            value = f.backward(
                jnp.reshape(z[at], jnp.shape(leaf(specimen, f.paths[0])))
            )
            where += f.paths
            values += [value] * len(f.paths)
        return eqx.tree_at(lambda s: [leaf(s, p) for p in where], specimen, values)

    def cell(self, cell: Cell, z: Any) -> Cell:
        """The cell with the transformed values z; differentiable by z."""
        return self.set(Specimen(cell, [0.0]), z).cell

    def values(self, z: Any) -> Array:
        """Values from transformed values, both (..., n)."""
        is_log = np.array([f.transform == "log" for f in self.owners], bool)
        # The branch that is not taken must stay finite, or gradients become NaN.
        return jnp.where(is_log, jnp.exp(jnp.where(is_log, z, 0.0)), z)

    def directions(self, group: Any, without: Collection[str] = ()) -> Array:
        """Unit vectors of the entries that a test depends on, (m, n).

        Calibrations of other groups do not matter to it, so that no time is spent on
        derivatives by them.

        Args:
            group: group of the test; may be traced by JAX.
            without: paths of calibrations that tests of its kind do not depend on.
        """
        columns = [jnp.zeros(0, int)]
        for f, at in zip(self.free, self.slices, strict=True):
            if set(f.paths) <= set(without):
                continue
            own = jnp.reshape(at.start + group, 1)
            columns.append(own if f.by_group else jnp.arange(at.start, at.stop))
        return (jnp.concatenate(columns)[:, None] == jnp.arange(len(self))).astype(
            float
        )

    @cached_property
    def follows(self) -> np.ndarray:
        """How the centres of priors move with the entries that they follow, (n, n).

        The product of row i with the moves of all entries is the move of the centre of the
        prior of entry i. A followed number that is not free does not move.

        Raises:
            ValueError: for an array that follows or is followed; both must be scalars.
        """
        place = {f.paths[0]: k for k, f in enumerate(self.free)}
        S = np.zeros((len(self), len(self)))
        for k, f in enumerate(self.free):
            for path, slope in f.follows:
                if path not in place:
                    continue
                n, m = self.counts[k], self.counts[place[path]]
                if n != 1 or m != 1:
                    raise ValueError(
                        f"{f.name} follows {path}: expected two single numbers, got "
                        f"arrays of {n} and {m}."
                    )
                S[self.slices[k].start, self.slices[place[path]].start] = slope
        return S

    def prior_root(self) -> np.ndarray:
        """A square root of the priors' covariance, (n, n); zero where there is no prior."""
        width = np.where(np.isfinite(self.priors), self.priors, 0.0)
        return np.linalg.solve(np.eye(len(self)) - self.follows, np.diag(width))

    def prior_rows(self, centre: Any, z: Any) -> Array:
        """Residuals of the priors, (k,).

        For each free parameter in order: distances from the centre of the prior over its
        standard deviation, then second differences over those of the smoothness.

        Args:
            centre: transformed values at which priors are centred, (n,).
            z: transformed values, (n,).
        """
        away = z - centre
        away = away - jnp.asarray(self.follows) @ away
        rows = [jnp.zeros(0)]
        for f, at in zip(self.free, self.slices, strict=True):
            if math.isfinite(f.prior):
                rows.append(away[at] / f.prior)
            if math.isfinite(f.smooth) and at.stop - at.start > 2:
                rows.append(jnp.diff(z[at], 2) / f.smooth)
        return jnp.concatenate(rows)

    @cached_property
    def of_tests(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Calibrations with a prior, by name: their indices in z and in `prior_rows`."""
        found, row = {}, 0
        for f, at in zip(self.free, self.slices, strict=True):
            n, believed = at.stop - at.start, math.isfinite(f.prior)
            if f.by_group and believed:
                found[f.name] = np.arange(at.start, at.stop), np.arange(row, row + n)
            row += n * believed + (n - 2) * (math.isfinite(f.smooth) and n > 2)
        return found
