"""What each number of a cell can be: the one declaration that every check reads.

Ranges say what is possible, not what is likely: outside of them equations have no meaning,
or a unit was mistaken. A number that is not listed must be finite.
"""

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import equinox as eqx
import numpy as np

from ..physics import kinetics, sei
from ..physics.pores import PoreFilling
from ..properties import MSMR, VTF, Arrhenius, Freezing, PiecewiseCubic, Table, Walled
from . import _cell as c


class Range(NamedTuple):
    """An interval.

    Attributes:
        low, high: its ends.
        ends: whether the ends belong to it.
        unit: of the number.
    """

    low: float = -math.inf
    high: float = math.inf
    ends: tuple[bool, bool] = (False, False)
    unit: str = ""

    @property
    def is_sign(self) -> bool:
        """Whether it only says that numbers are not negative, or positive."""
        return self.low == 0.0 and self.high == math.inf

    @property
    def strict(self) -> tuple[float, float]:
        """Ends of the open interval of the same numbers."""
        tiny = float(np.finfo(float).tiny)
        (low, high), (with_low, with_high) = self[:2], self.ends
        return (
            low - max(tiny, abs(low) * 1e-15) if with_low else low,
            high + max(tiny, abs(high) * 1e-15) if with_high else high,
        )

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if self.ends == (True, True) and math.isfinite(self.high - self.low):
            return f"{self.low:g} to {self.high:g}{unit}"
        words = []
        if math.isfinite(self.low):
            words.append(f"{'at least' if self.ends[0] else 'more than'} {self.low:g}")
        if math.isfinite(self.high):
            words.append(f"{'at most' if self.ends[1] else 'less than'} {self.high:g}")
        return " and ".join(words) + unit if words else "a finite number"


class Over(NamedTuple):
    """A range of a property's values.

    Attributes:
        range: of the values, and by its sign of the property's scale.
        where: over which compositions: all stoichiometries, salt from a tenth to twice
            the initial concentration, or the initial concentration alone.
    """

    range: Range
    where: Literal["stoichiometry", "salt", "initial salt"] = "stoichiometry"


class Term(NamedTuple):
    """A number, or some of an array's, times a factor.

    Attributes:
        value: of any shape.
        factor: -1 for what is taken away.
        which: of the flat array.
    """

    value: Any
    factor: float = 1.0
    which: slice = slice(None)


class Rule(NamedTuple):
    """A relation between numbers of one part.

    Attributes:
        text: what is added up.
        terms: of it, from the part.
        range: of the sum.
    """

    text: str
    terms: Callable[[Any], tuple[Term, ...]]
    range: Range


def _above_zero(unit: str = "", below: float = math.inf) -> Range:
    return Range(0.0, below, unit=unit)


def _from_zero(unit: str = "") -> Range:
    return Range(0.0, ends=(True, False), unit=unit)


def _between(low: float, high: float, unit: str = "") -> Range:
    return Range(low, high, (True, True), unit)


FINITE = Range()
_FRACTION = Range(0.0, 1.0)
_SHARE = _between(0.0, 1.0)
_LENGTH = _above_zero("m", 0.1)
_EFFICIENCY = Range(0.0, 1.0, (False, True))
TEMPERATURE = _between(150.0, 450.0, "K")
_VOLTAGE = _between(-10.0, 20.0, "V")

