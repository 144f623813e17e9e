"""Read measured data: naion's own labels, exports of cyclers, or any table by a mapping."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from .._takes import takes
from ._candidates import candidates, only_candidates
from ._conversions import SHOWN_UNITS, UNITS, factor_of, numbers
from ._formats import (
    FORMATS,
    NAMES,
    NEEDED,
    QUANTITIES,
    first_of,
    recognised,
    score,
)
from ._labels import meaning
from ._measured_columns import measured_columns
from ._sources import NOT_TEXT, listed, sheet_of
from ._tables import read_current, read_measurement
from ._which_columns import (
    CYCLES,
    OUT,
    STEPS,
    is_frame,
    only_units,
    own_columns,
    which_columns,
)

POSITIVE = ("charge", "discharge", "state")
"""What a positive current can be."""


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
    naming its columns. Columns of plain names with units ("Time [s]", "Strom [mA]") need
    `positive` alone; what `Solution.to_pandas` gives needs nothing. Of MATLAB files (.mat,
    version 7) vectors of equal length are the columns. Files of Neware (.nda, .ndax) are
    opened by the batterydf package; these, Parquet and spreadsheets need
    `pip install 'naion[cycler]'`.

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
    return _read(Path(path), NEEDED, format, columns, units, positive, sheet)


@takes
def read_profile(
    path: Path | str,
    format: str | None = None,
    columns: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    positive: str | None = None,
    sheet: str | int | None = None,
) -> dict[str, np.ndarray]:
    """Time, current and what temperature is known, from any file that `read_data` reads.

    As `read_data`, but that the file may have no voltage; one that it has is not read.

    Args:
        path, format, columns, units, positive, sheet: as of `read_data`.

    Returns:
        equally long arrays: time_s [s], current_A (positive on discharge) [A] and, where
        the file has it, temperature_degC [degC].

    Raises:
        ValueError: naming file, row and remedy.
        ImportError: naming the extra.
    """
    needed = ("time", "current")
    table = _read(Path(path), needed, format, columns, units, positive, sheet)
    kept = ("time_s", "current_A", "temperature_degC")
    return {name: table[name] for name in kept if name in table}


def _read(
    path: Path,
    needed: tuple[str, ...],
    format: str | None,
    columns: Mapping[str, str] | None,
    units: Mapping[str, str] | None,
    positive: str | None,
    sheet: str | int | None,
) -> dict[str, np.ndarray]:
    """What `read_data` reads, of which some quantities are needed."""
    _check(path, format, columns, units, positive)
    # A mapping finds its header by its own labels.
    wanted = set((columns or {}).values())
    own = format in (None, "naion", "bdf") and not columns and not units
    if own and positive is None and _is_plain(path, needed):
        try:
            if "voltage" not in needed:
                return read_current(path)
            return _own(path, read_measurement(path))
        except ValueError as error:
            if ": no column" not in str(error):
                raise
            if not _could_be(path, needed):
                raise ValueError(_unknown(path, str(error), needed)) from None

    def known(header: Sequence[str]) -> float:
        return 100.0 * len(wanted & set(header)) + score(header)

    table = sheet_of(path, known, sheet)
    asked = which_columns(
        table, format, columns or {}, units or {}, positive, tuple(needed)
    )
    return measured_columns(table, asked)


def _could_be(path: Path, needed: Sequence[str]) -> bool:
    """Whether a table has a column for each quantity, though nobody's labels."""
    try:
        header = sheet_of(path, score).header
    except (ValueError, ImportError):
        return False
    missing = [q for q in needed if q not in own_columns(header)[0]]
    return set(missing) <= set(only_candidates(missing, header, {}))


def formats() -> dict[str, str]:
    """Formats that `read_data` knows, and what each is."""
    return {
        "naion": "time_s, current_A (positive on discharge), voltage_V",
        "bdf": "Battery Data Format: 'Test Time / s', 'Current / A', 'Voltage / V'",
        **{f.name: f.about for f in FORMATS},
    }


def _check(path, format, columns, units, positive) -> None:
    """Raise for arguments of `read_data` that are not known."""
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


def _is_plain(path: Path, needed: Sequence[str]) -> bool:
    """Whether a text file begins with a header that has all of naion's or BDF's labels, or
    nobody's."""
    if path.suffix.lower() in NOT_TEXT or not path.is_file():
        return False
    try:
        header = sheet_of(path, score).header
    except (ValueError, ImportError):
        return path.suffix.lower() in (".csv", ".txt")
    names = {m.name for label in header if (m := meaning(label))}
    if is_frame(header):
        return False
    return {OUT[q] for q in needed} <= names or recognised(header) is None


def _unknown(path: Path, said: str, needed: Sequence[str]) -> str:
    """The error of a table whose labels are not known, with what to do.

    Args:
        path: path of the file.
        said: what was wrong with it, taking its first line for its header.
        needed: quantities that it should have.
    """
    try:
        header = sheet_of(path, score).header
    except (ValueError, ImportError):
        header = ()
    start, has, rest = said.partition("the header has ")
    if has and header:
        _, expected, more = rest.partition(" Expected are ")
        said = f"{start}{has}{listed(header)}.{expected}{more}"
    missing = [q for q in needed if q not in own_columns(header)[0]]
    if only := only_units(missing, header):
        return f"{path}: {only}"
    some = {q: candidates(q, header) for q in missing}
    pairs = " ".join(f'{q}="{found[0].label}"' for q, found in some.items() if found)
    perhaps = f", perhaps --column {pairs}" if pairs else ""
    return (
        f"{said} Or say which column is what: columns, units, positive (a command: "
        f"--column, --unit, --positive{perhaps}), or format, one of {', '.join(NAMES)}."
    )


def _own(path: Path, table: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A table of `read_measurement`, with the columns of cycles and steps if there are."""
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
