"""Read numbers with units as people write them: '250 mA', 'C/3', '1 h 30 min', '-10 °C'."""

import math
import re
import unicodedata
from typing import NamedTuple

KINDS = "C/10, C, A, V, W, ohm, Ah, s, min, h, days, degC, K"
"""Units that are listed in the error for an unknown one."""

_DIGITS = r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_NUMBER = rf"[-+]?{_DIGITS}"
_QUANTITY = re.compile(rf"({_NUMBER})(?:\s*/\s*({_DIGITS}))?\s*([^\W\d_°%][^\d/]*|°.*)")
_PER_C = re.compile(rf"({_NUMBER})?\s*[cC]\s*/\s*({_NUMBER})")
_TIMES = re.compile(rf"({_DIGITS})\s*([^\W\d_]+)(?:\s*,)?(?:\s+and\b)?\s*")
_CLOCK = re.compile(r"(\d+):([0-5]?\d)(?::([0-5]?\d(?:\.\d*)?))?")

_SECONDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
    **dict.fromkeys(("wk", "wks", "week", "weeks"), 604800.0),
    **dict.fromkeys(("msec", "msecs", "millisecond", "milliseconds"), 1e-3),
}
_CELSIUS = ("degc", "°c", "celsius", "°celsius")
_CELSIUS += tuple(f"degree{s}{c}" for s in ("", "s") for c in ("c", "celsius"))
_BASES = {
    **dict.fromkeys(("a", "amp", "amps", "ampere", "amperes"), "A"),
    **dict.fromkeys(("v", "volt", "volts"), "V"),
    **dict.fromkeys(("w", "watt", "watts"), "W"),
    **dict.fromkeys(("ohm", "ohms", "ω"), "ohm"),
    **dict.fromkeys(("ah", "amphour", "amphours", "amperehour", "amperehours"), "A.h"),
    **dict.fromkeys(("wh", "watthour", "watthours"), "W.h"),
}
_PREFIXES = {"m": 1e-3, "M": 1e6, "k": 1e3, "K": 1e3, "u": 1e-6, "μ": 1e-6}
_LONG_PREFIXES = {"milli": 1e-3, "mega": 1e6, "kilo": 1e3, "micro": 1e-6}


class Quantity(NamedTuple):
    """A number with its unit.

    Attributes:
        kind: the unit: "A", "c_rate", "V", "W", "ohm", "A.h", "W.h", "s" or "K".
        value: the number in that unit.
    """

    kind: str
    value: float


def plain(text: str) -> str:
    """The text with one spelling of signs, letters and spaces."""
    # A sign such as ⅓ becomes digits around a slash of its own.
    text = unicodedata.normalize("NFKC", text.replace("º", "°")).replace("⁄", "/")
    return " ".join(re.sub(r"[−–](?=\s*[\d.])", "-", text).split())


def quantity(text: str) -> Quantity:
    """Read a number with its unit, from `plain` text.

    The case of prefixes matters: m is milli and M is mega. k and K are both kilo.

    Raises:
        ValueError: saying why the text is not a number with a unit.
    """
    per_c = _PER_C.fullmatch(text)
    if per_c:
        return Quantity("c_rate", _ratio(text, per_c[1] or "1", per_c[2]))
    if text in ("C", "c"):
        return Quantity("c_rate", 1.0)
    clock = _CLOCK.fullmatch(text)
    if clock and clock[3] is None:
        raise ValueError(f"'{text}' may be hours or minutes: write '1 h 30 min'")
    if clock:
        h, m, s = clock.groups()
        return Quantity("s", 3600.0 * float(h) + 60.0 * float(m) + float(s))
    text = re.sub(r"^(?:an?|one) (?=[a-z])", "1 ", text, flags=re.IGNORECASE)
    if text.lower() in _SECONDS and len(text) > 2:
        text = f"1 {text}"
    match = _QUANTITY.fullmatch(text)
    if match:
        kind, factor = _unit(match[3])
        if kind == "degC":
            return Quantity("K", _ratio(text, match[1], match[2]) + 273.15)
        if kind:
            return Quantity(kind, factor * _ratio(text, match[1], match[2]))
    seconds = _sum_of_times(text)
    if seconds is not None:
        return Quantity("s", seconds)
    raise ValueError(f"'{text}' is not a number with a unit ({KINDS})")


def _ratio(text: str, number: str, divisor: str | None) -> float:
    below = float(divisor or 1.0)
    value = float(number) / below if below else math.inf
    if not math.isfinite(value):
        what = "rate" if "c" in text.lower() else "number"
        raise ValueError(f"'{text}' is an infinite {what}")
    return value


def _sum_of_times(text: str) -> float | None:
    """Seconds of '1 h 30 min' or '1 hour and 30 minutes'; none for other texts."""
    parts = list(_TIMES.finditer(text))
    if not parts or "".join(p[0] for p in parts) != text:
        return None
    read = [(*_unit(p[2]), float(p[1])) for p in parts]
    falls = all(a[1] > b[1] for a, b in zip(read, read[1:], strict=False))
    if not falls or any(kind != "s" for kind, _, _ in read):
        return None
    return sum(factor * n for _, factor, n in read)


def _unit(unit: str) -> tuple[str, float]:
    """Kind of a unit, and its factor to that kind; an empty kind if it is not known."""
    unit = re.sub(r"[\s.·*-]", "", unit)
    low = unit.lower()
    if unit == "K" or low in ("kelvin", "kelvins"):
        return "K", 1.0
    if low in _CELSIUS:
        return "degC", 1.0
    if low == "c":
        return "c_rate", 1.0
    if low in _SECONDS:
        return "s", _SECONDS[low]
    if low in _BASES:
        return _BASES[low], 1.0
    for prefix, factor in _LONG_PREFIXES.items():
        if low.startswith(prefix) and low[len(prefix) :] in _BASES:
            return _BASES[low[len(prefix) :]], factor
    # Case matters here: 1 MW is not 1 mW.
    factor = _PREFIXES.get(unit[:1])
    if factor is not None and low[1:] in _BASES:
        return _BASES[low[1:]], factor
    if factor is not None and factor < 1.0 and unit[1:] == "s":
        return "s", factor
    return "", 0.0
