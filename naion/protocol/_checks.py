"""Ranges and checks of the numbers of a step, for `Step`, strings and profiles alike."""

import datetime
import math
from typing import Any, NamedTuple

import numpy as np
from jax.core import Tracer

from ._control import Mode

SAME_TIME = 1e-6
"""Times closer together than this count as equal [s]."""

COLDEST, HOTTEST = 150.0, 450.0
"""Temperatures between which cells work [K]; lower ones were meant in degrees Celsius."""

LONGEST = 30 * 365.25 * 86400.0
"""Longest duration of a step [s]; longer ones are dates, or in another unit."""


class Range(NamedTuple):
    """The range in which a number must lie.

    Attributes:
        low: least value.
        high: greatest value.
        unit: unit of both.
        hint: what a number outside of the range probably means, for messages.
        positive: whether the number must be above zero, even if `low` is zero.
        endless: whether infinity is allowed.
    """

    low: float
    high: float
    unit: str
    hint: str = ""
    positive: bool = False
    endless: bool = False

    def outside(self, x: Any) -> Any:
        """Whether numbers are outside, elementwise; false for an infinity that is allowed."""
        outside = ~((x >= self.low) & (x <= self.high))
        if self.positive:
            outside = outside | (x <= 0.0)
        return outside & (x != math.inf) if self.endless else outside

    def fault(self, where: str, x: float) -> ValueError:
        """The error for a number outside, naming `where` it was given."""
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
"""Range of temperatures."""

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
"""Range of the set point of each mode."""


def number(where: str, value: Any, allowed: Range) -> Any:
    """A number of any type as a float; one that JAX traces is returned unchecked.

    Raises:
        ValueError: for what is not a number, or a number outside of the range.
    """
    if isinstance(value, Tracer) and np.shape(value) == ():
        return value
    x = _float(where, value)
    # Plain comparisons are faster than `Range.outside`, which makes NumPy scalars.
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
    """Raise unless `mode` is a `Mode`.

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
    """The `repr` of a value, shortened to about `most` characters."""
    text = repr(value)
    if len(text) <= most:
        return text
    return f"{text[: most - 20]}... ({len(text)} characters)"
