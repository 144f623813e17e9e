"""Optimisers and what they return."""

import time
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from .._progress import Progress, silent
from ._certainty import covariance
from ._experiment import Kind
from ._free import Specimen
from ._problem import Problem


@dataclass(frozen=True)
class Fit:
    """A fitted cell and how well the data pin it down.

    Attributes:
        problem: what was fitted.
        z: best transformed parameters, (n,).
        predictions: simulated observations of every experiment.
        covariance: of `z`, discrepancy included, (n, n).
        cost: half the sum of squared residuals.
        at_bound: names of parameters that ended at a bound.
        converged: whether the optimiser stopped because nothing improved any more.
        evaluations: of the residuals.
        seconds: time taken.
    """

    problem: Problem
    z: np.ndarray
    predictions: list[np.ndarray]
    covariance: np.ndarray
    cost: float
    at_bound: tuple[str, ...]
    converged: bool
    evaluations: int
    seconds: float

    @property
    def specimen(self) -> Specimen:
        """The best specimen."""
        return self.problem.specimen_at(self.z)

    def table(self) -> list[dict]:
        """Name, value, 90 % interval and bounds of every free number."""
        v = self.problem.vector
        sd = 1.645 * np.sqrt(np.diag(self.covariance))
        columns = self.z, self.z - sd, self.z + sd, *v.bounds
        value, low, high, least, most = map(np.asarray, map(v.values, columns))
        return [
            {
                "name": name,
                "value": float(value[i]),
                "low": float(low[i]),
                "high": float(high[i]),
                "at_bound": name in self.at_bound,
                "bounds": (float(least[i]), float(most[i])),
            }
            for i, name in enumerate(v.names)
        ]


def least_squares(
    problem: Problem,
    z: np.ndarray | None = None,
    *,
    max_evaluations: int = 30,
    tolerance: float = 1e-4,
    progress: Progress = silent,
) -> Fit:
    """Bounded Levenberg-Marquardt (scipy's trust-region reflective) on exact Jacobians.

    Args:
        z: start; none: the problem's. What lies outside of the bounds starts at them.
        max_evaluations: most evaluations of the residuals.
        tolerance: relative change of cost and parameters at which to stop.
        progress: called with a line of text after every Jacobian.

    Raises:
        ValueError: when none of the experiments can be simulated at the start.
    """
    # Imported here: they would make every start a tenth slower.
    from scipy import optimize

    began = time.perf_counter()
    low, high = problem.vector.bounds
    margin = 1e-6 * (high - low)
    start = np.clip(problem.start if z is None else z, low + margin, high - margin)
    count = 0

    def jacobian(z: np.ndarray) -> np.ndarray:
        nonlocal count
        count += 1
        return problem.jacobian(z * scale) * scale

    def residuals(z: np.ndarray) -> np.ndarray:
        predictions = problem.predictions(z * scale)
        if count == 0 and not _any_finite(predictions):
            raise ValueError(
                "No experiment can be simulated with the start values: "
                "check temperatures, currents and states of charge."
            )
        r = problem.residuals(z * scale, predictions)
        progress(f"iteration {count}: cost {0.5 * np.sum(r * r):.5g}")
        return r

    # In units of what is believed beforehand, so that one step length fits all.
    scale = problem.vector.scales
    done = optimize.least_squares(
        residuals,
        start / scale,
        jac=jacobian,  # pyright: ignore[reportArgumentType]
        bounds=(low / scale, high / scale),
        max_nfev=max_evaluations,
        ftol=tolerance,
        xtol=1e-5,
        gtol=1e-8,
    )
    progress(f"stopped after {done.nfev} evaluations: {done.message}")
    return summarise(
        problem,
        done.x * scale,
        converged=done.status > 0,
        evaluations=done.nfev,
        seconds=time.perf_counter() - began,
    )


