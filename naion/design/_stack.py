"""Coats, foils and separator: one source of geometry, of mass and of balance."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._takes import takes
from ._number import number

Scalar = Float[Array, ""]

ALUMINIUM, COPPER = 2700.0, 8960.0
"""Densities of foils [kg.m-3]."""

POLYOLEFIN = 930.0
"""Density of a separator's polymer, between polyethylene and polypropylene [kg.m-3]."""


class Coat(eqx.Module):
    """One side of a coated electrode.

    Capacities are of the active material, reversible in a half cell; A.h.kg-1 is the
    same number as mAh/g.

    Attributes:
        loading: coat on each side of the foil [kg.m-2]; 1 mg/cm2 is 0.01.
        density: of the coat, pores included [kg.m-3].
        active: mass fraction of active material [-].
        material_density: of the active material [kg.m-3].
        capacity: reversible [A.h.kg-1].
        first_charge: of the first charge of a cell: what the positive gives, or the
            negative takes, once [A.h.kg-1].
        potentials: between which the half cell gave that capacity, the higher first,
            against the metal [V].
        additives_density: of binder and carbon together [kg.m-3].
        material: what the active material is, by its name in lists of prices, or "".
    """

    loading: Scalar = number()
    density: Scalar = number()
    active: Scalar = number()
    material_density: Scalar = number()
    capacity: Scalar = number()
    first_charge: Scalar = number()
    potentials: tuple[float, float] = eqx.field(static=True, default=(4.0, 2.0))
    additives_density: Scalar = number(1850.0)
    material: str = eqx.field(static=True, default="")

    @property
    def thickness(self) -> Array:
        """Of one side [m]."""
        return self.loading / self.density

    @property
    def active_fraction(self) -> Array:
        """Volume of active material in a volume of coat [-]."""
        return self.density * self.active / self.material_density

    @property
    def porosity(self) -> Array:
        """Volume of pores in a volume of coat [-]."""
        additives = self.density * (1.0 - self.active) / self.additives_density
        return 1.0 - self.active_fraction - additives

    @property
    def areal_capacity(self) -> Array:
        """Reversible, of one side [A.h.m-2]; 1 mAh/cm2 is 10."""
        return self.loading * self.active * self.capacity

    @property
    def areal_first_charge(self) -> Array:
        """Of the first charge, of one side [A.h.m-2]."""
        return self.loading * self.active * self.first_charge


class Foil(eqx.Module):
    """A current collector, coated on both sides.

    Attributes:
        thickness: [m].
        density: [kg.m-3].
        metal: "aluminium" or "copper".
    """

    thickness: Scalar = number()
    density: Scalar = number(ALUMINIUM)
    metal: str = eqx.field(static=True, default="aluminium")


class SeparatorFilm(eqx.Module):
    """Between the electrodes.

    Attributes:
        thickness: [m].
        porosity: [-].
    """

    thickness: Scalar = number()
    porosity: Scalar = number(0.4)


class Masses(eqx.Module):
    """Masses of the parts of a cell [kg]."""

    positive: Scalar
    negative: Scalar
    foils: Scalar
    separator: Scalar
    electrolyte: Scalar
    packaging: Scalar
    rest: Scalar

    @property
    def total(self) -> Array:
        """Mass of the cell [kg]."""
        of_stack = self.positive + self.negative + self.foils + self.separator
        return of_stack + self.electrolyte + self.packaging + self.rest


class Stack(eqx.Module):
    """What repeats in a cell: coats on foils, separators, and the liquid in them.

    Attributes:
        positive: its coat; the area of all its sides is the area of the cell.
        negative: its coat.
        positive_foil: aluminium.
        negative_foil: aluminium for sodium, copper for lithium.
        separator: between all sides that face each other.
        overhang: area of negative coat, foil and separator over that of the positive.
        overfill: electrolyte over the volume of all pores [-].
        electrolyte_density: [kg.m-3].
    """

    positive: Coat
    negative: Coat
    positive_foil: Foil
    negative_foil: Foil
    separator: SeparatorFilm
    overhang: Scalar = number(1.03)
    overfill: Scalar = number(1.2)
    electrolyte_density: Scalar = number(1210.0)

    def balanced(self, n_to_p: Array) -> "Stack":
        """With the negative coat that gives this ratio, of at least one.

        See `Balance.n_to_p`: the cell has the capacity of the positive, or of the
        sodium that the negative leaves it.
        """
        p, n = self.positive, self.negative
        kept = n.capacity / n.first_charge
        wanted = n_to_p * jnp.minimum(p.areal_capacity, kept * p.areal_first_charge)
        return eqx.tree_at(
            lambda s: s.negative.loading, self, wanted / (n.active * n.capacity)
        )

    @property
    def unit_thickness(self) -> Array:
        """Of two sides that face two others: both foils, all coats, separators [m]."""
        sides = self.positive.thickness + self.negative.thickness
        foils = self.positive_foil.thickness + self.negative_foil.thickness
        return 2.0 * (sides + self.separator.thickness) + foils

    def masses(self, area: Array) -> Masses:
        """Masses without housing, for an area of all positive sides [m2]."""
        p, n, wide = self.positive, self.negative, self.overhang * area
        foils = 0.5 * (
            area * self.positive_foil.thickness * self.positive_foil.density
            + wide * self.negative_foil.thickness * self.negative_foil.density
        )
        s = self.separator
        pores = p.porosity * p.thickness * area + n.porosity * n.thickness * wide
        pores = pores + s.porosity * s.thickness * wide
        zero = jnp.zeros_like(area)
        return Masses(
            positive=area * p.loading,
            negative=wide * n.loading,
            foils=foils,
            separator=wide * s.thickness * (1.0 - s.porosity) * POLYOLEFIN,
            electrolyte=self.overfill * pores * self.electrolyte_density,
            packaging=zero,
            rest=zero,
        )


class Balance(eqx.Module):
    """Charge for each area of facing sides [A.h.m-2].

    The negative's overhang takes no part.

    Attributes:
        positive: what the positive takes and gives.
        negative: what the negative takes and gives.
        supplied: sodium that the positive gives in the first charge.
        lost: of that, for good, in the negative.
    """

    positive: Scalar
    negative: Scalar
    supplied: Scalar
    lost: Scalar

    @property
    def capacity(self) -> Array:
        """Of the cell: what is least."""
        cycling = self.supplied - self.lost
        return jnp.minimum(jnp.minimum(self.positive, self.negative), cycling)

    @property
    def n_to_p(self) -> Array:
        """Reversible capacity of the negative over that of the cell [-]."""
        return self.negative / self.capacity


@takes
def balance(stack: Stack) -> Balance:
    """Capacities of both electrodes and what the first cycle costs.

    Q = min(Q_c, Q_c1 - Q_irr, Q_a), Q_irr = Q_a (1/ICE - 1) min(1, Q_c1 ICE/Q_a): the
    negative loses what it loses only as far as it is filled.
    """
    Q_p, Q_n = stack.positive.areal_capacity, stack.negative.areal_capacity
    supplied, taken = (
        stack.positive.areal_first_charge,
        stack.negative.areal_first_charge,
    )
    filled = jnp.minimum(1.0, supplied / taken)
    return Balance(Q_p, Q_n, supplied, (taken - Q_n) * filled)
