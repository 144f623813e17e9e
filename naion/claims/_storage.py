"""What storage asks of cells: the efficiency of a cycle, and doing without cooling."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from .._constants import ZERO_CELSIUS
from ..comparison import cycle
from ..models import heat_balance
from ._product import Made
from ._runs import Numbers, Products, Quantities, Setting, kelvin

EFFICIENCY_NUMBERS: dict[str, float | None] = {
    "rate": None,
    "temperature_degC": 25.0,
    "cooling": 1.0,
    "converter": 1.0,
    "auxiliary_percent": 0.0,
}

PASSIVE_NUMBERS: dict[str, float | None] = {
    "rate": None,
    "temperature_degC": 45.0,
    "kept_at_degC": 25.0,
    "cooling": None,
    "heat_pump": None,
    "envelope_percent": None,
    "moving_percent": None,
    "controls_percent": None,
}


def efficiency(products: Products, n: Numbers, setting: Setting) -> Quantities:
    """Of a full cycle at one rate, by the cell's voltage, and of the system around it.

    Converters and transformer are passed twice; auxiliaries are a share of what is given.
    """
    T = kelvin(n["temperature_degC"])
    own, warming = _turned(products[0], n, setting, T, n["cooling"])
    system = own * n["converter"] ** 2 * (1.0 - 0.01 * n["auxiliary_percent"])
    return jnp.stack([100.0 * own, 100.0 * system, T + warming - ZERO_CELSIUS])


def passive_cooling(products: Products, n: Numbers, setting: Setting) -> Quantities:
    """A cell that is not cooled in warm surroundings, beside one that is.

    The first is simulated with its heat in the surroundings, the second where it is kept.
    Auxiliaries, in percent of what is given: controls in both; for the second also what
    moves air or coolant, and a heat pump for the cell's heat and for what comes in through
    the container,

        a_cooled = controls + moving + (q + envelope) / COP,    q = 1 / efficiency - 1.
    """
    own, other = products
    T, kept = kelvin(n["temperature_degC"]), kelvin(n["kept_at_degC"])
    lumped = setting._replace(heat="lumped")
    cell, warming = _turned(own, n, lumped, T, n["cooling"])
    beside, _ = _turned(other, n, setting._replace(heat="isothermal"), kept, 1.0)
    heat, of_other = (100.0 * (1.0 / e - 1.0) for e in (cell, beside))
    taken_out = (of_other + n["envelope_percent"]) / n["heat_pump"]
    cooled = n["controls_percent"] + n["moving_percent"] + taken_out
    less = 100.0 * (1.0 - n["controls_percent"] / cooled)
    return jnp.stack([T + warming - ZERO_CELSIUS, less, cooled, heat, of_other])


def _turned(
    made: Made, n: Numbers, setting: Setting, T: Array, cooling: Array | float
) -> Array:
    """Efficiency [-] and warming [K] of a cycle, with a share of the cell's cooling."""
    cell = eqx.tree_at(
        lambda c: c.thermal.cooling, made.cell, made.cell.thermal.cooling * cooling
    )
    thermal = heat_balance(setting.heat)
    assert thermal is not None
    return cycle(
        cell,
        setting.mesh,
        n["rate"],
        T,
        thermal,
        rtol=setting.rtol,
        max_steps=setting.max_steps,
    )
