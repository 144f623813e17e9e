"""One simulation as several calls of one compiled program.

Each call takes at most as many steps as its record has rows, and the next one continues from
its end. So a simulation may take any number of steps without a program of its own.
"""

import dataclasses
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from .._progress import Counted, Progress
from .._results import Result
from ..protocol import Protocol
from ..solvers import Record, Where
from ..systems import Outputs
from ._cycles import cycles_of
from ._cycles import joined as joined_cycles
from ._solution import Solution

Going = tuple[Where, ArrayLike]
"""The place to continue from, and whether to continue there or to begin at the start."""

Resumable = Callable[[Protocol, ArrayLike, Going], tuple[Solution, Where]]
"""A program: of a protocol, the most steps to take, and where to continue."""

Part = Callable[[ArrayLike, Going], tuple[Solution, Where]]
"""The same for a protocol that is fixed."""

EVERY = 2.0
"""Shortest time between two lines of progress [s]."""

ANEW, GOING = np.asarray(False), np.asarray(True)
"""To begin at the start, and to continue."""


def in_windows(program: Resumable, protocol: Protocol, size: int) -> Part:
    """Parts that get a window of `size` rows of a long protocol, from where they continue.

    A window has more rows than a part takes steps. So neither the cost of a part nor its
    program depends on the length of the protocol.
    """

    def part(most: ArrayLike, going: Going) -> tuple[Solution, Where]:
        where, goes_on = going
        first = np.asarray(where.segment if goes_on else 0)
        here = where._replace(segment=where.segment - first)
        rows = protocol.rows(int(first), size)
        solution, where = program(rows, most, (here, goes_on))
        record = solution.record
        record = record._replace(segment=np.asarray(record.segment) + first)
        solution = dataclasses.replace(solution, record=record, cycle=protocol.cycle)
        return solution, where._replace(segment=np.asarray(where.segment) + first)

    return part


def in_parts(
    part: Part, first: Where, most: int, keep: str, n_rows: int, progress: Progress
) -> tuple[Solution, Where]:
    """The whole simulation, and where it ended.

    Args:
        part: takes the next steps; see `Part`.
        first: any `Where` of the right shapes, which the first part does not read.
        most: most accepted steps of all parts together.
        keep: "steps", "cycles" or "end"; see `simulate`.
        n_rows: number of steps of the protocol, for lines of progress.
        progress: called with a line of text every two seconds.
    """
    said = time.perf_counter()
    solution, where = part(np.asarray(most), (first, ANEW))
    if keep != "cycles" and not _is_full(solution, most):
        return solution, where
    parts, cycles, steps, rejected = [], None, 0, 0
    least, greatest = map(_known, (solution.least, solution.greatest))
    while True:
        n = int(solution.n_steps)
        steps, rejected = steps + n, rejected + int(solution.n_rejected)
        if n:
            least = jax.tree.map(np.fmin, least, _known(solution.least))
            greatest = jax.tree.map(np.fmax, greatest, _known(solution.greatest))
        if keep == "steps":
            parts.append(_used(solution.record, n))
        elif keep == "cycles":
            own = cycles_of(solution.record, n, np.asarray(solution.cycle))
            cycles = own if cycles is None else joined_cycles(cycles, own)
        if not _is_full(solution, most - steps + n):
            break
        if time.perf_counter() - said > EVERY:
            said = time.perf_counter()
            done, hours = int(where.segment) + 1, float(where.t) / 3600.0
            said_so = f"step {done:,} of {n_rows:,}, {hours:.4g} h"
            progress(Counted(said_so, done, n_rows))
        ahead = solution
        solution, where = part(np.asarray(most - steps), (where, GOING))
        if not int(solution.n_steps):
            # A part without a step ended at the end of the part before.
            solution = dataclasses.replace(solution, end=ahead.end)
    record = _used(solution.record, 0)
    if keep == "steps":
        record = jax.tree.map(lambda *rows: np.concatenate(rows), *parts)
    whole = dataclasses.replace(
        solution,
        record=record,
        least=jax.tree.map(jnp.asarray, least),
        greatest=jax.tree.map(jnp.asarray, greatest),
        n_steps=jnp.asarray(steps),
        n_rejected=jnp.asarray(rejected),
        of_cycles=cycles,
    )
    return whole, where


def _is_full(solution: Solution, most: int) -> bool:
    """Whether a part stopped only because its record is full."""
    limit = int(solution.outcome) == Result.STEP_LIMIT
    n = int(solution.n_steps)
    return limit and n < most and n == solution.record.t.shape[0] and n > 0


def _known(outputs: Outputs) -> Outputs:
    return jax.tree.map(np.asarray, outputs)


def _used(record: Record, n: int) -> Record:
    return jax.tree.map(lambda a: np.asarray(a[:n]), record)
