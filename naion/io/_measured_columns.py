"""The measured quantities of a table: numbers in SI, checked, with the sign of
discharge."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from .._cautions import caution
from ._conversions import at_midnight, check_celsius, numbers
from ._formats import Found
from ._labels import could_be_temperature, is_bookkeeping
from ._sources import Sheet, listed
from ._which_columns import OUT, Asked

POTENTIALS = "negative_potential", "positive_potential"
"""Potentials of the electrodes of a three-electrode cell."""

STILL = 1e-6
"""Currents below this share of the largest one count as none."""


def measured_columns(sheet: Sheet, asked: Asked) -> dict[str, np.ndarray]:
    """The quantities of a table as `read_data` gives them.

    What was taken for what is said in one `Caution`.

    Raises:
        ValueError: for empty or impossible numbers, naming file and row.
    """
    said = []
    given = asked.columns
    read = {q: numbers(sheet, given[q].index, q, given[q].unit) for q in asked.needed}
    gone = np.all([np.isnan(v) for v in read.values()], axis=0)
    if gone.any():
        said.append(f"{int(gone.sum())} rows without any measurement are left out")
    for q, v in read.items():
        bad = ~np.isfinite(v) & ~gone
        if bad.any():
            k = int(np.argmax(bad))
            raise ValueError(
                f"{sheet.path}, row {sheet.row(k)}: {q} ({given[q].label!r}) is empty or "
                "not finite."
            )
    if asked.step_time:
        read["time"] = _run_on(read["time"], _new_step(sheet, given))
        said.append(
            f"times begin anew in every step ({given['time'].label!r}): added up"
        )
    for q in ("temperature", *POTENTIALS, "cycle", "step"):
        if q in given:
            values, words = _optional(sheet, q, given[q], read["time"])
            said += words
            if values is not None:
                read[q] = values
    read["current"], words = _signed(sheet, asked, read["current"])
    said += words
    table = {OUT[q]: v[~gone] for q, v in read.items()}
    _in_order(sheet, table["time_s"], np.flatnonzero(~gone))
    if len(table["time_s"]) < 2:
        raise ValueError(f"{sheet.path}: fewer than two rows of numbers.")
    says_sign = asked.positive == "state"
    taken = [q for q in given if q in read or (q == "state" and says_sign)]
    caution(_said(sheet, asked, taken, said))
    return table


def _said(sheet: Sheet, asked: Asked, taken: Sequence[str], said: list[str]) -> str:
    """What was taken for what, as a sentence."""
    given = asked.columns
    columns = ", ".join(
        f"{q} {given[q].label!r}" + (f" [{given[q].unit}]" if given[q].unit else "")
        for q in taken
    )
    whose = f"read as {asked.by}: " if asked.by else "read: "
    used = {f.index for f in given.values()}
    left = [h for i, h in enumerate(sheet.header) if i not in used and h]
    rest = [h for h in left if could_be_temperature(h) or not is_bookkeeping(h)]
    more = [*said, f"not used: {listed(rest)}"] if rest else said
    return f"{sheet.path} {whose}{columns}; {'; '.join(more)}."


def _new_step(sheet: Sheet, given: Mapping[str, Found]) -> np.ndarray:
    """Where the file counts a new step, for each row but the first."""
    new = np.zeros(len(sheet.frame) - 1, bool)
    for q in ("step", "cycle"):
        if q in given:
            counted = sheet.frame[given[q].index].to_numpy()
            new |= counted[1:] != counted[:-1]
    return new


def _run_on(t: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Times of the whole test, from times that begin anew in every step.

    Args:
        t: times, (n,) [s].
        new: where the file counts a new step, (n - 1,). Where times fall at one of them,
            they begin anew at all, also where a step was shorter than the first time of
            the next.
    """
    falls = np.diff(t) < 0.0
    begins = falls | new if np.any(falls & new) else falls
    ends = np.where(begins, t[:-1], 0.0)
    return t + np.concatenate([[0.0], np.cumsum(ends)])


