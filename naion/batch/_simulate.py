"""`simulate` for a batch of cells."""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from .._cautions import caution
from .._progress import Progress, silent
from .._results import Result
from ..parameters import Cell, cautions
from ..protocol import Protocol, Step
from ..simulation import Solution, is_unfinished
from ..simulation import simulate as simulate_one
from ._program import Device
from ._run import run
from ._stack import lane_of


@dataclass(frozen=True)
class Solutions(Sequence[Solution]):
    """Solutions of a batch; `solutions[i]` is a `Solution`, at no cost.

    Attributes:
        stacked: all of them, with a leading axis of lanes.
    """

    stacked: Solution

    def __len__(self) -> int:
        return len(self.stacked.outcome)

    def __getitem__(self, lane: Any) -> Any:
        part = lane_of(self.stacked, lane)
        return Solutions(part) if isinstance(lane, slice) else part

    def __iter__(self) -> Iterator[Solution]:
        return (self[i] for i in range(len(self)))

    @property
    def capacity(self) -> np.ndarray:
        """Net charge discharged, (lanes,) [A.h]."""
        return np.asarray(self.stacked.capacity)

    @property
    def energy(self) -> np.ndarray:
        """Net energy delivered, (lanes,) [W.h]."""
        return np.asarray(self.stacked.energy)

    @property
    def t_end(self) -> np.ndarray:
        """Time at the end, (lanes,) [s]."""
        return np.asarray(self.stacked.t_end)

    @property
    def results(self) -> list[Result]:
        """How each lane ended."""
        return [Result(int(k)) for k in self.stacked.outcome]

    @property
    def counts(self) -> dict[str, int]:
        """How many lanes ended how."""
        return dict(Counter(r.name.lower() for r in self.results))


def simulate(
    cells: Cell,
    protocol: Protocol | str | Step | Sequence[str | Step],
    *,
    chunk: int | None = None,
    devices: Sequence[Device] | None = None,
    folder: Path | str | None = None,
    executor: Executor | None = None,
    progress: Progress = silent,
    **options: Any,
) -> Solutions:
    """Simulate one protocol on many cells. No lane stops the others.

    Args:
        cells: cells with a leading axis of lanes on every array; see `stack`.
        protocol: see `naion.simulate`.
        chunk, devices, folder, executor, progress: see `run`. Lanes that workers could
            not compute end as `Result.NOT_COMPUTED`.
        options: of `naion.simulate`, the same for all cells. With keep="end" a lane
            takes a hundredth of the memory.

    Raises:
        TypeError, ValueError: for anything but stacked cells.
    """
    if not isinstance(cells, Cell):
        raise TypeError(
            f"cells: expected cells that are stacked, got a {type(cells).__name__}; "
            "`naion.batch.stack` makes them of a list."
        )
    if np.ndim(cells.area) == 0:
        raise ValueError(
            "cells: this is one cell, and not many with lanes along its first axis; "
            "`naion.batch.stack` makes them of a list, `naion.simulate` takes one."
        )
    protocol = protocol if isinstance(protocol, Protocol) else Protocol(protocol)

    def one(cell: Cell) -> Solution:
        return simulate_one(cell, protocol, throw=False, **options)

    done = run(
        one,
        cells,
        chunk=chunk,
        devices=devices,
        folder=folder,
        executor=executor,
        progress=progress,
    )
    again = np.flatnonzero(is_unfinished(done.outcome, protocol))
    if options.get("max_steps") is not None:
        again = again[done.outcome[again] != Result.STEP_LIMIT]
    if again.size:
        progress(f"{again.size} of {len(done.outcome)} lanes once more, each alone")
        done = _with_lanes(done, again, [one(lane_of(cells, k)) for k in again])
    said: list[str] = []
    coldest, warmest = done.least.temperature, done.greatest.temperature
    if np.any(np.isfinite(coldest)):
        said += cautions(cells, float(np.nanmin(coldest)), float(np.nanmax(warmest)))
    for text in said:
        caution(text)
    return Solutions(dataclasses.replace(done, cautions=tuple(said)))


def _with_lanes(
    done: Solution, at: np.ndarray, solutions: Sequence[Solution]
) -> Solution:
    """A batch with some lanes replaced, and room for their steps."""
    rows = max(done.record.t.shape[1], *(int(s.n_steps) for s in solutions))
    rows = rows if done.record.t.shape[1] else 0

    def resized(a: np.ndarray, axis: int) -> np.ndarray:
        a = np.asarray(a)
        missing = [(0, 0)] * a.ndim
        missing[axis] = (0, max(0, rows - a.shape[axis]))
        return np.take(np.pad(a, missing), np.arange(rows), axis)

    def whole(s: Solution, axis: int) -> Solution:
        record = jax.tree.map(lambda a: resized(a, axis), s.record)
        return dataclasses.replace(s, record=record, cautions=())

    done = jax.tree.map(np.array, whole(done, 1))
    for k, s in zip(at, solutions, strict=True):
        for every, own in zip(
            jax.tree.leaves(done), jax.tree.leaves(whole(s, 0)), strict=True
        ):
            every[k] = own
    return done
