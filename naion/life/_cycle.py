"""Thousands of cycles from some tens: jumps over cycles, each checked by a block."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .._progress import Progress, silent
from .._results import Result
from .._takes import takes
from ..models import DFN
from ..parameters import Cell, Start
from ..protocol import Protocol, Step
from ..simulation import Solution, simulate
from ..simulation.driver import DEFAULT_RTOL
from ._ageing import SLOW, aged, sites, slow_states

if TYPE_CHECKING:
    import pandas as pd

Steps = str | Step | Sequence[str | Step]

GROWS = 4.0
"""Longest next jump, over the last."""


@dataclass(frozen=True)
class Ageing:
    """A cell over its cycles.

    Attributes:
        cycle: at which a block was simulated, (n,).
        capacity: discharged there in the check-up, or in a cycle [A.h], (n,).
        energy: likewise [W.h], (n,).
        hours: that a cycle takes, (n,).
        states: slow states, see `naion.life.SLOW`, (n, 4).
        error: estimate of the jump's error in them, as a share of the capacity, (n,).
        outcome: `completed`, or what ended the cell's life before all cycles were done.
        cell: as it is at the end: a `Cell` for any simulation.
        simulated: cycles that were computed, check-ups and rejected jumps included.
    """

    cycle: np.ndarray
    capacity: np.ndarray
    energy: np.ndarray
    hours: np.ndarray
    states: np.ndarray
    error: np.ndarray
    outcome: Result
    cell: Cell
    simulated: int

    @property
    def retention(self) -> np.ndarray:
        """Capacity over that at the start, (n,) [-]."""
        return self.capacity / self.capacity[0]

    def at(self, cycle: float) -> float:
        """Retention after some cycles, joined linearly; NaN beyond the last [-]."""
        return float(np.interp(cycle, self.cycle, self.retention, right=np.nan))

    def cycles_to(self, left: float) -> float:
        """Cycles until a share of the capacity is left; NaN if it was not reached."""
        below = np.flatnonzero(self.retention < left)
        if not len(below) or below[0] == 0:
            return float("nan")
        k = slice(below[0] - 1, below[0] + 1)
        return float(np.interp(-left, -self.retention[k], self.cycle[k]))

    def to_pandas(self) -> "pd.DataFrame":
        """One row a simulated block."""
        import pandas as pd

        of_states = dict(
            zip(
                (
                    "Film grown [m]",
                    "Sodium in the film over negative sites",
                    "Negative material lost",
                    "Positive material lost",
                ),
                self.states.T,
                strict=True,
            )
        )
        return pd.DataFrame(
            {
                "Cycle": self.cycle,
                "Capacity [A.h]": self.capacity,
                "Capacity left": self.retention,
                "Energy [W.h]": self.energy,
                "Duration of a cycle [h]": self.hours,
                **of_states,
                "Error of the jump": self.error,
            }
        ).set_index("Cycle")


@dataclass(frozen=True)
class _Block:
    """Of a few cycles: slow states' change a cycle, and what the last one gave."""

    rate: np.ndarray
    capacity: float
    energy: float
    hours: float
    outcome: Result

    @classmethod
    def failed(cls, outcome: Result) -> "_Block":
        """One that did not end as it should."""
        nothing = np.full(len(SLOW), np.nan)
        return cls(nothing, np.nan, np.nan, np.nan, outcome)


@dataclass
class _Blocks:
    """Blocks of one cell at any slow states.

    Attributes:
        cell: fresh.
        once: the cycles of a block, or a protocol as a whole.
        whole: of that kind, without a first cycle to be left out.
        look: the check-up, if any.
        start: of every block.
        options: of each simulation.
        simulated: cycles computed so far.
    """

    cell: Cell
    once: Protocol
    whole: bool
    look: Protocol | None
    start: Start
    options: dict[str, Any]
    simulated: int = 0

    def at(self, state: np.ndarray, throw: bool) -> _Block:
        """The block at these slow states, (4,)."""
        now = aged(self.cell, state)
        options: dict[str, Any] = {**self.options, "throw": throw}
        s = simulate(now, self.once, start=self.start, keep_states=True, **options)
        self.simulated += 1 if self.whole else int(self.once.cycle[-1]) + 1
        if s.result is not Result.COMPLETED:
            return _Block.failed(s.result)
        rate, hours = self._change(s, now, state)
        if self.look is None:
            last = s.cycles.iloc[-1]
            capacity = float(last["Discharge capacity [A.h]"])
            energy = float(last["Discharge energy [W.h]"])
            return _Block(rate, capacity, energy, hours, s.result)
        full = simulate(now, self.look, **options)
        self.simulated += 1
        if not full.result.is_physical:
            return _Block.failed(full.result)
        return _Block(rate, float(full.capacity), float(full.energy), hours, s.result)

    def _change(
        self, s: Solution, now: Cell, state: np.ndarray
    ) -> tuple[np.ndarray, float]:
        """Of the slow states in a cycle, (4,), and its hours."""
        used = slice(int(s.n_steps))
        of_cycle = np.asarray(s.cycle)[np.asarray(s.record.segment[used])]
        first = 0 if self.whole else int(np.argmax(of_cycle > 0))
        n = 1 if self.whole else int(of_cycle[-1])
        rate = (slow_states(s, now, None) - slow_states(s, now, first)) / n
        # In units of the fresh cell's sites: a share of what is left is lost.
        left_n, left_p = 1.0 - state[2], 1.0 - state[3]
        begun = float(np.asarray(s.record.t[used])[first])
        hours = (float(s.t_end) - begun) / n / 3600.0
        return rate * np.array([1.0, left_n, left_n, left_p]), hours


