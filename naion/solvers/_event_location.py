"""Event location: the length of a step that ends exactly at an event."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ._rosenbrock import StepResult, interpolate
from ._system import AbstractSystem

MAX_LOCATING = 30
"""Most attempts at the length of a step that ends at an event; three are usual."""

_BY_DENSE_OUTPUT = 3
"""Attempts that may follow the dense output, which is close but not exact."""


class Locating(NamedTuple):
    """Lengths of a step between which an event lies, with the distances to it there.

    Attributes:
        count: attempts so far; 0 when no event is being located.
        low: a length that ends before the event [s].
        high: a length that ends behind it [s].
        ahead: distance to the event at `low`, positive.
        behind: distance at `high`, negative.
        crossed: the last attempt ended behind the event.
    """

    count: Array
    low: Array
    high: Array
    ahead: Array
    behind: Array
    crossed: Array


def not_locating(like: Array) -> Locating:
    """No event in sight."""
    zero = jnp.zeros_like(like)
    return Locating(jnp.zeros((), int), zero, zero, zero, zero, jnp.asarray(False))


def locate(
    c: Locating, h: Array, before: Array, after: Array, crossed: Array, root: Array
) -> tuple[Locating, Array]:
    """The bracket after an attempt of length `h`, and the length to try next.

    False position; an end that stays twice counts half (Illinois rule; Dowell and
    Jarratt, BIT 11 (1971) 168). The first attempts follow the dense output instead.

    Args:
        before: distance to the event at the start of the step.
        after: distance at its end.
        crossed: it ended behind the event.
        root: where the dense output meets the event [s]; of use if `crossed`.
    """
    first = c.count == 0
    stays = ~first & (crossed == c.crossed)
    ahead = jnp.where(first, before, jnp.where(stays, 0.5 * c.ahead, c.ahead))
    behind = jnp.where(stays, 0.5 * c.behind, c.behind)
    new = Locating(
        c.count + 1,
        jnp.where(crossed, jnp.where(first, 0.0, c.low), h),
        jnp.where(crossed, h, c.high),
        jnp.where(crossed, ahead, after),
        jnp.where(crossed, after, behind),
        crossed,
    )
    share = new.ahead / (new.ahead - new.behind)
    straight = new.low + share * (new.high - new.low)
    trusted = crossed & (c.count < _BY_DENSE_OUTPUT)
    trusted = trusted & (root > new.low) & (root < new.high)
    return new, jnp.where(trusted, root, straight)


def dense_root(
    system: AbstractSystem,
    tau: Array,
    y: Array,
    h: Array,
    step: StepResult,
    args: Any,
    control: Any,
    wanted: Array,
) -> Array:
    """Time after the start at which the dense output first meets an event [s].

    Bisection, not done unless `wanted`.
    """

    def halve(_, bracket):
        low, high = bracket
        middle = 0.5 * (low + high)
        z = interpolate(middle, y, step.y, step.dense)
        distance = system.events(tau + middle * h, z, args, control)
        crossed = jnp.any(distance <= 0.0)
        return jnp.where(crossed, low, middle), jnp.where(crossed, middle, high)

    bracket = jnp.zeros_like(h), jnp.ones_like(h)
    low, high = jax.lax.fori_loop(0, jnp.where(wanted, 45, 0), halve, bracket)
    return 0.5 * (low + high) * h
