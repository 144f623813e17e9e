"""What is in a kilowatt-hour of cells: the same masses and areas as its energy."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._takes import takes
from ..design import Cylinder, Design, Pouch, Prismatic
from ._materials import material

Scalar = Float[Array, ""]

HOUSINGS = {Cylinder: "steel_can", Prismatic: "aluminium_can", Pouch: "laminate"}
"""What a housing is in price lists."""


class Foils(eqx.Module):
    """A foil of one metal.

    Attributes:
        kg: [kg.kWh-1].
        m2: area of the foil, not of its sides [m2.kWh-1].
    """

    kg: Scalar
    m2: Scalar


class Bill(eqx.Module):
    """Contents of a kilowatt-hour of cells, without losses in production.

    Masses are in kg for each kWh, areas in m2 for each kWh.

    Attributes:
        positive, negative: active material.
        positive_additives, negative_additives: binder and carbon.
        aluminium, copper: see `Foils`.
        separator: area.
        electrolyte: mass.
        electrolyte_volume: [L.kWh-1].
        housing: mass of can and lid, or of the laminate.
        area: of positive coating.
        cell: energy of a cell [kWh].
        film: mass of the separator.
        unlisted: mass that a design does not list part by part (tape, insulation,
            spacers): it has no price.
        positive_material, negative_material: see `Coat.material`.
        housing_item: a value of `HOUSINGS`.
    """

    positive: Scalar
    negative: Scalar
    positive_additives: Scalar
    negative_additives: Scalar
    aluminium: Foils
    copper: Foils
    separator: Scalar
    electrolyte: Scalar
    electrolyte_volume: Scalar
    housing: Scalar
    area: Scalar
    cell: Scalar
    film: Scalar
    unlisted: Scalar
    positive_material: str = eqx.field(static=True)
    negative_material: str = eqx.field(static=True)
    housing_item: str = eqx.field(static=True)

    @property
    def coat(self) -> Array:
        """All that is mixed and coated [kg.kWh-1]."""
        additives = self.positive_additives + self.negative_additives
        return self.positive + self.negative + additives

    @property
    def ion(self) -> str:
        """The working ion: "li" or "na"."""
        return material(self.positive_material).ion

    @property
    def mass(self) -> Array:
        """Mass of a kilowatt-hour of cells [kg.kWh-1]."""
        foils = self.aluminium.kg + self.copper.kg
        stack = self.coat + foils + self.film + self.electrolyte
        return stack + self.housing + self.unlisted


@takes
def bill(design: Design, energy: Array | float | None = None) -> Bill:
    """Contents of a kilowatt-hour of a design's cells.

    Args:
        design: whose coats name their materials.
        energy: of the cell [W.h]; none: of the energy model, the capacity times the
            design's mean voltage, () each.

    Raises:
        ValueError: for a design that does not name its materials, or that has no mean
            voltage when no energy is given.
    """
    stack, masses = design.stack, design.masses
    names = stack.positive.material, stack.negative.material
    for name in names:
        material(name)
    if energy is None:
        if design.mean_voltage is None:
            raise ValueError(
                "the design gives no mean `voltage` [V]: give one, or the energy [W.h] of "
                "a simulation."
            )
        energy = design.balance.capacity * design.area * design.mean_voltage
    kwh = 1e-3 * jnp.asarray(energy, float)
    area, wide = design.area / kwh, stack.overhang * design.area / kwh
    active_p, active_n = stack.positive.active, stack.negative.active
    positive, negative = masses.positive / kwh, masses.negative / kwh
    electrolyte = masses.electrolyte / kwh
    nothing = jnp.zeros_like(area)
    foils = {m: Foils(nothing, nothing) for m in ("aluminium", "copper")}
    for foil, sides in ((stack.positive_foil, area), (stack.negative_foil, wide)):
        m2 = 0.5 * sides
        before = foils[foil.metal]
        kg = m2 * foil.thickness * foil.density
        foils[foil.metal] = Foils(before.kg + kg, before.m2 + m2)
    return Bill(
        positive=positive * active_p,
        negative=negative * active_n,
        positive_additives=positive * (1.0 - active_p),
        negative_additives=negative * (1.0 - active_n),
        **foils,
        separator=wide,
        electrolyte=electrolyte,
        electrolyte_volume=1e3 * electrolyte / stack.electrolyte_density,
        housing=masses.packaging / kwh,
        area=area,
        cell=kwh,
        film=masses.separator / kwh,
        unlisted=masses.rest / kwh,
        positive_material=names[0],
        negative_material=names[1],
        housing_item=HOUSINGS[type(design.housing)],
    )