def _optional(
    sheet: Sheet, quantity: str, column: Found, t: np.ndarray
) -> tuple[np.ndarray | None, list[str]]:
    """A column that is not needed, or none where it is of no use, and what to say of it."""
    try:
        values = numbers(sheet, column.index, quantity, column.unit)
    except ValueError:
        if quantity == "temperature" or quantity in POTENTIALS:
            raise
        return None, [f"{column.label!r} holds no numbers of a {quantity}"]
    blank = np.isnan(values)
    if blank.all():
        return None, [f"{column.label!r}: empty"]
    if quantity == "temperature":
        check_celsius(sheet, values, column.label, column.unit)
    if not blank.any():
        return values, []
    if quantity in POTENTIALS:
        raise ValueError(
            f"{sheet.path}, row {sheet.row(int(np.argmax(blank)))}: {quantity} "
            f"({column.label!r}) is empty; fill it in, or leave the column out."
        )
    if quantity == "temperature":
        filled = np.interp(t, t[~blank], values[~blank])
        return filled, [f"{int(blank.sum())} of {len(t)} temperatures are interpolated"]
    return None, [f"{column.label!r} has empty cells"]


def _signed(
    sheet: Sheet, asked: Asked, current: np.ndarray
) -> tuple[np.ndarray, list[str]]:
    """Currents, positive on discharge, and how their sign was found.

    Raises:
        ValueError: for an unknown state while a current flows, or states that contradict
            the sign.
    """
    given = asked.columns.get("state")
    if given is None or (asked.positive == "discharge"):
        turn = -1.0 if asked.positive == "charge" else 1.0
        return turn * current + 0.0, [f"a positive current is a {asked.positive}"]
    cells = sheet.frame[given.index].astype(str)
    kinds = {text: _state(text) for text in cells.unique()}
    sign = np.array([kinds[text] for text in cells])
    flows = np.abs(current) > STILL * np.nanmax(np.abs(current), initial=0.0)
    unsigned = not np.any(current[np.isfinite(current)] < 0.0)
    charged, discharged = flows & (sign < 0.0), flows & (sign > 0.0)
    if asked.positive == "state" or (unsigned and discharged.any()):
        unknown = flows & (sign == 0.0)
        if unknown.any():
            k = int(np.argmax(unknown))
            raise ValueError(
                f"{sheet.path}, row {sheet.row(k)}: {current[k]:g} A flow in the state "
                f"{cells.iloc[k]!r} ({given.label!r}), which is neither a charge nor a "
                "discharge that is known; say what a positive current is (positive)."
            )
        return np.abs(current) * sign, [f"{given.label!r} says what is a discharge"]
    against = np.sum(current[discharged] > 0.0) + np.sum(current[charged] < 0.0)
    if against > 0.5 * max(np.sum(charged | discharged), 1):
        raise ValueError(
            f"{sheet.path}: {given.label!r} calls positive currents discharges, so that "
            'a positive current is no charge: positive = "discharge".'
        )
    return -current + 0.0, ["a positive current is a charge"]


def _state(text: str) -> float:
    """1 for a discharge, -1 for a charge, 0 for anything else."""
    low = text.strip().lower()
    if low == "d" or re.search(r"d[- ]?ch|disch|\bdis\b|放电", low):
        return 1.0
    if low == "c" or re.search(r"chg|charge|\bcha\b|充电", low):
        return -1.0
    return 0.0


def _in_order(sheet: Sheet, t: np.ndarray, rows: np.ndarray) -> None:
    """Raise for times that decrease, naming the row of the file."""
    late = np.flatnonzero(np.diff(t) < 0.0)
    if late.size:
        k = int(late[0]) + 1
        raise ValueError(
            f"{sheet.path}, row {sheet.row(int(rows[k]))}: time {t[k]:g} s comes after "
            f"{t[k - 1]:g} s. Sort the rows, or name the column of times that run on "
            f"between steps.{at_midnight(t)}"
        )
