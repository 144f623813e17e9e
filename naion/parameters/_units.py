"""Convert units of numbers in files to SI."""

import re

MULTIPLES: dict[str, dict[str, float]] = {
    "m": {"nm": 1e-9, "um": 1e-6, "mm": 1e-3, "cm": 1e-2},
    "m2": {"mm2": 1e-6, "cm2": 1e-4},
    "m2.s-1": {"cm2.s-1": 1e-4},
    "m.s-1": {"cm.s-1": 1e-2},
    "mol.m-3": {"mol.L-1": 1e3, "mol.cm-3": 1e6},
    "S.m-1": {"mS.cm-1": 1e-1, "S.cm-1": 1e2},
    "V": {"mV": 1e-3},
    "V.K-1": {"mV.K-1": 1e-3},
    "ohm": {"mohm": 1e-3},
    "ohm.m2": {"ohm.cm2": 1e-4},
    "J.mol-1": {"kJ.mol-1": 1e3},
    "kg": {"g": 1e-3},
    "A.h": {"Ah": 1.0, "mA.h": 1e-3, "mAh": 1e-3},
    "-": {"%": 1e-2},
}
"""Other usual units for the SI unit of a field, with their factor to it."""


def factor(given: str, unit: str, where: str) -> float:
    """Factor from a given unit to another; m2/s is read as m2.s-1.

    Raises:
        ValueError: for a unit of another quantity, naming the place `where`.
    """
    usual = MULTIPLES.get(unit, {})
    power = re.sub(r"/([A-Za-z]+)(\d*)", lambda m: f".{m[1]}-{m[2] or 1}", given)
    if power == unit:
        return 1.0
    if power in usual:
        return usual[power]
    known = ", ".join((unit, *usual))
    raise ValueError(f"{where}: unit = {given!r}; expected {known}.")
