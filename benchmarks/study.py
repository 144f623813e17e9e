"""What a study of a fitted cell is: its conditions, and freedoms from the stiffest on.

A rung of a ladder is a fit with one freedom more than the rung below. What is left out is
a condition: a rate, a temperature or a state of charge, with all of its tests.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from benchmarks.harness import FAST
from benchmarks.left_out import Row
from naion.fit import (
    Experiment,
    Fit,
    FreeParameter,
    Linearised,
    Problem,
    least_squares,
)
from naion.fit._fit import fit_at

Frees = tuple[FreeParameter, ...]
Conditions = tuple[str, ...]


@dataclass(frozen=True)
class Study:
    """A cell, its conditions, and the fits that are compared.

    Attributes:
        conditions: each of which is left out.
        ladder: problems of some of the conditions, by the name of the freedom that each
            has over the one before.
        shipped: the name of that of `make demo`.
        predicted: of a problem with all conditions, a fit to others, and a condition left
            out: rows of its tests; with the fit to all conditions, also what that gives,
            and the baseline.
        elsewhere: of the fit to all conditions, rows of tests that are in none.
        judged_by: kind of numbers by which freedoms are chosen, "voltages" or
            "resistances".
        about: what a reader of its tables is to know.
        again: numbers by name, from which the search begins anew where it stalled.
        is_of: whether a test is of a condition. Where it is given, what is left out is
            simulated and weighs nothing: all fits of a rung share their programs.
    """

    conditions: Conditions
    ladder: Mapping[str, Callable[[Conditions], Problem]]
    shipped: str
    predicted: Callable[[Problem, Fit, str, Fit | None], list[Row]]
    elsewhere: Callable[[Fit], list[Row]] = lambda fit: []
    judged_by: Literal["voltages", "resistances"] = "voltages"
    about: str = ""
    again: tuple[Mapping[str, float], ...] = ()

    is_of: Callable[[Experiment, str], bool] | None = None

    def fit(self, rung: str, conditions: Conditions) -> Fit:
        """The fit of a rung to some of the conditions, the best of those tried."""
        problem = self.ladder[rung](conditions)
        left = tuple(c for c in self.conditions if c not in conditions)
        weighed = problem if self.is_of is None else self._weighed(rung, left)
        best = fitted(weighed)
        for numbers in self.again:
            if best.converged or FAST:
                break
            other = fitted(weighed, moved(weighed, numbers))
            best = min(best, other, key=lambda fit: fit.cost)
        return best if self.is_of is None else of_part(best, problem)

    def _weighed(self, rung: str, left: Conditions) -> Problem:
        """All tests, those left out with no weight."""
        whole, is_of = self.ladder[rung](self.conditions), self.is_of
        assert is_of is not None
        tests = tuple(
            unweighed(e) if any(is_of(e, c) for c in left) else e
            for e in whole.experiments
        )
        return replace(whole, experiments=tests)


def fitted(problem: Problem, z: np.ndarray | None = None) -> Fit:
    """Nearly as in `make demo`, which stops at 5e-4; from the set's own numbers or z."""
    most = 2 if FAST else 40
    return least_squares(problem, z, max_evaluations=most, tolerance=2e-3)


NOTHING = 1e9
"""By this the uncertainty of what is to weigh nothing is multiplied."""


def unweighed(e: Experiment) -> Experiment:
    """A test that is simulated and decides nothing."""
    own = tuple(replace(o, sigma=NOTHING * o.sigma) for o in e.observations)
    return replace(e, observations=own)


def of_part(fit: Fit, part: Problem) -> Fit:
    """A fit as that of the tests alone that weighed in it, which are those of a problem."""
    names = {e.name for e in part.experiments}
    kept = [e.name in names for e in fit.problem.experiments]
    counts = [e.n_observations for e in fit.problem.experiments]
    rows = np.repeat(kept, counts)
    rows = np.append(rows, np.ones(len(fit.near.residuals) - len(rows), bool))
    pairs = zip(fit.predictions, kept, strict=True)
    near = Linearised(
        [m for m, keep in pairs if keep],
        fit.near.residuals[rows],
        fit.near.jacobian[rows],
    )
    return fit_at(
        replace(part, rtol=fit.problem.rtol),
        fit.z,
        near,
        ended=fit.ended,
        evaluations=fit.evaluations,
        seconds=fit.seconds,
    )


def moved(problem: Problem, numbers: Mapping[str, float]) -> np.ndarray:
    """The start of a problem with some single numbers elsewhere."""
    z = problem.start.copy()
    for f, at in zip(problem.vector.free, problem.vector.slices, strict=True):
        if f.name in numbers:
            z[at] = f.forward(numbers[f.name])
    return z


def scales(free: Frees, *names: str) -> Frees:
    """Instead of the values of curves, their scales."""
    return tuple(
        replace(
            f,
            paths=(f.paths[0].replace("curve.y", "scale"),),
            bounds=(0.02, 50.0),
            smooth=np.inf,
        )
        if any(f"{name}.curve.y" in f.paths[0] for name in names)
        else f
        for f in free
    )


def without(free: Frees, *names: str) -> Frees:
    """All free numbers but those whose path has one of some parts."""
    return tuple(f for f in free if not any(name in f.paths[0] for name in names))


def stiffer(free: Frees, by: float) -> Frees:
    """Corrections of open-circuit potentials believed to be smaller, and smoother."""
    return tuple(
        replace(f, prior=f.prior / by, smooth=f.smooth / by)
        if "correction" in f.paths[0]
        else f
        for f in free
    )
