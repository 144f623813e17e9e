"""Experiment strings, such as 'Discharge at C/10 until 2.0 V'."""

import re
from typing import Any

from ._checks import shortened
from ._control import Mode
from ._step import Step, add_condition
from ._units import Quantity, plain, quantity

EXAMPLES = (
    "Discharge at C/10 until 2.0 V",
    "Charge at 0.5C for 1 hour or until 4.1 V",
    "Discharge at 2 A for 30 minutes",
    "Discharge at 5 W until 1.5 V or 1.2 Ah",
    "Hold at 4.1 V until C/20",
    "Rest for 1 hour at -10 degC",
)

LONGEST_TEXT = 200
"""Most characters of a step."""

_VERB = re.compile(r"(discharge|charge|hold|rest)\b", re.IGNORECASE)
_CLAUSE = re.compile(r"(?<!\S)(at|with|for|until|or)(?!\S)", re.IGNORECASE)
_NEXT = re.compile(r"\n\s*(?:discharge|charge|hold|rest)\b|\bthen\b", re.IGNORECASE)
_SIDE = re.compile(r"(below|under|above|over|<|>)\s*(.+)", re.IGNORECASE)
_SET_POINTS = {
    "A": Mode.CURRENT,
    "c_rate": Mode.CURRENT,
    "W": Mode.POWER,
    "ohm": Mode.RESISTANCE,
}
_ENDS = {"A": "current_below", "c_rate": "c_rate_below", "A.h": "capacity"}
_ENDS |= {"s": "duration"}


class _Unreadable(ValueError):
    """Why a string cannot be read; `parse_step` adds the string itself."""


def parse_step(text: str) -> Step:
    """Read one experiment string as a `Step`.

    A string is a verb (discharge, charge, hold or rest) and clauses in any order: 'at' a
    set point or a temperature, 'for' a time, 'until' a condition. Of conditions joined by
    'or', the first that is met ends the step. The case of prefixes of units matters: 1 MW
    is not 1 mW.

    Raises:
        ValueError: saying which part could not be read, with examples.
    """
    if not isinstance(text, str):
        raise ValueError(f"A step is a text or a `Step`, got {shortened(text)}.")
    try:
        fields = _fields(text)
    except _Unreadable as error:
        examples = "; ".join(repr(e) for e in EXAMPLES)
        raise ValueError(
            f"Cannot read the step {shortened(text)}: {error}. Examples: {examples}."
        ) from None
    try:
        return Step(**fields)
    except ValueError as error:
        mega = re.search(r"\d\s*M\s?[AaVvWwOoΩ]", text)
        hint = " M is mega; milli is a small m." if mega else ""
        raise ValueError(f"{shortened(text)}: {error}{hint}") from None


def _fields(text: str) -> dict[str, Any]:
    """Fields of the `Step` that a text describes."""
    read = plain(text).rstrip(" .,;")
    _refuse_other_forms(text, read)
    verb, clauses = _clauses(read)
    fields: dict[str, Any] = {}
    if verb == "rest":
        fields |= {"mode": Mode.CURRENT, "value": 0.0}
    for kind, said in clauses:
        if kind == "at":
            _put_at(verb, said, fields)
        elif kind == "for":
            q = _quantity(said)
            if q.kind != "s":
                raise _Unreadable(f"'for {said}' is not a time")
            add_condition(fields, "duration", q.value)
        else:
            add_condition(fields, *_condition(verb, said))
    if "mode" not in fields:
        raise _Unreadable(f"'{verb}' needs 'at' and a set point")
    return fields


def _refuse_other_forms(text: str, read: str) -> None:
    """Raise for known forms that naion does not read, saying what to write instead."""
    if len(text) > LONGEST_TEXT:
        raise _Unreadable(f"it has more than {LONGEST_TEXT} characters")
    if re.search(r"\d,\d", read):
        raise _Unreadable("write decimals with a point, as in 0.5, not with a comma")
    if _NEXT.search(text) or ";" in read:
        raise _Unreadable("a text is one step; give several steps as a list of texts")
    if "(" in read:
        raise _Unreadable(
            f"leave out '{read[read.index('(') :]}': naion chooses its own time steps, "
            "and the solution can be asked at any time"
        )


