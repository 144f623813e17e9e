"""Cells of a column as numbers in naion's unit: decimal commas, clock times, dates."""

import datetime
import re

import numpy as np

from ._labels import (
    CURRENT,
    CURRENT_WORDS,
    TEMPERATURE,
    TIME,
    TIME_WORDS,
    VOLTAGE,
    VOLTAGE_WORDS,
)
from ._sources import Series, Sheet, finite, is_number

CLOCK = re.compile(
    r"\s*-?(?:(\d+)\s*(?:d(?:ays?)?[\s,]*|[-.]))?(\d+):([0-5]?\d):([0-5]?\d(?:[.,]\d*)?)\s*"
)
"""Days, hours, minutes, seconds: '1d 02:03:04.5', '1-02:03:04', '26:03:04'."""

NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_COMMA = re.compile(r"[-+]?(?:\d+,\d*|,?\d+)(?:[eE][-+]?\d+)?")

UNITS = {
    "time": {**TIME, **TIME_WORDS, "clock": 1.0, "date": 1.0},
    "current": {**CURRENT, **CURRENT_WORDS},
    "voltage": {**VOLTAGE, **VOLTAGE_WORDS},
    "temperature": {unit: factor for unit, (factor, _) in TEMPERATURE.items()},
    "negative_potential": {**VOLTAGE, **VOLTAGE_WORDS},
    "positive_potential": {**VOLTAGE, **VOLTAGE_WORDS},
    "cycle": {"": 1.0},
    "step": {"": 1.0},
}
"""Units of what is measured, and what they are in s, A, V; of temperatures in K.

A time may also be 'clock' (hh:mm:ss, days in front), 'date', or a date's format such as
'%d.%m.%Y %H:%M:%S'."""

SHOWN_UNITS = {
    "time": "s, ms, min, h, d, clock (hh:mm:ss), date, or a format such as "
    "'%d.%m.%Y %H:%M:%S'",
    "current": "A, mA, uA, kA",
    "voltage": "V, mV, uV",
    "temperature": "degC, K, degF",
    "negative_potential": "V, mV, uV",
    "positive_potential": "V, mV, uV",
    "cycle": "none",
    "step": "none",
}


def factor_of(quantity: str, unit: str) -> tuple[float, float]:
    """Factor and offset from a unit to s, A, V or degC.

    Raises:
        ValueError: for a unit of something else, listing those that are known.
    """
    plain = unit.strip().replace("°", "deg").replace("µ", "u")
    if quantity == "temperature" and plain.lower() in TEMPERATURE:
        return TEMPERATURE[plain.lower()]
    known = UNITS[quantity]
    for given in (plain, plain.lower()):
        # Symbols are told apart by case, words are not.
        if given in known and (given == plain or len(given) > 2):
            return known[given], 0.0
    if quantity == "time" and "%" in plain:
        return 1.0, 0.0
    raise ValueError(
        f"unit {unit!r} is none of {quantity}; expected {SHOWN_UNITS[quantity]}."
    )


def numbers(sheet: Sheet, index: int, quantity: str, unit: str) -> np.ndarray:
    """A column as numbers in s, A, V or degC; NaN where a cell is empty.

    Args:
        sheet: the table.
        index: of the column.
        quantity: a key of `UNITS`.
        unit: of its numbers.

    Raises:
        ValueError: naming file, row and remedy, for a cell that is something else; or file
            and column, for a unit that is none.
    """
    try:
        factor, offset = factor_of(quantity, unit)
    except ValueError as error:
        looks = CLOCK.fullmatch(str(sheet.frame[index].iloc[0])) is not None
        usual = "clock" if looks and quantity == "time" else SHOWN_UNITS[quantity][:4]
        raise ValueError(
            f"{sheet.path}: {quantity} ({sheet.header[index]!r}): {error} Give it in units, "
            f"as in a command --unit {quantity}={usual.split(',')[0]}."
        ) from None
    if quantity == "time":
        special = _times(sheet, index, unit)
        if special is not None:
            return special
    # Adding zero turns -0 into 0.
    return as_given(sheet, index, quantity) * factor + (offset + 0.0)


