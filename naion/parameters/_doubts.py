"""Doubts about a cell that was read: possible numbers that are probably in other units."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from .._takes import takes
from ..properties import Arrhenius, Table
from ._balance import electrode_capacities, open_circuit_voltage
from ._cell import Cell, Particle, Stoichiometry
from ._known import is_half_cell
from ._plausible import implausible

FAR = 0.05
"""How far an open-circuit voltage may be beyond the voltage limits [V]."""

CAPACITY = 0.2, 2.0
"""Plausible range of the nominal capacity over the capacity of the smaller electrode
[-]."""

SALT = 50.0
"""Lowest plausible salt concentration of a battery's electrolyte [mol.m-3]."""

ENERGY = 1e3
"""Lowest plausible activation energy, but for zero [J.mol-1]."""

ENTROPY = 0.01
"""Largest plausible entropic coefficient of an electrode [V.K-1]."""

COMPOSITIONS = -0.5, 1.5
"""Range in which the points of tables over stoichiometry lie."""


@takes
def doubts_of(
    cell: Cell, states: dict[str, Stoichiometry] | None = None, far: float = FAR
) -> list[str]:
    """Doubts about the numbers of a cell, which were probably meant in other units.

    Args:
        cell: a cell with concrete and possible numbers; see `check`.
        states: states by name whose open-circuit voltages should lie within the limits.
        far: how far beyond the limits they may be [V].

    Returns:
        a sentence for each doubt, for use in cautions.
    """
    found = [*_voltages(cell, states or {}, far), *_capacity(cell)]
    salt = float(cell.electrolyte.concentration)
    if salt < SALT:
        found.append(
            f"the electrolyte has {salt:g} mol.m-3 of salt: is it in mol.L-1? 1 mol.L-1 is "
            "1000."
        )
    for name, e in (("negative", cell.negative), ("positive", cell.positive)):
        if name == "negative" and is_half_cell(cell):
            continue
        for k, m in enumerate(e.materials):
            where = f"{name}.particle" if not k else f"{name}.others[{k - 1}].particle"
            found += _of_particle(where, m.particle)
    return [*found, *implausible(cell)]


def _voltages(
    cell: Cell, states: dict[str, Stoichiometry], far: float
) -> Iterator[str]:
    low, high = (
        float(getattr(cell.limits, f"{k}_voltage")) for k in ("lower", "upper")
    )
    for name, state in states.items():
        V = float(open_circuit_voltage(cell, state, cell.temperature))
        if not low - far <= V <= high + far:
            yield (
                f"{name} has an open-circuit voltage of {V:.3f} V, outside of the "
                f"voltage limits of {low:g} to {high:g} V: are the potentials and "
                "stoichiometries right?"
            )


def _capacity(cell: Cell) -> Iterator[str]:
    holds = min(float(Q) for Q in electrode_capacities(cell))
    nominal = float(cell.nominal_capacity)
    if not CAPACITY[0] * holds <= nominal <= CAPACITY[1] * holds:
        yield (
            f"the nominal capacity is {nominal:.4g} A.h, and the smaller electrode holds "
            f"{holds:.4g} A.h: is one in mA.h, or the area in other units?"
        )


def _of_particle(where: str, particle: Particle) -> Iterator[str]:
    """Doubts about all tables and temperature laws of an active material."""
    parts = jax.tree.leaves(
        particle, is_leaf=lambda x: isinstance(x, Table | Arrhenius)
    )
    for part in parts:
        if isinstance(part, Table):
            ends = float(np.min(part.x)), float(np.max(part.x))
            if not COMPOSITIONS[0] <= ends[0] < ends[1] <= COMPOSITIONS[1]:
                yield (
                    f"a table of {where} goes from {ends[0]:g} to {ends[1]:g}: expected "
                    "stoichiometries, 0 to 1. Are they in percent, or capacities?"
                )
        elif isinstance(part, Arrhenius) and 0.0 < abs(float(part.energy)) < ENERGY:
            yield (
                f"an activation energy of {where} is {float(part.energy):g} J.mol-1: is it "
                "in kJ.mol-1?"
            )
    dudt = np.asarray(particle.dudt(jnp.linspace(0.1, 0.9, 9), jnp.asarray(298.15)))
    if np.max(np.abs(dudt)) > ENTROPY:
        yield (
            f"{where}.dudt reaches {dudt[np.argmax(np.abs(dudt))]:g} V.K-1: is it in "
            "mV.K-1?"
        )
