"""Names of columns: which quantity a label means, in which unit, and with which sign."""

import re
import unicodedata
from typing import NamedTuple

# Symbols are told apart by case (mA is not MA); words are not.
TIME = {"s": 1.0, "ms": 1e-3, "min": 60.0, "h": 3600.0, "d": 86400.0}
TIME_WORDS = {
    **dict.fromkeys(("sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("minute", "minutes"), 60.0),
    **dict.fromkeys(("hr", "hour", "hours"), 3600.0),
    **dict.fromkeys(("day", "days"), 86400.0),
}
PREFIXES = {"": 1.0, "k": 1e3, "m": 1e-3, "u": 1e-6, "μ": 1e-6, "n": 1e-9}
PREFIX_WORDS = {"": 1.0, "kilo": 1e3, "milli": 1e-3, "micro": 1e-6, "nano": 1e-9}
CURRENT = {f"{p}A": f for p, f in PREFIXES.items()}
CURRENT_WORDS = {f"{p}ampere": f for p, f in PREFIX_WORDS.items()}
VOLTAGE = {f"{p}V": f for p, f in PREFIXES.items()}
VOLTAGE_WORDS = {f"{p}volt": f for p, f in PREFIX_WORDS.items()}
# Factor and offset to degrees Celsius; lower case, as none is like another.
TEMPERATURE = {
    **dict.fromkeys(
        ("degc", "c", "celsius", "degcelsius", "degreecelsius", "degreescelsius"),
        (1.0, 0.0),
    ),
    **dict.fromkeys(("k", "kelvin", "degk"), (1.0, -273.15)),
    **dict.fromkeys(
        ("degf", "f", "fahrenheit", "degfahrenheit"), (5.0 / 9.0, -160.0 / 9.0)
    ),
}

POTENTIALS = {
    "negative potential": "negative_potential_V",
    "positive potential": "positive_potential_V",
}
"""Of the electrodes of a three-electrode cell, against the reference."""

ON_CELL = {"surface", "cell", "skin", "can"}
AROUND = {"ambient", "chamber", "environment", "oven", "climate"}
SET = {"set", "setpoint", "target", "limit"}
BOOKKEEPING = re.compile(
    r"index|cycle|step|date|time|capacity|energy|count|record|point|channel|status"
    r"|state|mode|type|name|comment|note|flag|(^|[^a-z])(id|no|nr|rec|data|row|segment)"
    r"([^a-z]|$)|unnamed|^$",
    re.IGNORECASE,
)


class Meaning(NamedTuple):
    """The meaning of a label.

    Attributes:
        name: naion's own name: "time_s", "current_A", "voltage_V" or "temperature_degC",
            "negative_potential_V" or "positive_potential_V".
        factor: from the label's unit and sign to naion's.
        offset: added after that.
        rank: of two columns of one name the lower is used.
        unit: as the label has it.
    """

    name: str
    factor: float
    offset: float
    rank: tuple[int, int]
    unit: str = ""


def meaning(label: str) -> Meaning | None:
    """What a label means, or none of what naion reads.

    naion's own labels end in a symbol ("current_mA", positive on discharge); those of
    the Battery Data Format in a symbol behind a slash or in a word ("Current / mA",
    "current_milliampere", positive on charge). A current "Current (A)" has no sign that
    could be known, and so is not read; times, voltages and temperatures are.

    Of several temperatures the lowest rank is used: "temperature" without more, the
    surface of the cell, its surroundings, then any other; of numbered ones the first.
    """
    for base, unit, style in _splits(label):
        plain = re.sub(r"[^a-z0-9]+", " ", base.lower()).strip()
        if plain in ("time", "test time"):
            factor = TIME.get(unit, TIME_WORDS.get(unit.lower()))
            if factor is not None:
                return Meaning("time_s", factor, 0.0, (int(plain != "time"), 0), unit)
        if plain == "voltage":
            factor = VOLTAGE.get(unit, VOLTAGE_WORDS.get(unit.lower()))
            if factor is not None:
                return Meaning("voltage_V", factor, 0.0, (int(style != "_"), 0), unit)
        if plain in POTENTIALS:
            factor = VOLTAGE.get(unit, VOLTAGE_WORDS.get(unit.lower()))
            if factor is not None:
                return Meaning(POTENTIALS[plain], factor, 0.0, (0, 0), unit)
        if plain == "current" and style == "_" and base == "current":
            if unit in CURRENT:
                return Meaning("current_A", CURRENT[unit], 0.0, (0, 0), unit)
            if unit in CURRENT_WORDS:
                return Meaning("current_A", -CURRENT_WORDS[unit], 0.0, (1, 0), unit)
        if plain == "current" and style == "/" and unit in CURRENT:
            return Meaning("current_A", -CURRENT[unit], 0.0, (1, 0), unit)
        if unit.lower() in TEMPERATURE and _is_temperature(plain, unit):
            factor, offset = TEMPERATURE[unit.lower()]
            return Meaning("temperature_degC", factor, offset, _rank(plain), unit)
    return None


def could_be_temperature(label: str) -> bool:
    """Whether a label speaks of a temperature, whatever its unit."""
    return "temp" in label.lower()


def is_bookkeeping(label: str) -> bool:
    """Whether a column counts, dates or sums up, rather than measures."""
    return not could_be_temperature(label) and bool(BOOKKEEPING.search(label))


def _splits(label: str):
    """Ways to part a label into base, unit and style: behind a slash, in brackets, last."""
    text = unicodedata.normalize("NFKC", label.replace("º", "°")).strip()
    for pattern, style in (
        (r"(.+?)\s*/\s*([^/()\[\]]+)", "/"),
        (r"(.+?)\s*[\[(]\s*([^()\[\]]+?)\s*[\])]", "("),
        (r"(.+?)[_\s,.-]+((?:deg(?:rees?)?[_\s.]*)?[^_\s,.-]+)", "_"),
        (r"(.+?)(°[CF])", "_"),
    ):
        found = re.fullmatch(pattern, text)
        if found:
            unit = re.sub(r"[\s_.]+", "", found[2].replace("°", "deg"))
            yield found[1], unit, style


def _is_temperature(plain: str, unit: str) -> bool:
    named = "temp" in plain or re.fullmatch(r"(tc?\d*)( tc?\d*)*", plain) is not None
    # Degrees say it themselves; a K or a C may be something else.
    return named or unit.lower().startswith("deg") or len(unit) > 4


def _rank(plain: str) -> tuple[int, int]:
    words = set(plain.split())
    number = re.search(r"\d+", plain)
    order = int(number[0]) if number else 0
    if words & SET:
        return 4, order
    if plain in ("temperature", "temp"):
        return 0, order
    if words & ON_CELL:
        return 1, order
    return (2, order) if words & AROUND else (3, order)
