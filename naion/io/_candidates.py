"""Columns that could be a quantity, by a plain name and a unit: for tables of nobody's
format."""

import contextlib
import re
from collections.abc import Mapping, Sequence

from ._conversions import factor_of
from ._formats import Found, first_of, parts, unit_of

PLAIN = {
    "time": "time, test time, testtime, total time, elapsed time, run time, t, zeit, "
    "testzeit, prüfzeit, gesamtzeit, laufzeit, temps, tiempo",
    "current": "current, i, cell current, applied current, total current, amps, milliamps, "
    "strom, stromstärke, zellstrom, courant, corriente, corrente",
    "voltage": "voltage, u, v, cell voltage, terminal voltage, battery voltage, volts, "
    "millivolts, ecell, spannung, zellspannung, klemmenspannung, tension, tensión, tensione",
}
PLAIN = {quantity: tuple(names.split(", ")) for quantity, names in PLAIN.items()}
"""Names that a quantity has where nobody's format says so, in lower case."""

IN_NAME = {"amps": "A", "milliamps": "mA", "volts": "V", "millivolts": "mV"}
"""Names that are units."""

DATES = ("datetime", "date time", "timestamp", "date", "datum", "zeitstempel")
"""Names of times that need no unit, where there is no other time."""

OTHERS = re.compile(
    r"step|schritt|relativ|sample|delta|margin|over|limit|grenze|set|soll|max|min\b|range"
    r"|potential|sense|aux|leak|control"
)
"""Words of columns that have the unit of a quantity and are something else."""


def candidates(
    quantity: str, header: Sequence[str], unit: str | None = None
) -> list[Found]:
    """Columns that could be a quantity: those of its plain names, else those of its unit;
    where no column is a time, dates.

    Of one name in several units ("Time [s]" and "Time [h]") the first counts.

    Args:
        quantity: a key of `PLAIN`.
        header: labels.
        unit: of the column, where its label has none; none: it must have one.
    """
    named: dict[str, Found] = {}
    others = []
    for i, label in enumerate(header):
        plain, own = parts(label)
        known = first_of(PLAIN[quantity], [label], "")
        own = known.unit if known else unit_of(own)
        found = Found(i, label, own or unit or IN_NAME.get(plain, ""))
        if not has_unit(quantity, found.unit):
            continue
        if known:
            named.setdefault(plain, found)
        elif own and not OTHERS.search(plain):
            others.append(found)
    found = list(named.values()) or others
    if quantity == "time" and not found:
        found = [f for name in DATES if (f := first_of((name,), header, "date"))]
    return found


def only_candidates(
    quantities: Sequence[str], header: Sequence[str], units: Mapping[str, str]
) -> dict[str, Found]:
    """Columns of quantities of which there is exactly one that could be it.

    Args:
        quantities: that are looked for.
        header: labels.
        units: by quantity, where they are given.
    """
    found = {q: candidates(q, header, units.get(q)) for q in quantities}
    return {q: some[0] for q, some in found.items() if len(some) == 1}


def without_unit(quantities: Sequence[str], header: Sequence[str]) -> list[str]:
    """Quantities that have a column of a plain name without a unit."""
    return [
        q
        for q in quantities
        if (one := first_of(PLAIN[q], header, "")) and not one.unit
    ]


def has_unit(quantity: str, unit: str) -> bool:
    """Whether a unit is known and of a quantity."""
    with contextlib.suppress(ValueError):
        return bool(unit) and bool(factor_of(quantity, unit))
    return False
