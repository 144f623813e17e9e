"""Strategies for hard fits: in stages, and from many starts."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .._progress import Progress, silent
from .._takes import takes
from ..parameters import Role
from ._fit import Fit
from ._least_squares import fleet, least_squares
from ._problem import Problem

STAGES = {
    "balance": (
        Role.BALANCE,
        Role.OPEN_CIRCUIT_POTENTIAL,
        Role.HYSTERESIS,
        Role.DESIGN,
        Role.CALIBRATION,
    ),
    "resistances": (Role.KINETICS, Role.RESISTANCE),
    "transport": (Role.TRANSPORT, Role.HEAT),
    "temperature": (Role.TEMPERATURE_LAW,),
}
"""Stages of `staged`, in order, and the roles of the parameters that each of them fits."""


@takes
def staged(
    problem: Problem,
    *,
    stages: Sequence[str] = tuple(STAGES),
    progress: Progress = silent,
    **options: Any,
) -> Fit:
    """Fit parameters in stages, those that matter most first, then all together.

    Far from the minimum a fit of all parameters at once can go astray: a resistance makes
    up for a wrong capacity, and stays wrong. Priors stay centred at the problem's own
    values in all stages.

    Args:
        problem: what to fit.
        stages: names of stages, keys of `STAGES`, in order.
        progress: called with lines of text.
        options: options of `least_squares`.

    Raises:
        ValueError: for an unknown stage.
    """
    if unknown := set(stages) - STAGES.keys():
        raise ValueError(
            f"Unknown stages {sorted(unknown)}; known are {', '.join(STAGES)}."
        )
    at = replace(problem, believed=problem.believed or problem.specimen)
    for stage in stages:
        v, _ = problem.vector.part(r in STAGES[stage] for r in problem.vector.roles)
        if v.free:
            progress(f"stage {stage}: {', '.join(f.name for f in v.free)}")
            part = replace(at, free=v.free)
            found = least_squares(part, progress=progress, **options)
            at = replace(at, specimen=found.specimen)
    progress("all together")
    return least_squares(at, progress=progress, **options)


@takes
def multi_start(
    problem: Problem,
    count: int = 8,
    *,
    spread: float = 1.0,
    seed: int = 0,
    **options: Any,
) -> tuple[Fit, ...]:
    """Fits from several starts, simulated in common batches; the best first.

    Where the costs of the best few differ, the problem has several minima, and more starts
    may find a better one.

    Args:
        problem: what to fit.
        count: number of starts. The first is the problem's own; the others are drawn from
            the priors, or uniformly between the bounds for numbers without a prior.
        spread: factor by which starts are drawn wider than the priors.
        seed: seed of the random starts.
        options: options of `fleet`.

    Raises:
        ValueError: when no start leads to a fit, with the reasons.
    """
    rows = drawn_starts(problem, count, spread=spread, seed=seed)
    starts = {f"start {k}": z for k, z in enumerate(rows)}
    problems = {name: replace(problem) for name in starts}
    found = fleet(problems, starts=starts, **options)
    fits = [f for f in found.values() if isinstance(f, Fit) and np.isfinite(f.cost)]
    if not fits:
        reasons = {str(e) for e in found.values() if isinstance(e, Exception)}
        raise ValueError(
            f"None of {count} starts leads to a fit: {'; '.join(sorted(reasons))}"
        )
    return tuple(sorted(fits, key=lambda f: f.cost))


@takes
def drawn_starts(
    problem: Problem, count: int, *, spread: float = 1.0, seed: int = 0
) -> np.ndarray:
    """Transformed start values within the bounds, the problem's own first, (count, n).

    Args:
        problem, count, spread, seed: see `multi_start`.
    """
    rng = np.random.default_rng(seed)
    low, high = problem.vector.bounds
    root = spread * problem.vector.prior_root()
    known = np.any(root != 0.0, axis=1)
    starts = [problem.start]
    for _ in range(1, count):
        even = rng.uniform(low, high)
        near = problem.start + root @ rng.standard_normal(len(low))
        starts.append(np.clip(np.where(known, near, even), low, high))
    return np.stack(starts)


ALIKE = 0.01
"""Fits whose cost is within this fraction of the least have found an equally good
minimum."""


@takes
def agreement(fits: Sequence[Fit], count: int) -> str:
    """How many of several starts found the best minimum, in a sentence.

    Args:
        fits: fits, the best first, as `multi_start` gives them.
        count: number of starts; those without a fit failed.
    """
    best = fits[0]
    alike = [f for f in fits if f.cost <= (1.0 + ALIKE) * best.cost]
    sd = np.sqrt(np.diag(best.covariance))
    away = max(float(np.max(np.abs(f.z - best.z) / sd)) for f in alike)
    text = f"{len(alike)} of {count} starts reach the least cost, {best.cost:.5g}"
    text += f", to {100.0 * ALIKE:g} %"
    if len(alike) > 1:
        text += f"; their numbers lie within {away:.1f} standard deviations"
    if worse := [f.cost for f in fits[len(alike) :]]:
        text += f"; {len(worse)} end higher, up to {max(worse):.5g}"
    if failed := count - len(fits):
        text += f"; {failed} could not be simulated"
    return text + "."
