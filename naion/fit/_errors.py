"""How large the errors of data and model are, and how alike along a curve."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ._experiment import Experiment
from ._free import sizes
from ._problem import Problem, places_of_own

if TYPE_CHECKING:
    from ._fit import Fit

MOST_ALIKE = 0.98
"""Highest correlation of neighbouring residuals: beyond, a curve counts as one point."""

LEAST_VARIANCE = 0.05
"""Of scaled residuals: no fit is much better than its data claim to be."""

CLAIMED = 1.5
"""To within which the logarithm of a variance is as the data claim, one standard
deviation: what a test of a single number is left with."""

ENOUGH = 4
"""Tests whose own numbers say how far such numbers scatter; of fewer the priors do."""


@dataclass(frozen=True)
class Errors:
    """Errors of data and model along each experiment, in units of the data's weights.

    Attributes:
        variances: of the experiments, (k,).
        correlation: of neighbouring numbers; falls exponentially from there.
        own: standard deviation of what belongs to single tests (errors of a sensor), by
            name, in units of its prior.
    """

    variances: np.ndarray
    correlation: float
    own: Mapping[str, float]

    def covariance(self, experiments: Sequence[Experiment]) -> np.ndarray:
        """Of all numbers of these experiments, (n, n).

        Experiments that are not those of the fit have its mean variance, but err by no
        less than they claim.
        """
        counts = [e.n_observations for e in experiments]
        known = len(counts) == len(self.variances)
        usual = max(1.0, float(self.variances.mean()))
        each = self.variances if known else np.full(len(counts), usual)
        return _Curves(counts).covariance(each, self.correlation)


class _Curves:
    """Which numbers belong to one curve, and how far apart they are.

    Args:
        counts: of numbers of each experiment.
    """

    def __init__(self, counts: Sequence[int]):
        self.owner = np.repeat(np.arange(len(counts)), counts)
        k = np.arange(len(self.owner))
        self.apart = np.abs(k[:, None] - k)
        self.same = self.owner[:, None] == self.owner

    def covariance(self, variances: np.ndarray, rho: float) -> np.ndarray:
        """Of all numbers, (n, n)."""
        sd = np.sqrt(variances)[self.owner]
        return np.where(self.same, rho**self.apart, 0.0) * np.outer(sd, sd)

    def slope(self, variances: np.ndarray, rho: float) -> np.ndarray:
        """Of the covariance by rho."""
        sd = np.sqrt(variances)[self.owner]
        falls = self.apart * rho ** np.maximum(self.apart - 1, 0)
        return np.where(self.same, falls, 0.0) * np.outer(sd, sd)


def errors_of(fit: "Fit") -> Errors:
    """What the residuals of a fit say about the errors of its data and its model."""
    problem = fit.problem
    return found_errors(problem, problem.residuals(fit.z), problem.jacobian(fit.z))


def prior_precision(problem: Problem, J: np.ndarray) -> np.ndarray:
    """Inverse covariance of the parameters before the data, (n_z, n_z).

    A parameter without a prior counts as equally likely between its bounds.

    Args:
        problem: whose.
        J: Jacobian of the residuals.
    """
    low, high = problem.bounds
    counts = sizes(problem.free, problem.subject)
    flat = np.repeat([not np.isfinite(f.prior) for f in problem.free], counts)
    of_priors = J[_count(problem) :]
    wide = np.where(flat, 12.0 / (high - low) ** 2, 0.0)
    return of_priors.T @ of_priors + np.diag(wide)


def inverse_of(H: np.ndarray) -> np.ndarray:
    """Of a covariance or a precision: parameters range from volts to J/mol."""
    unit = 1.0 / np.sqrt(np.maximum(np.diag(H), 1e-300))
    scaled = H * np.outer(unit, unit) + 1e-9 * np.eye(len(H))
    return np.linalg.inv(scaled) * np.outer(unit, unit)


def found_errors(problem: Problem, r: np.ndarray, J: np.ndarray) -> Errors:
    """The errors with which the data are most likely, whatever the parameters are.

    A fit takes the smooth part of the errors out, so that its residuals are smaller and
    rougher than they. What is as large as the errors are the residuals with all parameters
    where they were believed to be: in first order they have the covariance
    J C J^T + S(variances, correlation), with C that of the priors. Its likelihood is
    maximised; the scatter of what belongs to single tests is found with it, where the
    tests are many.

    Args:
        problem: what was fitted.
        r, J: residuals and their Jacobian at the best parameters.

    Reference: MacKay, Neural Comput. 4 (1992) 415 (evidence); Kennedy and O'Hagan, J. R.
    Stat. Soc. B 63 (2001) 425 (the model's own error).
    """
    from scipy import linalg, optimize

    counts, n = [e.n_observations for e in problem.experiments], _count(problem)
    places = places_of_own(problem.free, problem.subject)
    C = inverse_of(prior_precision(problem, J))
    away = C @ (J[n:].T @ r[n:])
    r, J = r[:n] - J[:n] @ away, J[:n]
    scatter = {}
    for name, (columns, _) in places.items():
        if len(columns) >= ENOUGH:
            own = J[:, columns]
            scatter[name] = own @ C[np.ix_(columns, columns)] @ own.T
            C[columns], C[:, columns] = 0.0, 0.0
    believed, curves, k = J @ C @ J.T, _Curves(counts), len(counts)

    def unlikely(x: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus the log likelihood, and its gradient.

        By the logarithms of the variances, the correlation, and the logarithms of the
        scatter squared.
        """
        variances, rho, own = np.exp(x[:k]), x[k], np.exp(x[k + 1 :])
        S = curves.covariance(variances, rho)
        parts = [s * a for s, a in zip(own, scatter.values(), strict=True)]
        total = believed + S + sum(parts, 1e-10 * np.eye(n))
        root = linalg.cholesky(total, lower=True)
        inverse = linalg.cho_solve((root, True), np.eye(n))
        a = inverse @ r
        value = 0.5 * r @ a + np.sum(np.log(np.diag(root)))
        left = inverse - np.outer(a, a)
        by_variance = np.bincount(curves.owner, np.sum(S * left, axis=1), k)
        by_rho = np.sum(curves.slope(variances, rho) * left)
        by_own = [np.sum(part * left) for part in parts]
        claimed = x[:k] / CLAIMED**2
        value += 0.5 * x[:k] @ claimed
        slope = 0.5 * np.array([*by_variance, by_rho, *by_own])
        slope[:k] += claimed
        return float(value), slope

    done = optimize.minimize(
        unlikely,
        np.concatenate([np.zeros(k), [0.5], np.full(len(scatter), np.log(0.25))]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(np.log(LEAST_VARIANCE), np.log(100.0))] * k
        + [(0.0, MOST_ALIKE)]
        + [(np.log(1e-3), 0.0)] * len(scatter),
    )
    own = dict.fromkeys(places, 1.0)
    own |= dict(zip(scatter, np.exp(0.5 * done.x[k + 1 :]).tolist(), strict=True))
    return Errors(np.exp(done.x[:k]), float(done.x[k]), own)


def _count(problem: Problem) -> int:
    return sum(e.n_observations for e in problem.experiments)
