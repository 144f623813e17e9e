"""Levenberg-Marquardt, L-BFGS and Adam on shipped fits, from eight starts each.

python -m benchmarks optimisers [nvpf tuberlin]

The first start is the problem's own, the others are drawn from the priors (between the bounds
where there is none). Costs are computed again on one mesh at one tight tolerance. L-BFGS
and Adam move in logistic variables, which lose their slope at bounds, Levenberg-Marquardt
between the bounds. Adam takes a fixed number of steps.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.harness import FAST, write
from naion.demo import _nvpf, _tuberlin
from naion.fit import Problem, lbfgs, least_squares

STARTS = 1 if FAST else 8
SEED = 20261126
RTOL = 1e-5
"""Of the costs that are compared."""

SPREAD = 0.5
"""Of starts, in standard deviations of the priors."""

ADAM_STEPS = 3 if FAST else 150
ADAM_RATE = 0.05

PROBLEMS = {"nvpf": _nvpf.nvpf_problem, "tuberlin": _tuberlin.tuberlin_problem}


def logistic(problem: Problem) -> Callable[[jax.Array], jax.Array]:
    """Variables that cannot leave the bounds."""
    low, high = problem.vector.bounds
    steepness = 4.0 * problem.vector.scales / (high - low)
    return lambda x: jnp.asarray(low) + (high - low) * jax.nn.sigmoid(steepness * x)


def inverse(problem: Problem, z: np.ndarray) -> np.ndarray:
    """Logistic variables of transformed values."""
    low, high = problem.vector.bounds
    share = np.clip((z - low) / (high - low), 1e-3, 1.0 - 1e-3)
    steepness = 4.0 * problem.vector.scales / (high - low)
    return np.log(share / (1.0 - share)) / steepness


def adam(problem: Problem, z: np.ndarray) -> tuple[np.ndarray, int]:
    """The point of least cost on its way, and how many gradients."""
    inside, solver = logistic(problem), optax.adam(ADAM_RATE)

    @jax.jit
    def step(x, state):
        value, slope = jax.value_and_grad(lambda x: problem.loss(inside(x)))(x)
        update, state = solver.update(slope, state, x)
        return optax.apply_updates(x, update), state, value

    x = jnp.asarray(inverse(problem, z))
    state, best = solver.init(x), (np.inf, x)
    for _ in range(ADAM_STEPS):
        new, state, value = step(x, state)
        best = min(best, (float(value), x), key=lambda pair: pair[0])
        x = new
    return np.asarray(inside(best[1])), ADAM_STEPS


def levenberg_marquardt(problem: Problem, z: np.ndarray) -> tuple[np.ndarray, int]:
    """As in `make demo`."""
    fit = least_squares(problem, z, max_evaluations=3 if FAST else 60, tolerance=5e-4)
    return fit.z, fit.evaluations


def gradients(problem: Problem, z: np.ndarray) -> tuple[np.ndarray, int]:
    """`fit.lbfgs`."""
    fit = lbfgs(problem, z, max_iterations=3 if FAST else 100, tolerance=5e-4)
    return fit.z, fit.evaluations


OPTIMISERS = {
    "Levenberg-Marquardt": levenberg_marquardt,
    "L-BFGS": gradients,
    "Adam": adam,
}


def starts(problem: Problem) -> list[np.ndarray]:
    """The problem's own, and drawn ones."""
    rng = np.random.default_rng(SEED)
    low, high = problem.vector.bounds
    width = SPREAD * problem.vector.scales
    drawn = [
        np.clip(problem.start + width * rng.standard_normal(len(low)), low, high)
        for _ in range(STARTS - 1)
    ]
    return [problem.start, *drawn]


def main() -> None:
    """Run all optimisers from all starts of the problems named, or of all."""
    rows = []
    for name in sys.argv[1:] or list(PROBLEMS):
        problem = PROBLEMS[name]()
        exact = replace(problem, rtol=RTOL)
        loss = jax.jit(exact.loss)
        for label, optimise in OPTIMISERS.items():
            if not FAST:
                optimise(problem, problem.start)  # compiles
            costs, counts, seconds = [], [], []
            for z in starts(problem):
                began = time.process_time()
                found, count = optimise(problem, z)
                seconds.append(time.process_time() - began)
                costs.append(float(loss(jnp.asarray(found))))
                counts.append(count)
            print(name, label, np.round(costs, 1), counts, flush=True)
            rows.append(
                [
                    name,
                    label,
                    f"{min(costs):.1f}",
                    f"{np.median(costs):.1f}",
                    f"{max(costs):.1f}",
                    f"{np.median(counts):.0f}",
                    f"{np.median(seconds):.0f}",
                ]
            )
    write(
        "optimisers",
        f"Optimisers from {STARTS} starts",
        [
            *("fit", "optimiser", "least cost", "median", "highest"),
            *("evaluations", "processor time, s"),
        ],
        rows,
        f"Starts {SPREAD:g} standard deviations of the priors wide, seed {SEED}. Costs at "
        f"rtol {RTOL:g}. Evaluations: of residuals, and of Jacobians where they come true "
        "(Levenberg-Marquardt), line searches (L-BFGS), gradients (Adam).",
    )
