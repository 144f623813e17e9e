"""Cross-validation of a fit: each condition is left out in turn and predicted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._columns import in_columns
from .._progress import Progress, silent
from .._takes import takes
from ._experiment import Experiment
from ._fit import Fit, rms, scores_of, voltage_errors
from ._least_squares import fleet
from ._problem import Problem

HEADER = "test", "what", "fitted", "predicted from the other conditions"
"""Headings of the columns of `LeftOut.rows`."""


@dataclass(frozen=True)
class LeftOut:
    """The tests of a fit, each predicted by a fit to the tests of other conditions.

    Attributes:
        fit: the fit to all tests.
        conditions: indices of the experiments that were left out together, by condition.
        refits: by condition the fit without it, or the error with which that fit ended;
            empty where none was made.
        predictions: prediction of every experiment of `fit` by the fit without its
            condition; NaN beyond the model's end, or where that fit failed.
    """

    fit: Fit
    conditions: Mapping[str, tuple[int, ...]]
    refits: Mapping[str, Fit | Exception]
    predictions: tuple[np.ndarray, ...]

    @property
    def rmse(self) -> float:
        """Root mean square error of all predicted voltages and potentials [V]; 0 for none."""
        return rms(voltage_errors(self.fit.problem, self.predictions))

    @property
    def rows(self) -> list[list[str]]:
        """Rows of a table: test, what was compared, error as fitted, error as predicted."""
        found = []
        of_all = self.fit.predictions
        experiments = self.fit.problem.experiments
        for e, own, left in zip(experiments, of_all, self.predictions, strict=True):
            pairs = zip(scores_of(e, own), scores_of(e, left), strict=True)
            found += [[*fitted, predicted[-1]] for fitted, predicted in pairs]
        return found

    @property
    def failed(self) -> list[str]:
        """A sentence for each condition whose fit failed and that is not predicted."""
        return [
            f"{name} is not predicted, as no fit to the others was found: {error}"
            for name, error in self.refits.items()
            if isinstance(error, Exception)
        ]

    def __str__(self) -> str:
        return "\n".join([in_columns([list(HEADER), *self.rows]), *self.failed])


@takes
def left_out(
    fit: Fit,
    conditions: Mapping[str, Sequence[str]] | None = None,
    *,
    progress: Progress = silent,
    **options: Any,
) -> LeftOut:
    """Predict the tests of each condition from a fit to the tests of all others.

    The residuals of a fit do not show how far it errs at conditions to which it was not
    fitted; these predictions do. Every fit starts where the fit to all tests started, so
    that nothing of the left-out tests is known to it. The calibration of a left-out test
    (errors of the sensor, how full the cell was) is taken as the mean of the others'.

    Args:
        fit: the fit to all tests.
        conditions: names of the experiments of each condition, such as a rate or a
            temperature. None: each group of tests is a condition, or each test name where
            all tests are of one group.
        progress: called with lines of text.
        options: of `naion.fit.fleet`, such as `max_evaluations`.

    Raises:
        ValueError: for fewer than two conditions, or tests that do not belong to exactly
            one.
    """
    problem = fit.problem
    of = conditions_of(problem.experiments, conditions)
    # Numbered, since names of fits become names of files and those of tests can be anything.
    problems = {
        f"left out {k + 1}": replace(
            problem,
            experiments=tuple(
                e for i, e in enumerate(problem.experiments) if i not in left
            ),
        )
        for k, left in enumerate(of.values())
    }
    found = fleet(problems, progress=progress, **options)
    refits = dict(zip(of, found.values(), strict=True))
    predictions = [np.full(e.n_observations, np.nan) for e in problem.experiments]
    for name, refit in refits.items():
        if not isinstance(refit, Fit):
            continue
        of_all = problem.predictions(_elsewhere(refit, problem))
        for i in of[name]:
            predictions[i] = of_all[i]
    return LeftOut(fit, of, refits, tuple(predictions))


@takes
def nearly_left_out(
    fit: Fit, conditions: Mapping[str, Sequence[str]] | None = None
) -> LeftOut:
    """The same as `left_out` without new fits, from the linearised fit to all tests.

    It takes no time, and is accurate enough to see which conditions the others do not
    predict. Conditions that move the fit far are predicted less well, as the model is then
    no longer linear.

    Args:
        fit: the fit to all tests.
        conditions: as of `left_out`.

    Returns:
        predictions of the linearised fits without each condition; `refits` is empty.

    Raises:
        ValueError: as `left_out`.

    Reference: of single numbers these are the errors that Allen's PRESS sums,
    Technometrics 16 (1974) 125.
    """
    problem, near = fit.problem, fit.near
    of = conditions_of(problem.experiments, conditions)
    counts = [e.n_observations for e in problem.experiments]
    ends = np.cumsum([0, *counts])
    predictions = [np.array(p) for p in near.predictions]
    for left in of.values():
        keep = np.ones(len(near.residuals), bool)
        for i in left:
            keep[ends[i] : ends[i + 1]] = False
        seen = {e.group for i, e in enumerate(problem.experiments) if i not in left}
        z = _linear_best(fit, keep)
        step = _on_mean_test(z, problem, sorted(seen)) - fit.z
        for i in left:
            sigma = [o.sigma for o in problem.experiments[i].observations]
            slope = near.jacobian[ends[i] : ends[i + 1]]
            predictions[i] += np.concatenate(sigma) * (slope @ step)
    return LeftOut(fit, of, {}, tuple(predictions))


def _linear_best(fit: Fit, keep: np.ndarray) -> np.ndarray:
    """Minimum of some of a fit's linearised residuals, within its bounds, (n,)."""
    from scipy import optimize

    r, J = fit.near.residuals, fit.near.jacobian
    low, high = fit.problem.vector.bounds
    unit = 1.0 / np.maximum(np.linalg.norm(J, axis=0), 1e-12)
    # A search may end beyond a bound by rounding, where there would be no room for a step.
    room = np.minimum(low - fit.z, 0.0), np.maximum(high - fit.z, 0.0) + 1e-12
    best = optimize.lsq_linear(
        J[keep] * unit, -r[keep], tuple(b / unit for b in room), method="bvls"
    )
    return fit.z + best.x * unit


