"""The vector of free parameters: whose its entries are, their bounds, priors and roles."""

import math
from collections.abc import Callable, Collection, Iterable
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
    """Free parameters of a specimen as one flat vector z of transformed values, (n,).

    Holds no values, and is a key: specimens of one structure share programs.

    Attributes:
        free: the free parameters.
        counts: how many numbers each has.
        roles: what each is for.
        of_design: whether a design would replace each.
    """

    free: tuple[FreeParameter, ...]
    counts: tuple[int, ...]
    roles: tuple[Role, ...]
    of_design: tuple[bool, ...]

    @classmethod
    def of(cls, free: Iterable[FreeParameter], specimen: Specimen) -> "FreeVector":
        """That of free parameters of a specimen; errors as in `parameters.leaf`."""
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
        """That of free parameters of a cell alone."""
        return cls.of(free, Specimen(cell, [0.0]))

    def __len__(self) -> int:
        return sum(self.counts)

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """Where the numbers of each free parameter lie."""
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
        # By NumPy: they are numbers inside programs, too.
        is_log = np.array([f.transform == "log" for f in self.owners], bool)[:, None]
        low, high = np.where(is_log, np.log(np.where(is_log, ends, 1.0)), ends).T
        return low, high

    @cached_property
    def priors(self) -> np.ndarray:
        """Standard deviations believed beforehand, infinite where there is none, (n,)."""
        return np.array([f.prior for f in self.owners])

    @property
    def scales(self) -> np.ndarray:
        """Lengths by which entries compare: the prior, or a tenth of the bounds, (n,)."""
        low, high = self.bounds
        width = np.where(np.isfinite(self.priors), self.priors, 0.1 * (high - low))
        return np.minimum(width, high - low)

    def entries(self, of: Callable[[FreeParameter, Role], bool]) -> np.ndarray:
        """Which entries belong to free parameters that satisfy something, (n,)."""
        return np.repeat([of(*pair) for pair in self._with_roles], self.counts)

    def has_role(self, *roles: Role) -> np.ndarray:
        """Which entries have one of some roles, (n,)."""
        return self.entries(lambda _, role: role in roles)

    @property
    def _with_roles(self) -> list[tuple[FreeParameter, Role]]:
        return list(zip(self.free, self.roles, strict=True))

    def part(self, keep: Iterable[bool]) -> tuple["FreeVector", np.ndarray]:
        """Some of the free parameters, and where their entries lie, (m,)."""
        keep = np.array(list(keep), bool)

        def kept(each: tuple[T, ...]) -> tuple[T, ...]:
            return tuple(each[k] for k in np.flatnonzero(keep))

        rest = kept(self.counts), kept(self.roles), kept(self.of_design)
        at = np.flatnonzero(np.repeat(keep, self.counts))
        return FreeVector(kept(self.free), *rest), at

    def get(self, specimen: Specimen) -> np.ndarray:
        """The transformed values of a specimen, (n,)."""
        # Numbers, also where a loss is being traced.
        with jax.ensure_compile_time_eval():
            found = [f.forward(leaf(specimen, f.paths[0])) for f in self.free]
            return np.concatenate([np.zeros(0), *map(np.ravel, found)])

    def set(self, specimen: Specimen, z: Any) -> Specimen:
        """The specimen with transformed values; differentiable."""
        where, values = [], []
        for f, at in zip(self.free, self.slices, strict=True):
            value = f.backward(
                jnp.reshape(z[at], jnp.shape(leaf(specimen, f.paths[0])))
            )
            where += f.paths
            values += [value] * len(f.paths)
        return eqx.tree_at(lambda s: [leaf(s, p) for p in where], specimen, values)

    def cell(self, cell: Cell, z: Any) -> Cell:
        """The cell with transformed values; differentiable."""
        return self.set(Specimen(cell, [0.0]), z).cell

    def values(self, z: Any) -> Array:
        """Values, from the transformed ones, (..., n)."""
        is_log = np.array([f.transform == "log" for f in self.owners], bool)
        # The other branch of the choice must stay finite.
        return jnp.where(is_log, jnp.exp(jnp.where(is_log, z, 0.0)), z)

    def directions(self, group: Any, without: Collection[str] = ()) -> Array:
        """Unit vectors of the entries that a test of a group depends on, (m, n).

        Numbers of other groups have no part in it, and take no derivative.

        Args:
            group: of the test.
            without: paths that tests of its kind do not depend on.
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

        Row i times the moves of all entries is the move of the centre of entry i. What is
        not free does not move.

        Raises:
            ValueError: for an array that follows, or is followed.
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
        """A square root of the priors' covariance, (n, n); without a prior, nothing moves."""
        width = np.where(np.isfinite(self.priors), self.priors, 0.0)
        return np.linalg.solve(np.eye(len(self)) - self.follows, np.diag(width))

    def prior_rows(self, centre: Any, z: Any) -> Array:
        """How far entries are from what is believed, over how firmly it is believed.

        First of the priors and then of the smoothness of each free parameter, in order.
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
        """What belongs to single tests and has a prior: where in z and in `prior_rows`."""
        found, row = {}, 0
        for f, at in zip(self.free, self.slices, strict=True):
            n, believed = at.stop - at.start, math.isfinite(f.prior)
            if f.by_group and believed:
                found[f.name] = np.arange(at.start, at.stop), np.arange(row, row + n)
            row += n * believed + (n - 2) * (math.isfinite(f.smooth) and n > 2)
        return found
