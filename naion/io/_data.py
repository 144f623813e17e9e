"""One door for measured data: own labels, exports of cyclers, any table by a mapping."""

import contextlib
import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from .._cautions import caution
from .._takes import takes
from ._conversions import (
    SHOWN_UNITS,
    UNITS,
    at_midnight,
    check_celsius,
    factor_of,
    numbers,
)
from ._formats import (
    FORMATS,
    NAMES,
    NEEDED,
    QUANTITIES,
    USUAL,
    Format,
    Found,
    columns_of,
    first_of,
    parts,
    recognised,
    score,
)
from ._labels import could_be_temperature, is_bookkeeping, meaning
from ._sources import NOT_TEXT, Sheet, check_once, listed, sheet_of
from ._tables import read_measurement

Positive = Literal["charge", "discharge", "state"]
POSITIVE = ("charge", "discharge", "state")
OUT = {
    "time": "time_s",
    "current": "current_A",
    "voltage": "voltage_V",
    "temperature": "temperature_degC",
    "negative_potential": "negative_potential_V",
    "positive_potential": "positive_potential_V",
    "cycle": "cycle",
    "step": "step",
}
"""Names of what is read."""

POTENTIALS = "negative_potential", "positive_potential"
"""Of the electrodes of a three-electrode cell."""

STILL = 1e-6
"""Below this share of the largest current, none flows."""


class Asked(NamedTuple):
    """How a file is to be read.

    Attributes:
        columns: by quantity.
        positive: what a positive current does, or "state" where a column says it.
        step_time: whether times begin anew in every step.
        by: in words, whose labels these are.
    """

    columns: dict[str, Found]
    positive: str
    step_time: bool
    by: str


@takes
def read_data(
    path: Path | str,
    format: str | None = None,
    columns: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    positive: str | None = None,
    sheet: str | int | None = None,
) -> dict[str, np.ndarray]:
    """Measured time, current, voltage and what else is known, from a cycler's file.

    Reads CSV and other text, Parquet and spreadsheets with naion's labels, those of the
    Battery Data Format, or those of a maker (`formats()` lists them); and any table by
    naming its columns. Of MATLAB files (.mat, version 7) vectors of equal length are the
    columns. Files of Neware (.nda, .ndax) are opened by the batterydf package; these,
    Parquet and spreadsheets need `pip install 'naion[cycler]'`.

    What was taken for what, and measured columns that are left unused, are said in
    one `Caution`.

    Args:
        path: of the file.
        format: "naion", "bdf" or a maker's; none: whose labels the file has.
        columns: labels of columns by quantity: "time", "current", "voltage",
            "temperature", "cycle", "step", "state", and of a three-electrode cell
            "negative_potential" and "positive_potential", of its electrodes against the
            reference. Others are found as without.
        units: of columns by quantity where they are not those of the labels: "s", "min",
            "h", "clock" (hh:mm:ss), "date" or its format ("%d.%m.%Y %H:%M:%S"); "A",
            "mA"; "V", "mV"; "degC", "K".
        positive: what flows when the file's current is positive: "charge", "discharge",
            or "state" where it has no sign and a column of states says it. None: as the
            labels' owner has it, which for naion's is "discharge", for all others
            "charge".
        sheet: of a spreadsheet, by name or number from 1; none: the first whose header is
            known.

    Returns:
        equally long arrays: time_s [s], current_A (positive on discharge) [A], voltage_V
        [V]; where the file has them temperature_degC [degC], negative_potential_V,
        positive_potential_V [V], cycle and step (numbers as the file counts them). Rows are
        in the order of time.

    Raises:
        ValueError: naming file, row and remedy; for a column or a unit that is not known,
            the nearest.
        ImportError: naming the extra.
    """
    path = Path(path)
    _check(path, format, columns, units, positive)
    # A mapping finds its header by its own labels.
    wanted = set((columns or {}).values())
    own = format in (None, "naion", "bdf") and not columns and not units
    if own and positive is None and _is_plain(path):
        try:
            return _own(path, read_measurement(path))
        except ValueError as error:
            if ": no column" not in str(error):
                raise
            raise ValueError(_unknown(path, str(error))) from None

    def known(header: Sequence[str]) -> float:
        return 100.0 * len(wanted & set(header)) + score(header)

    table = sheet_of(path, known, sheet)
    asked = _asked(table, format, columns or {}, units or {}, positive)
    return _table(table, asked)


def formats() -> dict[str, str]:
    """Formats that `read_data` knows, and what each is."""
    return {
        "naion": "time_s, current_A (positive on discharge), voltage_V",
        "bdf": "Battery Data Format: 'Test Time / s', 'Current / A', 'Voltage / V'",
        **{f.name: f.about for f in FORMATS},
    }