class _Row(NamedTuple):
    """The slow states after some cycles, (4,), their block, and the jump's error."""

    done: int
    state: np.ndarray
    block: _Block
    error: float


@takes
def cycle(
    cell: Cell,
    protocol: Steps | Protocol,
    cycles: int,
    *,
    model: DFN | None = None,
    start: Start = "charged",
    temperature: float | None = None,
    check_up: Steps | None = None,
    tolerance: float = 5e-4,
    longest: int | None = None,
    block: int = 3,
    until: float = 0.0,
    rtol: float = DEFAULT_RTOL,
    progress: Progress = silent,
) -> Ageing:
    """Age a cell over many cycles, of which few are simulated.

    Slow states (`naion.life.SLOW`) change a little in each cycle. Their change f a cycle
    is that of a simulated block; a jump over n cycles predicts y + n f(y), a block there
    gives f again, and the jump is y + n (f + f') / 2 (Heun). Half of n |f' - f|, the
    difference of both, must be below the tolerance, else the jump is repeated with a
    shorter n; the next is as long as its error allows. Each block begins at rest, and its
    first cycle is left out. Multi-time-scale methods of this kind: Sulzer et al., J.
    Electrochem. Soc. 168 (2021) 100531, DOI 10.1149/1945-7111/ac2b2d.

    Args:
        cell: fresh, with processes that age it, such as `with_ageing` or `with_sei` give.
        protocol: steps of one cycle; a `Protocol` is taken as a whole, without a first
            cycle to be left out (a duty of one day, say).
        cycles: how many.
        model: mesh and heat balance.
        start: of every block.
        temperature: [K]; none: the cell's.
        check_up: what gives the capacity, from a full cell, at the temperature given;
            none: the cycle itself. Windows that are given by charge need one.
        tolerance: error of a jump, as a share of the capacity.
        longest: most cycles in a jump; none: no limit.
        block: cycles of a block, at least 2.
        until: share of the capacity at which to stop.
        rtol: of the solver.
        progress: called with a line of text after each jump.

    Raises:
        ValueError: for numbers that are none, or a cell in which nothing ages.
        RuntimeError: on a numerical failure in the first block.
    """
    _check(cycles, block, tolerance, until)
    whole = isinstance(protocol, Protocol)
    blocks = _Blocks(
        cell,
        protocol if whole else Protocol(protocol, cycles=block),
        whole,
        None if check_up is None else Protocol(check_up),
        start,
        dict(model=model, temperature=temperature, rtol=rtol),
    )
    negative, positive = sites(cell)
    weight = np.array([0.0, negative, negative, positive])
    weight = weight / float(cell.nominal_capacity)
    fresh = _fresh(blocks, weight)
    rows, outcome = [fresh], Result.COMPLETED
    jump = tolerance / np.max(np.abs(fresh.block.rate * weight))
    jump = max(1.0, min(10.0, jump))
    while (here := rows[-1]).done < cycles:
        now = here.block
        n = int(min(max(jump, 1.0), cycles - here.done, longest or cycles))
        then = blocks.at(here.state + n * now.rate, throw=False)
        failed = then.outcome is not Result.COMPLETED
        error = float(np.max(np.abs(0.5 * n * (then.rate - now.rate) * weight)))
        allowed = 0.9 * np.sqrt(tolerance / max(error, 1e-12))
        if n > 1 and (failed or error > tolerance):
            jump = n * (0.25 if failed else max(0.2, allowed))
            continue
        if failed:
            outcome = then.outcome
            break
        state = here.state + 0.5 * n * (now.rate + then.rate)
        rows.append(_Row(here.done + n, state, then, error))
        progress(
            f"cycle {rows[-1].done:,} of {cycles:,}, {blocks.simulated:,} simulated"
        )
        jump = n * min(GROWS, allowed)
        if then.capacity < until * fresh.block.capacity:
            break
    if len(rows) > 1:
        # The last block was at the prediction, not at the jump's end.
        last = blocks.at(rows[-1].state, throw=False)
        if last.outcome is Result.COMPLETED:
            rows[-1] = rows[-1]._replace(block=last)
    return Ageing(
        np.array([row.done for row in rows]),
        np.array([row.block.capacity for row in rows]),
        np.array([row.block.energy for row in rows]),
        np.array([row.block.hours for row in rows]),
        np.array([row.state for row in rows]),
        np.array([row.error for row in rows]),
        outcome,
        aged(cell, rows[-1].state),
        blocks.simulated,
    )


def _check(cycles: int, block: int, tolerance: float, until: float) -> None:
    """Refuse numbers that are none; see `cycle`."""
    if isinstance(cycles, bool) or not isinstance(cycles, int) or cycles < 1:
        raise ValueError(f"cycles={cycles!r}: expected a whole number above zero.")
    if not isinstance(block, int) or block < 2:
        raise ValueError(f"block={block!r}: expected two cycles or more.")
    if not 0.0 < tolerance < 0.1 or not 0.0 <= until < 1.0:
        raise ValueError(
            f"tolerance={tolerance}, until={until}: expected shares of the capacity, the "
            "tolerance between 0 and 0.1."
        )


def _fresh(blocks: _Blocks, weight: np.ndarray) -> _Row:
    """The fresh cell's block, in which something must age; see `cycle`."""
    state = np.zeros(len(SLOW))
    now = blocks.at(state, throw=True)
    if now.outcome is not Result.COMPLETED:
        raise ValueError(
            f"The fresh cell does not complete the protocol: {now.outcome.explanation}"
        )
    if not np.any(now.rate * weight):
        raise ValueError(
            "Nothing ages in this cell: give it processes that do, as "
            "`naion.life.with_ageing(cell)` or `naion.parameters.with_sei(cell)`."
        )
    return _Row(0, state, now, 0.0)
