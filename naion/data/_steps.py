"""Steps of a measured record: charges, discharges, holds and rests.

A cycler's own count of steps is followed where the file has it; else a step ends where
the current changes its direction or jumps. Cyclers that write the first row of a step before
they switch the current count it to the step; here it is of the step before.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ..parameters import doubts_of_current
from ._switched import STILL, charge_between, flows_of

CONSTANT = 0.05
"""A current is constant within this share of its median."""

HELD = 5e-3
"""A voltage is held within this [V]."""

JUMP = 0.1
"""From one row to the next, a current that changes by more than this share jumps."""

FEWEST = 3
"""Rows of a step whose kind can be told; runs of shorter ones are a profile."""

NAMES = {
    "charge": "CC charge",
    "discharge": "CC discharge",
    "hold": "hold",
    "rest": "rest",
    "profile": "profile",
}
"""Kinds of step, and how they are shown."""


class MeasuredStep(NamedTuple):
    """A step of a record.

    Attributes:
        kind: a key of `NAMES`.
        first: row that it begins with, from 0.
        last: row that it ends with, itself included.
        begin: time of its first row [s].
        duration: to its last row [s].
        current: median, positive on discharge [A].
        voltages: at its first and last row [V].
        charge: flowed, positive on discharge, from the row before [A.h].
        temperature: mean [degC]; NaN where none was measured.
        cycle: as the file counts; none where it does not.
    """

    kind: str
    first: int
    last: int
    begin: float
    duration: float
    current: float
    voltages: tuple[float, float]
    charge: float
    temperature: float
    cycle: int | None


def steps_of(table: Mapping[str, np.ndarray]) -> list[MeasuredStep]:
    """The steps of a record, in order.

    Args:
        table: as of `naion.io.read_data`.
    """
    t, current, V = table["time_s"], table["current_A"], table["voltage_V"]
    still = STILL * float(np.max(np.abs(current), initial=0.0))
    cuts = _cuts(table, still)
    pieces: list[tuple[str, int, int]] = []
    for a, b in zip(cuts[:-1], cuts[1:], strict=True):
        pieces += _kinds(current, V, a, b, still)
    if "step" not in table:
        pieces = _joined(pieces)
    flowed = np.append(0.0, np.cumsum(charge_between(table)))
    found = []
    for kind, a, b in pieces:
        rows = slice(a, b)
        T, cycle = table.get("temperature_degC"), table.get("cycle")
        found.append(
            MeasuredStep(
                kind,
                a,
                b - 1,
                float(t[a]),
                float(t[b - 1] - t[a]),
                float(np.median(current[rows])),
                (float(V[a]), float(V[b - 1])),
                float(flowed[b - 1] - flowed[max(a - 1, 0)]) / 3600.0,
                float("nan") if T is None else float(np.mean(T[rows])),
                None if cycle is None else int(cycle[a]),
            )
        )
    return found


def _cuts(table: Mapping[str, np.ndarray], still: float) -> list[int]:
    """Rows at which steps begin, and the number of rows."""
    current, V = table["current_A"], table["voltage_V"]
    n = len(current)
    if "step" in table:
        counted = [table[c] for c in ("step", "cycle") if c in table]
        new = np.any([np.diff(c) != 0 for c in counted], axis=0)
        cuts = [0, *(np.flatnonzero(new) + 1).tolist(), n]
        late = set(_of_the_step_before(current, cuts).tolist())
        return [a + (a in late) for a in cuts]
    else:
        way = np.where(np.abs(current) <= still, 0.0, np.sign(current))
        size = np.maximum(np.abs(current[1:]), np.abs(current[:-1]))
        jumps = np.abs(np.diff(current)) > np.maximum(JUMP * size, still)
        # While a voltage is held, the current may fall fast.
        falls = np.abs(current[1:]) < np.abs(current[:-1])
        held = (np.abs(np.diff(V)) < HELD) & falls & (way[1:] == way[:-1])
        new = (np.diff(way) != 0.0) | (jumps & ~held)
    return [0, *(np.flatnonzero(new) + 1).tolist(), n]


def _of_the_step_before(current: np.ndarray, cuts: list[int]) -> np.ndarray:
    """First rows of steps that were written before the current was switched.

    Without current, behind a rest, of a step in which one flows; or of a rest, with the
    current of the step before.

    Args:
        current: positive on discharge, (n,) [A].
        cuts: rows with which steps begin, and n.
    """
    longer = [a for a, b in zip(cuts[1:-1], cuts[2:], strict=True) if b > a + 1]
    begin = np.array(longer, int)
    flows = flows_of(current)
    before, at, behind = flows[begin - 1], flows[begin], flows[begin + 1]
    same = current[begin] * current[begin - 1] > 0.0
    return begin[(~before & ~at & behind) | (before & at & ~behind & same)]


def _kinds(
    current: np.ndarray, V: np.ndarray, a: int, b: int, still: float
) -> list[tuple[str, int, int]]:
    """What rows a to b are: one kind, or a constant current and a hold behind it."""
    now = current[a:b]
    if np.all(np.abs(now) <= still):
        return [("rest", a, b)]
    # The first row may be the last of what was before.
    inner = now[1:] if len(now) > FEWEST else now
    if np.all(np.abs(inner) <= still):
        return [("rest", a, b)]
    way = np.sign(inner[np.argmax(np.abs(inner))])
    if np.any(way * inner < -still):
        return [("profile", a, b)]
    size = np.abs(inner)
    level = float(np.median(size))
    if np.all(np.abs(size - level) <= CONSTANT * level):
        return [("discharge" if way > 0.0 else "charge", a, b)]
    at_end = np.abs(V[a:b] - V[b - 1]) <= HELD
    since = b - int(np.argmin(at_end[::-1])) if not at_end.all() else a
    if since == a and abs(now[0]) <= still:
        since += 1
    if b - since >= FEWEST and abs(current[b - 1]) < abs(current[since]) * (
        1 - CONSTANT
    ):
        before = np.abs(current[a + 1 : since])
        if since - a < FEWEST:
            return [("hold", a, b)]
        level = float(np.median(before))
        if np.all(np.abs(before - level) <= CONSTANT * level):
            return [
                ("discharge" if way > 0.0 else "charge", a, since),
                ("hold", since, b),
            ]
    return [("profile", a, b)]


def _joined(pieces: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """Steps, with runs of very short ones as one profile."""
    found: list[tuple[str, int, int]] = []
    short: list[tuple[str, int, int]] = []

    def close() -> None:
        if len(short) > FEWEST:
            found.append(("profile", short[0][1], short[-1][2]))
        else:
            found.extend(short)
        short.clear()

    for piece in pieces:
        if piece[2] - piece[1] <= FEWEST:
            short.append(piece)
            continue
        close()
        found.append(piece)
    close()
    return found


def rows_of(table: Mapping[str, np.ndarray], first: int, last: int) -> slice:
    """Rows of steps `first` to `last`, counted from 1, both included.

    Raises:
        ValueError: for steps that the record does not have.
    """
    steps = steps_of(table)
    if not 1 <= first <= last <= len(steps):
        raise ValueError(
            f"steps = [{first}, {last}]; the record has {len(steps)} steps, counted from "
            "1: `naion data` shows them."
        )
    return slice(steps[first - 1].first, steps[last - 1].last + 1)


STRONGEST = 1000.0
"""Single cells have less [A]."""

OVERFULL = 3.0
"""Charge that flows one way, over the capacity of the cell: more than it can hold."""

HARDLY = 2e-3, 0.7
"""Less than this share of the capacity, at most at the rates of `SLOW`, moves no cell's
voltage by so many volts."""

SLOW = 3.0
"""Highest C-rate at which so little charge moves no voltage by that."""


def _beside(
    t: np.ndarray, current: np.ndarray, V: np.ndarray, capacity: float | None
) -> list[str]:
    """What cannot be, or hardly, of a cell of so much capacity."""
    most = float(np.max(np.abs(current), initial=0.0))
    if capacity is None:
        said = f"currents reach {most:.4g} A: are they in milliampere?"
        return [said] * (most > STRONGEST)
    said = doubts_of_current(most, capacity)
    flowed = np.cumsum(0.5 * (current[1:] + current[:-1]) * np.diff(t)) / 3600.0
    swing = float(np.ptp(np.append(flowed, 0.0)))
    if swing > OVERFULL * capacity:
        said.append(
            f"{swing:.4g} A.h flow one way, and the cell has {capacity:.4g} A.h: are "
            "currents and times in other units, or is there a gap in time?"
        )
    share, volts = HARDLY
    slow = 0.0 < most < SLOW * capacity
    if slow and swing < share * capacity and np.ptp(V) > volts:
        said.append(
            f"the voltage moves by {np.ptp(V):.2f} V while {swing:.3g} A.h flow, "
            f"{100.0 * swing / capacity:.2g} % of the capacity of the cell: are times in "
            "hours, or currents in other units?"
        )
    return said


def oddities(
    table: Mapping[str, np.ndarray], capacity: float | None = None
) -> list[str]:
    """What is strange in a record, one sentence each.

    Args:
        table: as `naion.io.read_data` gives it.
        capacity: of the cell [A.h]; none: currents and charges are beside none.
    """
    t, current, V = table["time_s"], table["current_A"], table["voltage_V"]
    said = _gaps(t, current)
    twice = int(np.sum(np.diff(t) == 0.0))
    if twice:
        said.append(f"{twice} rows at the time of the row before: jumps")
    highest = float(np.max(V))
    if not 0.5 < highest < 10.0:
        said.append(
            f"voltages reach {highest:.4g} V; a single cell has 0.5 to 10 V: are they in "
            "millivolt, or of cells in series?"
        )
    if not np.any(current):
        said.append("no current flows")
    said += _beside(t, current, V, capacity) + _signs(table)
    still = float(np.max(np.abs(V - V[0])))
    if len(V) > FEWEST and still == 0.0:
        said.append("the voltage never changes")
    return said


def doubts_beside(table: Mapping[str, np.ndarray], capacity: float) -> list[str]:
    """What speaks against a record as one of a cell: gaps, its units, its sign.

    Args:
        table, capacity: as for `oddities`.
    """
    t, current, V = table["time_s"], table["current_A"], table["voltage_V"]
    return [*_gaps(t, current), *_beside(t, current, V, capacity), *_signs(table)]


def _gaps(t: np.ndarray, current: np.ndarray) -> list[str]:
    dt = np.diff(t)
    # Rows that stand twice are said elsewhere.
    usual = float(np.median(dt[dt > 0.0])) if np.any(dt > 0.0) else 0.0
    flows = np.abs(current) > STILL * np.max(np.abs(current), initial=0.0)
    # At rest, cyclers write fewer and fewer rows.
    late = (dt > max(20.0 * usual, 60.0)) & (flows[1:] | (dt > 86400.0))
    gaps = np.flatnonzero(late)
    if not gaps.size:
        return []
    k = int(gaps[np.argmax(dt[gaps])])
    return [
        f"{gaps.size} gap{'s' * (gaps.size > 1)} in time, the longest of "
        f"{dt[k] / 60.0:.3g} min after {t[k]:.6g} s, while {current[k]:.3g} A flowed"
    ]


def _signs(table: Mapping[str, np.ndarray]) -> list[str]:
    wrong, right = 0, 0
    for s in steps_of(table):
        if s.kind in ("charge", "discharge") and s.last - s.first > FEWEST:
            change = (s.voltages[1] - s.voltages[0]) * s.current
            wrong, right = wrong + (change > 0.0), right + (change < 0.0)
    said = "voltages rise while the cell discharges: is the sign of the current right?"
    return [said] * (wrong > right)
