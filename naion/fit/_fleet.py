"""Fits of many cells at once, their simulations in common batches."""

import functools
import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import numpy as np

from ..batch import Ask, lockstep
from ._evaluate import Evaluator, Question
from ._fit import Fit, least_squares
from ._problem import Problem

AT_ONCE = 128
"""Fits that are under way at the same time."""

Done = Callable[[str, "Fit | Exception"], None]


def fleet(
    problems: Mapping[str, Problem],
    *,
    starts: Mapping[str, np.ndarray] | None = None,
    at_once: int = AT_ONCE,
    max_evaluations: int = 30,
    tolerance: float = 1e-4,
    done: Done = lambda name, fit: None,
) -> dict[str, Fit | Exception]:
    """`least_squares` of every problem. A fit that fails does not stop the others.

    Every fit takes its own way, as it would alone; what the fits under way want
    simulated next is simulated as one batch.

    Args:
        problems: by name, with the same free parameters, model and tolerance.
        starts: transformed start values by name; else the problem's own.
        at_once: fits under way at the same time.
        max_evaluations, tolerance: see `least_squares`.
        done: called with name and result as each fit ends.

    Returns:
        by name, the fit, or the error that it ended with.

    Raises:
        ValueError: for no problems, or for unlike free parameters, models or tolerances.
    """
    _alike(problems)
    lanes, first = [], {}
    for name, p in problems.items():
        first[name] = len(lanes)
        lanes += p.lanes
    one = next(iter(problems.values()))
    evaluator = Evaluator(
        one.vector, lanes, one.model, one.rtol, one=len(problems) == 1
    )
    at_once = min(at_once, len(problems))
    most = at_once * max(len(p.experiments) for p in problems.values())

    def answer(question: Question, asked: list[tuple[range, np.ndarray]]) -> list[Any]:
        rows = [row for own, _ in asked for row in own]
        answers = evaluator.ask(
            question, rows, np.concatenate([z for _, z in asked]), most
        )
        ends = np.cumsum([0, *(len(own) for own, _ in asked)])
        return [
            jax.tree.map(lambda x, part=slice(a, b): x[part], answers)
            for a, b in itertools.pairwise(ends)
        ]

    def fit(name: str, ask: Ask) -> Fit:
        problem = problems[name]
        found = least_squares(
            problem.answered_by(_Asks(ask), first[name]),
            None if starts is None else starts[name],
            max_evaluations=max_evaluations,
            tolerance=tolerance,
        )
        # What is asked of the fit later is not to wait for the others.
        return replace(found, problem=problem)

    tasks = {name: functools.partial(fit, name) for name in problems}
    return lockstep(tasks, answer, at_once=at_once, done=done)


class _Asks(NamedTuple):
    """Looks like an `Evaluator` to a problem."""

    table: Ask

    def ask(self, question: Question, rows: range, z: np.ndarray) -> Any:
        return self.table(question, (rows, z))


def _alike(problems: Mapping[str, Problem]) -> None:
    if not problems:
        raise ValueError("A fleet needs at least one problem.")

    def common(p: Problem):
        return (
            [(f.paths, f.transform) for f in p.free],
            p.vector.counts,
            p.model,
            p.rtol,
        )

    (name, one), *others = problems.items()
    for other, p in others:
        if common(p) != common(one):
            raise ValueError(
                f"{other!r} and {name!r} differ in free parameters, model or rtol: the "
                "problems of a fleet run as one program and must share these."
            )
