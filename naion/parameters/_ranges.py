"""The range of every number of a cell, which all checks read.

Ranges say what is possible, not what is likely: outside of them the equations have no
meaning, or a unit was mistaken. A number without a declared range must be finite. Parts of a
cell declare ranges at their fields, see `about`; the ranges of classes of `physics` and
`properties`, which do not know of cells, are declared here.
"""

import dataclasses
import functools

import equinox as eqx

from ..physics import kinetics, sei
from ..physics.double_layer import DoubleLayer
from ..physics.hysteresis import Hysteresis
from ..physics.plating import Plating
from ..physics.pores import PoreFilling
from ..properties import MSMR, VTF, Arrhenius, Freezing, PiecewiseCubic, Table, Walled
from ._range import (
    FINITE,
    FRACTION,
    SHARE,
    TEMPERATURE,
    Over,
    Range,
    Rule,
    Term,
    above_zero,
    between,
    from_zero,
)
from ._roles import leaf

_BELOW: dict[type[eqx.Module], dict[str, Range | Over | None]] = {
    Hysteresis: {
        "half_width": Over(from_zero("V")),
        "decay": from_zero(),
        "threshold": above_zero("A.m-2"),
        "initial": between(-1.0, 1.0),
    },
    PoreFilling: {"rate": Over(from_zero("s-1"))},
    Plating: {
        "rate_constant": Over(from_zero("m.s-1")),
        "transfer": FRACTION,
        "saturation": above_zero(),
        "loss": from_zero("s-1"),
    },
    sei.SEI: {
        "thickness": above_zero("m", 1e-3),
        "conductivity": Over(above_zero("S.m-1")),
        "molar_volume": above_zero("m3.mol-1"),
        "electrons": above_zero(),
        "dissolution": from_zero("s-1"),
        "inner_thickness": from_zero("m"),
    },
    DoubleLayer: {
        "capacitance": above_zero("F.m-2"),
        "exponent": between(0.5, 1.0),
        "reference_frequency": above_zero("Hz"),
    },
    sei.ReactionLimited: {
        "rate": from_zero("mol.m-2.s-1"),
        "transfer": SHARE,
        "potential": Range(unit="V"),
    },
    sei.SolventDiffusion: {"permeability": from_zero("mol.m-1.s-1")},
    sei.Interstitial: {"permeability": from_zero("mol.m-1.s-1")},
    kinetics.AsymmetricButlerVolmer: {"anodic": FRACTION},
    kinetics.ChayambukaButlerVolmer: {"anodic": FRACTION},
    kinetics.MarcusHushChidsey: {"reorganisation": above_zero("J.mol-1")},
    kinetics.MetalButlerVolmer: {
        "exchange_current": Over(above_zero("A.m-2"), "salt"),
    },
    Arrhenius: {
        "energy": between(-1e6, 1e6, "J.mol-1"),
        "reference": TEMPERATURE,
    },
    VTF: {
        "pseudo_energy": Range(unit="K"),
        "vogel": from_zero("K"),
        "reference": TEMPERATURE,
    },
    Freezing: {
        "liquidus": above_zero("K"),
        "span": above_zero("K"),
        "exponent": from_zero(),
    },
    MSMR: {"width": above_zero(), "amount": from_zero()},
    Walled: {"width": above_zero()},
    # Padded with infinities, so that nothing is checked.
    PiecewiseCubic: {"knots": None},
}
"""Ranges by class and field; none: not checked."""

_RULES: dict[type[eqx.Module], tuple[Rule, ...]] = {
    VTF: (
        Rule(
            "reference - vogel",
            lambda law: (Term(law.reference), Term(law.vogel, -1.0)),
            above_zero("K"),
        ),
    ),
    Table: (
        Rule(
            "x[i+1] - x[i]",
            lambda t: (
                Term(t.x, 1.0, slice(1, None)),
                Term(t.x, -1.0, slice(None, -1)),
            ),
            above_zero(),
        ),
    ),
}
"""Relations between numbers, by class."""


@functools.cache
def range_of(kind: type[eqx.Module], field: str) -> Range | Over | None:
    """The range of a field's numbers; none: they are not checked."""
    own = _metadata(kind, field)
    return own["range"] if "range" in own else _BELOW.get(kind, {}).get(field, FINITE)


def range_at(tree: eqx.Module, path: str) -> Range | None:
    """Range of the number at a dotted path; none: not declared.

    Raises:
        KeyError: as `leaf`.
    """
    part, _, field = path.rpartition(".")
    owner = leaf(tree, part) if part else tree
    if not dataclasses.is_dataclass(owner) or isinstance(owner, type):
        return None
    found = range_of(type(owner), field)
    return found if isinstance(found, Range) else None


@functools.cache
def unit_of(kind: type[eqx.Module], field: str) -> str:
    """SI unit of a field, "-" for none."""
    found = range_of(kind, field)
    found = found.range if isinstance(found, Over) else found
    return found.unit or "-" if found is not None else "-"


@functools.cache
def rules_of(kind: type[eqx.Module]) -> tuple[Rule, ...]:
    """Relations between the numbers of a part."""
    own = (f.metadata.get("rule") for f in dataclasses.fields(kind))
    return (*_RULES.get(kind, ()), *(rule for rule in own if rule is not None))


def _metadata(kind: type[eqx.Module], field: str) -> dict:
    return next(dict(f.metadata) for f in dataclasses.fields(kind) if f.name == field)
