"""The outcome of a simulation, from how the solver ended."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._results import Result
from ..solvers import Status, Trajectory
from ..systems import Event

STUCK = (Result.START_NOT_FOUND, Result.STEP_TOO_SMALL, Result.EVENT_NOT_MET)
"""Nothing was found that solves the equations: at the highest power of the cell, where laws
of its properties end, or by a fault of the solver."""

LIQUID = 213.15, 373.15
"""Where an electrolyte can be one, and a law in temperature means something [K]."""


def beyond_laws(outcome: Any, temperature: Any) -> np.ndarray:
    """Outcomes where a solver found nothing, of cells that are in no battery's conditions.

    Args:
        outcome: a `Result`, or one for each of many lanes.
        temperature: asked for [K], of the shape of `outcome` with an axis more, or without.

    Returns:
        the same, but `Result.BEYOND_LAWS` there.
    """
    outcome, T = np.asarray(outcome), np.asarray(temperature, float)
    coldest, warmest = LIQUID
    outside = (coldest > T) | (warmest < T)
    while outside.ndim > outcome.ndim:
        outside = np.any(outside, axis=-1)
    stuck = np.isin(outcome, [int(r) for r in STUCK])
    return np.where(stuck & outside, int(Result.BEYOND_LAWS), outcome)


def outcome_of(done: Trajectory) -> Array:
    """The `Result` of a solve, as an integer array.

    An end is physical if an event was located. Anything else that stopped the solver is a
    numerical failure, unless it is proved afterwards that no solution exists (`_proof`).
    """
    by_event = jnp.select(
        [
            done.event == Event.SURFACE_EMPTY,
            done.event == Event.SURFACE_FULL,
            done.event == Event.SALT_DEPLETED,
        ],
        [
            int(Result.SURFACE_EMPTY),
            int(Result.SURFACE_FULL),
            int(Result.SALT_DEPLETED),
        ],
        int(Result.CUT_OFF),
    )
    named = {
        Status.COMPLETED: Result.COMPLETED,
        Status.START_FAILED: Result.START_NOT_FOUND,
        Status.STEP_TOO_SMALL: Result.STEP_TOO_SMALL,
        Status.EVENT_NOT_MET: Result.EVENT_NOT_MET,
    }
    return jnp.select(
        [done.status == Status.EVENT, *(done.status == s for s in named)],
        [by_event, *(int(r) for r in named.values())],
        # The remaining status: too many steps, or no more room in their record.
        int(Result.STEP_LIMIT),
    )
