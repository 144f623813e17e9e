"""Cells drawn from what a fit knows, and what it does not."""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ..batch import run, stack
from ..fit import Fit, Free, Subject, assumed, ocp_slopes, scores
from ..fit._free import get_vector, prior_root, set_vector, sizes
from ..io import write_cell
from ..parameters import Cell, ParameterSet, possible
from ..simulation import Solution, simulate

MOST_PULLS = 20
"""After as many pulls of 0.7 a draw's open-circuit potential is that of the best fit."""


@dataclass(frozen=True)
class Uncertainty:
    """What a fit knows of a cell, as kept in `cell.json`.

    Attributes:
        free: the free parameters of the cell.
        z: their transformed values, (n,).
        covariance: of `z`, with the discrepancy of the model and the priors of what the
            data did not touch, (n, n).
        discrepancy: standard deviation of the model's own error in voltage [V].
    """

    free: tuple[Free, ...]
    z: np.ndarray
    covariance: np.ndarray
    discrepancy: float

    def to_json(self) -> dict[str, Any]:
        """As JSON data."""
        free = [
            {"paths": list(f.paths), "bounds": list(f.bounds), "transform": f.transform}
            for f in self.free
        ]
        return {
            "free": free,
            "z": self.z.tolist(),
            "covariance": self.covariance.tolist(),
            "discrepancy_V": self.discrepancy,
        }

    def bounds(self, cell: Cell) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest transformed values, (n,) each."""
        counts = sizes(self.free, Subject(cell, [0.0]))
        ends = [
            [float(np.log(b)) if f.transform == "log" else b for b in f.bounds]
            for f, k in zip(self.free, counts, strict=True)
            for _ in range(k)
        ]
        low, high = np.array(ends).reshape(-1, 2).T
        return low, high

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Uncertainty":
        """The inverse of `to_json`."""
        free = tuple(
            Free(tuple(f["paths"]), tuple(f["bounds"]), f["transform"])
            for f in data["free"]
        )
        z, C = np.array(data["z"]), np.array(data["covariance"])
        return cls(free, z, C, float(data["discrepancy_V"]))

    @classmethod
    def read(cls, name: str, data: Any, cell: Cell) -> "Uncertainty":
        """What the file `name` says of the fit of its cell.

        Raises:
            ValueError: naming the file, for what `naion fit` would not have written.
        """
        try:
            known = cls.from_json(data)
            n = len(known.bounds(cell)[0])
            good = known.z.shape == (n,) and known.covariance.shape == (n, n)
            every = [*known.z.ravel(), *known.covariance.ravel(), known.discrepancy]
            if not good or not np.all(np.isfinite(np.asarray(every, float))):
                raise ValueError(f"expected {n} finite numbers and their covariance")
        except (
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
            OverflowError,
        ) as error:
            raise ValueError(
                f"{name}: its 'fit' is not what `naion fit` writes ({error}); fit the "
                "cell again."
            ) from None
        return known


def uncertainty_of(fit: Fit) -> Uncertainty:
    """What belongs to the cell; states of charge of single tests are left out."""
    problem = fit.problem
    keep, free, i = [], [], 0
    for f in problem.free:
        n = sum(name.split("[")[0] == f.name for name in problem.names)
        if f.paths[0].startswith("cell."):
            keep += range(i, i + n)
            free.append(f)
        i += n
    errors = []
    for e, model in zip(problem.experiments, fit.predictions, strict=True):
        measured = np.concatenate([o.value for o in e.observations])
        kinds = np.concatenate([[o.kind] * len(o.value) for o in e.observations])
        volts = (kinds < 2) & np.isfinite(model) & (measured > 2.0)
        errors.append((model - measured)[volts])
    discrepancy = float(np.sqrt(np.mean(np.concatenate(errors) ** 2)))
    C = fit.covariance[np.ix_(keep, keep)]
    return Uncertainty(tuple(free), fit.z[keep], C, discrepancy)


def uncertainty_of_set(found: ParameterSet) -> Uncertainty:
    """What is known of a set that was not fitted: some of its numbers have ranges.

    Its other numbers are taken as they are, and the model as right: the least that is
    uncertain.
    """
    free = assumed(found)
    subject = Subject(found.cell, [0.0])
    root = prior_root(free, subject)
    return Uncertainty(free, get_vector(free, subject), root @ root.T, 0.0)


def write_fitted_cell(path: Path | str, fit: Fit, name: str) -> None:
    """Write the fitted cell with what is known of it; see `naion.io.write_cell`."""
    write_cell(
        path,
        fit.subject.cell,
        name=name,
        fit=uncertainty_of(fit).to_json(),
        parameters=fit.table(),
        at_bound=list(fit.at_bound),
        data=[e.name for e in fit.problem.experiments],
        scores=scores(fit),
    )


@dataclass(frozen=True)
class Ensemble:
    """Draws of a cell; the first is the best fit."""

    cells: tuple[Cell, ...]
    discrepancy: float


def ensemble(cell: Cell, known: Uncertainty, n: int, seed: int = 0) -> Ensemble:
    """Draw `n` cells around one, inside the bounds of what is known.

    The covariance of a nearly undetermined parameter can be wider than its bounds; draws
    are pushed back to them. Draws with impossible numbers, such as fractions of volume that
    add up to more than one, are drawn again. Draws in which an open-circuit potential
    rises, which is no possible cell, are pulled towards the best fit until none rises more
    than there.
    """
    subject = Subject(cell, [0.0])
    moved = draws(cell, known, n, seed)[1:]
    cells = [set_vector(known.free, subject, z).cell for z in moved]
    return Ensemble((cell, *cells), known.discrepancy)


def draws(cell: Cell, known: Uncertainty, n: int, seed: int = 0) -> np.ndarray:
    """What `ensemble` draws, as transformed values, (n, n_z); the first is the best."""
    rng = np.random.default_rng(seed)
    root = root_of(known.covariance)
    subject = Subject(cell, [0.0])
    low, high = known.bounds(cell)
    counts = sizes(known.free, subject)
    of_ocp = np.repeat([".ocp." in f.paths[0] for f in known.free], counts)
    moves = np.zeros((n, len(known.z)))
    fresh = np.arange(n) > 0
    for _ in range(MOST_PULLS):
        for k in np.flatnonzero(fresh):
            moves[k] = root @ rng.standard_normal(len(known.z))
        z = np.clip(known.z + moves, low, high)
        fresh = ~np.asarray(_are_possible(known.free, subject, z))
        fresh[0] = False
        if not fresh.any():
            break
    for _ in range(MOST_PULLS):
        z = np.clip(known.z + moves, low, high)
        steepest = np.asarray(_steepest(known.free, subject, z))
        rises = steepest > max(0.0, steepest[0])
        if not rises.any():
            break
        moves[np.ix_(rises, of_ocp)] *= 0.7
    z[0] = known.z
    return z


@functools.partial(jax.jit, static_argnums=0)
def _are_possible(free: tuple[Free, ...], subject: Subject, z: Array) -> Array:
    """Which draws, (n, n_z), are cells whose numbers are possible, (n,)."""
    return jax.vmap(lambda z: possible(set_vector(free, subject, z).cell))(z)


@functools.partial(jax.jit, static_argnums=0)
@functools.partial(jax.vmap, in_axes=(None, None, 0))
def _steepest(free: tuple[Free, ...], subject: Subject, z: Array) -> Array:
    """How steeply an open-circuit potential rises, at most, in each of many draws."""
    return jnp.max(ocp_slopes(set_vector(free, subject, z).cell))


def voltage_band(
    drawn: Ensemble, times: np.ndarray, protocol, **options
) -> tuple[Solution, np.ndarray, np.ndarray]:
    """The best solution, and the 90 % band of the voltage at given times.

    Args:
        drawn: from `ensemble`.
        times: [s].
        protocol, options: as for `simulate`.

    Returns:
        the solution of the best cell, lower and upper voltage, (n,) [V]. The model's own
        error is included. NaN where more than half of the draws have ended.
    """

    def voltages(cell: Cell) -> Array:
        return simulate(cell, protocol, throw=False, **options).at(times).voltage

    best = simulate(drawn.cells[0], protocol, throw=False, **options)
    V = run(voltages, stack(drawn.cells))
    ended = np.mean(np.isnan(V), axis=0) > 0.5
    V = np.where(ended, 0.0, V)
    centre, spread = np.nanmedian(V, axis=0), np.nanstd(V, axis=0)
    half = 1.645 * np.hypot(spread, drawn.discrepancy)
    return (
        best,
        np.where(ended, np.nan, centre - half),
        np.where(ended, np.nan, centre + half),
    )


def root_of(C: np.ndarray) -> np.ndarray:
    """A square root of a covariance, of any rank."""
    values, vectors = np.linalg.eigh(0.5 * (C + C.T))
    return vectors * np.sqrt(np.maximum(values, 0.0))
