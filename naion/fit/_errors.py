"""How large the errors of data and model are, and how correlated along a curve."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from .._takes import takes
from ._experiment import Experiment
from ._problem import Problem

if TYPE_CHECKING:
    from ._fit import Fit

MOST_ALIKE = 0.98
"""Highest correlation of neighbouring residuals; beyond it a whole curve would count as
hardly more than one point."""

LEAST_VARIANCE = 0.05
"""Lowest variance of scaled residuals: data are hardly much better than their stated
uncertainty."""

CLAIMED = 1.5
"""Prior of the logarithm of a variance around zero, at which errors are as large as stated:
its standard deviation. It decides for tests of a single number."""

ENOUGH = 4
"""From this many tests on, their calibrations show how far such numbers scatter; for fewer
their priors decide."""


@dataclass(frozen=True)
class Errors:
    """Errors of data and model in each experiment, in units of the stated uncertainties.

    Attributes:
        variances: variance of the scaled errors of each experiment, (k,).
        correlation: correlation of neighbouring numbers; it decays exponentially with
            distance along the curve.
        own: standard deviation of the calibrations of single tests (such as errors of a
            sensor) over that of their priors, by name.
    """

    variances: np.ndarray
    correlation: float
    own: Mapping[str, float]

    def covariance(self, experiments: Sequence[Experiment]) -> np.ndarray:
        """Covariance of the scaled errors of these experiments, (n, n).

        Experiments other than those of the fit get the mean variance of the fit's, but
        not less than one.
        """
        counts = [e.n_observations for e in experiments]
        known = len(counts) == len(self.variances)
        usual = max(1.0, float(self.variances.mean()))
        each = self.variances if known else np.full(len(counts), usual)
        owner = np.repeat(np.arange(len(counts)), counts)
        k, sd = np.arange(len(owner)), np.sqrt(each)[owner]
        decay = self.correlation ** np.abs(k[:, None] - k)
        return np.where(owner[:, None] == owner, decay * np.outer(sd, sd), 0.0)


@takes
def errors_of(fit: "Fit") -> Errors:
    """Errors of data and model, estimated from the residuals of a fit."""
    return found_errors(fit.problem, fit.near.residuals, fit.near.jacobian)


def prior_precision(problem: Problem, J: np.ndarray) -> np.ndarray:
    """Inverse covariance of the parameters before the data, (n_z, n_z).

    A parameter without a prior counts as equally likely between its bounds.

    Args:
        problem: whose parameters.
        J: Jacobian of its residuals, (m, n_z).
    """
    low, high = problem.vector.bounds
    flat = ~np.isfinite(problem.vector.priors)
    of_priors = J[_count(problem) :]
    wide = np.where(flat, 12.0 / (high - low) ** 2, 0.0)
    return of_priors.T @ of_priors + np.diag(wide)


def inverse_of(H: np.ndarray) -> np.ndarray:
    """Inverse of a covariance or precision matrix.

    It is scaled first, since units of parameters range from volts to joules per mole.
    """
    unit = 1.0 / np.sqrt(np.maximum(np.diag(H), 1e-300))
    scaled = H * np.outer(unit, unit) + 1e-9 * np.eye(len(H))
    return np.linalg.inv(scaled) * np.outer(unit, unit)


def found_errors(problem: Problem, r: np.ndarray, J: np.ndarray) -> Errors:
    """The errors under which the data are most likely, with the parameters integrated out.

    The residuals of a fit underestimate the errors: the parameters have absorbed their
    smooth part, so that what is left is smaller and rougher. The residuals at the centre
    of the priors have not been adjusted; to first order their covariance is
    J C J^T + S(variances, correlation), with C that of the priors. Variances and
    correlation maximise the likelihood of these residuals. Where the tests are many, the
    scatter of their calibrations is found in the same way.

    Args:
        problem: what was fitted.
        r, J: residuals, (m,), and their Jacobian, (m, n), at the best parameters.

    Reference: MacKay, Neural Comput. 4 (1992) 415 (evidence); Kennedy and O'Hagan, J. R.
    Stat. Soc. B 63 (2001) 425 (the model's own error).
    """
    from scipy import optimize

    counts, n = [e.n_observations for e in problem.experiments], _count(problem)
    places = problem.vector.of_tests
    C = inverse_of(prior_precision(problem, J))
    away = C @ (J[n:].T @ r[n:])
    r, J = r[:n] - J[:n] @ away, J[:n]
    # Columns by which independent draws of the priors move the data: moves moves^T = J C J^T.
    sd = np.sqrt(np.diag(C))
    moves = J @ (sd[:, None] * np.linalg.cholesky(C / np.outer(sd, sd)))
    many = [name for name, (columns, _) in places.items() if len(columns) >= ENOUGH]
    which = np.full(len(sd), -1)
    for k, name in enumerate(many):
        which[places[name][0]] = k
    # Arrays are padded to few sizes, so that few programs are compiled. Padding changes
    # nothing: padded rows are zero, and padded variances stay at the centre of their prior.
    k = _rounded_up(len(counts), 4)
    size = _rounded_up(n, 64)
    owner = np.full(size, -1)
    owner[:n] = np.repeat(np.arange(len(counts)), counts)
    r = np.append(r, np.zeros(size - n))
    moves = np.vstack([moves, np.zeros((size - n, moves.shape[1]))])

    def ask(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = _unlikely(k, x, r, moves, which, owner)
        return float(value), np.asarray(slope)

    done = optimize.minimize(
        ask,
        np.concatenate([np.zeros(k), [0.5], np.full(len(many), 0.5)]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(np.log(LEAST_VARIANCE), np.log(100.0))] * k
        + [(0.0, MOST_ALIKE)]
        + [(0.03, 1.0)] * len(many),
    )
    own = dict.fromkeys(places, 1.0) | dict(
        zip(many, done.x[k + 1 :].tolist(), strict=True)
    )
    return Errors(np.exp(done.x[: len(counts)]), float(done.x[k]), own)


def _rounded_up(n: int, least: int) -> int:
    """The next power of two, but at least `least`."""
    return max(least, 1 << (n - 1).bit_length())


@functools.partial(jax.jit, static_argnums=0)
@functools.partial(jax.value_and_grad, argnums=1)
def _unlikely(
    k: int, x: Array, r: Array, moves: Array, which: Array, owner: Array
) -> Array:
    """Minus the log likelihood of residuals, but for a constant, and its gradient by x.

    The covariance is moves moves^T + S. S has a bidiagonal inverse square root, so that
    the work is linear in the number of residuals.

    Args:
        k: number of experiments.
        x: logarithms of the variances, (k,), the correlation, and the scatters, (s,).
        r: residuals, (n,).
        moves: see `found_errors`, (n, m).
        which: for each column of `moves`, the scatter that stretches it, or -1, (m,).
        owner: experiment of each residual, or -1 for padding, (n,).
    """
    rho, stretch = x[k], jnp.append(x[k + 1 :], 1.0)[which]
    first = jnp.diff(owner, prepend=-2) != 0
    sd = jnp.exp(0.5 * x[:k])[owner] * jnp.where(first, 1.0, jnp.sqrt(1.0 - rho**2))
    sd = jnp.where(owner < 0, 1.0, sd)
    columns = jnp.concatenate([r[:, None], moves * stretch], axis=1)
    before = jnp.where(first[:, None], 0.0, jnp.roll(columns, 1, axis=0))
    white = (columns - rho * before) / sd[:, None]
    e, B = white[:, 0], white[:, 1:]
    root = jnp.linalg.cholesky(jnp.eye(B.shape[1]) + B.T @ B)
    explained = jax.scipy.linalg.solve_triangular(root, B.T @ e, lower=True)
    value = 0.5 * (e @ e - explained @ explained)
    value += jnp.sum(jnp.log(sd)) + jnp.sum(jnp.log(jnp.diag(root)))
    return value + 0.5 * jnp.sum((x[:k] / CLAIMED) ** 2)


def _count(problem: Problem) -> int:
    return sum(e.n_observations for e in problem.experiments)
