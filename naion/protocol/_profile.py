"""Turn measured profiles into rows of a protocol that are constant or linear in time."""

import datetime
from typing import Any

import numpy as np

from ._checks import (
    KELVIN,
    LONGEST,
    SAME_TIME,
    SET_POINT,
    Range,
    require_mode,
    shortened,
)
from ._control import Mode

EQUAL = 1e-12
"""Rows are joined if the line through them stays this close to the measured values, as a
fraction of the largest value."""


def profile_rows(
    time: Any, value: Any, mode: Mode, temperature: Any
) -> dict[str, np.ndarray]:
    """Columns of a protocol for a measured profile; arguments as of `Protocol.profile`.

    Consecutive stretches that continue one line are joined into one row.

    Returns:
        value, slope, duration, temperature and temperature slope of each row, (n,) each.
    """
    require_mode("Profile: mode", mode)
    given, t = _seconds(time)
    v = _numbers("value", value)
    T = None if temperature is None else _numbers("temperature", temperature)
    if t.ndim != 1:
        raise ValueError(f"Profile: time must be one column, got shape {t.shape}.")
    if t.size < 2:
        raise ValueError(f"A profile needs at least two rows, got {t.size}.")
    if T is not None and T.size == 1:
        T = np.full(t.shape, T.item())
    columns = {"value": v} if T is None else {"value": v, "temperature": T}
    for name, column in columns.items():
        if column.shape != t.shape:
            size = (
                column.size if column.ndim == 1 else f"an array of shape {column.shape}"
            )
            raise ValueError(f"Profile: {t.size} times but {size} of {name}.")
    _check_rows(given, t, columns)
    _check_range("value", v, SET_POINT[mode])
    if T is not None:
        _check_range("temperature", T, KELVIN)
    t = _merged(given, t)
    numbers = np.stack(list(columns.values()))
    first, last = _joined(t, numbers)
    duration = t[last] - t[first]
    begin = numbers[:, first]
    slope = (numbers[:, last] - begin) / duration
    nothing = np.full(first.size, np.nan), np.zeros(first.size)
    warm = nothing if T is None else (begin[1], slope[1])
    return {
        "value": begin[0],
        "slope": slope[0],
        "duration": duration,
        "temperature": warm[0],
        "temperature_slope": warm[1],
    }


def _check_rows(
    given: np.ndarray, t: np.ndarray, columns: dict[str, np.ndarray]
) -> None:
    """Raise for numbers that are not finite, and times that decrease or last too long."""
    finite = np.isfinite(t)
    for column in columns.values():
        finite = finite & np.isfinite(column)
    if not finite.all():
        i = int(np.argmin(finite))
        row = [given[i], *(float(c[i]) for c in columns.values())]
        text = ", ".join(str(x) for x in row)
        raise ValueError(f"Profile row {i + 1} is not finite: [{text}].")
    back = np.diff(t) < 0.0
    if back.any():
        i = int(np.argmax(back)) + 1
        raise ValueError(
            f"Profile row {i + 1}: time {_said(given[i])} is before the previous row's "
            f"{_said(given[i - 1])}. Sort the rows."
        )
    if t[-1] - t[0] > LONGEST:
        raise ValueError(
            f"Profile: it takes {t[-1] - t[0]:g} s, more than 30 years. Times are in "
            "seconds: are these milliseconds or nanoseconds?"
        )


def _check_range(name: str, column: np.ndarray, allowed: Range) -> None:
    """Raise for a number outside of its range, naming the row."""
    outside = allowed.outside(column)
    if outside.any():
        i = int(np.argmax(outside))
        raise allowed.fault(f"Profile row {i + 1}: {name}", column[i])


