"""What a kilowatt-hour of cells costs to make, and what is in it."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._takes import takes
from ._bill import Bill
from ._materials import material, materials
from ._prices import LITHIUM, VAT, PriceList, Values

Scalar = Float[Array, ""]

REFERENCE_CELL = 0.24
"""Of which price lists give what is spent by the cell [kWh]."""


class Cost(eqx.Module):
    """Cost of a kilowatt-hour of cells, by its parts [USD/kWh].

    All but the last two are before losses of whole cells; materials are with the losses
    of their own steps.

    Attributes:
        positive, negative: active materials.
        additives: binders and carbon.
        foils, separator, electrolyte, housing: as they say.
        coating: work by the area.
        mixing: work by the mass of the coats; zero where a list does not give it.
        energy: what is spent by the kilowatt-hour: formation, dry room, building.
        cells: work by the cell.
        scrap: for cells that are made and thrown away.
        overhead: sales, administration, research, margin, warranty.
    """

    positive: Scalar
    negative: Scalar
    additives: Scalar
    foils: Scalar
    separator: Scalar
    electrolyte: Scalar
    housing: Scalar
    coating: Scalar
    mixing: Scalar
    energy: Scalar
    cells: Scalar
    scrap: Scalar
    overhead: Scalar

    @property
    def materials(self) -> Array:
        """Cost of the parts that are bought [USD/kWh]."""
        active = self.positive + self.negative + self.additives
        return active + self.foils + self.separator + self.electrolyte + self.housing

    @property
    def making(self) -> Array:
        """Cost of production [USD/kWh]."""
        return self.coating + self.mixing + self.energy + self.cells

    @property
    def total(self) -> Array:
        """All of it."""
        return self.materials + self.making + self.scrap + self.overhead


@takes
def cost(bill: Bill, prices: PriceList, values: Values | None = None) -> Cost:
    """Cost of a kilowatt-hour of cells; differentiable.

    C = (sum m_i p_i / y_i + c_area a + c_coat m + c_kWh + c_cell / E) / y_cell (1 + o),
    where c_cell grows with the energy E of a cell to some power. What contains lithium
    costs s (1 + x) (p - p_then) more a kilogram than it did when carbonate cost p_then:
    s of carbonate by stoichiometry, x beyond it.

    Args:
        bill: of the cell.
        prices: the list.
        values: of its numbers; none: `prices.values()`, the medians.

    Raises:
        ValueError: for an item that has no price in the list.
    """
    v = prices.values() if values is None else values

    def priced(item: str, carbonate: Any = 0.0, **amounts: Array) -> Array:
        """An item, with the carbonate of a kWh [kg] that is in it."""
        name = f"price.{item}"
        _needs(prices, name)
        lithium = v[LITHIUM] - prices.carbonate.get(name, 0.0)
        more = (1.0 + v["share.lithium_loss"]) * lithium
        return amounts[prices.per(item)] * v[name] + carbonate * more

    def active(name: str, kg: Array) -> Array:
        found = material(name)
        if f"price.{name}" in prices.numbers or not found.made_from:
            return priced(name, kg * found.carbonate, kg=kg)
        # Nothing that it is made from holds lithium but the carbonate itself.
        parts = sum(priced(i, kg=share * kg) for i, share in found.made_from.items())
        lithium = (1.0 + v["share.lithium_loss"]) * v[LITHIUM]
        return parts + kg * found.carbonate * lithium

    def foil(metal: str) -> Array:
        of = getattr(bill, metal)
        return priced(f"{metal}_foil", kg=of.kg, m2=of.m2) / v["yields.foil"]

    def additives(side: str, kg: Array) -> Array:
        binder = v[f"share.{side}_binder"] * kg
        carbon = priced("carbon_black", kg=kg - binder)
        return priced(f"{side}_binder", kg=binder) + carbon

    salt = (
        v["share.salt"] * bill.electrolyte * materials()[f"salt_{bill.ion}"].carbonate
    )
    liquid = priced(
        f"electrolyte_{bill.ion}",
        salt,
        kg=bill.electrolyte,
        L=bill.electrolyte_volume,
    )
    mixed = additives("positive", bill.positive_additives)
    mixed = mixed + additives("negative", bill.negative_additives)
    larger = (bill.cell / REFERENCE_CELL) ** v["making.cell_exponent"]
    parts = {
        "positive": active(bill.positive_material, bill.positive) / v["yields.active"],
        "negative": active(bill.negative_material, bill.negative) / v["yields.active"],
        "additives": mixed / v["yields.active"],
        "foils": foil("aluminium") + foil("copper"),
        "separator": priced("separator", m2=bill.separator) / v["yields.separator"],
        "electrolyte": liquid / v["yields.electrolyte"],
        "housing": priced(bill.housing_item, kg=bill.housing),
        "coating": v["making.area"] * bill.area,
        "mixing": v.get("making.coat", jnp.zeros(())) * bill.coat,
        "energy": v["making.energy"] * jnp.ones_like(bill.area),
        "cells": v["making.cell"] * larger / bill.cell,
    }
    together = sum(parts.values())
    scrap = together * (1.0 / v["yields.cell"] - 1.0)
    return Cost(
        **parts, scrap=scrap, overhead=v["making.overhead"] * (together + scrap)
    )


def _needs(prices: PriceList, name: str) -> None:
    if name not in prices.numbers:
        raise ValueError(f"{prices.name} has no {name}: give it in a list of your own.")


ELEMENTS = ("Li", "Na", "Ni", "Co", "Mn", "Fe", "P", "Cu")
"""Of a footprint, beside aluminium, graphite and hard carbon."""


@takes
def footprint(bill: Bill, values: Values, losses: bool = False) -> dict[str, Array]:
    """Elements and materials in a kilowatt-hour of cells [kg.kWh-1].

    Args:
        bill: of the cell.
        values: of a list's numbers: the share of salt, and the yields.
        losses: with what is lost in the making.

    Returns:
        By symbol of `ELEMENTS`, "Al" of foils and an aluminium can, "graphite" and
        "hard carbon". "Cu" is that of foils and of active material.
    """
    whole = values["yields.cell"] if losses else 1.0

    def of(step: str) -> Any:
        return whole * (values[f"yields.{step}"] if losses else 1.0)

    salt = values["share.salt"] * bill.electrolyte / of("electrolyte")
    held = {
        bill.positive_material: bill.positive / of("active"),
        f"salt_{bill.ion}": salt,
    }
    found: dict[str, Array] = {}
    for symbol in ELEMENTS:
        amounts = (
            kg * material(name).elements.get(symbol, 0.0) for name, kg in held.items()
        )
        found[symbol] = sum(amounts, jnp.zeros_like(bill.area))
    found["Cu"] = found["Cu"] + bill.copper.kg / of("foil")
    found["Al"] = bill.aluminium.kg / of("foil")
    if bill.housing_item == "aluminium_can":
        found["Al"] = found["Al"] + bill.housing / whole
    for name in ("graphite", "hard_carbon"):
        own = bill.negative_material == name
        kg = bill.negative / of("active")
        found[name.replace("_", " ")] = kg if own else jnp.zeros_like(kg)
    return found


def as_quoted(usd: Any, exchange: Any = 6.94) -> Any:
    """USD/kWh without tax as Chinese quotes say it: CNY/Wh with value-added tax.

    Args:
        usd: [USD.kWh-1].
        exchange: [CNY/USD]; 6.94 is that of February 2026.
    """
    return 1e-3 * VAT * exchange * usd
