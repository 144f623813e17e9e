"""What the numbers of a step may be, whoever gives them: `Step`, strings or profiles."""

import datetime
import math
from typing import Any, NamedTuple

import numpy as np
from jax.core import Tracer

from ._control import Mode

SAME_TIME = 1e-6
"""Times that differ by less are one time [s]."""

COLDEST, HOTTEST = 150.0, 450.0
"""No cell works outside of these [K]; what is below was meant in degrees Celsius."""

LONGEST = 30 * 365.25 * 86400.0
"""No step takes longer [s]; what does is a point in time, or in another unit."""


class Range(NamedTuple):
    """Where a number must lie.

    Attributes:
        low: least value.
        high: greatest value.
        unit: of both.
        hint: what was probably meant by a number outside.
        positive: the number itself must be more than 0.
        endless: infinity is meant as such.
    """

    low: float
    high: float
    unit: str
    hint: str = ""
    positive: bool = False
    endless: bool = False

    def outside(self, x: Any) -> Any:
        """Whether numbers are outside, elementwise; false for an infinity that may be."""
        outside = ~((x >= self.low) & (x <= self.high))
        if self.positive:
            outside = outside | (x <= 0.0)
        return outside & (x != math.inf) if self.endless else outside

    def fault(self, where: str, x: float) -> ValueError:
        """The error for a number outside."""
        x = float(x)
        if math.isnan(x):
            return ValueError(f"{where} is NaN. {self.hint}".rstrip())
        if math.isinf(x):
            return ValueError(f"{where} is infinite.")
        given = f"{x:.12g} {self.unit}".rstrip()
        if self is KELVIN:
            side = f"below {COLDEST:g}" if x < COLDEST else f"above {HOTTEST:g}"
            return ValueError(f"{where} = {given}: no cell works {side} K. {self.hint}")
        if self.positive and x <= 0.0:
            return ValueError(f"{where} must be positive, got {given}.")
        bounds = f"expected {self.low:g} to {self.high:g} {self.unit}".rstrip()
        return ValueError(f"{where} = {given}: {bounds}. {self.hint}".rstrip())


KELVIN = Range(COLDEST, HOTTEST, "K", "Temperatures are in kelvin: 25 degC is 298.15.")
"""Temperatures that are taken."""

FINITE = Range(-1e12, 1e12, "")
DURATION = Range(
    SAME_TIME,
    LONGEST,
    "s",
    "Durations are in seconds, neither milliseconds nor points in time.",
    positive=True,
    endless=True,
)
VOLTAGE = Range(-10.0, 1499.9, "V", "Voltages are in volts: 2500 mV is 2.5.")
CURRENT = Range(0.0, 1e6, "A", positive=True)
C_RATE = Range(0.0, 1e6, "C", positive=True)
CAPACITY = Range(0.0, 1e6, "A.h", positive=True)

SET_POINT = {
    Mode.CURRENT: Range(-1e6, 1e6, "A"),
    Mode.VOLTAGE: VOLTAGE._replace(low=0.0),
    Mode.POWER: Range(-1e9, 1e9, "W"),
    Mode.RESISTANCE: Range(0.0, 1e9, "ohm", positive=True),
    Mode.POWER_WITHIN_LIMITS: Range(-1e9, 1e9, "W"),
}
"""Where the set point of each mode must lie."""


def number(where: str, value: Any, allowed: Range) -> Any:
    """One number as a float, whatever its type; a traced one as it is.

    Raises:
        ValueError: for what is no number, or one outside of the range.
    """
    if isinstance(value, Tracer) and np.shape(value) == ():
        return value
    x = _float(where, value)
    # Plain comparisons: `Range.outside` would make NumPy scalars of them.
    inside = allowed.low <= x <= allowed.high and not (allowed.positive and x <= 0.0)
    if not inside and not (allowed.endless and x == math.inf):
        raise allowed.fault(where, x)
    return x


def _float(where: str, value: Any) -> float:
    if type(value) is float:
        return value
    if isinstance(value, str | bytes):
        raise ValueError(
            f"{where} = {shortened(value)} is text; give it as a number, without quotes."
        )
    if isinstance(value, bool | np.bool_):
        raise ValueError(f"{where} = {value} is not a number.")
    if isinstance(value, datetime.timedelta | np.timedelta64 | np.datetime64):
        raise ValueError(
            f"{where} = {value!r} is a time; give it as a number of seconds."
        )
    if np.shape(value) != ():
        raise ValueError(
            f"{where} must be one number, got an array of shape {np.shape(value)}. "
            "`Protocol.profile` takes columns; `naion.batch` takes many protocols."
        )
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{where} = {shortened(value)} is not a number.") from None


def require_mode(where: str, mode: Any) -> None:
    """Check that a mode is one.

    Raises:
        ValueError: listing the modes.
    """
    if isinstance(mode, Mode | Tracer):
        return
    modes = ", ".join(f"Mode.{m.name}" for m in Mode)
    named = str(mode).upper() if isinstance(mode, str) else ""
    meant = f" Did you mean Mode.{named}?" if named in Mode.__members__ else ""
    raise ValueError(
        f"{where} = {shortened(mode)} is not a mode; use one of {modes} "
        f"(naion.Mode).{meant}"
    )


def shortened(value: Any, most: int = 100) -> str:
    """How a value is written in Python, cut where it is long."""
    text = repr(value)
    if len(text) <= most:
        return text
    return f"{text[: most - 20]}... ({len(text)} characters)"
