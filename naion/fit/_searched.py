"""Searches for the least cost of many problems, simulated together.

Each search takes its own steps, as it would alone. In every round the points that the
searches under way want to try next are simulated as one batch; where a search ends, a
waiting one begins.
"""

import itertools
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from .._blas import one_blas_thread
from .._progress import Counted, Progress
from ..batch import Checkpoint, digest
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

FEW = 12
"""Up to this many free numbers, residuals and Jacobian are computed together. With more
the Jacobian is expensive, and it is computed only where the residuals show that it is
needed."""

Done = Callable[[str, "Fit | Exception"], None]


@one_blas_thread()
def searched(
    problems: Mapping[str, Problem],
    starts: Mapping[str, np.ndarray] | None,
    at_once: int,
    max_evaluations: int,
    tolerance: float,
    done: Done,
    keep: Checkpoint | None,
    progress: Progress,
) -> dict[str, Fit | Exception]:
    """The fit of every problem, or the error that it ended with; arguments as of `fleet`.

    All simulations are made at the tolerance of the problems.
    """
    fits = _Searching(problems, starts, at_once)
    kept = None if keep is None else _Kept(keep, problems, fits.starts)
    if kept is not None:
        kept.resume(fits.searches, fits.scale, progress)
    results: dict[str, Fit | Exception] = {}
    while fits.begin():
        fits.advance(fits.tried(), tolerance, max_evaluations)
        progress(_said(fits.searches, fits.under_way))
        if kept is not None:
            kept.save(fits.searches, fits.scale, fits.under_way)
        for i in fits.take_ended():
            name = fits.names[i]
            results[name] = fits.result(i)
            done(name, results[name])
    return {name: results[name] for name in problems}


class _Trials(NamedTuple):
    """What the simulations of all searches under way gave at their trial points.

    Attributes:
        costs: half the sum of squares, (k,); empty where every Jacobian was computed.
        near: residuals and Jacobian, by search, for the trials that are gone to.
        secant: whether a Jacobian was not computed but follows from the residuals, (k,).
    """

    costs: np.ndarray
    near: dict[int, Linearised]
    secant: np.ndarray


class _Searching:
    """The searches of a fleet: where each is, and which are under way.

    Searches move in units of the widths of the priors, so that one length of step suits
    all free numbers.

    Args:
        problems: by name.
        starts: transformed start values by name; none: the problems' own.
        at_once: most searches under way.
    """

    def __init__(
        self,
        problems: Mapping[str, Problem],
        starts: Mapping[str, np.ndarray] | None,
        at_once: int,
    ):
        self.names, self.problems = list(problems), list(problems.values())
        self.starts = [
            p.start if starts is None else starts[name] for name, p in problems.items()
        ]
        self.at_once = at_once
        self.vector = self.problems[0].vector
        self.scale = self.vector.scales
        self.lower, self.upper = (end / self.scale for end in self.vector.bounds)
        self.searches = Searches.beginning(
            np.stack(self.starts) / self.scale, self.lower, self.upper
        )
        self.common = Common(self.problems, min(at_once, len(self.problems)))
        self.best: dict[int, Linearised] = {}
        self.began: dict[int, float] = {}
        self.waiting = iter(range(len(self.problems)))
        self.under_way = np.zeros(0, int)

    def begin(self) -> bool:
        """Begin as many waiting searches as there is room for; whether any is under way."""
        room = max(self.at_once - len(self.under_way), 0)
        new = list(itertools.islice(self.waiting, room))
        self.began |= dict.fromkeys(new, time.perf_counter())
        self.under_way = np.append(self.under_way, new).astype(int)
        return bool(self.under_way.size)

    def tried(self) -> _Trials:
        """Simulate the trial points of all searches under way."""
        rows = self.under_way
        part, z = self.searches.part(rows), self.searches.trial[rows] * self.scale
        if len(self.vector) <= FEW:
            computed = np.full(len(rows), True)
            near = dict(zip(rows, self.common.linearised(rows, z), strict=True))
            return _Trials(np.zeros(0), near, ~computed)
        at = self.common.predicted(rows, z)
        costs = np.array([a.cost for a in at])
        secant = goes_well(part, costs)
        computed = comes_true(part, costs) & ~secant
        slopes = self.common.linearised(rows[computed], z[computed])
        near = dict(zip(rows[computed], slopes, strict=True)) | {
            i: self.best[i].moved(z[k] - part.x[k] * self.scale, self.scale, at[k])
            for k, i in enumerate(rows.tolist())
            if secant[k]
        }
        return _Trials(costs, near, secant)

    def advance(self, trials: _Trials, tolerance: float, max_evaluations: int) -> None:
        """Move every search under way to its best point, and choose its next trial."""
        rows = self.under_way
        near = [trials.near.get(i) for i in rows]
        part, better = advanced(
            self.searches.part(rows),
            _normal(trials.costs, near, self.scale),
            self.lower,
            self.upper,
            tolerance=tolerance,
            most=max_evaluations,
            secant=trials.secant,
        )
        self.searches.update(rows, part)
        for i, found, is_better in zip(rows, near, better, strict=True):
            if found is not None and (is_better or i not in self.best):
                self.best[i] = found

    def take_ended(self) -> np.ndarray:
        """Searches that have ended, which are no longer under way, (k,)."""
        searching = self.searches.state[self.under_way] == SearchState.SEARCHING
        ended = self.under_way[~searching]
        self.under_way = self.under_way[searching]
        return ended

    def result(self, i: int) -> Fit | Exception:
        """The fit at the best point of a search that has ended, or why there is none."""
        s, near = self.searches, self.best.pop(i, None)
        try:
            failed = s.state[i] == SearchState.FAILED_START
            if failed or near is None or not _simulated(near):
                raise ValueError(
                    "No experiment can be simulated with the start values: "
                    "check temperatures, currents and states of charge."
                )
            return fit_at(
                self.problems[i],
                s.x[i] * self.scale,
                near,
                ended=SearchState(s.state[i]),
                evaluations=int(s.evaluations[i]),
                seconds=time.perf_counter() - self.began[i],
            )
        except Exception as error:
            return error


class _Kept:
    """The points that searches have reached, kept in files.

    A search that was interrupted goes on from there, with another Jacobian.

    Args:
        folder: where they are kept, one part for each search.
        problems: by name.
        starts: where each search was asked to start, (n,).
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
        """Move searches to the points that were kept, and say so; others begin anew."""
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
        """Write the best points of some searches."""
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
    """Whether any experiment was reached by a simulation."""
    return bool(np.any(np.isfinite(np.concatenate(near.predictions))))


def _normal(
    costs: np.ndarray, near: Sequence[Linearised | None], scale: np.ndarray
) -> Normal:
    """Normal equations at all trials, in the scaled variables of the searches.

    Args:
        costs: costs of all trials, (k,); empty where all have a Jacobian.
        near: residuals and Jacobian; none at trials that are not gone to.
        scale: lengths of the variables in units of the transformed values, (n,).
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
    """How far the searches are, as a line of progress."""
    if len(s.cost) == 1:
        return f"iteration {s.evaluations[0]}: cost {s.cost[0]:.5g}"
    ended = int(np.sum(s.state != SearchState.SEARCHING))
    text = f"{ended} of {len(s.cost)} fits done, {len(rows)} under way"
    return Counted(text, ended, len(s.cost))
