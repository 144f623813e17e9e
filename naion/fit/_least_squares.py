"""Least-squares fits: of one problem, or of a fleet of problems simulated together."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._precision import enable_x64
from .._progress import Progress, silent
from .._takes import takes
from ..batch import Checkpoint, deal, workers_of
from ._fit import Fit
from ._levenberg_marquardt import SearchState
from ._problem import Problem
from ._searched import Done, searched

AT_ONCE = 128
"""Most fits under way at the same time."""

LEAST = 8
"""Fits that one worker gets at least: this many lanes share the instructions of a CPU's
vector unit."""

NAMED = 12
"""Stalled fits are listed by name where they are fewer than this."""

FINER = 2e-5
"""Tolerance of the simulations with which a stalled fit is continued. The solver chooses
its time steps anew at each point, which makes the cost slightly rough: fits of tens of
parameters then stop above the minimum, at points that depend on the processor (`python -m
benchmarks alike`)."""

LOST = 2.0
"""Where the cost of the continued fit is more than this many times that of the stalled
one, a test failed at the finer tolerance, and the stalled fit is kept."""


@takes
def least_squares(
    problem: Problem,
    z: np.ndarray | None = None,
    *,
    max_evaluations: int = 30,
    tolerance: float = 1e-4,
    keep: Checkpoint | None = None,
    progress: Progress = silent,
) -> Fit:
    """Fit one problem by bounded Levenberg-Marquardt.

    Jacobians are exact (forward mode through the simulations). With many free numbers,
    steps that go well are followed by secant steps, whose Jacobian is updated from the
    residuals alone by Broyden's rule.

    Args:
        problem: what to fit.
        z: transformed start values, (n,); none: the problem's. Values outside of the
            bounds are moved to them.
        max_evaluations: most evaluations of residuals and Jacobian together. Secant steps,
            which cost about a hundredth, do not count. A fit that stalls is continued with
            finer simulations (`FINER`), for as many evaluations again.
        tolerance: the fit has converged when no step is expected to lower the cost by more
            than this fraction of it.
        keep: see `fleet`.
        progress: called with a line of text after every evaluation.

    Raises:
        ValueError: when none of the experiments can be simulated at the start.
    """
    found = fleet(
        {"fit": problem},
        starts=None if z is None else {"fit": z},
        max_evaluations=max_evaluations,
        tolerance=tolerance,
        keep=keep,
        progress=progress,
    )["fit"]
    if isinstance(found, Exception):
        raise found
    progress(f"{found.ended.in_words} after {found.evaluations} evaluations")
    return found


@takes
def fleet(
    problems: Mapping[str, Problem],
    *,
    starts: Mapping[str, np.ndarray] | None = None,
    at_once: int = AT_ONCE,
    max_evaluations: int = 30,
    tolerance: float = 1e-4,
    done: Done = lambda name, fit: None,
    keep: Checkpoint | None = None,
    executor: Executor | None = None,
    progress: Progress = silent,
) -> dict[str, Fit | Exception]:
    """Fit many problems; one that fails does not stop the others.

    Each fit takes the same steps as it would alone, but the simulations that the fits
    under way need next are computed as one batch. Where a fit ends, a waiting one begins.

    Args:
        problems: by name, with the same free parameters, model and tolerance.
        starts: transformed start values by name, (n,) each; none: the problems' own.
            Values outside of the bounds are moved to them.
        at_once: most fits under way at the same time.
        max_evaluations, tolerance: see `least_squares`.
        done: called with name and result as each fit ends.
        keep: where the best point of each fit is written after every evaluation. A fit of
            the same problem from the same start continues from there. None: nowhere.
        executor: its workers do the fits, in groups; see `naion.batch.run`. None: this
            process does.
        progress: called with a line of text after every batch, or group of fits.

    Returns:
        by name, the fit, or the error that it ended with.

    Raises:
        ValueError: for no problems, or problems that differ in free parameters, model or
            tolerance.
    """
    _alike(problems)
    if executor is not None:
        options = {
            "max_evaluations": max_evaluations,
            "tolerance": tolerance,
            "keep": keep,
        }
        most = min(at_once, -(-len(problems) // (8 * workers_of(executor))))
        groups = _grouped(problems, starts, options, max(most, LEAST))
        return _on_workers(problems, groups, executor, done, progress)
    how = (at_once, max_evaluations, tolerance)
    stalled: dict[str, Fit] = {}

    def ended(name: str, fit: Fit | Exception) -> None:
        if (
            isinstance(fit, Fit)
            and fit.ended == SearchState.STALLED
            and fit.problem.rtol > FINER
        ):
            stalled[name] = fit
        else:
            done(name, fit)

    found = searched(problems, starts, *how, ended, keep, progress)
    if not stalled:
        return found
    progress(
        f"{', '.join(stalled) if len(stalled) < NAMED else len(stalled)}: no step brings "
        f"what it promises; simulations are finer from here (rtol {FINER:g})"
    )

    def ended_finer(name: str, fit: Fit | Exception) -> None:
        found[name] = _better(stalled[name], fit)
        done(name, found[name])

    finer = {n: replace(problems[n], rtol=FINER) for n in stalled}
    there = {n: f.z for n, f in stalled.items()}
    searched(finer, there, *how, ended_finer, keep, progress)
    return found


def _better(stalled: Fit, finer: Fit | Exception) -> Fit:
    """The continued fit, or the stalled one where the finer simulations failed."""
    if isinstance(finer, Exception) or not finer.cost < LOST * stalled.cost:
        return stalled
    return replace(
        finer,
        evaluations=stalled.evaluations + finer.evaluations,
        seconds=stalled.seconds + finer.seconds,
    )


@dataclass(frozen=True, eq=False)
class _Group:
    """Fits of a fleet that one worker does."""

    problems: dict[str, Problem]
    starts: dict[str, np.ndarray] | None
    options: dict[str, Any]


def _grouped(
    problems: Mapping[str, Problem],
    starts: Mapping[str, np.ndarray] | None,
    options: dict[str, Any],
    most: int,
) -> list[_Group]:
    """Groups of at most `most` problems with about as much data, the largest first."""

    def data(name: str) -> int:
        return sum(e.n_observations for e in problems[name].experiments)

    names = sorted(problems, key=data, reverse=True)
    parts = [names[k : k + most] for k in range(0, len(names), most)]
    return [
        _Group(
            {n: problems[n] for n in part},
            None if starts is None else {n: starts[n] for n in part},
            options,
        )
        for part in parts
    ]


def _fit_group(group: _Group) -> dict[str, Fit | Exception]:
    """Do the fits of one group; runs on a worker."""
    enable_x64()
    return fleet(group.problems, starts=group.starts, **group.options)


def _on_workers(
    problems: Mapping[str, Problem],
    groups: Sequence[_Group],
    executor: Executor,
    done: Done,
    progress: Progress,
) -> dict[str, Fit | Exception]:
    """Fits of all groups by name; for the fits of a group that failed twice, the reason."""
    found: dict[str, Fit | Exception] = {}

    def came(group: _Group, fits: Mapping[str, Fit | Exception]) -> None:
        for name, fit in fits.items():
            found[name] = fit
            done(name, fit)

    sizes = {group: len(group.problems) for group in groups}
    failed = deal(
        _fit_group, sizes, executor, done=came, what="fits", progress=progress
    )
    for group, reason in failed.items():
        came(group, {n: RuntimeError(f"tried twice: {reason}") for n in group.problems})
    return {name: found[name] for name in problems}


def _alike(problems: Mapping[str, Problem]) -> None:
    """Raise unless all problems can run as one program; see `fleet`."""
    if not problems:
        raise ValueError("A fleet needs at least one problem.")

    def common(p: Problem):
        return p.free, p.vector.counts, p.model, p.rtol

    (name, one), *others = problems.items()
    for other, p in others:
        if common(p) != common(one):
            raise ValueError(
                f"{other!r} and {name!r} differ in free parameters (their bounds and priors "
                "included), model or rtol: the problems of a fleet run as one program and "
                "must share these."
            )
