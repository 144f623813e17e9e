"""Outputs between the steps of a record, by the solver's own interpolation.

Each function is compiled as one program; run operation by operation, it would make a process
compile some forty small ones.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ..solvers import Record, interpolate
from ..systems import Output, Outputs, outputs_in

SAME_TIME = 1e-6
"""Times closer together than this count as equal [s]."""


def _used(record: Record, n_steps: Int[Array, ""]) -> Bool[Array, " n"]:
    """Which rows of a record hold a step."""
    return jnp.arange(record.t.shape[0]) < n_steps


def _last_before(
    starts: Float[Array, " n"], x: Array, n_steps: Int[Array, ""], side: str = "left"
) -> Int[Array, "*shape"]:
    """Index of the last step that begins before each value, within those there are."""
    step = jnp.searchsorted(jax.lax.stop_gradient(starts), x, side=side) - 1
    return jnp.clip(step, 0, jnp.maximum(n_steps - 1, 0))


@jax.jit
def outputs_at(
    record: Record, n_steps: Int[Array, ""], t: Array, after: Array
) -> Outputs:
    """Outputs at given times; see `Solution.at`."""
    r = record
    starts = jnp.where(_used(r, n_steps), r.t, jnp.inf)
    # The time of a jump is a sum of many steps, and equals the time asked for only to
    # within rounding.
    shifted = t + jnp.where(after, SAME_TIME, -SAME_TIME)
    step = _last_before(starts, shifted, n_steps)
    theta = (t - r.t[step]) / jnp.where(r.h[step] > 0.0, r.h[step], 1.0)
    rows = r.outputs[step][..., : len(Output)]
    inside = t <= r.t[step] + r.h[step] + SAME_TIME
    inside &= (t >= -SAME_TIME) & (n_steps > 0)
    theta = jnp.where(inside, theta, 1.0)[..., None]
    dense = jnp.moveaxis(rows[..., 2:, :], -2, 0)
    value = interpolate(theta, rows[..., 0, :], rows[..., 1, :], dense)
    return outputs_in(jnp.where(inside[..., None], value, jnp.nan))


@jax.jit
def time_at_charge(record: Record, n_steps: Int[Array, ""], q: Array) -> Array:
    """Time at which a charge [C] has been discharged [s]; after the end if it never is."""
    r = record
    starts = jnp.where(_used(r, n_steps), r.outputs[:, 0, Output.CHARGE], jnp.inf)
    step = _last_before(starts, q, n_steps, side="right")
    q0 = r.outputs[step, 0, Output.CHARGE]
    q1 = r.outputs[step, 1, Output.CHARGE]
    return r.t[step] + r.h[step] * (q - q0) / (q1 - q0)


@jax.jit
def beginning_of(record: Record, n_steps: Int[Array, ""], row: Array) -> Array:
    """Time at which a row of the protocol began [s]; see `Solution.began`."""
    first = _used(record, n_steps) & record.fresh & (record.segment == row)
    t = jnp.sum(jnp.where(first, record.t, 0.0))
    return jnp.where(jnp.any(first) | (row == 0), t, jnp.nan)
