"""The outcome of a simulation, from how the solver ended."""

import jax.numpy as jnp
from jaxtyping import Array

from .._results import Result
from ..solvers import Status, Trajectory
from ..systems import Event


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
