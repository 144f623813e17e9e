"""Distribute tasks to workers, through any executor of `concurrent.futures`."""

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
"""Times that a task is tried: a failure may be due to the worker, and not to the task."""

NAMED = 8
"""Up to this many workers, lines of progress give the rate of each; else of the slowest."""

KILLED = "KilledWorker"
"""Dask's error of a task whose workers died, after Dask itself has tried again. By name,
as Dask need not be installed."""

GONE = ("FutureCancelledError", "CommClosedError")
"""Dask's errors when the scheduler is gone."""


class Answer(NamedTuple):
    """The result of a task.

    Attributes:
        value: what the task returned.
        worker: host and process of the worker.
        seconds: time that the task took [s].
    """

    value: Any
    worker: str
    seconds: float


class Throughput:
    """Counts what is done and what is left, and the rate of each worker.

    Args:
        sizes: number of lanes of every task.
        what: what lanes are called in lines of progress.
    """

    def __init__(self, sizes: Mapping[Any, int], what: str):
        self.sizes, self.what = sizes, what
        self.began = time.perf_counter()
        self.lanes = 0
        self.of_worker: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])

    def add(self, task: Any, answer: Answer) -> str:
        """Count a finished task, and return a line of progress."""
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
    """Give tasks to workers as they become free, the longest first.

    Args:
        work: function of a task; the executor must be able to send both to its workers.
        sizes: tasks, and the number of lanes of each, by which their lengths compare.
        executor: executor whose workers do the tasks.
        done: called in this process with every finished task and its result.
        what: what lanes are called in lines of progress.
        progress: called with a line of text after every task.

    Returns:
        tasks that failed twice, with the reason.

    Raises:
        ConnectionError: when the workers or their scheduler are gone.
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
    """Do a task, with the name of the worker and the time it took; runs on a worker."""
    began = time.perf_counter()
    value = work(task)
    worker = f"{socket.gethostname()}:{os.getpid()}"
    return Answer(value, worker, time.perf_counter() - began)


def workers_of(executor: Executor) -> int:
    """Number of workers that an executor has now, as far as it tells; else 1."""
    client = getattr(executor, "_client", None)
    if client is not None:
        return max(1, len(client.nthreads()))
    return int(getattr(executor, "_max_workers", 1) or 1)
