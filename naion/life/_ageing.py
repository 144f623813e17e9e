"""Cells that age by their own states: what the states are, and a cell that has them."""

import dataclasses

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from .._constants import F
from .._takes import takes
from ..parameters import Cell, require_full_cell, with_process, with_sei
from ..physics.sei import ReactionLimited, Warmed
from ..physics.wear import Wear
from ..simulation import Solution
from ._law import within

SLOW = "grown", "lost", "worn_negative", "worn_positive"
"""States that change over cycles, and not within one: film on top of the fresh one [m];
sodium in it, in units of the fresh negative electrode's sites; shares of both electrodes'
particles that are lost."""


@takes
def with_ageing(
    cell: Cell,
    *,
    sei: float = 1.1e-10,
    wear: float = 3.0e-3,
    energy: float = 32.7e3,
    transfer: float = 0.0,
    threshold: float = 3.75,
) -> Cell:
    """A cell whose film grows and whose positive particles are lost at high potential.

    The middle of the window ages by the film, its ends by both. The usual numbers are
    orders of magnitude, from where `calibrate` starts (assumed).

    Args:
        cell: as it is without.
        sei: rate of the film at 25 degC [mol.m-2.s-1].
        wear: share of the positive particles lost for each site's worth of sodium that is
            turned over above the threshold [-].
        energy: of both [J.mol-1].
        transfer: of the film's reaction; 0: the same at every potential, as a film that
            grows in proportion to cycles asks for.
        threshold: of the positive electrode against the liquid [V]: 3.7 V of a full
            cell are some 3.8 V there (assumed).

    Raises:
        TypeError: for what is no cell.
        ValueError: for rates that are negative, numbers in other units, and half cells.
    """
    require_full_cell(cell, "Ageing")
    if not (sei >= 0.0 and wear >= 0.0):
        raise ValueError(f"sei={sei}, wear={wear}: expected rates from zero up.")
    within("energy", energy, 0.0, 1e6, "J.mol-1")
    within("transfer", transfer, 0.0, 1.0, "")
    within("threshold", threshold, -10.0, 10.0, "V; 3750 mV is 3.75")
    a = jnp.asarray
    film = ReactionLimited(a(sei, float), a(transfer, float), a(0.0))
    warmed = Warmed(film, a(energy, float))
    cell = with_sei(cell, warmed)
    cracks = Wear(a(wear, float), a(threshold, float), a(0.1), a(energy, float))
    return with_process(cell, "positive", cracks)


@takes
def aged(cell: Cell, state: np.ndarray) -> Cell:
    """The cell with its slow states: a `Cell` like any other.

    Particles that are lost keep the sodium that they hold in the published (charged)
    state; what the film holds is no longer there to be cycled.

    Args:
        cell: when it was fresh.
        state: see `SLOW`, (4,).
    """
    grown, lost, worn_n, worn_p = (jnp.asarray(v) for v in state)
    negative, positive = cell.negative, cell.positive
    if negative.sei is not None:
        sei = dataclasses.replace(negative.sei, grown=grown)
        negative = eqx.tree_at(lambda e: e.sei, negative, sei)
    left_n, left_p = 1.0 - worn_n, 1.0 - worn_p
    negative = dataclasses.replace(
        negative, active_fraction=negative.active_fraction * left_n
    )
    positive = dataclasses.replace(
        positive, active_fraction=positive.active_fraction * left_p
    )
    published = dataclasses.replace(
        cell.published, negative=cell.published.negative - lost / left_n
    )
    return dataclasses.replace(
        cell, negative=negative, positive=positive, published=published
    )


def slow_states(solution: Solution, cell: Cell, at: int | None) -> np.ndarray:
    """Slow states in a solution, as they count from its own start, (4,).

    Means over the electrodes: volumes of an electrode are equal.

    Args:
        solution: with its states, of `cell`.
        cell: that was simulated.
        at: index of a step, at whose start; none: at the end.
    """
    equations = solution.equations
    if at is None:
        T = jnp.asarray(solution.end.temperature)
        local = np.asarray(equations.fields(solution.final, T).local)
    else:
        local = np.asarray(solution.states.local[at])
    by_name = dict(zip((u.name for u in equations.surface), local, strict=True))
    mesh = equations.model.mesh
    assert mesh is not None, "a simulation has filled in the cell's own"
    n = mesh.n_neg
    film = cell.negative.sei
    fresh = 0.0 if film is None else float(film.thickness)

    def mean(name: str, part: slice) -> float:
        return float(np.mean(by_name[name][part])) if name in by_name else 0.0

    grown = fresh * (mean("sei", slice(n)) - 1.0) if film is not None else 0.0
    return np.array(
        [
            grown,
            mean("lost", slice(n)),
            mean("worn", slice(n)),
            mean("worn", slice(n, None)),
        ]
    )


def sites(cell: Cell) -> tuple[float, float]:
    """Charge that the sites of both electrodes hold, negative and positive [A.h]."""
    return tuple(
        float(
            F * cell.area * e.thickness * e.active_fraction * e.particle.c_max / 3600.0
        )
        for e in (cell.negative, cell.positive)
    )  # pyright: ignore[reportReturnType]
