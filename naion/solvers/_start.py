"""Consistent algebraic unknowns at the start of a segment."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ._system import AbstractSystem

_FROZEN = 1e14
"""Shift that freezes differential unknowns in the step matrix [s-1]."""

MAX_ITERATIONS = 60


def find_start(
    system: AbstractSystem,
    tau: Array,
    y: Array,
    args: Any,
    control: Any,
    wanted: Array,
) -> tuple[Array, Array]:
    """Damped Newton on the algebraic rows with the differential unknowns frozen.

    The matrix is the step matrix with an infinite shift, so that starts use the same
    elimination as steps.

    Args:
        wanted: nothing is done where this is false. In a batch, lanes that need no
            start cost no iterations.

    Returns:
        The state, and whether it was found.
    """
    algebraic = jnp.asarray(system.mass == 0.0)

    def residual(y):
        return jnp.where(algebraic, system.rates(tau, y, args, control), 0.0)

    def going(carry):
        _, size, count, _ = carry
        return wanted & (size > 1.0) & (count < MAX_ITERATIONS)

    def update(carry):
        y, size, count, f = carry
        factors = system.factor(jnp.asarray(_FROZEN), tau, y, args, control)
        dy = factors.solve(f)
        damped = system.limit_update(y, dy, args)

        def smaller(trial):
            factor, _, _, size_new = trial
            return (~(size_new < size)) & (factor > 1e-3 * damped)

        def halve(trial):
            factor = 0.5 * trial[0]
            return attempt(factor)

        def attempt(factor):
            y_new = y + factor * dy
            f_new = residual(y_new)
            return factor, y_new, f_new, system.start_error(f_new)

        _, y, f, size = jax.lax.while_loop(smaller, halve, attempt(damped))
        return y, size, count + 1, f

    y = jnp.where(wanted & algebraic, system.start_guess(tau, y, args, control), y)
    f = residual(y)
    carry = (y, system.start_error(f), jnp.asarray(0), f)
    y, size, _, _ = jax.lax.while_loop(going, update, carry)
    return y, (size <= 1.0) | ~wanted


def settle(
    system: AbstractSystem, tau: Array, y: Array, args: Any, control: Any
) -> Array:
    """A state that is already consistent, as a differentiable function of what it hangs on.

    One Newton correction with a fixed matrix: its value is a rounding error, its
    derivative that of the algebraic unknowns by the implicit function theorem.
    """
    algebraic = jnp.asarray(system.mass == 0.0)
    y = jnp.where(algebraic, jax.lax.stop_gradient(y), y)
    fixed = jax.lax.stop_gradient((y, args, control))
    factors = system.factor(jnp.asarray(_FROZEN), tau, *fixed)
    f = jnp.where(algebraic, system.rates(tau, y, args, control), 0.0)
    correction = jax.lax.custom_linear_solve(
        lambda v: v,
        f,
        lambda _, b: factors.solve(b),
        lambda _, b: factors.solve_transposed(b),
    )
    return y + jnp.where(algebraic, correction, 0.0)
