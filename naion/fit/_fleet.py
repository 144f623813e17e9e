"""Fits of many cells at once, their simulations in common batches."""

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple, get_args

import jax
import numpy as np

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
    evaluator = Evaluator(one.free, lanes, one.model, one.rtol, one=len(problems) == 1)
    at_once = min(at_once, len(problems))
    most = max(len(p.experiments) for p in problems.values())
    table = _Table(evaluator, at_once, at_once * most)
    results: dict[str, Fit | Exception] = {}
    left = iter(problems.items())
    lock = threading.Lock()

    def sit() -> None:
        """Fit one problem after the other, as long as there are any."""
        try:
            while True:
                with lock:
                    name, p = next(left)
                own = p.answered_by(table, first[name])
                try:
                    fit = least_squares(
                        own,
                        None if starts is None else starts[name],
                        max_evaluations=max_evaluations,
                        tolerance=tolerance,
                    )
                    # What is asked of the fit later is not to wait for the others.
                    result: Fit | Exception = replace(fit, problem=p)
                except Exception as error:
                    result = error
                with lock:
                    if table.closed:
                        return
                    results[name] = result
                    done(name, result)
        except StopIteration:
            table.leave()
        except BaseException:
            table.close()
            raise

    with ThreadPoolExecutor(at_once) as pool:
        seats = [pool.submit(sit) for _ in range(at_once)]
        try:
            table.serve()
        finally:
            table.close()
    for seat in seats:
        seat.result()
    return {name: results[name] for name in problems}


def _alike(problems: Mapping[str, Problem]) -> None:
    if not problems:
        raise ValueError("A fleet needs at least one problem.")

    def common(p: Problem):
        return [(f.paths, f.transform) for f in p.free], p.model, p.rtol

    (name, one), *others = problems.items()
    for other, p in others:
        if common(p) != common(one):
            raise ValueError(
                f"{other!r} and {name!r} differ in free parameters, model or rtol: the "
                "problems of a fleet run as one program and must share these."
            )


class _Asked(NamedTuple):
    """A question that waits for the others."""

    question: Question
    rows: range
    z: np.ndarray
    answer: Future


class _Table:
    """Where fits wait until each has asked something; then all are answered at once.

    The thread that serves does all computing, and is the caller's: a Ctrl-C arrives there.
    """

    def __init__(self, evaluator: Evaluator, seats: int, most: int):
        self.evaluator, self.seats, self.most = evaluator, seats, most
        self.waiting: list[_Asked] = []
        self.changed = threading.Condition()
        self.closed = False

    def ask(self, question: Question, rows: range, z: np.ndarray):
        asked = _Asked(question, rows, np.asarray(z), Future())
        with self.changed:
            if self.closed:
                raise RuntimeError("The fleet was stopped.")
            self.waiting.append(asked)
            self.changed.notify()
        return asked.answer.result()

    def leave(self) -> None:
        with self.changed:
            self.seats -= 1
            self.changed.notify()

    def close(self) -> None:
        """Let everybody who waits, or asks again, fail."""
        with self.changed:
            self.closed = True
            _fail(self.waiting)
            self.waiting = []
            self.changed.notify()

    def serve(self) -> None:
        """Answer until everybody has left, or somebody closed the table."""
        while True:
            with self.changed:
                self.changed.wait_for(
                    lambda: self.closed or len(self.waiting) >= self.seats
                )
                if not self.waiting:
                    return
                served, self.waiting = self.waiting, []
            try:
                for question in get_args(Question):
                    alike = [a for a in served if a.question == question]
                    self._answer(question, alike)
            finally:
                # Whom an interruption left without an answer.
                _fail(a for a in served if not a.answer.done())

    def _answer(self, question: Question, asked: list[_Asked]) -> None:
        if not asked:
            return
        rows = [row for a in asked for row in a.rows]
        z = np.concatenate([a.z for a in asked])
        try:
            answers = self.evaluator.ask(question, rows, z, self.most)
        except Exception as error:
            for a in asked:
                a.answer.set_exception(error)
            return
        start = 0
        for a in asked:
            part = slice(start, start + len(a.rows))
            a.answer.set_result(jax.tree.map(lambda x, p=part: x[p], answers))
            start = part.stop


def _fail(asked: Iterable[_Asked]) -> None:
    for a in asked:
        a.answer.set_exception(RuntimeError("The fleet was stopped."))
