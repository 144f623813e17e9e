"""Names of columns of impedance spectra: which quantity a label means, in which unit."""

import difflib
import functools as ft
import re
import unicodedata
from typing import NamedTuple

import numpy as np

from ._formats import parts
from ._labels import PREFIXES, meaning

NAMES = {
    "frequency": ("freq", "frequency", "f"),
    "real": ("re", "real", "z'", "zreal", "z real", "zre", "z re", "re z", "real z",
             "real part", "real impedance", "z1"),
    "imaginary": ("im", "imag", "imaginary", "z''", "zimag", "z imag", "zim", "z im",
                  "im z", "imag z", "imaginary z", "z imaginary", "imaginary part",
                  "imaginary impedance", "z2"),
    "modulus": ("|z|", "z", "zmod", "z mod", "mod z", "modulus", "abs", "abs z", "magnitude",
                "impedance", "|impedance|", "impedance magnitude"),
    "phase": ("phase", "zphz", "phz", "phase angle", "phase z", "z phase", "zphase",
              "theta", "phi", "arg z"),
    "voltage": ("<ewe>", "ewe", "<ecell>", "ecell", "vdc", "potential", "voltage",
                "dc voltage", "ocv"),
}  # fmt: skip
"""What instruments call their columns, without units and signs."""

QUANTITIES = (*NAMES, "temperature")

FREQUENCY = {
    **{"Hz": 1.0, "hz": 1.0, "HZ": 1.0, "kHz": 1e3, "mHz": 1e-3, "MHz": 1e6},
    **dict.fromkeys(("rad/s", "rad.s-1", "rad s-1"), 1.0 / (2.0 * np.pi)),
}
PHASE = {
    **dict.fromkeys(("deg", "°", "degree", "degrees"), float(np.pi / 180.0)),
    **dict.fromkeys(("rad", "radian", "radians"), 1.0),
}
OHM = re.compile(
    r"(kilo|milli|micro|[kmuμµM])?\s*(?:ohms?|Ω|ω)"
    r"(?:[\s.*·]*(m|cm|mm)(?:\^|\*\*)?2)?",
    re.IGNORECASE,
)
SCALES = {**PREFIXES, "kilo": 1e3, "milli": 1e-3, "micro": 1e-6, "M": 1e6, "µ": 1e-6}
AREAS = {"m": 1.0, "cm": 1e-4, "mm": 1e-6}

SHOWN = {
    "frequency": "Hz, kHz, mHz, rad/s",
    "real": "ohm, mohm, uohm, kohm, or these times an area: ohm.m2, mohm.cm2",
    "imaginary": "ohm, mohm, uohm, kohm, or these times an area: ohm.m2, mohm.cm2",
    "modulus": "ohm, mohm, uohm, kohm, or these times an area: ohm.m2, mohm.cm2",
    "impedance": "ohm, mohm, uohm, kohm, or these times an area: ohm.m2, mohm.cm2",
    "phase": "deg, rad",
    "voltage": "V, mV",
    "temperature": "degC, K, degF",
}
"""Units that are known, for messages."""


class Label(NamedTuple):
    """What a label means.

    Attributes:
        quantity: a key of `NAMES`, or "temperature".
        unit: as the label has it; empty where it names none.
        negated: whether it says that the numbers are turned round.
    """

    quantity: str
    unit: str
    negated: bool


@ft.lru_cache(maxsize=4096)
def label_of(label: str) -> Label | None:
    """What a label of a spectrum means, or none of what is read."""
    text = unicodedata.normalize("NFKC", label).strip()
    text = re.sub("[\u2032\u2019\u00b4`]", "'", text).replace('"', "''")
    text = re.sub("^[\u2212\u2013]", "-", text)
    # 'Re(Z)/Ohm', and ZView's 'Z'(a)' and 'Z''(b)'.
    text = re.sub(r"\((?:z|a|b)\)", "", text, flags=re.IGNORECASE)
    sign = re.match(r"(?:-|neg(?:ative)?[ _.]|minus[ _.])\s*", text, re.IGNORECASE)
    text = text[sign.end() :] if sign else text
    plain, unit = parts(text)
    if not unit:
        tail = re.fullmatch(r"(.+?)[ _]([^ _]+)", text)
        if tail and is_unit(tail[2]):
            plain, unit = parts(tail[1])[0], tail[2]
    for quantity, names in NAMES.items():
        if plain in names:
            return Label(quantity, unit, sign is not None)
    others = {"temperature_degC": "temperature", "voltage_V": "voltage"}
    m = meaning(label)
    if m is not None and m.name in others:
        return Label(others[m.name], m.unit, False)
    return None


def is_unit(text: str) -> bool:
    """Whether a text is a unit of a frequency, an impedance or a phase."""
    return text in FREQUENCY or text in PHASE or OHM.fullmatch(text) is not None


def factor_to_si(quantity: str, unit: str) -> tuple[float, bool]:
    """Factor from a unit to Hz, ohm (or ohm.m2) or rad, and whether it is of an area.

    Args:
        quantity: "frequency", "phase", or a part of an impedance.
        unit: none: Hz, deg, ohm.

    Raises:
        ValueError: for a unit of something else, listing those that are known.
    """
    plain = unicodedata.normalize("NFKC", unit).strip()
    known = {"frequency": FREQUENCY, "phase": PHASE}.get(quantity)
    if known is not None:
        plain = plain or ("Hz" if quantity == "frequency" else "deg")
        for given in (plain, plain.lower() if quantity == "phase" else plain):
            if given in known:
                return known[given], False
    else:
        found = OHM.fullmatch(plain or "ohm")
        if found:
            prefix = found[1] or ""
            scale = SCALES.get(prefix, SCALES.get(prefix.lower()))
            if scale is not None:
                area = AREAS[found[2].lower()] if found[2] else 1.0
                return scale * area, found[2] is not None
    names = list(known or ("ohm", "mohm", "ohm.m2", "mohm.cm2", "ohm.cm2"))
    near = difflib.get_close_matches(plain, names, 1, 0.5)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"unit {unit!r} is none of {quantity}; expected {SHOWN[quantity]}.{meant}"
    )
