"""Questions that sums answer: what a product costs, and whether a data sheet agrees."""

import jax.numpy as jnp
from jaxtyping import Array

from ..cost import LITHIUM, as_quoted
from ..cost import bill as bill_of
from ..cost import cost as cost_of
from ._product import Made
from ._runs import Numbers, Products, Quantities, Setting

NOT_GIVEN = float("nan")
"""Of a number that a data sheet may leave out."""


def cost(products: Products, n: Numbers, setting: Setting) -> Quantities:
    """At the energy model's kWh, and the prices that are among the numbers."""
    usd = _total(products[0], n, setting)
    return jnp.stack([usd, as_quoted(usd, n["exchange"])])


def cost_beside(products: Products, n: Numbers, setting: Setting) -> Quantities:
    """Both at the same prices."""
    own, other = (_total(made, n, setting) for made in products)
    return jnp.stack([100.0 * own / other, own, other])


def _total(made: Made, n: Numbers, setting: Setting) -> Array:
    assert made.design is not None and setting.prices is not None
    values = {name: n[name] for name in setting.prices.numbers}
    return cost_of(bill_of(made.design), setting.prices, values).total


COST_NUMBERS: dict[str, float | None] = {LITHIUM: NOT_GIVEN, "exchange": 6.94}
"""Lithium's price is that of the list where a reading gives none."""

CONSISTENCY_NUMBERS: dict[str, float | None] = dict.fromkeys(
    (
        *("capacity_Ah", "voltage_V", "energy_Wh"),
        *("pack_kWh", "pack_cells_kg", "cell_Wh_kg"),
        *("usable", "consumption_kWh_100km"),
        *("units_per_GWh", "unit_kWh", "unit_t"),
    ),
    NOT_GIVEN,
)

NEEDS = {
    "energy by Ah and V": ("capacity_Ah", "voltage_V", "energy_Wh"),
    "mass of cells": ("pack_kWh", "cell_Wh_kg"),
    "mass by Wh/kg": ("pack_kWh", "cell_Wh_kg", "pack_cells_kg"),
    "range": ("pack_kWh", "usable", "consumption_kWh_100km"),
    "units a GWh": ("units_per_GWh", "unit_kWh"),
    "unit": ("units_per_GWh", "unit_t"),
    "unit beside its cells": ("units_per_GWh", "unit_t", "cell_Wh_kg"),
}
"""Numbers that a quantity of a data sheet is made from."""


def consistency(products: Products, n: Numbers, setting: Setting) -> Quantities:
    """What follows from some numbers of a data sheet, beside what it says.

    W.h = A.h V; kg = kWh / (Wh/kg); km = kWh usable / (kWh/100 km) 100; units a GWh times
    kWh a unit = 1e6; a unit's Wh/kg cannot exceed that of its cells. NaN where a number
    is missing.
    """
    # Slopes are of numbers: what is missing stands for one until the end.
    x = {k: jnp.where(jnp.isnan(n[k]), 1.0, n[k]) for k in CONSISTENCY_NUMBERS}
    kg = 1e3 * x["pack_kWh"] / x["cell_Wh_kg"]
    unit = 1e6 / x["units_per_GWh"] / x["unit_t"]
    found = {
        "energy by Ah and V": 100.0
        * (x["capacity_Ah"] * x["voltage_V"] / x["energy_Wh"]),
        "mass of cells": kg,
        "mass by Wh/kg": 100.0 * kg / x["pack_cells_kg"],
        "range": 100.0 * x["pack_kWh"] * x["usable"] / x["consumption_kWh_100km"],
        "units a GWh": 1e-4 * x["units_per_GWh"] * x["unit_kWh"],
        "unit": unit,
        "unit beside its cells": 100.0 * unit / x["cell_Wh_kg"],
    }
    values = []
    for name, value in found.items():
        missing = jnp.any(jnp.stack([jnp.isnan(n[k]) for k in NEEDS[name]]))
        values.append(jnp.where(missing, jnp.nan, value))
    return jnp.stack(values)
