"""Many searches at once, whose questions are answered in common batches."""

import threading
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from .._blas import one_blas_thread

Out = TypeVar("Out")
Ask = Callable[[Hashable, Any], Any]
Answer = Callable[[Any, list[Any]], Sequence[Any]]


@one_blas_thread()
def lockstep(
    tasks: Mapping[str, Callable[[Ask], Out]],
    answer: Answer,
    *,
    at_once: int,
    done: Callable[[str, Out | Exception], None] = lambda name, result: None,
) -> dict[str, Out | Exception]:
    """Run tasks that ask questions; a task that fails does not stop the others.

    Every task takes its own way, as it would alone. When all that are under way wait for
    an answer, questions of one kind are answered as one batch.

    Args:
        tasks: by name; each gets a function `ask(kind, question)`, to be called from its
            own thread.
        answer: of a kind and all questions of it that wait, gives one answer for each.
        at_once: tasks under way at the same time.
        done: called with name and result as each task ends.

    Returns:
        by name, the result, or the error that it ended with.
    """
    table = _Table(answer, min(at_once, len(tasks)))
    results: dict[str, Out | Exception] = {}
    left = iter(tasks.items())
    lock = threading.Lock()

    def sit() -> None:
        """One task after the other, as long as there are any."""
        try:
            while True:
                with lock:
                    name, task = next(left)
                try:
                    result: Out | Exception = task(table.ask)
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

    with ThreadPoolExecutor(table.seats) as pool:
        seats = [pool.submit(sit) for _ in range(table.seats)]
        try:
            table.serve()
        finally:
            table.close()
    for seat in seats:
        seat.result()
    return {name: results[name] for name in tasks}


class _Asked(NamedTuple):
    """A question that waits for the others."""

    kind: Hashable
    question: Any
    answer: Future


class _Table:
    """Where tasks wait until each has asked something; then all are answered at once.

    The thread that serves does all computing, and is the caller's: a Ctrl-C arrives there.
    """

    def __init__(self, answer: Answer, seats: int):
        self.answer, self.seats = answer, seats
        self.waiting: list[_Asked] = []
        self.changed = threading.Condition()
        self.closed = False

    def ask(self, kind: Hashable, question: Any) -> Any:
        asked = _Asked(kind, question, Future())
        with self.changed:
            if self.closed:
                raise RuntimeError("The others were stopped.")
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
                for kind in dict.fromkeys(a.kind for a in served):
                    self._serve_kind([a for a in served if a.kind == kind])
            finally:
                # Whom an interruption left without an answer.
                _fail(a for a in served if not a.answer.done())

    def _serve_kind(self, asked: list[_Asked]) -> None:
        try:
            answers = self.answer(asked[0].kind, [a.question for a in asked])
        except Exception as error:
            for a in asked:
                a.answer.set_exception(error)
            return
        for a, found in zip(asked, answers, strict=True):
            a.answer.set_result(found)


def _fail(asked: Iterable[_Asked]) -> None:
    for a in asked:
        a.answer.set_exception(RuntimeError("The others were stopped."))
