"""Least-squares fits, of one cell or of many in common batches."""

import itertools
import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._precision import enable_x64
from .._progress import Counted, Progress, silent
from .._takes import takes
from ..batch import Checkpoint, deal, digest, workers_of
from ._common import Common
from ._fit import Fit, fit_at
from ._levenberg_marquardt import (
    Normal,
    Searches,
    SearchState,
    advanced,
    comes_true,
    goes_well,
)
from ._problem import Linearised, Problem

AT_ONCE = 128
"""Fits that are under way at the same time."""

LEAST = 8
"""Fits that a worker gets at once, if there are so many: they share instructions."""

FEW = 12
"""Numbers by which the Jacobian is computed at once with the residuals. One of more is
dear: the cost of a trial is looked at first."""

FINER = 2e-5
"""Tolerance of simulations at which a fit goes on that stalled at a looser one. Time steps
that are chosen anew at each point make costs rough: fits of tens of numbers then end above
the minimum, each processor's elsewhere (`python -m benchmarks alike`)."""

LOST = 2.0
"""A finer search whose cost ends at more than this many times the one before has lost a
test, which fails there from the start: none of its points can be worth as much."""

Done = Callable[[str, "Fit | Exception"], None]


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
    """Bounded Levenberg-Marquardt on exact Jacobians, and on secants between them.

    Args:
        problem: what to fit.
        z: transformed start values, (n,); none: the problem's. What lies outside of the
            bounds starts at them.
        max_evaluations: most evaluations of the residuals and their Jacobian. Steps on
            secants, which cost a hundredth, do not count. A fit that stalls goes on with
            finer simulations (`FINER`) and may take as many again.
        tolerance: a fit ends where no step is expected to lower the cost by more than
            this share of it.
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
    """Least-squares fits of every problem. One that fails does not stop the others.

    Every fit takes its own way, as it would alone; what the fits under way want simulated
    next is simulated as one batch, and where one ends the next begins.

    Args:
        problems: by name, with the same free parameters, model and tolerance.
        starts: transformed start values by name; else the problem's own. What lies
            outside of the bounds starts at them.
        at_once: fits under way at the same time.
        max_evaluations, tolerance: see `least_squares`.
        done: called with name and result as each fit ends.
        keep: where every fit's best point is kept after each evaluation; a fit of the same
            problem from the same start goes on from there. None: nowhere.
        executor: whose workers fit, in groups; see `naion.batch.run`. None: this process.
        progress: called with a line of text after every batch, or group of fits.

    Returns:
        by name, the fit, or the error that it ended with.

    Raises:
        ValueError: for no problems, or for unlike free parameters, models or tolerances.
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
    options = (at_once, max_evaluations, tolerance)
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

    found = _searched(problems, starts, *options, ended, keep, progress)
    if not stalled:
        return found
    progress(
        f"{', '.join(stalled) if len(stalled) < FEW else len(stalled)}: no step brings "
        f"what it promises; simulations are finer from here (rtol {FINER:g})"
    )

    def ended_finer(name: str, fit: Fit | Exception) -> None:
        found[name] = before = stalled[name]
        # What fails at the finer tolerance, or loses a test there, has the fit it had.
        if isinstance(fit, Fit) and fit.cost < LOST * before.cost:
            found[name] = replace(
                fit,
                evaluations=before.evaluations + fit.evaluations,
                seconds=before.seconds + fit.seconds,
            )
        done(name, found[name])

    finer = {n: replace(problems[n], rtol=FINER) for n in stalled}
    there = {n: f.z for n, f in stalled.items()}
    _searched(finer, there, *options, ended_finer, keep, progress)
    return found


def _searched(
    problems: Mapping[str, Problem],
    starts: Mapping[str, np.ndarray] | None,
    at_once: int,
    max_evaluations: int,
    tolerance: float,
    done: Done,
    keep: Checkpoint | None,
    progress: Progress,
) -> dict[str, Fit | Exception]:
    """Fits at the tolerance of the problems' simulations; see `fleet`."""
    names, every = list(problems), list(problems.values())
    vector = every[0].vector
    # In units of what is believed beforehand, so that one step length fits all.
    scale = vector.scales
    lower, upper = (end / scale for end in vector.bounds)
    asked = [
        every[i].start if starts is None else starts[n] for i, n in enumerate(names)
    ]
    s = Searches.beginning(np.stack(asked) / scale, lower, upper)
    kept = None if keep is None else _Kept(keep, problems, asked)
    if kept is not None:
        kept.resume(s, scale, progress)
    common = Common(every, min(at_once, len(every)))
    best: dict[int, Linearised] = {}
    began: dict[int, float] = {}
    results: dict[str, Fit | Exception] = {}

    def result(i: int) -> Fit | Exception:
        try:
            if s.state[i] == SearchState.FAILED_START or not _simulated(best[i]):
                raise ValueError(
                    "No experiment can be simulated with the start values: "
                    "check temperatures, currents and states of charge."
                )
            return fit_at(
                every[i],
                s.x[i] * scale,
                best[i],
                ended=SearchState(s.state[i]),
                evaluations=int(s.evaluations[i]),
                seconds=time.perf_counter() - began[i],
            )
        except Exception as error:
            return error

    waiting, under_way = iter(range(len(every))), np.zeros(0, int)
    while True:
        new = list(itertools.islice(waiting, max(at_once - len(under_way), 0)))
        began |= dict.fromkeys(new, time.perf_counter())
        under_way = np.append(under_way, new).astype(int)
        if not under_way.size:
            return {name: results[name] for name in names}
        z, part = s.trial[under_way] * scale, s.part(under_way)
        every_one = np.full(len(z), True)
        at = [] if len(vector) <= FEW else common.predicted(under_way, z)
        costs = np.array([a.cost for a in at])
        used = comes_true(part, costs) if at else every_one
        secant = goes_well(part, costs) if at else ~every_one
        computed = used & ~secant
        asked_for = common.linearised(under_way[computed], z[computed])
        near = dict(zip(under_way[computed], asked_for, strict=True)) | {
            i: best[i].moved(z[k] - part.x[k] * scale, scale, at[k])
            for k, i in enumerate(under_way.tolist())
            if secant[k]
        }
        found = _normal(costs, [near.get(i) for i in under_way], scale)
        part, better = advanced(
            part,
            found,
            lower,
            upper,
            tolerance=tolerance,
            most=max_evaluations,
            secant=secant,
        )
        s.update(under_way, part)
        for i, is_better in zip(under_way, better, strict=True):
            if i in near and (is_better or i not in best):
                best[i] = near[i]
        progress(_said(s, under_way))
        if kept is not None:
            kept.save(s, scale, under_way)
        for i in under_way[part.state != SearchState.SEARCHING]:
            results[names[i]] = result(i)
            best.pop(i, None)
            done(names[i], results[names[i]])
        under_way = under_way[part.state == SearchState.SEARCHING]


