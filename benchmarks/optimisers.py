"""Levenberg-Marquardt against optax's L-BFGS and Adam, from many starts.

The problems of `make demo`. The starts are the demo's own and others drawn from the priors,
as `naion fit --starts` draws them. Every optimiser works on all starts at once, in units of
the priors' widths, and may take as long as Levenberg-Marquardt took. optax knows no bounds:
its points are put back to them. Costs of the best points are computed again on a finer mesh
at a tighter tolerance.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

import naion as na
from benchmarks.harness import FAST, write
from benchmarks.studies import STUDIES
from naion.fit import Problem, drawn_starts, fleet

PROBLEMS = ("nvpf", "tuberlin")
FINE = na.Mesh(12, 3, 14, 24)
FINE_RTOL = 1e-5
STEP = 0.05
"""Length of Adam's steps, in units of the priors' widths."""

ALIKE = 0.01
"""Of the least cost: starts within this have found it."""

Best = tuple[np.ndarray, int]
"""The best point of every start, (k, n), and evaluations of all starts."""


def by_levenberg_marquardt(problem: Problem, starts: np.ndarray, most: int) -> Best:
    """As `naion fit --starts` does it."""
    names = [f"start {k}" for k in range(len(starts))]
    fits = fleet(
        {name: replace(problem) for name in names},
        starts=dict(zip(names, starts, strict=True)),
        max_evaluations=most,
        tolerance=5e-4,
    )
    points = [
        starts[k] if isinstance(f, Exception) else f.z
        for k, f in enumerate(fits.values())
    ]
    count = sum(f.evaluations for f in fits.values() if not isinstance(f, Exception))
    return np.stack(points), count


def by_optax(
    solver: optax.GradientTransformationExtraArgs,
    problem: Problem,
    starts: np.ndarray,
    seconds: float,
) -> Best:
    """Steps of an optax solver, projected to the bounds, until the time is over."""
    scale = problem.vector.scales
    low, high = (jnp.asarray(end / scale) for end in problem.vector.bounds)

    def loss(x):
        return problem.loss(x * scale)

    value_and_grad = jax.value_and_grad(loss)

    def step(x, state):
        value, grad = value_and_grad(x)
        update, state = solver.update(
            grad, state, x, value=value, grad=grad, value_fn=loss
        )
        moved: Any = optax.apply_updates(x, update)
        return jnp.clip(moved, low, high), state, value

    every = jax.jit(jax.vmap(step))
    x = jnp.clip(jnp.asarray(starts / scale), low, high)
    state = jax.vmap(solver.init)(x)
    compiled = every.lower(x, state).compile()
    best, cost, count = np.asarray(x), np.full(len(x), np.inf), 0
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        at = np.asarray(x)
        x, state, value = jax.block_until_ready(compiled(x, state))
        better = np.asarray(value) < cost
        best = np.where(better[:, None], at, best)
        cost = np.where(better, value, cost)
        count += len(x) + searched(state)
    return best * scale, count


def searched(state) -> int:
    """Evaluations of the last line search, of all starts."""
    steps: Any = optax.tree.get(state, "num_linesearch_steps")
    return 0 if steps is None else int(np.sum(steps))


def fine_costs(problem: Problem, points: np.ndarray) -> np.ndarray:
    """Costs on the finer mesh, infinite where a simulation fails."""
    fine = replace(problem, model=replace(problem.model, mesh=FINE), rtol=FINE_RTOL)
    costs = [
        0.5 * float(np.sum(np.asarray(fine.residuals(jnp.asarray(z))) ** 2))
        for z in points
    ]
    return np.where(np.isfinite(costs), costs, np.inf)


def compared(name: str, count: int, most: int) -> list[list[str]]:
    """A row for every optimiser."""
    study = STUDIES[name]()
    problem = study.ladder[study.shipped](study.conditions)
    starts = drawn_starts(problem, count)
    by_levenberg_marquardt(problem, starts, most)  # compiled before it is timed
    began = time.perf_counter()
    by_levenberg_marquardt(problem, starts[:1], most)
    alone = time.perf_counter() - began
    began = time.perf_counter()
    marquardt = by_levenberg_marquardt(problem, starts, most)
    seconds = time.perf_counter() - began
    print(
        f"{name}: one start {alone:.1f} s, {count} starts {seconds:.1f} s", flush=True
    )
    others: dict[str, Callable[[], Best]] = {
        "optax, L-BFGS": partial(by_optax, optax.lbfgs(), problem, starts, seconds),
        "optax, Adam": partial(
            by_optax,
            optax.with_extra_args_support(optax.adam(STEP)),
            problem,
            starts,
            seconds,
        ),
    }
    found = {"Levenberg-Marquardt": marquardt}
    for how, run in others.items():
        print(f"{name}: {how}", flush=True)
        found[how] = run()
    costs = {
        n: np.sort(fine_costs(problem, points)) for n, (points, _) in found.items()
    }
    least = min(c[0] for c in costs.values())
    return [
        [
            name,
            how,
            f"{seconds:.0f} ({alone:.1f})",
            f"{evaluations / count:.0f}",
            f"{costs[how][0]:.1f}",
            f"{np.median(costs[how]):.1f}",
            f"{costs[how][-1]:.1f}",
            f"{np.sum(costs[how] <= (1.0 + ALIKE) * least)} of {count}",
        ]
        for how, (_, evaluations) in found.items()
    ]


def main() -> None:
    """Compare on every problem and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", nargs="+", default=PROBLEMS, choices=PROBLEMS)
    parser.add_argument("--starts", type=int, default=2 if FAST else 8)
    parser.add_argument("--most", type=int, default=2 if FAST else 40)
    given = parser.parse_args()
    rows = [
        row
        for name in given.problems
        for row in compared(name, given.starts, given.most)
    ]
    write(
        "optimisers",
        f"Optimisers from {given.starts} starts",
        [
            *("problem", "optimiser", "s (one start alone)", "evaluations a start"),
            *("least cost", "median", "greatest", f"within {100.0 * ALIKE:g} %"),
        ],
        rows,
        "Every optimiser has the time that Levenberg-Marquardt took (in brackets: what it "
        "took for the first start alone); compilation is not counted. An evaluation is "
        "one of all tests, with its Jacobian (Levenberg-Marquardt, whose secant steps are "
        "not counted), with its gradient, or in a line search. Costs on "
        f"{FINE}, rtol {FINE_RTOL:g}; within: of the least.",
    )
