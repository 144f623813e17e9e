"""Questions that claims ask of a product; each is a differentiable function.

A question simulates what the claim leaves open as numbers: rate, temperature, minutes.
So one compiled program serves every reading of the same kind.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from .._constants import ZERO_CELSIUS
from .._results import Result
from ..protocol import Protocol
from ._life import NUMBERS as OF_LIFE
from ._life import QUANTITIES as OF_A_LIFE
from ._life import life
from ._mixes import gauge, mix, mix_power
from ._power import power_beside
from ._runs import (
    COLD,
    PULSE,
    WARM,
    Numbers,
    Products,
    Quantities,
    Setting,
    discharged,
    kelvin,
    mass,
    pulse,
    rested_energy,
    run_on,
    said,
)
from ._storage import EFFICIENCY_NUMBERS, PASSIVE_NUMBERS, efficiency, passive_cooling
from ._sums import (
    CONSISTENCY_NUMBERS,
    COST_NUMBERS,
    NEEDS,
    consistency,
    cost,
    cost_beside,
)


@dataclass(frozen=True)
class Question:
    """A kind of reading.

    Attributes:
        ask: quantities of products, (n,), from numbers; the third argument is
            how to simulate.
        quantities: names and units of what it gives.
        numbers: what a reading says, with the value where it says nothing; None: must.
        simulates: whether it is asked of a product at all.
        of_design: whether that must have a design.
        of_two: whether a second product stands beside it.
        of_prices: whether a price list belongs to it.
        needs: numbers that a quantity cannot do without, where not all are asked for.
    """

    ask: Callable[[Products, Numbers, Setting], Quantities]
    quantities: tuple[tuple[str, str], ...]
    numbers: Mapping[str, float | None]
    simulates: bool = True
    of_design: bool = False
    of_two: bool = False
    of_prices: bool = False
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def _energy(products: Products, n: Numbers, setting: Setting) -> Array:
    made = products[0]
    done = discharged(made, n["rate"], setting, kelvin(n["temperature_degC"]))
    litres = jnp.nan if made.design is None else 1e3 * made.design.housing.volume
    values = [done.energy / mass(made), done.energy / litres, done.capacity]
    return said(done, jnp.stack(values))


def _sheet(products: Products, n: Numbers, setting: Setting) -> Array:
    """By the energy model alone, at a mean voltage."""
    (made, *_) = products
    assert made.design is not None, "the reader lets only designs be asked this"
    sheet = made.design.data_sheet(n["voltage"])
    return jnp.stack([sheet.specific_energy, sheet.energy_density])


def _energy_beside(products: Products, n: Numbers, setting: Setting) -> Array:
    own, other = (_energy((p,), n, setting)[0] for p in products)
    return jnp.stack([100.0 * own / other, own, other])


def _retention(products: Products, n: Numbers, setting: Setting) -> Array:
    def given(T: Array) -> Array:
        done = discharged(products[0], n["rate"], setting, T)
        power = done.energy / jnp.maximum(done.t_end / 3600.0, 1e-9)
        return said(done, jnp.stack([done.capacity, done.energy, power]))

    return 100.0 * given(kelvin(n["temperature_degC"])) / given(kelvin(25.0))


def _pulse_power(products: Products, n: Numbers, setting: Setting) -> Array:
    cold, warm = (
        pulse(products[0], n, setting, kelvin(T)) for T in (n["temperature_degC"], 25.0)
    )
    return jnp.stack([100.0 * cold / warm])


def _charge(products: Products, n: Numbers, setting: Setting) -> Array:
    """Constant current, then voltage, for some minutes; heated first if asked to.

    What is charged is in percent of the nominal capacity, as C-rates are.
    """
    made = products[0]
    cell, T = made.cell, kelvin(n["temperature_degC"])
    seconds = 60.0 * n["minutes"]
    warm = jnp.maximum(kelvin(n["heated_to_degC"]), T)
    top = cell.limits.upper_voltage
    protocol = eqx.tree_at(
        lambda p: (p.value, p.duration, p.upper_voltage, p.temperature),
        Protocol(
            ["Rest for 1 s", "Charge at 1C for 1 h until 4 V", "Hold at 4 V for 1 h"]
        ),
        (
            jnp.stack([0.0 * top, -n["rate"], top]),
            jnp.stack([jnp.asarray(1.0), seconds, seconds]),
            jnp.stack([jnp.asarray(jnp.nan), top, jnp.asarray(jnp.nan)]),
            jnp.stack([warm, T, T]),
        ),
    )
    done = run_on(made, protocol, setting, T, 0.01 * n["from_percent"])
    end = 1.0 + seconds
    charged = -done.at(jnp.minimum(end, done.t_end)).charge / 3600.0
    Q = cell.nominal_capacity
    within = done.t <= end
    margin = jnp.min(jnp.where(within, done.plating_margin, jnp.inf))
    hottest = jnp.max(jnp.where(within, done.temperature, 0.0)) - ZERO_CELSIUS
    thermal = cell.thermal
    heating = thermal.mass * thermal.specific_heat * (warm - T) / 3600.0
    values = [
        n["from_percent"] + 100.0 * charged / Q,
        1e3 * margin,
        hottest,
        100.0 * heating / rested_energy(made),
    ]
    return said(done, jnp.stack(values))


def _crank(products: Products, n: Numbers, setting: Setting) -> Array:
    made, T = products[0], kelvin(n["temperature_degC"])
    protocol = eqx.tree_at(
        lambda p: (p.value, p.duration, p.lower_voltage),
        Protocol("Discharge at 1C for 10 s until 0.2 V"),
        (n["rate"][None], n["seconds"][None], jnp.asarray([0.2])),
    )
    done = run_on(made, protocol, setting, T, n["soc"])
    lowest = jnp.min(done.voltage)
    # A cell that reaches 0.2 V, or whose salt runs out, holds nothing.
    held = done.outcome == Result.COMPLETED
    return said(done, jnp.stack([n["cells"] * jnp.where(held, lowest, 0.2)]))


def _range(products: Products, n: Numbers, setting: Setting) -> Array:
    specific = _energy(products, n, setting)[0]
    pack = specific * n["pack_mass_kg"] * n["cells_share"] / 1e3
    return jnp.stack([100.0 * pack * n["usable"] / n["consumption_kWh_100km"], pack])


def _fade(products: Products, n: Numbers, setting: Setting) -> Array:
    """Loss = loss measured (n/n measured)^exponent, to the end of life."""
    grown = (100.0 - n["end_percent"]) / n["loss_percent"]
    return jnp.stack([n["measured_cycles"] * grown ** (1.0 / n["exponent"])])


QUESTIONS: Mapping[str, Question] = {
    "energy": Question(
        _energy,
        (("specific energy", "Wh/kg"), ("energy density", "Wh/L"), ("capacity", "Ah")),
        {"rate": 1.0 / 3.0} | WARM,
    ),
    "sheet": Question(
        _sheet,
        (("specific energy", "Wh/kg"), ("energy density", "Wh/L")),
        {"voltage": None},
        of_design=True,
    ),
    "energy_beside": Question(
        _energy_beside,
        (("share of the other's", "%"), ("own", "Wh/kg"), ("the other's", "Wh/kg")),
        {"rate": 1.0 / 3.0} | WARM,
        of_two=True,
    ),
    "retention": Question(
        _retention,
        (("capacity", "%"), ("energy", "%"), ("mean power", "%")),
        COLD,
    ),
    "pulse_power": Question(
        _pulse_power,
        (("power at equal drop", "%"),),
        PULSE,
    ),
    "power_beside": Question(
        power_beside,
        (
            ("power by energy", "% of the other's"),
            ("power by mass", "% of the other's"),
            ("own", "W/Wh"),
            ("the other's", "W/Wh"),
        ),
        PULSE,
        of_two=True,
    ),
    "efficiency": Question(
        efficiency,
        (("cell", "%"), ("system", "%"), ("hottest", "degC")),
        EFFICIENCY_NUMBERS,
    ),
    "passive_cooling": Question(
        passive_cooling,
        (
            ("hottest", "degC"),
            ("less auxiliary energy", "%"),
            ("auxiliaries of the cooled one", "% of what is given"),
            ("own heat", "% of what is given"),
            ("the other's heat", "% of what is given"),
        ),
        PASSIVE_NUMBERS,
        of_two=True,
    ),
    "charge": Question(
        _charge,
        (
            ("charged to", "%"),
            ("plating margin", "mV"),
            ("hottest", "degC"),
            ("heating costs", "% of energy"),
        ),
        {"rate": None, "minutes": None, "from_percent": 0.0, "heated_to_degC": -100.0}
        | WARM,
    ),
    "crank": Question(
        _crank,
        (("lowest voltage", "V"),),
        COLD | {"cells": 8.0, "seconds": 5.0, "soc": 0.6},
    ),
    "range": Question(
        _range,
        (("range", "km"), ("pack", "kWh")),
        {"rate": 1.0 / 3.0}
        | WARM
        | dict.fromkeys(("pack_mass_kg", "cells_share", "usable"), None)
        | {"consumption_kWh_100km": None},
    ),
    "mix": Question(
        mix,
        (
            ("series beside LFP", "%"),
            ("converters beside LFP", "%"),
            ("series", "Wh/kg"),
            ("converters", "Wh/kg"),
            ("LFP alone", "Wh/kg"),
            ("sodium alone", "Wh/kg"),
            ("series kept", "% of 25 degC"),
            ("converters kept", "% of 25 degC"),
        ),
        COLD | {"sodium_share": None, "efficiency": 0.97},
        of_two=True,
    ),
    "mix_power": Question(
        mix_power,
        (
            ("power beside LFP", "%"),
            ("LFP alone", "W/kg"),
            ("sodium alone", "W/kg"),
        ),
        PULSE | {"sodium_share": None, "efficiency": 0.97},
        of_two=True,
    ),
    "gauge": Question(
        gauge,
        (("error beside LFP alone", "%"), ("LFP alone", "% SOC"), ("mixed", "% SOC")),
        {"error_mV": 20.0},
        of_two=True,
    ),
    "life": Question(life, OF_A_LIFE, OF_LIFE, simulates=False),
    "fade": Question(
        _fade,
        (("cycles", "cycles"),),
        {
            "loss_percent": None,
            "measured_cycles": None,
            "exponent": None,
            "end_percent": 80.0,
        },
        simulates=False,
    ),
    "cost": Question(
        cost,
        (("cost", "USD/kWh"), ("price", "CNY/Wh with tax")),
        COST_NUMBERS,
        of_design=True,
        of_prices=True,
    ),
    "cost_beside": Question(
        cost_beside,
        (("share of the other's", "%"), ("own", "USD/kWh"), ("the other's", "USD/kWh")),
        COST_NUMBERS,
        of_design=True,
        of_two=True,
        of_prices=True,
    ),
    "consistency": Question(
        consistency,
        (
            ("energy by Ah and V", "% of what is stated"),
            ("mass of cells", "kg"),
            ("mass by Wh/kg", "% of what is stated"),
            ("range", "km"),
            ("units a GWh", "% of a GWh"),
            ("unit", "Wh/kg"),
            ("unit beside its cells", "%"),
        ),
        CONSISTENCY_NUMBERS,
        simulates=False,
        needs=NEEDS,
    ),
}
"""By the word that claims use for them."""
