"""L-BFGS of optax on adjoint gradients, for curves of hundreds of numbers."""

import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._progress import Progress, silent
from ._fit import Fit, fit_at
from ._problem import Problem

MEMORY = 15
"""Pairs of steps and gradients that the curvature is built from."""

LINE_SEARCH = 12
"""Most evaluations along one direction."""


def lbfgs(
    problem: Problem,
    z: np.ndarray | None = None,
    *,
    max_iterations: int = 100,
    tolerance: float = 1e-4,
    progress: Progress = silent,
) -> Fit:
    """Fit by limited-memory BFGS with optax's line search.

    A gradient costs about three simulations however many numbers are free, the Jacobian of
    `least_squares` about half of one for each: this is for a hundred numbers and more.

    Bounds are the ends of a logistic function of the variables, whose slope in the middle
    is the prior (or a share of the bounds). That makes spline values and rate constants
    comparable, but a number that belongs at its bound gets there slowly, or stays there:
    `benchmarks/results/optimisers.md` compares.

    Args:
        problem: what to fit.
        z: transformed start values, (n,); none: the problem's.
        max_iterations: most line searches.
        tolerance: a fit ends when two iterations in a row lower the cost by less than this
            share of it.
        progress: called with a line of text after every iteration.

    Returns:
        the fit; its `evaluations` are iterations.

    Raises:
        ValueError: when the cost at the start is not finite.
    """
    import optax
    from scipy import special

    began = time.perf_counter()
    low, high = problem.vector.bounds
    width = high - low
    steepness = 4.0 * problem.vector.scales / width

    def inside(x: Array) -> Array:
        return jnp.asarray(low) + width * jax.nn.sigmoid(steepness * x)

    def loss(x: Array) -> Array:
        return problem.loss(inside(x))

    search = optax.scale_by_zoom_linesearch(LINE_SEARCH)
    solver = optax.lbfgs(memory_size=MEMORY, linesearch=search)
    value_and_grad = optax.value_and_grad_from_state(loss)

    @jax.jit
    def step(x: Array, state: Any) -> tuple[Any, Any, Any]:
        value, grad = value_and_grad(x, state=state)
        update, state = solver.update(
            grad, state, x, value=value, grad=grad, value_fn=loss
        )
        return optax.apply_updates(x, update), state, value

    start = ((problem.start if z is None else z) - low) / width
    x = jnp.asarray(special.logit(np.clip(start, 1e-3, 1.0 - 1e-3)) / steepness)
    state, costs = solver.init(x), []
    for _ in range(max_iterations):
        new, state, value = step(x, state)
        costs.append(float(value))
        progress(f"iteration {len(costs)}: cost {costs[-1]:.5g}")
        if not np.isfinite(costs[0]):
            raise ValueError(
                f"The cost at the start is {costs[0]}: expected a finite number. Check "
                "start values, temperatures and currents."
            )
        falls = -np.diff(costs[-3:])
        ended = len(falls) == 2 and np.all(falls < tolerance * costs[-1])
        if ended:
            break
        x = new
    else:
        ended = False
    return fit_at(
        problem,
        np.asarray(inside(x)),
        converged=bool(ended),
        evaluations=len(costs),
        seconds=time.perf_counter() - began,
    )
