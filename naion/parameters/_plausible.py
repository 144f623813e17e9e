"""Numbers of a cell beside what cells have: far outside of it, a unit was mistaken.

Ranges are wider than any battery's (assumed, from the sets that ship and those of PyBaMM by
an order of magnitude or more): what lies outside is spoken of, and used.
"""

from collections.abc import Iterator
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from ..properties import Arrhenius
from ._cell import Cell, Electrode, Particle
from ._known import is_half_cell


class Usual(NamedTuple):
    """What a number of a battery is between, and what it may be in instead."""

    low: float
    high: float
    unit: str
    hint: str


LENGTH = "is it in micrometres or millimetres?"
THICKNESS = Usual(3e-6, 2e-3, "m", LENGTH)
SEPARATOR = Usual(2e-6, 5e-3, "m", LENGTH)
RADIUS = Usual(5e-9, 2e-4, "m", "is it in micrometres or nanometres?")
SITES = Usual(500.0, 5e5, "mol.m-3", "is it in mol.L-1 or mol.cm-3?")
SALT = Usual(0.0, 2e4, "mol.m-3", "is it in other units? 1 mol.L-1 is 1000.")
CONDUCTIVITY = Usual(0.01, 5.0, "S.m-1", "is it in mS.cm-1 (0.1 S.m-1) or S.cm-1?")
DIFFUSIVITY = Usual(1e-12, 1e-8, "m2.s-1", "is it in cm2.s-1 (1e-4 m2.s-1)?")
IN_SOLID = Usual(1e-22, 1e-10, "m2.s-1", "is it in cm2.s-1 (1e-4 m2.s-1)?")
ENERGY = Usual(3.0, 1500.0, "W.h.kg-1", "is the mass in gram, or the capacity in mA.h?")
HEAT = Usual(100.0, 6000.0, "J.kg-1.K-1", "is it in kJ or cal?")

POTENTIAL = -0.5, 7.0
"""Of electrodes of a cell, half full [V]."""

FLAT = 5e-3
"""Both electrodes of a full cell reach more than this [V]."""

DROP = 5.0
"""No cell loses more across its contacts at 1C [V]."""

FASTEST = 50.0
"""C-rate beyond which a current is rather one in another unit, or of another cell."""


def doubts_of_current(most: float, capacity: float) -> list[str]:
    """What no cell of this size is asked for, in words; empty if there is nothing.

    Args:
        most: greatest current, in either direction [A].
        capacity: nominal capacity of the cell [A.h].
    """
    if not most > FASTEST * capacity:
        return []
    return [
        f"currents reach {most:.4g} A, {most / capacity:.4g}C of a cell of "
        f"{capacity:.4g} A.h: are they in milliampere, or is the cell another?"
    ]


def implausible(cell: Cell) -> Iterator[str]:
    """Sentences on numbers that are possible, and that no battery has."""
    e, T = cell.electrolyte, cell.temperature
    half = is_half_cell(cell)
    salt = jnp.asarray(e.concentration)
    yield from _beside("separator.thickness", cell.separator.thickness, SEPARATOR)
    yield from _beside("electrolyte.concentration", salt, SALT)
    yield from _beside(
        "electrolyte.conductivity", e.conductivity(salt, T), CONDUCTIVITY
    )
    yield from _beside("electrolyte.diffusivity", e.diffusivity(salt, T), DIFFUSIVITY)
    for name, electrode in (("negative", cell.negative), ("positive", cell.positive)):
        if not (half and name == "negative"):
            yield from _of_electrode(name, electrode, cell, half)
    resistance = float(cell.contact_resistance(jnp.asarray(0.5), T))
    drop = resistance * float(cell.nominal_capacity)
    if drop > DROP:
        yield (
            f"contact_resistance is {resistance:.4g} ohm, which takes {drop:.3g} V at 1C: "
            "is it in milliohm?"
        )
    if not half:
        low, high = cell.limits.lower_voltage, cell.limits.upper_voltage
        middle = 0.5 * (float(low) + float(high))
        per_mass = middle * float(cell.nominal_capacity) / float(cell.thermal.mass)
        yield from _beside("energy by mass", per_mass, ENERGY)
        yield from _beside("thermal.specific_heat", cell.thermal.specific_heat, HEAT)
        if float(low) < 0.0:
            yield (
                f"limits.lower_voltage is {float(low):g} V: a full cell is not "
                "discharged below 0 V."
            )


def _beside(where: str, value: object, usual: Usual) -> Iterator[str]:
    x = float(np.asarray(value))
    if not usual.low <= x <= usual.high:
        yield (
            f"{where} is {x:.4g} {usual.unit}; batteries have {usual.low:g} to "
            f"{usual.high:g} {usual.unit}: {usual.hint}"
        )


def _of_electrode(
    name: str, electrode: Electrode, cell: Cell, half: bool
) -> Iterator[str]:
    yield from _beside(f"{name}.thickness", electrode.thickness, THICKNESS)
    for k, material in enumerate(electrode.materials):
        where = f"{name}.particle" if not k else f"{name}.others[{k - 1}].particle"
        yield from _of_particle(where, material.particle, cell, half)


def _of_particle(where: str, p: Particle, cell: Cell, half: bool) -> Iterator[str]:
    T, x = jnp.asarray(cell.temperature), jnp.linspace(0.1, 0.9, 17)
    yield from _beside(f"{where}.radius", p.radius, RADIUS)
    yield from _beside(f"{where}.c_max", p.c_max, SITES)
    D = float(np.median(np.asarray(p.diffusivity(x, T))))
    yield from _beside(f"{where}.diffusivity", D, IN_SOLID)
    for what in ("diffusivity", "rate_constant"):
        law = getattr(p, what).temperature
        if isinstance(law, Arrhenius) and float(law.energy) < 0.0:
            yield (
                f"{where}.{what} has an activation energy of {float(law.energy):g} "
                "J.mol-1, and falls as it gets warmer: is the sign right?"
            )
    U = np.asarray(p.ocp(x, T))
    # Laws may go anywhere beyond the window in which a cell uses them.
    middle, high = float(np.median(U)), float(np.max(U))
    if not POTENTIAL[0] <= middle <= POTENTIAL[1]:
        yield (
            f"{where}.ocp is {middle:.4g} V in the middle; electrodes have "
            f"{POTENTIAL[0]:g} to {POTENTIAL[1]:g} V: is it in millivolt?"
        )
    elif high < FLAT and not half:
        yield f"{where}.ocp is at most {high:.2g} V: is it in kilovolt, or its sign turned?"
