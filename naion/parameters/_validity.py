"""What a simulation of a cell cannot have: temperatures for which its numbers were not
measured, and the memory of constant-phase elements.
"""

import dataclasses
import functools
from typing import NamedTuple

import numpy as np
from jax.core import Tracer

from .._constants import ZERO_CELSIUS
from .._derived import Derived
from ..properties import AbstractCurve, Invariant, Property
from ._cell import Cell

MARGIN = 5.0
"""Beyond a range of measurement this is near enough to it [K]."""

Valid = tuple[float, float]


_Kind = tuple[str, Valid | None, bool]
"""Name of a property, its range, and whether it varies: static data, a cache's key."""


class _Group(NamedTuple):
    """Properties of one sentence; without `valid` they are of the cell's temperature."""

    names: str
    several: bool
    valid: Valid | None
    varies: bool


def cautions(cell: Cell, coldest: float, warmest: float) -> tuple[str, ...]:
    """What to know of a cell that is simulated in time, at some temperatures.

    Properties with a range of measurement (`Property.valid`) are spoken of more than
    5 K outside of it. Those without one are taken to be of the cell's own temperature if
    they decide on currents (diffusivities, rate constants, conductivity) and no law
    carries them to another; resistances, transference numbers and the like that do not
    depend on temperature are no reason to speak. Of double layers see
    `is_dispersed`.

    Args:
        cell: one, or many that are stacked.
        coldest: lowest temperature of use [K].
        warmest: highest [K].

    Returns:
        sentences: one for all properties of one range.
    """
    said = [DISPERSED] if is_dispersed(cell) else []
    for group in _groups_of(cell):
        low, high = _of_cell(cell) if group.valid is None else group.valid
        beyond = []
        if coldest < low - MARGIN:
            beyond.append(coldest)
        if warmest > high + MARGIN and warmest not in beyond:
            beyond.append(warmest)
        if beyond:
            said.append(_sentence(group, low, high, beyond))
    return tuple(said)


def is_dispersed(cell: Cell) -> bool:
    """Whether double layers are constant-phase elements, which time does not know.

    Args:
        cell: one, or many that are stacked.
    """
    return _is_dispersed(cell)


@Derived
def _is_dispersed(cell: Cell) -> bool:
    layers = cell.negative.double_layer, cell.positive.double_layer
    exponents = [layer.exponent for layer in layers if layer is not None]
    known = [a for a in exponents if not isinstance(a, Tracer)]
    return any(bool(np.any(np.asarray(a) < 1.0)) for a in known)


DISPERSED = (
    "Double layers have exponents below 1: in time they are taken as ideal capacitors of "
    "the same capacitance, and as constant-phase elements in impedance alone."
)
"""The same words for all exponents, so that many cells say it once."""


@Derived
def _groups_of(cell: Cell) -> tuple["_Group", ...]:
    return _groups(tuple(_kinds(cell)))


def _of_cell(cell: Cell) -> Valid:
    """The temperature at which a cell was made, or those of many cells [K]."""
    if isinstance(cell.temperature, Tracer):
        return 0.0, np.inf
    T = np.asarray(cell.temperature)
    return float(np.min(T)), float(np.max(T))


def _kinds(cell: Cell) -> list[_Kind]:
    """Every property for which a caution is possible."""
    e = cell.electrolyte
    decide = [
        ("electrolyte conductivity", e.conductivity),
        ("electrolyte diffusivity", e.diffusivity),
    ]
    rest = [
        ("transference number", e.t_plus),
        ("thermodynamic factor", e.thermodynamic_factor),
        ("contact resistance", cell.contact_resistance),
    ]
    for side, electrode in (("negative", cell.negative), ("positive", cell.positive)):
        for p in (electrode.particle, *(m.particle for m in electrode.others)):
            decide.append((f"{side} diffusivity", p.diffusivity))
            decide.append((f"{side} rate constant", p.rate_constant))
            rest.append((f"{side} film resistance", p.film_resistance))
            rest.append((f"{side} potential", p.ocp))
        for process in electrode.processes:
            for field in dataclasses.fields(process):
                p = getattr(process, field.name)
                if isinstance(p, Property):
                    what = f"{type(process).__name__} {field.name}".replace("_", " ")
                    rest.append((what, p))
    kinds = [(name, p.valid, _varies(p)) for name, p in decide]
    for name, p in rest:
        if (valid := p.valid) is not None:
            kinds.append((name, valid, _varies(p)))
    return kinds


def _varies(p: Property) -> bool:
    law, curve = type(p.temperature), type(p.curve)
    return law is not Invariant or curve.at is not AbstractCurve.at


@functools.lru_cache(maxsize=1024)
def _groups(kinds: tuple[_Kind, ...]) -> tuple[_Group, ...]:
    by: dict[tuple[Valid | None, bool], list[str]] = {}
    for name, valid, varies in kinds:
        if valid is None and varies:
            continue
        names = by.setdefault((valid, varies), [])
        if name not in names:
            names.append(name)
    return tuple(
        _Group(_joined(names), len(names) > 1, *key) for key, names in by.items()
    )


def _joined(names: list[str]) -> str:
    """Names as in a sentence, those of both electrodes together."""
    short = []
    for name in names:
        side, _, what = name.partition(" ")
        if side == "positive" and f"negative {what}" in names:
            continue
        if side == "negative" and f"positive {what}" in names:
            many = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
            name = f"{many} of both electrodes"
        short.append(name)
    return " and ".join([", ".join(short[:-1]), short[-1]] if short[1:] else short)


def _sentence(group: _Group, low: float, high: float, beyond: list[float]) -> str:
    def celsius(T: float) -> str:
        return f"{T - ZERO_CELSIUS:.4g}"

    at = " and ".join(celsius(T) for T in beyond) + " degC"
    of = (
        celsius(low) if low == high else f"{celsius(low)} to {celsius(high)}"
    ) + " degC"
    subject = group.names[0].upper() + group.names[1:]
    if group.several and group.varies:
        return f"{subject} rest on measurements at {of}: at {at} they are extrapolated."
    if group.varies:
        return f"{subject} rests on measurements at {of}: at {at} it is extrapolated."
    if group.several:
        return (
            f"{subject} are those of {of} and do not change with temperature: at {at} "
            "they are used as they are."
        )
    return (
        f"{subject} is that of {of} and does not change with temperature: at {at} it is "
        "used as it is."
    )
