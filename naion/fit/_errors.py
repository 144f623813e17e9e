"""How large the errors of data and model are, and how alike along a curve."""

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
        owner = np.repeat(np.arange(len(counts)), counts)
        k, sd = np.arange(len(owner)), np.sqrt(each)[owner]
        decay = self.correlation ** np.abs(k[:, None] - k)
        return np.where(owner[:, None] == owner, decay * np.outer(sd, sd), 0.0)


@takes
def errors_of(fit: "Fit") -> Errors:
    """What the residuals of a fit say about the errors of its data and its model."""
    return found_errors(fit.problem, fit.near.residuals, fit.near.jacobian)


def prior_precision(problem: Problem, J: np.ndarray) -> np.ndarray:
    """Inverse covariance of the parameters before the data, (n_z, n_z).

    A parameter without a prior counts as equally likely between its bounds.

    Args:
        problem: whose.
        J: Jacobian of the residuals.
    """
    low, high = problem.vector.bounds
    flat = ~np.isfinite(problem.vector.priors)
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
    from scipy import optimize

    counts, n = [e.n_observations for e in problem.experiments], _count(problem)
    places = problem.vector.of_tests
    C = inverse_of(prior_precision(problem, J))
    away = C @ (J[n:].T @ r[n:])
    r, J = r[:n] - J[:n] @ away, J[:n]
    # Columns that all parameters move the data along, as far as they are believed to.
    sd = np.sqrt(np.diag(C))
    moves = J @ (sd[:, None] * np.linalg.cholesky(C / np.outer(sd, sd)))
    many = [name for name, (columns, _) in places.items() if len(columns) >= ENOUGH]
    which = np.full(len(sd), -1)
    for k, name in enumerate(many):
        which[places[name][0]] = k
    # Few sizes, so that few programs are compiled. What fills them up weighs nothing: it
    # is of no experiment, and the variance of none is as the data claim.
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
    """To a power of two that is at least `least`."""
    return max(least, 1 << (n - 1).bit_length())


@functools.partial(jax.jit, static_argnums=0)
@functools.partial(jax.value_and_grad, argnums=1)
def _unlikely(
    k: int, x: Array, r: Array, moves: Array, which: Array, owner: Array
) -> Array:
    """Minus the log likelihood of residuals, up to a constant, and its slope by x.

    Their covariance is moves moves^T + S, and S has a bidiagonal inverse root: cost is
    linear in their number.

    Args:
        k: experiments.
        x: logarithms of the variances, (k,), the correlation, and the scatter.
        r: residuals, (n,).
        moves: (n, m).
        which: the scatter that stretches each column of `moves`; -1 for none, (m,).
        owner: experiment of each residual; -1 for none, whose residual is zero, (n,).
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
