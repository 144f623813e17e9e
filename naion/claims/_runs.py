"""How questions simulate: settings, and the runs that several of them share."""

from collections.abc import Mapping
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from .._constants import ZERO_CELSIUS
from .._results import Result
from ..cost import PriceList
from ..mesh import Mesh
from ..models import DFN, heat_balance
from ..parameters import open_circuit_voltage, stoichiometry_at_soc
from ..protocol import Protocol
from ..simulation import Solution, Start, simulate
from ._product import Made

MESH = Mesh(6, 3, 6, 16)
"""Within 0.1 % in energy and 0.1 points in retention of the mesh of `FINE` at a tight
tolerance, and within 4 mV in the margin to plating (tests/cli/test_claims.py)."""


class Setting(NamedTuple):
    """How to simulate.

    Attributes:
        heat: name of the heat balance.
        mesh: of every cell.
        rtol: local error allowed in each step.
        max_steps: most accepted steps; none: those that `simulate` allows.
        prices: of questions of cost.
    """

    heat: str = "isothermal"
    mesh: Mesh = MESH
    rtol: float = 5e-4
    max_steps: int | None = None
    prices: PriceList | None = None


USUAL = Setting()
FINE = Setting(mesh=Mesh(14, 4, 16, 30), rtol=2e-5, max_steps=1500)
"""For what is to be confirmed: within 1 mV of a converged solution."""

Products = tuple[Made, ...]
Numbers = Mapping[str, Array]
Quantities = Array


def run_on(
    made: Made, protocol: Protocol, setting: Setting, T: Array, start: Start = "charged"
) -> Solution:
    """A protocol on a product at T [K]."""
    model = DFN(setting.mesh, heat_balance(setting.heat))
    return simulate(
        made.cell,
        protocol,
        model=model,
        start=start,
        temperature=T,
        rtol=setting.rtol,
        max_steps=setting.max_steps,
        throw=False,
    )


def said(done: Solution, values: Array) -> Array:
    """Values, or NaN where the solver failed: then nothing was computed."""
    return jnp.where(done.outcome <= Result.POWER_INFEASIBLE, values, jnp.nan)


def discharged(made: Made, rate: Array, setting: Setting, T: Array) -> Solution:
    """From full to the cell's lower limit."""
    protocol = eqx.tree_at(
        lambda p: (p.value, p.lower_voltage),
        Protocol("Discharge at 1C until 1 V"),
        (rate[None], made.cell.limits.lower_voltage[None]),
    )
    return run_on(made, protocol, setting, T)


def pulse(
    made: Made, n: Numbers, setting: Setting, T: Array, lowest: Array | None = None
) -> Array:
    """Power after some seconds at a voltage that is a given drop below the rest [W].

    Args:
        made, n, setting, T: what is asked, its numbers, how, and where [K].
        lowest: voltage that is never left [V]; none: there is none.
    """
    soc = n["soc"]
    rest = open_circuit_voltage(made.cell, stoichiometry_at_soc(made.cell, soc), T)
    voltage = rest - n["drop_V"]
    if lowest is not None:
        voltage = jnp.maximum(voltage, lowest)
    protocol = eqx.tree_at(
        lambda p: (p.value, p.duration),
        Protocol("Hold at 3 V for 10 s"),
        (voltage[None], n["seconds"][None]),
    )
    done = run_on(made, protocol, setting, T, soc)
    return said(done, done.voltage[-1] * done.current[-1])


def mass(made: Made) -> Array:
    """Of the cell [kg]."""
    return made.cell.thermal.mass if made.design is None else made.design.masses.total


def rested_energy(made: Made) -> Array:
    """Nominal capacity at the rested voltage of half charge [W.h]."""
    cell = made.cell
    middle = stoichiometry_at_soc(cell, jnp.asarray(0.5))
    return cell.nominal_capacity * open_circuit_voltage(cell, middle, cell.temperature)


def kelvin(celsius: Array | float) -> Array:
    """[K]."""
    return jnp.asarray(celsius) + ZERO_CELSIUS


WARM = {"temperature_degC": 25.0}
COLD = {"rate": None, "temperature_degC": None}
PULSE = {"temperature_degC": None, "soc": 0.5, "drop_V": 0.5, "seconds": 10.0}
"""Numbers that several questions have."""
