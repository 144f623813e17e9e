"""Tasks dealt to workers, through any executor of `concurrent.futures`."""

import functools
import os
import queue
import socket
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from typing import Any, NamedTuple, TypeVar

from .._progress import Counted, Progress, silent
from .._takes import takes

Task = TypeVar("Task", bound=Hashable)

TRIES = 2
"""How often a task is tried: its worker may have been at fault, or it may be itself."""

NAMED = 8
"""Workers whose rates are all said; of more, the slowest one's."""

KILLED = "KilledWorker"
"""Dask's error, by name as it need not be there, of a task whose workers died: Dask has
tried it again."""

GONE = ("FutureCancelledError", "CommClosedError")
"""Dask's errors of a scheduler that is gone."""


class Answer(NamedTuple):
    """What a worker gave.

    Attributes:
        value: of the task.
        worker: its host and process.
        seconds: taken.
    """

    value: Any
    worker: str
    seconds: float


class Throughput:
    """How far work is: what each worker does, and what is left.

    Args:
        sizes: lanes of every task.
        what: they are.
    """

    def __init__(self, sizes: Mapping[Any, int], what: str):
        self.sizes, self.what = sizes, what
        self.began = time.perf_counter()
        self.lanes = 0
        self.of_worker: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])

    def add(self, task: Any, answer: Answer) -> str:
        """Count a task that is done, and say how far things are."""
        lanes = self.sizes[task]
        self.lanes += lanes
        own = self.of_worker[answer.worker]
        own[0] += lanes
        own[1] += answer.seconds
        seconds = time.perf_counter() - self.began
        left = sum(self.sizes.values()) - self.lanes
        rates = {w: n / s for w, (n, s) in self.of_worker.items()}
        said = ", ".join(f"{w} {rate:.3g}" for w, rate in rates.items())
        if len(rates) > NAMED:
            slow = min(rates, key=lambda w: rates[w])
            each = statistics.median(rates.values())
            said = f"{len(rates)} workers, median {each:.3g}, least {rates[slow]:.3g}"
            said += f" ({slow})"
        text = (
            f"{self.lanes} {self.what} done, {left} left: {seconds:.1f} s so far, about "
            f"{left * seconds / self.lanes:.0f} s to go; {self.what} per second: {said}"
        )
        return Counted(text, self.lanes, self.lanes + left)


@takes
def deal(
    work: Callable[[Any], Any],
    sizes: Mapping[Task, int],
    executor: Executor,
    *,
    done: Callable[[Task, Any], None],
    what: str = "lanes",
    progress: Progress = silent,
) -> dict[Task, str]:
    """Give tasks to whoever is free, the longest first.

    Args:
        work: of a task; both reach the workers as the executor carries them.
        sizes: tasks, and the lanes of each, by which their lengths compare.
        executor: whose workers do them.
        done: called here with every task that is done and what it gave.
        what: that the sizes count.
        progress: called with a line of text after every task.

    Returns:
        tasks that failed twice, and why.

    Raises:
        ConnectionError: when the workers, or what deals to them, are gone.
    """
    came: queue.SimpleQueue[Future] = queue.SimpleQueue()
    under_way: dict[Future, Task] = {}
    tries: Counter[Task] = Counter()
    failed: dict[Task, str] = {}
    so_far = Throughput(sizes, what)

    def hand_out(task: Task) -> None:
        tries[task] += 1
        future = executor.submit(functools.partial(_timed, work), task)
        under_way[future] = task
        future.add_done_callback(came.put)

    try:
        for task in sorted(sizes, key=lambda t: -sizes[t]):
            hand_out(task)
        while under_way:
            future = came.get()
            task = under_way.pop(future)
            try:
                answer = future.result()
            except (Exception, CancelledError) as error:
                kind = type(error).__name__
                if isinstance(error, BrokenExecutor | CancelledError) or kind in GONE:
                    raise ConnectionError(_gone(error, len(under_way) + 1)) from error
                if kind == KILLED or tries[task] == TRIES:
                    failed[task] = f"{kind}: {error}"
                    progress(f"{sizes[task]} {what} failed: {failed[task]}")
                else:
                    hand_out(task)
                continue
            done(task, answer.value)
            progress(so_far.add(task, answer))
    finally:
        for future in under_way:
            future.cancel()
    return failed


def _gone(error: BaseException, left: int) -> str:
    return (
        f"The workers are gone, with {left} tasks not done "
        f"({type(error).__name__}: {error}). What is done is kept where a folder was "
        "given: run the same again and it goes on from there."
    )


def _timed(work: Callable[[Any], Any], task: Any) -> Answer:
    """On a worker: the task, by whom, and how long it took."""
    began = time.perf_counter()
    value = work(task)
    worker = f"{socket.gethostname()}:{os.getpid()}"
    return Answer(value, worker, time.perf_counter() - began)


def workers_of(executor: Executor) -> int:
    """How many workers an executor has now, or seems to have."""
    client = getattr(executor, "_client", None)
    if client is not None:
        return max(1, len(client.nthreads()))
    return int(getattr(executor, "_max_workers", 1) or 1)
