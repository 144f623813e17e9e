"""One simulation as several calls of one program, each with a record of the same size.

So a simulation may take any number of steps, and its program hangs on none of them.
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
"""Where to go on, and whether to: else from the start."""

Resumable = Callable[[Protocol, ArrayLike, Going], tuple[Solution, Where]]
"""At most so many steps of a protocol, from where."""

Part = Callable[[ArrayLike, Going], tuple[Solution, Where]]

EVERY = 2.0
"""Least time between two lines of progress [s]."""

ANEW, GOING = np.asarray(False), np.asarray(True)
"""Whether a part goes on, or begins at the start."""


def in_windows(program: Resumable, protocol: Protocol, size: int) -> Part:
    """Parts that see so many rows of a protocol: more than they can take steps.

    What a part costs, and which program it is, so hang on none of the other rows.
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
        part: at most so many steps, from where, if that is to go on (else from the start).
        first: any `Where` of the right shapes.
        most: accepted steps altogether.
        keep: "steps", "cycles" or "end"; see `simulate`.
        n_rows: steps of the protocol.
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
            # What ended before its next step ended where the last one did.
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
    """Whether a part ended only because its record has no more room."""
    limit = int(solution.outcome) == Result.STEP_LIMIT
    n = int(solution.n_steps)
    return limit and n < most and n == solution.record.t.shape[0] and n > 0


def _known(outputs: Outputs) -> Outputs:
    return jax.tree.map(np.asarray, outputs)


def _used(record: Record, n: int) -> Record:
    return jax.tree.map(lambda a: np.asarray(a[:n]), record)