@takes
def conditions_of(
    experiments: Sequence[Experiment], given: Mapping[str, Sequence[str]] | None = None
) -> dict[str, tuple[int, ...]]:
    """Indices of the experiments of each condition; arguments and errors as in `left_out`."""
    groups = sorted({e.group for e in experiments})
    if given is not None:
        of = {
            name: tuple(i for i, e in enumerate(experiments) if e.name in tests)
            for name, tests in given.items()
        }
        unknown = {t for tests in given.values() for t in tests}
        unknown -= {e.name for e in experiments}
        if unknown or sorted(sum(of.values(), ())) != list(range(len(experiments))):
            raise ValueError(
                f"conditions={dict(given)}: expected each of these tests once: "
                f"{', '.join(dict.fromkeys(e.name for e in experiments))}."
            )
    else:
        keys = [e.group if len(groups) > 1 else e.name for e in experiments]
        by = {
            k: tuple(i for i, other in enumerate(keys) if other == k)
            for k in dict.fromkeys(keys)
        }
        of = {
            ", ".join(dict.fromkeys(experiments[i].name for i in left)): left
            for left in by.values()
        }
    if len(of) < 2:
        raise ValueError(
            "Leaving out needs two conditions or more; this fit has one: "
            f"{', '.join(of)}. Tests of one name are one condition: give each a name."
        )
    return of


def _elsewhere(fit: Fit, whole: Problem) -> np.ndarray:
    """Parameters of a fit with which tests outside of it are predicted."""
    seen = sorted({e.group for e in fit.problem.experiments})
    return _on_mean_test(fit.z, whole, seen)


def _on_mean_test(z: np.ndarray, whole: Problem, seen: Sequence[int]) -> np.ndarray:
    """Parameters with which tests outside of a fit are predicted.

    Calibrations of groups that it has not seen are the mean of those that it has.
    """
    z, vector = z.copy(), whole.vector
    for f, at in zip(vector.free, vector.slices, strict=True):
        if f.by_group:
            own = z[at]
            unseen = np.setdiff1d(np.arange(len(own)), seen)
            own[unseen] = np.mean(own[seen])
    return z
