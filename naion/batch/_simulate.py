"""`simulate` for a batch of cells."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from .._results import Result
from ..parameters import Cell
from ..protocol import Protocol, Step
from ..simulation import Solution
from ..simulation import simulate as simulate_one
from ._program import Device
from ._run import Progress, run


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
        part = jax.tree.map(lambda a: a[lane], self.stacked)
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
    progress: Progress = lambda text: None,
    **options: Any,
) -> Solutions:
    """Simulate one protocol on many cells. No lane stops the others.

    Args:
        cells: cells with a leading axis of lanes on every array; see `stack`.
        protocol: see `naion.simulate`.
        chunk, devices, folder, progress: see `run`.
        options: of `naion.simulate`, the same for all cells.
    """
    protocol = protocol if isinstance(protocol, Protocol) else Protocol(protocol)

    def one(cell: Cell) -> Solution:
        return simulate_one(cell, protocol, throw=False, **options)

    done = run(
        one, cells, chunk=chunk, devices=devices, folder=folder, progress=progress
    )
    return Solutions(done)