@dataclass(frozen=True, eq=False)
class _Group:
    """Some fits of a fleet, for one worker."""

    problems: dict[str, Problem]
    starts: dict[str, np.ndarray] | None
    options: dict[str, Any]


def _grouped(
    problems: Mapping[str, Problem],
    starts: Mapping[str, np.ndarray] | None,
    options: dict[str, Any],
    most: int,
) -> list[_Group]:
    """Groups of fits that take about as long, the longest first."""

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
    """On a worker."""
    enable_x64()
    return fleet(group.problems, starts=group.starts, **group.options)


def _on_workers(
    problems: Mapping[str, Problem],
    groups: Sequence[_Group],
    executor: Executor,
    done: Done,
    progress: Progress,
) -> dict[str, Fit | Exception]:
    """Fits of all groups; of a group that failed twice, the reason."""
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


class _Kept:
    """Where searches are, on disk.

    Args:
        folder: of one part for each fit.
        problems: by name.
        starts: of each, as asked for.
    """

    def __init__(
        self,
        folder: Checkpoint,
        problems: Mapping[str, Problem],
        starts: Sequence[np.ndarray],
    ):
        self.folder, self.names = folder, list(problems)
        pairs = zip(problems.values(), starts, strict=True)
        self.digests = [digest(problem, start) for problem, start in pairs]
        self.parts = [f"search_{n}_{p.rtol:g}" for n, p in problems.items()]

    def resume(self, s: Searches, scale: np.ndarray, progress: Progress) -> None:
        """Put searches where they were kept, and say so; others stay at their starts."""
        for i, name in enumerate(self.names):
            was = json.loads(self.folder.get(self.parts[i]) or b"{}")
            if was.get("digest") == self.digests[i]:
                s.trial[i] = s.x[i] = np.array(was["z"]) / scale
                s.radius[i], s.evaluations[i] = was["radius"], was["evaluations"] - 1
                progress(
                    f"{name}: goes on after {was['evaluations']} evaluations, from a cost "
                    f"of {was['cost']:.5g}, kept in {self.folder.folder}"
                )

    def save(self, s: Searches, scale: np.ndarray, rows: np.ndarray) -> None:
        """Keep the best points of some searches."""
        for i in rows[np.isfinite(s.cost[rows])]:
            was = {
                "digest": self.digests[i],
                "z": (s.x[i] * scale).tolist(),
                "radius": float(s.radius[i]),
                "evaluations": int(s.evaluations[i]),
                "cost": float(s.cost[i]),
            }
            self.folder.save(self.parts[i], json.dumps(was).encode())


def _simulated(near: Linearised) -> bool:
    """Whether there is a simulation in it, and not only ends of the model."""
    return bool(np.any(np.isfinite(np.concatenate(near.predictions))))


def _normal(
    costs: np.ndarray, near: Sequence[Linearised | None], scale: np.ndarray
) -> Normal:
    """Normal equations of all trials, by what is searched in.

    Args:
        costs: of all, where they were looked at before, (k,) or none.
        near: slopes; none at trials that are not gone to.
        scale: lengths of one, (n,).
    """
    k, n = len(near), len(scale)
    whole = Normal(np.zeros(k), np.zeros((k, n)), np.zeros((k, n, n)))
    if costs.size:
        whole.cost[:] = costs
    used = [i for i, a in enumerate(near) if a is not None]
    if used:
        rows = [(a.residuals, a.jacobian * scale) for a in near if a is not None]
        part = Normal.of(rows)
        whole.cost[used] = part.cost
        whole.gradient[used], whole.curvature[used] = part.gradient, part.curvature
    return whole


def _said(s: Searches, rows: np.ndarray) -> str:
    """Where searches are, in words."""
    if len(s.cost) == 1:
        return f"iteration {s.evaluations[0]}: cost {s.cost[0]:.5g}"
    ended = int(np.sum(s.state != SearchState.SEARCHING))
    text = f"{ended} of {len(s.cost)} fits done, {len(rows)} under way"
    return Counted(text, ended, len(s.cost))


def _alike(problems: Mapping[str, Problem]) -> None:
    if not problems:
        raise ValueError("A fleet needs at least one problem.")

    def common(p: Problem):
        return (
            p.free,
            p.vector.counts,
            p.model,
            p.rtol,
        )

    (name, one), *others = problems.items()
    for other, p in others:
        if common(p) != common(one):
            raise ValueError(
                f"{other!r} and {name!r} differ in free parameters (their bounds and priors "
                "included), model or rtol: the problems of a fleet run as one program and "
                "must share these."
            )