RANGES: dict[type[eqx.Module], dict[str, Range | Over | None]] = {
    c.Cell: {
        "area": _above_zero("m2"),
        "contact_resistance": Over(_from_zero("ohm")),
        "nominal_capacity": _above_zero("A.h"),
        "temperature": TEMPERATURE,
    },
    c.Electrode: {
        "thickness": _LENGTH,
        "porosity": _FRACTION,
        "active_fraction": _FRACTION,
        "transport_efficiency": _EFFICIENCY,
        "conductivity": _above_zero("S.m-1"),
    },
    c.Separator: {
        "thickness": _LENGTH,
        # One: a separator that is not resolved, in a published set.
        "porosity": Range(0.0, 1.0, (False, True)),
        "transport_efficiency": _EFFICIENCY,
    },
    c.Material: {"active_fraction": _FRACTION},
    c.Particle: {
        "radius": _LENGTH,
        "c_max": _above_zero("mol.m-3"),
        "diffusivity": Over(_above_zero("m2.s-1")),
        "ocp": Over(Range(unit="V")),
        # Tables of functions are steep at their ends: 0.11 V.K-1 in a published set.
        "dudt": Over(Range(-0.5, 0.5, unit="V.K-1")),
        "rate_constant": Over(_above_zero("m.s-1")),
        "film_resistance": Over(_from_zero("ohm.m2")),
    },
    c.Hysteresis: {
        "half_width": Over(_from_zero("V")),
        "decay": _from_zero(),
        "threshold": _above_zero("A.m-2"),
        "initial": _between(-1.0, 1.0),
    },
    PoreFilling: {"rate": Over(_from_zero("s-1"))},
    c.Plating: {
        "rate_constant": Over(_from_zero("m.s-1")),
        "transfer": _FRACTION,
        "saturation": _above_zero(),
        "loss": _from_zero("s-1"),
    },
    c.SEI: {
        "thickness": _above_zero("m", 1e-3),
        "conductivity": Over(_above_zero("S.m-1")),
        "molar_volume": _above_zero("m3.mol-1"),
        "electrons": _above_zero(),
        "dissolution": _from_zero("s-1"),
        "inner_thickness": _from_zero("m"),
    },
    c.DoubleLayer: {"capacitance": _above_zero("F.m-2")},
    c.Electrolyte: {
        "concentration": _above_zero("mol.m-3"),
        "conductivity": Over(_above_zero("S.m-1"), "salt"),
        "diffusivity": Over(_above_zero("m2.s-1"), "salt"),
        # Below zero in published sets, where salt is high and ions pair.
        "t_plus": Over(_between(-1.0, 1.0), "initial salt"),
        "thermodynamic_factor": Over(_above_zero(), "initial salt"),
    },
    c.Thermal: {
        "mass": _above_zero("kg"),
        "specific_heat": _above_zero("J.kg-1.K-1"),
        "cooling": _from_zero("W.K-1"),
    },
    c.ThroughPlane: {
        "conductance": _above_zero("W.K-1"),
        "first": _SHARE,
        "last": _SHARE,
    },
    c.Limits: {"lower_voltage": _VOLTAGE, "upper_voltage": _VOLTAGE},
    c.Stoichiometry: {"negative": _FRACTION, "positive": _FRACTION},
    sei.ReactionLimited: {
        "rate": _from_zero("mol.m-2.s-1"),
        "transfer": _SHARE,
    },
    sei.SolventDiffusion: {"permeability": _from_zero("mol.m-1.s-1")},
    sei.Interstitial: {"permeability": _from_zero("mol.m-1.s-1")},
    kinetics.AsymmetricButlerVolmer: {"anodic": _FRACTION},
    kinetics.ChayambukaButlerVolmer: {"anodic": _FRACTION},
    kinetics.MarcusHushChidsey: {"reorganisation": _above_zero("J.mol-1")},
    Arrhenius: {
        "energy": _between(-1e6, 1e6, "J.mol-1"),
        "reference": TEMPERATURE,
    },
    VTF: {
        "pseudo_energy": Range(unit="K"),
        "vogel": _from_zero("K"),
        "reference": TEMPERATURE,
    },
    Freezing: {
        "liquidus": _above_zero("K"),
        "span": _above_zero("K"),
        "exponent": _from_zero(),
    },
    MSMR: {"width": _above_zero(), "amount": _from_zero()},
    Walled: {"width": _above_zero()},
    # Padded with infinities.
    PiecewiseCubic: {"knots": None},
}
"""By class and field; none: not looked at."""

_AT_MOST_ONE = Range(high=1.0 + 1e-9, ends=(False, True))

RULES: dict[type[eqx.Module], tuple[Rule, ...]] = {
    c.Electrode: (
        Rule(
            "porosity + active fractions",
            lambda e: (
                Term(e.porosity),
                Term(e.active_fraction),
                *(Term(m.active_fraction) for m in e.others),
            ),
            _AT_MOST_ONE,
        ),
    ),
    c.Limits: (
        Rule(
            "upper_voltage - lower_voltage",
            lambda limits: (
                Term(limits.upper_voltage),
                Term(limits.lower_voltage, -1.0),
            ),
            _above_zero("V"),
        ),
    ),
    c.ThroughPlane: (
        Rule("first + last", lambda t: (Term(t.first), Term(t.last)), _AT_MOST_ONE),
    ),
    VTF: (
        Rule(
            "reference - vogel",
            lambda law: (Term(law.reference), Term(law.vogel, -1.0)),
            _above_zero("K"),
        ),
    ),
    Table: (
        Rule(
            "x[i+1] - x[i]",
            lambda t: (
                Term(t.x, 1.0, slice(1, None)),
                Term(t.x, -1.0, slice(None, -1)),
            ),
            _above_zero(),
        ),
    ),
}
"""Relations, by class."""