def as_given(sheet: Sheet, index: int, quantity: str) -> np.ndarray:
    """A column as numbers in the unit that it has; NaN where a cell is empty.

    Args:
        sheet: the table.
        index: of the column.
        quantity: for messages.

    Raises:
        ValueError: naming file, row and remedy, for a cell that is no number.
    """
    cells = sheet.frame[index]
    if is_number(cells):
        return finite(cells)
    text = cells.where(cells.notna(), "").astype(str).str.strip()
    # A column of numbers is one of text without them.
    values = _parsed(text.where(text != "", "nan"))
    bad = values.isna() & ~text.str.lower().isin(("", "nan"))
    if bad.any() and sheet.delimiter != ",":
        commas = text[bad].str.fullmatch(_COMMA.pattern)
        if bool(commas.all()) and not text.str.contains(".", regex=False).any():
            swapped = text.str.replace(",", ".", regex=False)
            values = _parsed(swapped.where(swapped != "", "nan"))
            bad = values.isna() & ~text.str.lower().isin(("", "nan"))
    if bad.any():
        k = int(np.argmax(bad.to_numpy()))
        raise ValueError(
            f"{sheet.path}, row {sheet.row(k)}: {quantity} ({sheet.header[index]!r}) is "
            f"{text.iloc[k][:40]!r}, not a number{_hint(text.iloc[k])}."
        )
    return values.to_numpy(dtype=float)


def check_celsius(sheet: Sheet, values: np.ndarray, label: str, unit: str) -> None:
    """Whether temperatures can be those of a cell; empty ones may be.

    Args:
        sheet: the table.
        values: of its rows [degC].
        label, unit: of their column.

    Raises:
        ValueError: naming file, row and remedy.
    """
    wrong = (values <= -100.0) | (values >= 150.0)
    if wrong.any():
        k = int(np.argmax(wrong))
        other = "degC" if unit.upper() == "K" else "K"
        kind = "degrees Celsius" if other == "degC" else "kelvin"
        raise ValueError(
            f"{sheet.path}, row {sheet.row(k)}: {values[k]:g} degC is not a temperature of "
            f"a cell ({label!r}, read in {unit or 'degC'}); is it in {kind}? Then units = "
            f'{{temperature = "{other}"}}.'
        )


def _hint(text: str) -> str:
    if re.fullmatch(r"[-+\d.,' ]+", text):
        return "; numbers have one decimal sign and nothing between thousands"
    if NUMBER.match(text):
        return "; if a unit stands behind each number, take it out"
    return ""


def _times(sheet: Sheet, index: int, unit: str) -> np.ndarray | None:
    """Seconds of clock times and dates; none for a column of plain numbers."""
    import pandas as pd

    cells = sheet.frame[index]
    if pd.api.types.is_timedelta64_dtype(cells):
        return cells.dt.total_seconds().to_numpy(dtype=float)
    if pd.api.types.is_datetime64_any_dtype(cells):
        return _since_first(cells)
    if is_number(cells):
        return None
    held = cells[cells.notna() & (cells.astype(str) != "")]
    if not len(held):
        return None
    first = held.iloc[0]
    if isinstance(first, datetime.datetime):
        return _since_first(pd.to_datetime(cells, errors="coerce"))
    if isinstance(first, datetime.time | datetime.timedelta):
        cells = cells.map(_clock_of, na_action="ignore")
        first = cells.loc[held.index[0]]
    text = cells.where(cells.notna(), "").astype(str).str.strip()
    if unit not in ("clock", "date") and "%" not in unit:
        if CLOCK.fullmatch(str(first)):
            unit = "clock"
        elif re.search(r"\d[:/.-]\d.*\d[:]\d|\d{4}-\d\d-\d\d", str(first)):
            unit = "date"
        else:
            return None
    return (
        _clocks(sheet, index, text)
        if unit == "clock"
        else _dates(sheet, index, text, unit)
    )