def gradient_descent(
    problem: Problem,
    z: np.ndarray | None = None,
    *,
    iterations: int = 40,
    progress: Progress = silent,
) -> np.ndarray:
    """L-BFGS of optax on adjoint gradients, for many numbers.

    The bounds are the ends of a logistic function of the variables, whose slope in the
    middle is the prior (or a share of the bounds): that makes spline values and rate
    constants comparable, and no step can leave the bounds.

    Returns:
        the best transformed parameters seen.
    """
    import optax
    from scipy import special

    low, high = problem.vector.bounds
    steepness = 4.0 * problem.vector.scales / (high - low)

    def inside(x: np.ndarray) -> np.ndarray:
        return special.expit(steepness * x)

    def evaluate(x: np.ndarray) -> tuple[float, np.ndarray]:
        share = inside(x)
        value, gradient = problem.value_and_grad(low + (high - low) * share)
        return value, gradient * (high - low) * share * (1.0 - share) * steepness

    start = ((problem.start if z is None else z) - low) / (high - low)
    x = special.logit(np.clip(start, 1e-3, 1.0 - 1e-3)) / steepness
    solver = optax.scale_by_lbfgs(memory_size=15)
    state = solver.init(jnp.asarray(x))
    value, gradient = evaluate(x)
    for i in range(iterations):
        update, state = solver.update(jnp.asarray(gradient), state, jnp.asarray(x))
        update = np.asarray(update)
        # Steps are shortened until they descend; no variable moves by more than one.
        step = 1.0 / max(1.0, float(np.max(np.abs(update))))
        while step > 1e-4:
            new_value, new_gradient = evaluate(x - step * update)
            if new_value < value:
                break
            step *= 0.4
        else:
            break
        gain = value - new_value
        x, value, gradient = x - step * update, new_value, new_gradient
        progress(f"gradient step {i + 1}: cost {value:.4g}")
        if gain < 1e-4 * value:
            break
    return low + (high - low) * inside(x)


def summarise(
    problem: Problem,
    z: np.ndarray,
    *,
    converged: bool = True,
    evaluations: int = 0,
    seconds: float = 0.0,
) -> Fit:
    """The `Fit` at given transformed parameters: covariance, bounds and cost."""
    low, high = problem.vector.bounds
    edge = 1e-3 * (high - low)
    near = (z - low < edge) | (high - z < edge)
    names = tuple(n for n, at in zip(problem.vector.names, near, strict=True) if at)
    predictions = problem.predictions(z)
    r = problem.residuals(z, predictions)
    C = covariance(problem, r, problem.jacobian(z))
    cost = 0.5 * float(np.sum(r * r))
    converged = converged and _any_finite(predictions)
    return Fit(problem, z, predictions, C, cost, names, converged, evaluations, seconds)


def _any_finite(predictions: list[np.ndarray]) -> bool:
    return any(np.any(np.isfinite(p)) for p in predictions)


def scores(fit: Fit) -> list[list[str]]:
    """Rows of a table: experiment, what was compared, and how far the model is from it.

    Every number that entered the cost is counted; those after the model's end, which
    entered it as zero, are given apart.
    """
    rows = []
    for e, model in zip(fit.problem.experiments, fit.predictions, strict=True):
        i = 0
        for o in e.observations:
            m, i = model[i : i + len(o.value)], i + len(o.value)
            reached = np.isfinite(m)
            error = (m - o.value)[reached]
            if o.kind == Kind.RESISTANCE:
                each = zip(1e3 * o.value, 100.0 * (m / o.value - 1.0), strict=True)
                text = ", ".join(f"{R:.4g} mohm measured, {x:+.1f} %" for R, x in each)
            elif not reached.any():
                text = "not reached"
            elif o.kind == Kind.TEMPERATURE:
                text = f"{np.sqrt(np.mean(error**2)):.2f} K"
            else:
                text = f"{1e3 * np.sqrt(np.mean(error**2)):.1f} mV"
            missed = int(np.sum(~reached))
            if missed and o.kind != Kind.RESISTANCE:
                text += f"; {missed} of {len(m)} after the model's end, counted as 0"
            rows.append([e.name, o.label, text])
    return rows
