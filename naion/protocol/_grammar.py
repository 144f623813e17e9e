"""Experiment strings: 'Discharge at C/10 until 2.0 V', as battery people write them."""

import re
from typing import Any

from ._control import Mode
from ._protocol import Step

EXAMPLES = (
    "Discharge at C/10 until 2.0 V",
    "Charge at 0.5C for 1 hour or until 4.1 V",
    "Discharge at 2 A for 30 minutes",
    "Discharge at 5 W until 1.5 V or 1.2 Ah",
    "Hold at 4.1 V until C/20",
    "Rest for 1 hour",
)

_STEP = re.compile(
    r"(?P<verb>discharge|charge|hold|rest)"
    r"(?:\s+(?:at|with)\s+(?P<value>.+?))?"
    r"(?:\s+for\s+(?P<duration>.+?))?"
    r"(?:\s+(?:or\s+)?until\s+(?P<until>.+))?",
    re.IGNORECASE,
)
_NUMBER = r"(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)"
_QUANTITY = re.compile(_NUMBER + r"\s*(?P<unit>[a-zA-Z.]+)", re.IGNORECASE)
_PER_C = re.compile(r"C\s*/\s*" + _NUMBER, re.IGNORECASE)

# unit: (kind, factor to the unit of `Step`)
_UNITS = {
    "c": ("c_rate", 1.0),
    "a": ("A", 1.0),
    "ma": ("A", 1e-3),
    "v": ("V", 1.0),
    "mv": ("V", 1e-3),
    "w": ("W", 1.0),
    "mw": ("W", 1e-3),
    "kw": ("W", 1e3),
    "ohm": ("ohm", 1.0),
    "mohm": ("ohm", 1e-3),
    "ah": ("A.h", 1.0),
    "a.h": ("A.h", 1.0),
    "mah": ("A.h", 1e-3),
    "ma.h": ("A.h", 1e-3),
    "degc": ("degC", 1.0),
    **dict.fromkeys(("s", "sec", "second", "seconds"), ("s", 1.0)),
    **dict.fromkeys(("min", "minute", "minutes"), ("s", 60.0)),
    **dict.fromkeys(("h", "hour", "hours"), ("s", 3600.0)),
    **dict.fromkeys(("d", "day", "days"), ("s", 86400.0)),
}


def parse_step(text: str) -> Step:
    """One experiment string as a `Step`.

    Raises:
        ValueError: saying which part could not be read, with examples.
    """
    match = _STEP.fullmatch(" ".join(text.split()))
    if match is None:
        raise _unreadable(text, "it does not start as a step does")
    verb = match["verb"].lower()
    step: dict[str, Any] = {}
    if verb == "rest":
        if match["value"]:
            raise _unreadable(text, "a rest has no set point")
        step |= {"mode": Mode.CURRENT, "value": 0.0}
    else:
        if not match["value"]:
            raise _unreadable(text, f"'{verb}' needs 'at' and a set point")
        step |= _set_point(verb, match["value"], text)
    if match["duration"]:
        kind, value = _quantity(match["duration"], text)
        if kind != "s":
            raise _unreadable(text, f"'for {match['duration']}' is not a time")
        step["duration"] = value
    for condition in re.split(r"\s+or\s+(?:until\s+)?", match["until"] or ""):
        if condition:
            step |= _cut_off(verb, condition, text)
    try:
        return Step(**step)
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}") from None


def _set_point(verb: str, value: str, text: str) -> dict[str, Any]:
    kind, number = _quantity(value, text)
    sign = -1.0 if verb == "charge" else 1.0
    modes = {
        "A": Mode.CURRENT,
        "c_rate": Mode.CURRENT,
        "W": Mode.POWER,
        "ohm": Mode.RESISTANCE,
    }
    if verb == "hold":
        if kind != "V":
            raise _unreadable(text, "'hold' needs a voltage")
        return {"mode": Mode.VOLTAGE, "value": number}
    if kind not in modes or (kind == "ohm" and verb == "charge"):
        raise _unreadable(
            text, f"'{value}' is not a current, C-rate, power or load resistance"
        )
    if number <= 0.0:
        raise _unreadable(
            text, f"'{value}' must be positive; 'charge' and 'discharge' give the sign"
        )
    return {
        "mode": modes[kind],
        "value": sign * number,
        "in_c_rate": kind == "c_rate",
    }


def _cut_off(verb: str, condition: str, text: str) -> dict[str, Any]:
    kind, number = _quantity(condition, text)
    if kind == "V" and verb in ("charge", "discharge"):
        name = "upper_voltage" if verb == "charge" else "lower_voltage"
        return {name: number}
    if kind == "A":
        return {"current_below": number}
    if kind == "c_rate":
        return {"c_rate_below": number}
    if kind == "A.h":
        return {"capacity": number}
    if kind == "s":
        return {"duration": number}
    if kind == "degC" and verb != "rest":
        return {"temperature_above": number + 273.15}
    raise _unreadable(text, f"'until {condition}' is not a cut-off of a {verb}")


def _quantity(text: str, step: str) -> tuple[str, float]:
    text = text.strip()
    per_c = _PER_C.fullmatch(text)
    if per_c:
        if float(per_c["number"]) == 0.0:
            raise _unreadable(step, f"'{text}' is an infinite rate")
        return "c_rate", 1.0 / float(per_c["number"])
    if text.upper() == "C":
        return "c_rate", 1.0
    if text.lower() in ("hour", "minute", "second"):
        text = f"1 {text}"
    match = _QUANTITY.fullmatch(text)
    if match is None or match["unit"].lower() not in _UNITS:
        known = ", ".join(("C/10", *dict.fromkeys(k for k, _ in _UNITS.values())))
        raise _unreadable(step, f"'{text}' is not a number with a unit ({known})")
    kind, factor = _UNITS[match["unit"].lower()]
    return kind, factor * float(match["number"])


def _unreadable(text: str, reason: str) -> ValueError:
    examples = "; ".join(repr(e) for e in EXAMPLES)
    return ValueError(f"Cannot read the step {text!r}: {reason}. Examples: {examples}.")
