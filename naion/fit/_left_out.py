"""What a fit predicts of tests that it has not seen: each condition left out in turn."""

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
"""Of the columns of `LeftOut.rows`."""


@dataclass(frozen=True)
class LeftOut:
    """The tests of a fit, each predicted by a fit to the tests of other conditions.

    Attributes:
        fit: to all tests.
        conditions: which experiments were left out together, by condition.
        refits: the fit without each condition, or the error with which it ended.
        predictions: of every experiment of `fit`, by the fit without its condition; NaN
            where the model ended, or no such fit was found.
    """

    fit: Fit
    conditions: Mapping[str, tuple[int, ...]]
    refits: Mapping[str, Fit | Exception]
    predictions: tuple[np.ndarray, ...]

    @property
    def rmse(self) -> float:
        """Of all voltages and potentials that were predicted [V]; 0 if none was."""
        return rms(voltage_errors(self.fit.problem, self.predictions))

    @property
    def rows(self) -> list[list[str]]:
        """Of a table: test, what was compared, model fitted, and predicted."""
        found = []
        of_all = self.fit.predictions
        experiments = self.fit.problem.experiments
        for e, own, left in zip(experiments, of_all, self.predictions, strict=True):
            pairs = zip(scores_of(e, own), scores_of(e, left), strict=True)
            found += [[*fitted, predicted[-1]] for fitted, predicted in pairs]
        return found

    @property
    def failed(self) -> list[str]:
        """Sentences of the fits that found nothing: their tests are not predicted."""
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
    """Predict each condition's tests from a fit to all others.

    How far a fit is off where nobody fitted is not seen in its own residuals; here it is,
    one step inside the data. Fits begin where that of all tests began, so that they know
    nothing of what is left out. What belongs to single tests (a sensor's errors, how full
    the cell was) is taken as the mean of the other tests'.

    Args:
        fit: to all tests.
        conditions: names of experiments, by condition: a rate or a temperature with all
            its tests. None: the tests of each group are a condition, or those of each name
            where all are of one group.
        progress: called with lines of text.
        options: of `naion.fit.fleet`, such as `max_evaluations`.

    Raises:
        ValueError: for fewer than two conditions, or unless every test belongs to one.
    """
    problem = fit.problem
    of = conditions_of(problem.experiments, conditions)
    # Numbers, since names of tests may be anything and those of fits name kept files.
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
def conditions_of(
    experiments: Sequence[Experiment], given: Mapping[str, Sequence[str]] | None = None
) -> dict[str, tuple[int, ...]]:
    """Which experiments are of each condition; arguments and errors as in `left_out`."""
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
    """A fit's numbers where other tests are predicted: what is of tests is their mean."""
    z, vector = fit.z.copy(), whole.vector
    seen = sorted({e.group for e in fit.problem.experiments})
    for f, at in zip(vector.free, vector.slices, strict=True):
        if f.by_group:
            own = z[at]
            unseen = np.setdiff1d(np.arange(len(own)), seen)
            own[unseen] = np.mean(own[seen])
    return z