def _clock_of(value: datetime.time | datetime.timedelta | object) -> str:
    """A time of a spreadsheet's cell as 'hh:mm:ss'."""
    if isinstance(value, datetime.timedelta):
        s = value.total_seconds()
        return f"{int(s // 3600)}:{int(s % 3600 // 60)}:{s % 60:.6f}"
    return str(value)


def _clocks(sheet: Sheet, index: int, text: Series) -> np.ndarray:
    parts = text.str.extract(f"^{CLOCK.pattern}$")
    bad = parts[2].isna() & (text != "")
    if bad.any():
        k = int(np.argmax(bad.to_numpy()))
        raise ValueError(
            f"{sheet.path}, row {sheet.row(k)}: time ({sheet.header[index]!r}) is "
            f"{text.iloc[k][:40]!r}; expected hours, minutes and seconds such as "
            "'1:02:03.5', with days in front as '1d 02:03:04'."
        )
    parts[3] = parts[3].str.replace(",", ".", regex=False)
    d, h, m, s = (
        _parsed(parts[i]).to_numpy(dtype=float, na_value=np.nan) for i in range(4)
    )
    return 86400.0 * np.nan_to_num(d) + 3600.0 * h + 60.0 * m + s


def _dates(sheet: Sheet, index: int, text: Series, unit: str) -> np.ndarray:
    """Seconds since the first of some dates.

    Whether the day or the month comes first is taken from where times do not fall.

    Raises:
        ValueError: for what is no date, or may be read in two ways.
    """
    import pandas as pd

    text = text.where(text != "")
    if "%" in unit:
        ways = [pd.to_datetime(text, format=unit, errors="coerce")]
    elif text.str.match(r"\d{4}-").all():
        ways = [pd.to_datetime(text, format="ISO8601", errors="coerce")]
    else:
        ways = []
        for day_first in (False, True):
            try:
                ways.append(pd.to_datetime(text, dayfirst=day_first, format="mixed"))
            except (ValueError, OverflowError):
                continue
    good = [_since_first(w) for w in ways if not (w.isna() & text.notna()).any()]
    rising = [s for s in good if np.nanmin(np.diff(s), initial=0.0) >= 0.0] or good
    if not rising:
        held = text.dropna()
        shown = held.iloc[0][:40] if len(held) else ""
        raise ValueError(
            f"{sheet.path}: time ({sheet.header[index]!r}), for example {shown!r}, is not "
            "a date that is known; give its format as the unit, such as "
            "'%d.%m.%Y %H:%M:%S'."
        )
    if len(rising) == 2 and not np.allclose(rising[0], rising[1], equal_nan=True):
        rising.sort(key=lambda s: float(np.nanmax(s)))
        raise ValueError(
            f"{sheet.path}: time ({sheet.header[index]!r}) may have the day or the month "
            "first; give its format as the unit, such as '%d/%m/%Y %H:%M:%S'."
        )
    return rising[0]


def _since_first(dates: Series) -> np.ndarray:
    """Seconds since the first date; NaN where there is none."""
    held = dates.dropna()
    if not len(held):
        return np.full(len(dates), np.nan)
    return (dates - held.iloc[0]).dt.total_seconds().to_numpy(dtype=float)


def _parsed(text: Series) -> Series:
    """Numbers in text; NaN for what is none."""
    import pandas as pd

    return pd.to_numeric(text, errors="coerce")


DAY = 86400.0


def at_midnight(t: np.ndarray) -> str:
    """A hint where times of day begin anew, behind another sentence; else nothing.

    Args:
        t: times of which one comes before the one above it [s].
    """
    falls = np.diff(t)[np.diff(t) < 0.0]
    late = np.max(t) < DAY and np.min(t) >= 0.0 and np.all(falls < -0.5 * DAY)
    return (
        " They seem to be times of day, which begin anew at midnight: add 86400 s for each "
        "day, or give dates." * bool(late)
    )
