"""How certain a fit is: covariance, identifiable combinations, intervals and profiles."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jax
import numpy as np
from jaxtyping import Array

from .._takes import takes
from ..parameters import Cell
from ._errors import found_errors, inverse_of, prior_precision
from ._levenberg_marquardt import minimise
from ._problem import Problem

if TYPE_CHECKING:
    from ._fit import Fit


def covariance(problem: Problem, r: np.ndarray, J: np.ndarray) -> np.ndarray:
    """Covariance of the parameters, with the model's own error taken as correlated.

    The residuals of a fitted battery model are not independent noise: they are mostly the
    model's own error, which is smooth along each curve. With H = J^T J (data and priors)
    and S the covariance of the scaled residuals, the sandwich H^-1 J^T S J H^-1, with the
    priors' part added, takes the place of H^-1. In S every experiment has a variance of
    its own, and all have the same correlation, which decays exponentially from point to
    point. Calibrations of single tests are given the scatter that was found among the
    tests, not that of their priors; see `found_errors`.

    Args:
        problem: what was fitted.
        r, J: residuals, (m,), and their Jacobian, (m, n), at the best parameters.

    Returns:
        covariance of the transformed parameters, (n, n).

    Reference: Kennedy and O'Hagan, J. R. Stat. Soc. B 63 (2001) 425; White, Econometrica
    48 (1980) 817 for the sandwich.
    """
    n = sum(e.n_observations for e in problem.experiments)
    inverse = inverse_of(J.T @ J)
    errors, of_priors = found_errors(problem, r, J), J[n:].copy()
    for name, (_, rows) in problem.vector.of_tests.items():
        of_priors[rows] *= errors.own[name]
    middle = J[:n].T @ errors.covariance(problem.experiments) @ J[:n]
    return inverse @ (middle + of_priors.T @ of_priors) @ inverse


@dataclass(frozen=True)
class Combination:
    """A weighted sum of free parameters, and how far the data determine it.

    Attributes:
        names: names of the parameters, with "ln" before those on a logarithmic scale, (n,).
        weights: weight of each parameter in units of its prior's standard deviation; their
            squares add up to one, (n,).
        remains: standard deviation of the sum after the fit over that before it.
    """

    names: tuple[str, ...]
    weights: np.ndarray
    remains: float

    @property
    def is_determined(self) -> bool:
        """Whether less than 0.3 of what was open before the data is left."""
        return self.remains < 0.3

    def __str__(self) -> str:
        large = np.argsort(-np.abs(self.weights))
        large = [i for i in large if np.abs(self.weights[i]) > 0.3][:4] or large[:1]
        text = " ".join(f"{self.weights[i]:+.2f} {self.names[i]}" for i in large)
        if self.is_determined:
            verdict = "determined"
        elif self.remains < 0.8:
            verdict = "partly determined"
        else:
            verdict = "not determined by these data"
        left = min(100.0, 100.0 * self.remains)
        return f"{text}: {verdict}, {left:.0f} % of the prior's width remains"


@takes
def identifiability(fit: "Fit") -> tuple[Combination, ...]:
    """Which combinations of parameters the data determine, the best known first.

    These are the generalised eigenvectors of the fit's covariance and that of the priors:
    sums of parameters that are uncorrelated both before and after the fit. A parameter
    without a prior counts as equally likely anywhere between its bounds.
    """
    from scipy import linalg

    problem = fit.problem
    before = inverse_of(prior_precision(problem, fit.near.jacobian))
    variances, vectors = linalg.eigh(fit.covariance, before)
    weights = vectors * np.sqrt(np.diag(before))[:, None]
    weights = weights / np.linalg.norm(weights, axis=0)
    # An eigenvector has no sign of its own: the largest weight is made positive.
    weights = weights * np.sign(
        weights[np.argmax(np.abs(weights), axis=0), np.arange(len(weights))]
    )
    names = tuple(
        f"ln {name}" if f.transform == "log" else name
        for name, f in zip(problem.vector.names, problem.vector.owners, strict=True)
    )
    return tuple(
        Combination(names, w, float(np.sqrt(max(v, 0.0))))
        for w, v in zip(weights.T, variances, strict=True)
    )


@takes
def interval(
    fit: "Fit", prediction: Callable[[Cell], Array], level: float = 0.9
) -> tuple[float, float, float]:
    """A prediction and its interval, by linearisation around the best parameters.

    Args:
        fit: the fit, with its covariance.
        prediction: a differentiable function of the cell that returns a scalar.
        level: probability that the interval holds the value.

    Returns:
        lower end, value at the best parameters, upper end.

    Raises:
        ValueError: when the prediction is not finite, or does not depend on any free
            parameter.
    """
    from scipy import stats

    value, slope = linear_prediction(fit, prediction)
    half = float(
        stats.norm.ppf(0.5 + 0.5 * level) * np.sqrt(slope @ fit.covariance @ slope)
    )
    return value - half, value, value + half


def linear_prediction(
    fit: "Fit", prediction: Callable[[Cell], Array]
) -> tuple[float, np.ndarray]:
    """A prediction and its gradient by the free parameters; errors as in `interval`."""
    return _linear(fit, _of_vector(fit.problem, prediction))


def _of_vector(problem: Problem, prediction: Callable[[Cell], Array]) -> Callable:
    """A prediction and its gradient by the vector of free parameters."""

    def of(z: Array) -> Array:
        return prediction(problem.vector.set(problem.specimen, z).cell)

    return jax.jit(jax.value_and_grad(of))


def _linear(fit: "Fit", predicted: Callable) -> tuple[float, np.ndarray]:
    value, slope = predicted(fit.z)
    if not (np.isfinite(value) and np.any(slope) and np.all(np.isfinite(slope))):
        raise ValueError(
            f"The prediction is {float(value)}, its largest derivative "
            f"{float(np.max(np.abs(slope)))}: expected a finite number that depends on "
            "the free parameters of the fit."
        )
    return float(value), np.asarray(slope)


@dataclass(frozen=True)
class Profile:
    """How much worse the best fit becomes when a prediction is held at other values.

    Attributes:
        values: values of the prediction, (n,).
        rise: rise of twice the cost, corrected for the correlation of the residuals, (n,).
        z: best parameters at each value, (n, n_z).
        best: prediction of the fit itself.
    """

    values: np.ndarray
    rise: np.ndarray
    z: np.ndarray
    best: float

    def interval(self, level: float = 0.9) -> tuple[float, float]:
        """Values whose rise is below the chi-squared quantile; NaN for an end not reached."""
        from scipy import stats

        most = float(stats.chi2.ppf(level, 1))

        def end(side: np.ndarray) -> float:
            order = np.argsort(np.abs(self.values[side] - self.best))
            x = np.append(self.best, self.values[side][order])
            y = np.append(0.0, np.maximum.accumulate(self.rise[side][order]))
            # The rise is nearly a parabola: its root is nearly linear in the value.
            if y[-1] < most:
                return float("nan")
            return float(np.interp(np.sqrt(most), np.sqrt(y), x))

        below = self.values < self.best
        return end(below), end(~below)


@takes
def profile(
    fit: "Fit",
    prediction: Callable[[Cell], Array],
    *,
    points: int = 8,
    reach: float = 2.5,
    max_evaluations: int = 15,
) -> Profile:
    """Profile likelihood of a prediction: refit with the prediction held at other values.

    Its intervals hold also where the model is far from linear in the parameters that the
    data leave open, and intervals from the covariance do not.

    Args:
        fit: the fit around which to go.
        prediction: a differentiable function of the cell that returns a scalar.
        points: number of values of the prediction, half of them on either side.
        reach: how far out to go, in standard deviations from the covariance.
        max_evaluations: most evaluations of the residuals for each value.

    Raises:
        ValueError: when the prediction is not finite, or does not depend on any free
            parameter.

    Reference: Pace, Salvan and Sartori, Stat. Sinica 21 (2011) 129, for the correction of
    the rise where residuals are not independent.
    """
    problem = fit.problem
    predicted = _of_vector(problem, prediction)
    best, slope = _linear(fit, predicted)
    variance = float(slope @ fit.covariance @ slope)
    J = fit.near.jacobian
    independent = float(slope @ inverse_of(J.T @ J) @ slope)
    sd = np.sqrt(variance)
    firmly = 0.01 * min(sd, np.sqrt(independent))
    low, high = problem.vector.bounds
    scale = np.sqrt(np.diag(fit.covariance))

    def refit(target: float, start: np.ndarray) -> tuple[np.ndarray, float]:
        def linearised(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            near, (value, slope) = problem.linearised(x * scale), predicted(x * scale)
            r = np.append(near.residuals, (float(value) - target) / firmly)
            J = np.vstack([near.jacobian, np.asarray(slope) / firmly])
            return r, J * scale

        x, r = minimise(
            linearised,
            start / scale,
            (low / scale, high / scale),
            tolerance=1e-5,
            most=max_evaluations,
        )
        return x * scale, float(r[:-1] @ r[:-1]) - 2.0 * fit.cost

    along = fit.covariance @ slope / variance
    found = []
    for side in (-1.0, 1.0):
        z, value = fit.z, best
        for step in np.linspace(0.0, reach, points // 2 + 1)[1:]:
            target = best + side * step * sd
            z, rise = refit(target, z + along * (target - value))
            value = float(predicted(z)[0])
            found.append((value, max(rise, 0.0) * independent / variance, z))
    values, rise, z = zip(*sorted(found, key=lambda row: row[0]), strict=True)
    return Profile(np.array(values), np.array(rise), np.array(z), best)