def _merged(given: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Times in which nearly equal ones are made equal; two equal times are a jump."""
    apart = np.diff(t) >= SAME_TIME
    first = np.maximum.accumulate(
        np.where(np.append(True, apart), np.arange(t.size), 0)
    )
    long = t - t[first] >= SAME_TIME
    if long.any():
        i = int(np.argmax(long))
        raise ValueError(
            f"Profile row {i + 1}: several rows up to {_said(given[i])} are less than "
            f"{SAME_TIME:g} s apart. Times are in seconds; leave out rows of a faster "
            "record."
        )
    return t[first]


def _joined(t: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and last measured row of every joined stretch.

    Args:
        t: times, (n,) [s].
        numbers: columns that must all continue a line to be joined, (columns, n).
    """
    first = np.flatnonzero(np.diff(t) > 0.0)
    if not first.size:
        raise ValueError(
            "A profile needs at least one stretch of time; all of its rows are at one."
        )
    last = first + 1
    scale = np.max(np.abs(numbers), axis=1, keepdims=True)
    near = EQUAL * np.where(scale > 0.0, scale, 1.0)
    duration = t[last] - t[first]
    slope = (numbers[:, last] - numbers[:, first]) / duration
    # Distance of the row between two stretches from the line over both.
    a, b = duration[:-1], duration[1:]
    bent = np.abs(np.diff(slope, axis=1)) * (a * b / (a + b))
    jump = np.abs(numbers[:, first[1:]] - numbers[:, last[:-1]])
    goes_on = np.all((bent <= near) & (jump <= near), axis=0)
    # Many small bends add up to a curve, so each row must also be near the line over all.
    start = np.flatnonzero(np.append(True, ~goes_on))
    end = np.append(start[1:], first.size) - 1
    group = np.cumsum(np.append(True, ~goes_on)) - 1
    t_0, v_0 = t[first[start]], numbers[:, first[start]]
    rate = (numbers[:, last[end]] - v_0) / (t[last[end]] - t_0)
    line = v_0[:, group] + rate[:, group] * (t[last] - t_0[group])
    far = np.any(np.abs(line - numbers[:, last]) > near, axis=0)
    curved = np.zeros(start.size, bool)
    curved[group[far]] = True
    begins = np.append(True, ~goes_on | curved[group[1:]])
    start = np.flatnonzero(begins)
    end = np.append(start[1:], first.size) - 1
    return first[start], last[end]


def _seconds(time: Any) -> tuple[np.ndarray, np.ndarray]:
    """Times as they were given, and in seconds since the first of them."""
    dtype = getattr(time, "dtype", None)
    if getattr(dtype, "tz", None) is not None:
        time = np.asarray(time, dtype=f"datetime64[{getattr(dtype, 'unit', 'ns')}]")
    given = _array("time", time)
    if given.ndim == 0:
        raise ValueError(
            f"A profile needs at least two rows, got time = {shortened(time)}."
        )
    if given.dtype.kind == "O" and given.size:
        given = _of_objects(given)
    if given.dtype.kind in "mM":
        return given, _of_datetimes(given)
    numbers = _numbers("time", time)
    if numbers.size and np.isfinite(numbers.flat[0]):
        return numbers, numbers - numbers.flat[0]
    return numbers, numbers


def _of_objects(given: np.ndarray) -> np.ndarray:
    """Python's dates, times of day and time differences as NumPy's time differences."""
    first = given.flat[0]
    timely = datetime.date | datetime.timedelta | datetime.time
    if not isinstance(first, timely):
        return given
    try:
        if isinstance(first, datetime.time):
            day = datetime.date(2000, 1, 1)
            given = np.array([datetime.datetime.combine(day, x) for x in given.flat])
            first = given[0]
        if isinstance(first, datetime.date):
            given = np.array([x - first for x in given.flat])
        seconds = [x.total_seconds() for x in given.flat]
    except (TypeError, AttributeError) as error:
        raise ValueError(f"Profile: times of more than one kind ({error}).") from None
    return np.asarray(np.round(np.multiply(seconds, 1e9)), "timedelta64[ns]")


def _of_datetimes(given: np.ndarray) -> np.ndarray:
    unit = np.datetime_data(given.dtype)[0]
    months = given.dtype.kind == "m" and unit in ("Y", "M")
    if unit == "generic" or months:
        raise ValueError(
            f"Profile: times of the type {given.dtype} are no seconds; use for example "
            "timedelta64[s]."
        )
    if unit in ("Y", "M"):
        given = given.astype("datetime64[s]")
    # Divided in the given unit, so that missing times (NaT) become NaN.
    return (given - given[:1]) / np.timedelta64(1, "s")


def _array(name: str, values: Any) -> np.ndarray:
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.filled(values.astype(float), np.nan)
    try:
        return np.asarray(values)
    except ValueError:
        raise ValueError(f"Profile: {name} is not one column of numbers.") from None


def _numbers(name: str, values: Any) -> np.ndarray:
    """A column as floats.

    Raises:
        ValueError: naming the row that is no number.
    """
    a = _array(name, values)
    if a.dtype.kind in "fiu":
        return a.astype(float)
    if a.dtype.kind in "SU":
        # One text among numbers makes NumPy turn all of them into text.
        a = np.asarray(values, object)
    hint = " pandas.to_datetime reads dates." if name == "time" else ""
    numbers = np.empty(a.shape)
    for i, x in enumerate(a.flat):
        try:
            if isinstance(x, str | bytes | bool | np.bool_ | complex | np.timedelta64):
                raise TypeError
            numbers.flat[i] = float(x)
        except (TypeError, ValueError, OverflowError):
            raise ValueError(
                f"Profile row {i + 1}: {name} = {shortened(x)} is not a number.{hint}"
            ) from None
    return numbers


def _said(time: Any) -> str:
    """A time as text."""
    if isinstance(time, np.datetime64 | np.timedelta64):
        return str(time)
    return f"{float(time):.12g} s"