def _check(path, format, columns, units, positive) -> None:
    """Raise for what cannot be asked for."""
    if format is not None and format not in NAMES:
        raise ValueError(f"format = {format!r}; {_nearest(format, NAMES)}")
    for what, given in (("columns", columns), ("units", units)):
        known = QUANTITIES if what == "columns" else tuple(SHOWN_UNITS)
        for q in given or {}:
            if q not in known:
                raise ValueError(f"{what}: {q!r} is no quantity; {_nearest(q, known)}")
    for q, unit in (units or {}).items():
        try:
            factor_of(q, unit)
        except ValueError as error:
            near = difflib.get_close_matches(unit, UNITS[q], 1, 0.5)
            meant = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"{path}: units: {error}{meant}") from None
    if positive is not None and positive not in POSITIVE:
        raise ValueError(
            f"positive = {positive!r}: what a positive current does, one of "
            f"{', '.join(map(repr, POSITIVE))}."
        )


def _nearest(given: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(str(given).lower(), known, 1, 0.4)
    meant = f"did you mean {near[0]!r}? " if near else ""
    return f"{meant}Known are {', '.join(known)}."


def _is_plain(path: Path) -> bool:
    """Whether a text file begins with a header that has all of naion's or BDF's labels."""
    if path.suffix.lower() in NOT_TEXT or not path.is_file():
        return False
    try:
        header = sheet_of(path, score).header
    except (ValueError, ImportError):
        return path.suffix.lower() in (".csv", ".txt")
    names = {m.name for label in header if (m := meaning(label))}
    return {"time_s", "current_A", "voltage_V"} <= names or recognised(header) is None


def _unknown(path: Path, said: str) -> str:
    """What to do with a table of labels that are nobody's.

    Args:
        path: of the file.
        said: of it, as if its first line were its header.
    """
    try:
        header = sheet_of(path, score).header
    except (ValueError, ImportError):
        header = ()
    start, has, rest = said.partition("the header has ")
    if has and header:
        _, expected, more = rest.partition(" Expected are ")
        said = f"{start}{has}{listed(header)}.{expected}{more}"
    missing = [q for q in NEEDED if q not in _own_columns(header)[0]]
    pairs = " ".join(f'{q}="{h}"' for q, h in _by_unit(missing, header).items())
    perhaps = f", perhaps --column {pairs}" if pairs else ""
    return (
        f"{said} Or say which column is what: columns, units, positive (a command: "
        f"--column, --unit, --positive{perhaps}), or format, one of {', '.join(NAMES)}."
    )


def _by_unit(quantities: Sequence[str], header: Sequence[str]) -> dict[str, str]:
    """Labels whose units are those of some quantities, the first of each."""
    found = {}
    for q in quantities:
        for label in header:
            unit = parts(label)[1]
            with contextlib.suppress(ValueError):
                if unit and factor_of(q, unit):
                    found[q] = label
                    break
    return found


def _own(path: Path, table: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A table of `read_measurement`, with the cycles and steps that the file counts."""
    sheet = sheet_of(path, score)
    names = {"cycle": CYCLES, "step": STEPS}
    for name, labels in names.items():
        found = first_of(labels, sheet.header, "")
        if found and len(sheet.frame) == len(table["time_s"]):
            try:
                counted = numbers(sheet, found.index, name, "")
            except ValueError:
                continue  # names of steps, not numbers
            if np.all(np.isfinite(counted)):
                table[name] = counted
    return table


CYCLES = ("cycle", "cycle count", "cycle index", "cycle number")
STEPS = ("step", "step count", "step index", "step number")


def _asked(
    table: Sheet,
    format: str | None,
    columns: Mapping[str, str],
    units: Mapping[str, str],
    positive: str | None,
) -> Asked:
    """Which column is what.

    Raises:
        ValueError: where a quantity that is needed is not found.
    """
    header = table.header
    own, sign = _own_columns(header)
    makers = {f.name: f for f in FORMATS}
    complete = set(NEEDED) <= set(own)
    maker: Format | None = None
    if format in makers:
        maker = makers[format]
    elif format is None and not complete:
        maker = recognised(header)
    found = dict(columns_of(maker, header) if maker else own)
    by = maker.name if maker else "naion"
    said_positive = "charge" if maker else sign
    step_time = False
    if maker and "time" not in found and "time" not in columns:
        began = first_of(maker.step_time, header, "s")
        if began:
            found["time"], step_time = began, True
    for q, label in columns.items():
        found[q] = _mapped(table, q, label)
        if q == "current":
            _, said_positive = _own_columns([found[q].label])
            said_positive = said_positive or ("charge" if maker else "")
    for q, unit in units.items():
        if q not in found:
            raise ValueError(
                f"{table.path}: units: no column is known to be {q}; name it in columns. "
                f"The header has {listed(header)}."
            )
        found[q] = found[q]._replace(unit=unit)
    missing = [q for q in NEEDED if q not in found]
    if missing:
        raise ValueError(_missing(table, missing, by if maker else ""))
    check_once(table.path, header, {q: f.index for q, f in found.items()})
    positive = positive or said_positive
    if not positive:
        raise ValueError(
            f"{table.path}: current ({found['current'].label!r}) does not say which sign "
            'a discharge has: positive = "charge" (most cyclers), "discharge", or '
            '"state" with a column of states.'
        )
    if positive == "state" and "state" not in found:
        raise ValueError(
            f"{table.path}: positive = 'state' needs the column of states; name it in "
            f"columns. The header has {listed(header)}."
        )
    return Asked(found, positive, step_time, "" if columns and not maker else by)


def _own_columns(header: Sequence[str]) -> tuple[dict[str, Found], str]:
    """Columns by naion's labels and BDF's, and what a positive current does."""
    names = {v: k for k, v in OUT.items()}
    ranked: dict[str, list[tuple[tuple[int, int], Found]]] = {}
    positive = ""
    for i, label in enumerate(header):
        m = meaning(label)
        if m is None:
            continue
        q = names[m.name]
        ranked.setdefault(q, []).append((m.rank, Found(i, label, m.unit)))
    found = {q: min(some, key=lambda r: r[0])[1] for q, some in ranked.items()}
    if "current" in found:
        m = meaning(found["current"].label)
        positive = "charge" if m and m.factor < 0.0 else "discharge"
    for q, labels in (("cycle", CYCLES), ("step", STEPS)):
        one = first_of(labels, header, "")
        if one:
            found[q] = one
    return found, positive


def _mapped(table: Sheet, quantity: str, label: str) -> Found:
    """The column that a mapping names.

    Raises:
        ValueError: where there is none, with the nearest.
    """
    header = table.header
    same = [i for i, h in enumerate(header) if h == label.strip()]
    same = same or [
        i for i, h in enumerate(header) if h.lower() == label.strip().lower()
    ]
    if not same:
        near = difflib.get_close_matches(label, header, 1, 0.4)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"{table.path}: no column {label!r} for {quantity}.{meant} The header has "
            f"{listed(header)}."
        )
    if len(same) > 1:
        raise ValueError(
            f"{table.path}: the column {label!r} stands {len(same)} times; which one "
            "counts? Rename the others."
        )
    i = same[0]
    m = meaning(header[i])
    if m is not None and OUT.get(quantity) == m.name:
        return Found(i, header[i], m.unit)
    one = first_of((parts(header[i])[0],), [header[i]], USUAL.get(quantity, ""))
    unit = one.unit if one else ""
    try:
        factor_of(quantity, unit) if quantity in UNITS else None
    except ValueError as error:
        raise ValueError(
            f"{table.path}: column {label!r}: {error} Give it in units."
        ) from None
    return Found(i, header[i], unit)


def _missing(table: Sheet, missing: Sequence[str], by: str) -> str:
    known = f" as {by} names it" if by else ""
    hints = []
    for q in missing:
        near = difflib.get_close_matches(q, [h.lower() for h in table.header], 1, 0.5)
        if near:
            k = [h.lower() for h in table.header].index(near[0])
            hints.append(f"{q} = {table.header[k]!r}")
        elif label := _by_unit([q], table.header).get(q):
            hints.append(f"{q} = {label!r}")
    meant = f" Perhaps {', '.join(hints)}?" if hints else ""
    return (
        f"{table.path}: no column of {', '.join(missing)}{known}; the header has "
        f"{listed(table.header)}.{meant} Name columns and units (columns = "
        '{time = "...", current = "...", voltage = "..."}, units = {current = "mA"}), or '
        f"one of the formats {', '.join(NAMES)}."
    )


def _table(sheet: Sheet, asked: Asked) -> dict[str, np.ndarray]:
    """The numbers, checked, and what is to be said of them."""
    said = []
    given = asked.columns
    read = {q: numbers(sheet, given[q].index, q, given[q].unit) for q in NEEDED}
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
        read["time"] = _run_on(read["time"])
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
    taken = ", ".join(
        f"{q} {f.label!r}" + (f" [{f.unit}]" if f.unit else "")
        for q, f in given.items()
        if q in read or (q == "state" and asked.positive == "state")
    )
    whose = f"read as {asked.by}: " if asked.by else "read: "
    used = {f.index for f in given.values()}
    left = [h for i, h in enumerate(sheet.header) if i not in used and h]
    rest = [h for h in left if could_be_temperature(h) or not is_bookkeeping(h)]
    if rest:
        said.append(f"not used: {listed(rest)}")
    caution(f"{sheet.path} {whose}{taken}; {'; '.join(said)}.", stacklevel=4)
    return table


def _run_on(t: np.ndarray) -> np.ndarray:
    """Times that begin anew in every step as times of the whole test."""
    falls = np.diff(t) < 0.0
    ends = np.where(falls, t[:-1], 0.0)
    return t + np.concatenate([[0.0], np.cumsum(ends)])


def _optional(
    sheet: Sheet, quantity: str, column: Found, t: np.ndarray
) -> tuple[np.ndarray | None, list[str]]:
    """A column that a fit can do without, and what to say of it."""
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
    """Currents positive on discharge, and how their sign was found.

    Raises:
        ValueError: for a state that is not known while a current flows.
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
    late = np.flatnonzero(np.diff(t) < 0.0)
    if late.size:
        k = int(late[0]) + 1
        raise ValueError(
            f"{sheet.path}, row {sheet.row(int(rows[k]))}: time {t[k]:g} s comes after "
            f"{t[k - 1]:g} s. Sort the rows, or name the column of times that run on "
            f"between steps.{at_midnight(t)}"
        )
