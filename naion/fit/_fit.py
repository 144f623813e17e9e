"""The result of a fit, and how far its predictions are from the measurements."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._columns import in_columns
from .._constants import NINETY
from .._takes import takes
from ..parameters import is_half_cell
from ._certainty import covariance
from ._experiment import Experiment, Kind
from ._free import Specimen
from ._levenberg_marquardt import SearchState
from ._measured_impedance import spectra_of
from ._problem import Linearised, Problem
from ._pull import at_bounds


@dataclass(frozen=True)
class Fit:
    """A fitted cell, and how well the data determine it.

    Attributes:
        problem: what was fitted.
        z: best transformed parameters, (n,).
        near: predictions, residuals and their Jacobian at `z`.
        covariance: covariance of `z`, with the model's own error included, (n, n).
        cost: half the sum of squared residuals.
        at_bound: names of parameters that ended at a bound.
        ended: why the search ended.
        evaluations: evaluations of the residuals and their Jacobian.
        seconds: time taken [s].
    """

    problem: Problem
    z: np.ndarray
    near: Linearised
    covariance: np.ndarray
    cost: float
    at_bound: tuple[str, ...]
    ended: SearchState
    evaluations: int
    seconds: float

    def __str__(self) -> str:
        tests = [[name, what, text] for name, what, text in scores(self)]
        numbers = [
            [
                row["name"],
                f"{row['value']:.4g}",
                f"{row['low']:.4g} to {row['high']:.4g}",
                "at a bound: the data do not determine it" if row["at_bound"] else "",
            ]
            for row in self.table()
        ]
        return "\n".join(
            (
                f"{self.ended.in_words} after {self.evaluations} evaluations and "
                f"{self.seconds:.3g} s, at a cost of {self.cost:.5g}",
                in_columns(tests),
                "free parameters, with 90 % intervals:",
                in_columns(numbers),
            )
        )

    @property
    def converged(self) -> bool:
        """Whether the search ended because no step was expected to lower the cost."""
        return self.ended == SearchState.NOTHING_TO_GAIN

    @property
    def predictions(self) -> list[np.ndarray]:
        """Simulated observations of every experiment, NaN beyond the model's end."""
        return self.near.predictions

    @property
    def specimen(self) -> Specimen:
        """The specimen with the best parameters; its `cell` is the fitted cell."""
        return self.problem.specimen_at(self.z)

    def table(self) -> list[dict]:
        """Name, value, 90 % interval and bounds of every free number.

        Intervals are cut off at the bounds.
        """
        v = self.problem.vector
        least, most = v.bounds
        sd = NINETY * np.sqrt(np.diag(self.covariance))
        ends = np.maximum(self.z - sd, least), np.minimum(self.z + sd, most)
        columns = self.z, *ends, least, most
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


def fit_at(
    problem: Problem,
    z: np.ndarray,
    near: Linearised | None = None,
    *,
    ended: SearchState = SearchState.NOTHING_TO_GAIN,
    evaluations: int = 0,
    seconds: float = 0.0,
) -> Fit:
    """The `Fit` that ends at given transformed parameters.

    Args:
        problem: what was fitted.
        z: parameters, (n,).
        near: residuals and Jacobian at `z`, where they are known already.
        ended, evaluations, seconds: of the search; see `Fit`.
    """
    near = problem.linearised(z) if near is None else near
    at_edge = np.logical_or(*at_bounds(z, *problem.vector.bounds))
    names = tuple(n for n, at in zip(problem.vector.names, at_edge, strict=True) if at)
    r = near.residuals
    C = covariance(problem, r, near.jacobian)
    cost = 0.5 * float(r @ r)
    return Fit(problem, z, near, C, cost, names, ended, evaluations, seconds)


@takes
def scores(fit: Fit) -> list[list[str]]:
    """Rows of a table: experiment, what was compared, and the model's error.

    Every number that entered the cost counts; those beyond the model's end, which the
    simulation did not reach, are counted apart.
    """
    pairs = zip(fit.problem.experiments, fit.predictions, strict=True)
    return [row for e, model in pairs for row in scores_of(e, model)]


@takes
def scores_of(e: Experiment, model: np.ndarray) -> list[list[str]]:
    """The rows of `scores` of one experiment.

    Args:
        e: the experiment.
        model: simulated observations, NaN beyond the model's end, (m,).
    """
    if e.is_spectrum:
        return [[e.name, "impedance", _of_spectrum(e, model)]]
    rows, i = [], 0
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
            text += f"; {missed} of {len(m)} after the model's end"
        rows.append([e.name, o.label, text])
    return rows


def _of_spectrum(e: Experiment, model: np.ndarray) -> str:
    """Error of the model in a spectrum, in per cent of |Z|, as text."""
    f, Z, shown = spectra_of(e, model)
    off = 100.0 * np.abs(shown - Z) / np.abs(Z)
    if not np.any(np.isfinite(off)):
        return "not reached"
    k = int(np.nanargmax(off))
    return f"{np.sqrt(np.nanmean(off**2)):.2g} % of |Z|, most {off[k]:.2g} % at {f[k]:.3g} Hz"


KNEE = 2.0
"""Voltages of full cells below this do not count in errors [V]: the curve falls so steeply
there that a small error in charge looks like a large one in voltage."""

POTENTIALS = Kind.NEGATIVE_POTENTIAL, Kind.POSITIVE_POTENTIAL


def voltage_errors(problem: Problem, predictions: Sequence[np.ndarray]) -> np.ndarray:
    """Errors of predicted voltages and potentials in all tests of a problem, (n,) [V].

    Args:
        problem: whose tests.
        predictions: predictions of every experiment, NaN beyond the model's end.
    """
    half = is_half_cell(problem.specimen.cell)
    errors = [np.zeros(0)]
    for e, model in zip(problem.experiments, predictions, strict=True):
        i = 0
        for o in e.observations:
            m, i = model[i : i + len(o.value)], i + len(o.value)
            above = half or o.kind in POTENTIALS or o.value > KNEE
            if o.kind in (Kind.VOLTAGE, Kind.MEAN_VOLTAGE, *POTENTIALS):
                errors.append((m - o.value)[np.isfinite(m) & above])
    return np.concatenate(errors)


def rms(errors: np.ndarray) -> float:
    """Root mean square; 0 where there are no errors."""
    return float(np.sqrt(np.mean(errors**2))) if errors.size else 0.0