def _clauses(read: str) -> tuple[str, list[tuple[str, str]]]:
    """The verb, and pairs of 'at', 'for' or 'until' with the text that follows."""
    found = _VERB.match(read)
    if found is None:
        raise _Unreadable(
            "it does not start as a step does (discharge, charge, hold or rest)"
        )
    verb = found[1].lower()
    first, *parts = _CLAUSE.split(read[found.end() :])
    if first.strip():
        raise _Unreadable(
            f"'{first.strip()}' after '{verb}' needs 'at', 'for' or 'until' before it"
        )
    clauses: list[tuple[str, str]] = []
    alternative = False
    for word, said in zip(parts[::2], parts[1::2], strict=True):
        kind, said = word.lower(), said.strip(" ,")
        kind = "at" if kind == "with" else kind
        if alternative and kind in ("at", "or") or kind == "or" and not clauses:
            raise _Unreadable("'or' stands between conditions")
        alternative = kind == "or" and not said
        if alternative:
            continue
        if kind == "or":
            if clauses[-1][0] == "at":
                raise _Unreadable(f"'or {said}' does not follow a condition")
            kind = "until"
        if not said:
            raise _Unreadable(f"nothing follows '{word}'")
        clauses.append((kind, said))
    if alternative:
        raise _Unreadable("nothing follows 'or'")
    return verb, clauses


def _put_at(verb: str, said: str, fields: dict[str, Any]) -> None:
    """Put the set point or the temperature of an 'at' clause into the fields of a step."""
    q = _quantity(said)
    if q.kind == "K":
        if "temperature" in fields:
            raise _Unreadable(f"'at {said}' is a second temperature")
        fields["temperature"] = q.value
        return
    if verb == "rest":
        raise _Unreadable("a rest has no set point")
    if "mode" in fields:
        hint = f"; a temperature is '{said[:-1].strip()} degC'" if _rate(said) else ""
        raise _Unreadable(f"'at {said}' is a second set point{hint}")
    fields |= _set_point(verb, said, q)


def _rate(said: str) -> bool:
    """Whether a text is a C-rate such as '25 C', which may be meant as a temperature."""
    return re.fullmatch(r"[-+]?[\d.]+\s*C", said) is not None


def _set_point(verb: str, said: str, q: Quantity) -> dict[str, Any]:
    if verb == "hold":
        if q.kind != "V":
            raise _Unreadable("'hold' needs a voltage")
        return {"mode": Mode.VOLTAGE, "value": q.value}
    if q.kind not in _SET_POINTS or (q.kind == "ohm" and verb == "charge"):
        raise _Unreadable(
            f"'{said}' is not a current, C-rate, power or load resistance"
        )
    if q.value <= 0.0:
        raise _Unreadable(
            f"'{said}' must be positive; 'charge' and 'discharge' give the sign"
        )
    return {
        "mode": _SET_POINTS[q.kind],
        "value": -q.value if verb == "charge" else q.value,
        "in_c_rate": q.kind == "c_rate",
    }


def _condition(verb: str, said: str) -> tuple[str, float]:
    """The field of `Step` and its value for a condition that ends a step."""
    if "%" in said or re.search(r"\b(?:soc|dod)\b", said, re.IGNORECASE):
        raise _Unreadable(
            f"'until {said}': a step does not know the state of charge; use the charge "
            "that passes, as in 'until 0.75 Ah'"
        )
    side = _SIDE.fullmatch(said)
    below = above = False
    if side:
        below = side[1].lower() in ("below", "under", "<")
        above = not below
    q = _quantity(side[2] if side else said)
    if q.kind == "W.h":
        raise _Unreadable(
            f"'until {said}': a step does not end by energy; use a charge, as in "
            "'until 1.2 Ah', a time or a voltage"
        )
    if q.kind == "K" and not side and verb == "rest":
        raise _Unreadable(
            f"'until {said}': a rest can cool or warm; write 'until below {said}' or "
            f"'until above {said}'"
        )
    if q.kind == "K":
        return "temperature_below" if below else "temperature_above", q.value
    if q.kind == "V" and verb == "charge" and not below:
        return "upper_voltage", q.value
    if q.kind == "V" and verb == "discharge" and not above:
        return "lower_voltage", q.value
    falls = q.kind in ("A", "c_rate") and not above
    if falls or (q.kind in ("A.h", "s") and not side):
        return _ENDS[q.kind], q.value
    raise _Unreadable(f"'until {said}' is not a cut-off of a {verb}")


def _quantity(said: str) -> Quantity:
    try:
        return quantity(said)
    except ValueError as error:
        raise _Unreadable(str(error)) from None
