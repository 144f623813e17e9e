"""Cells drawn from what is known of one, and predictions with intervals."""

import functools
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ..batch import run, stack
from ..parameters import Cell, Role, possible
from ..simulation import Solution, simulate
from ._problem import ocp_slopes
from ._uncertainty import Uncertainty
from ._vector import FreeVector

MOST_PULLS = 20
"""After as many pulls of 0.7 a draw's open-circuit potential is that of the best fit."""


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
    moved = draws(cell, known, n, seed)[1:]
    cells = [known.vector.cell(cell, z) for z in moved]
    return Ensemble((cell, *cells), known.discrepancy)


def draws(cell: Cell, known: Uncertainty, n: int, seed: int = 0) -> np.ndarray:
    """What `ensemble` draws, as transformed values, (n, n_z); the first is the best."""
    rng, root, vector = np.random.default_rng(seed), known.root, known.vector
    low, high = vector.bounds
    of_ocp = vector.has_role(Role.OPEN_CIRCUIT_POTENTIAL)
    moves = np.zeros((n, len(known.z)))
    fresh = np.arange(n) > 0
    for _ in range(MOST_PULLS):
        for k in np.flatnonzero(fresh):
            moves[k] = root @ rng.standard_normal(len(known.z))
        z = np.clip(known.z + moves, low, high)
        fresh = ~np.asarray(_are_possible(vector, cell, z))
        fresh[0] = False
        if not fresh.any():
            break
    for _ in range(MOST_PULLS):
        z = np.clip(known.z + moves, low, high)
        steepest = np.asarray(_steepest(vector, cell, z))
        rises = steepest > max(0.0, steepest[0])
        if not rises.any():
            break
        moves[np.ix_(rises, of_ocp)] *= 0.7
    z[0] = known.z
    return z


@functools.partial(jax.jit, static_argnums=0)
def _are_possible(vector: FreeVector, cell: Cell, z: Array) -> Array:
    """Which draws, (n, n_z), are cells whose numbers are possible, (n,)."""
    return jax.vmap(lambda z: possible(vector.cell(cell, z)))(z)


@functools.partial(jax.jit, static_argnums=0)
@functools.partial(jax.vmap, in_axes=(None, None, 0))
def _steepest(vector: FreeVector, cell: Cell, z: Array) -> Array:
    """How steeply an open-circuit potential rises, at most, in each of many draws."""
    return jnp.max(ocp_slopes(vector.cell(cell, z)))


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
