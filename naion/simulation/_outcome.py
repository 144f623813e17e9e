"""How a solve ended, in the words of batteries."""

import jax.numpy as jnp
from jaxtyping import Array

from .._results import Result
from ..solvers import Status, Trajectory
from ..systems import Event


def outcome_of(done: Trajectory) -> Array:
    """A `Result`, as an integer array.

    A physical end is an event that was located; whatever kept the solver from going on is
    a numerical failure, until it is proved that no solution exists (`_proof`).
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
        # Of steps, or of room for their record.
        int(Result.STEP_LIMIT),
    )
