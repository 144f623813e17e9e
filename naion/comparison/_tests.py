"""Tests of one cell, under any transformation: discharges, charges and a cycle."""

from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._results import Result
from .._takes import takes
from ..mesh import Mesh
from ..models import DFN, Isothermal, Lumped, ThroughStack
from ..parameters import Cell, electrode_capacities, stoichiometry_at_soc
from ..properties import Invariant
from ..protocol import Mode, Protocol, Step
from ..simulation import Solution, simulate


class Charge(NamedTuple):
    """A constant-current charge: its lowest plating margin [V], and whether it got there."""

    margin: Array
    reached: Array


@takes
def discharge(
    cell: Cell, rate: Array, T: Array, mesh: Mesh, thermal: Isothermal | Lumped
) -> Solution:
    """To the lower limit, from full, at a C-rate and a temperature [K]."""
    protocol = eqx.tree_at(
        lambda p: (p.value, p.lower_voltage),
        Protocol("Discharge at 1C until 1 V"),
        (rate[None], cell.limits.lower_voltage[None]),
    )
    model = DFN(mesh, thermal)
    return simulate(cell, protocol, model=model, temperature=T, throw=False)


@takes
def charge(cell: Cell, rate: Array, T: Array, mesh: Mesh) -> Charge:
    """From 10 % of the state of charge to 80 %, or to the upper limit."""
    capacity = full_capacity(cell)
    protocol = eqx.tree_at(
        lambda p: (p.value, p.capacity),
        Protocol(Step(Mode.CURRENT, -1.0, in_c_rate=True, duration=1e6)),
        (-rate[None], 0.7 * capacity[None]),
    )
    model = DFN(mesh)
    s = simulate(cell, protocol, model=model, start=0.1, temperature=T, throw=False)
    return Charge(jnp.min(s.plating_margin), -s.capacity > 0.699 * capacity)


@takes
def full_capacity(cell: Cell) -> Array:
    """Between the equilibrium states of both voltage limits [A.h]."""
    full, empty = (stoichiometry_at_soc(cell, x) for x in (1.0, 0.0))
    Q_n, _ = electrode_capacities(cell)
    return (full.negative - empty.negative) * Q_n


@takes
def cycle(
    cell: Cell,
    mesh: Mesh,
    rate: Array | float = 1.0,
    T: Array | float = 298.15,
    thermal: Isothermal | Lumped | ThroughStack | None = None,
    **options: Any,
) -> Array:
    """Out and in at one rate, with a hold: energy efficiency, and warming [K].

    The model has no side reactions here, so the efficiency is that of the voltage.

    Args:
        cell: from its upper limit to its lower one, and back.
        mesh: of it.
        rate: C-rate of both ways; the hold goes on to C/20.
        T: of the cell at the beginning, and of what is around it [K].
        thermal: heat balance; none: lumped.
        options: of `simulate`.

    Returns:
        both, (2,); NaN where the solver failed, or where the cell had to stop before.
    """
    lower, upper = cell.limits.lower_voltage, cell.limits.upper_voltage
    protocol = Protocol(
        [
            Step(Mode.CURRENT, 1.0, in_c_rate=True, lower_voltage=1.0),
            Step(Mode.CURRENT, -1.0, in_c_rate=True, upper_voltage=4.0),
            Step(Mode.VOLTAGE, 4.0, c_rate_below=0.05, duration=2e4),
        ]
    )
    protocol = eqx.tree_at(
        lambda p: (p.lower_voltage, p.upper_voltage, p.value),
        protocol,
        (
            protocol.lower_voltage.at[0].set(lower),
            protocol.upper_voltage.at[1].set(upper),
            jnp.stack([jnp.asarray(rate), -jnp.asarray(rate), upper]),
        ),
    )
    model = DFN(mesh, Lumped() if thermal is None else thermal)
    s = simulate(cell, protocol, model=model, temperature=T, throw=False, **options)
    at = s.at(jnp.stack([s.began(1), s.began(2)]))
    out, turned = at.energy[0], s.energy * 3600.0
    # The charge goes on to a small current, beyond where the discharge began, or ends
    # before: mean voltages are compared, at a coulombic efficiency of one.
    given, taken = at.charge[0], at.charge[0] - s.capacity * 3600.0
    warming = jnp.max(s.temperature) - T
    found = jnp.stack([(out / given) / ((out - turned) / taken), warming])
    return jnp.where(s.outcome == Result.COMPLETED, found, jnp.nan)


def fastest(margins: np.ndarray, reached: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """Minutes of the fastest 10 to 80 % charge of each draw without plating; NaN if none.

    The rate at which the margin is zero is interpolated between those simulated.
    """
    minutes = np.full(len(margins), np.nan)
    for i, (margin, there) in enumerate(zip(margins, reached, strict=True)):
        good = (margin >= 0.0) & there
        if not good[0]:
            continue
        k = int(np.argmin(good)) if not good.all() else len(good)
        rate = rates[k - 1]
        if k < len(good) and margin[k] < 0.0:
            share = margin[k - 1] / (margin[k - 1] - margin[k])
            rate = rate * (rates[k] / rate) ** share
        minutes[i] = 60.0 * 0.7 / rate
    return minutes


@takes
def temperature_law(cell: Cell) -> bool:
    """Whether it can be asked for the cold: its electrolyte changes with temperature."""
    return not isinstance(cell.electrolyte.conductivity.temperature, Invariant)
