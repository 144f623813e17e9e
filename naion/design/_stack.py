"""The stack-to-cell mass model: one source of geometry and of mass."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..parameters import Cell

Scalar = Float[Array, ""]

DENSITY = {"aluminium": 2700.0, "polyolefin": 950.0, "electrolyte": 1210.0}
"""[kg.m-3]; physics of cells: foils on both sides of a sodium cell are aluminium."""


class MassBreakdown(eqx.Module):
    """Masses of the parts of a cell [kg]."""

    positive: Scalar
    negative: Scalar
    foils: Scalar
    separator: Scalar
    electrolyte: Scalar
    packaging: Scalar

    @property
    def total(self) -> Array:
        """Mass of the cell [kg]."""
        parts = (self.positive, self.negative, self.foils, self.separator)
        return sum(parts, self.electrolyte + self.packaging)


class Stack(eqx.Module):
    """A stack of electrode pairs in a housing.

    Attributes:
        area: coated area of all positive sides, which face the negative ones [m2].
        positive_loading: coat mass per side [kg.m-2].
        positive_density: of the coat [kg.m-3].
        positive_material: density of the active material [kg.m-3].
        positive_active: mass fraction of active material [-].
        negative_loading: coat mass per side [kg.m-2].
        negative_density: of the coat [kg.m-3].
        negative_material: density of the active material [kg.m-3].
        negative_active: mass fraction of active material [-].
        binder_density: of binder and carbon [kg.m-3].
        overhang: area of negative coat, foils and separator over `area` [-].
        foil: thickness of the aluminium foil on each side [m].
        separator: thickness [m].
        separator_porosity: [-].
        overfill: electrolyte over pore volume [-].
        packaging: can, lid, terminals, tabs, insulation [kg].
    """

    area: Scalar
    positive_loading: Scalar
    positive_density: Scalar
    positive_material: Scalar
    positive_active: Scalar
    negative_loading: Scalar
    negative_density: Scalar
    negative_material: Scalar
    negative_active: Scalar
    binder_density: Scalar
    overhang: Scalar
    foil: Scalar
    separator: Scalar
    separator_porosity: Scalar
    overfill: Scalar
    packaging: Scalar

    def electrode(self, side: str) -> tuple[Array, Array, Array]:
        """Thickness [m], porosity and active volume fraction of an electrode."""
        loading = getattr(self, f"{side}_loading")
        density = getattr(self, f"{side}_density")
        active = getattr(self, f"{side}_active")
        solid = active / getattr(self, f"{side}_material")
        rest = (1.0 - active) / self.binder_density
        return loading / density, 1.0 - density * (solid + rest), density * solid

    def masses(self) -> MassBreakdown:
        """Masses of the parts."""
        L_p, eps_p, _ = self.electrode("positive")
        L_n, eps_n, _ = self.electrode("negative")
        wide = self.overhang * self.area
        # A foil is coated on both sides.
        foils = 0.5 * (self.area + wide) * self.foil * DENSITY["aluminium"]
        solid = (1.0 - self.separator_porosity) * DENSITY["polyolefin"]
        pores = eps_p * L_p * self.area + eps_n * L_n * wide
        pores = pores + self.separator_porosity * self.separator * wide
        return MassBreakdown(
            positive=self.area * self.positive_loading,
            negative=wide * self.negative_loading,
            foils=foils,
            separator=wide * self.separator * solid,
            electrolyte=self.overfill * pores * DENSITY["electrolyte"],
            packaging=self.packaging,
        )

    def build(self, cell: Cell, bruggeman: float = 1.8) -> Cell:
        """The cell of this design, with the materials of a given cell.

        Contact resistance keeps its value per area; capacity scales with positive
        material per area.
        """
        L_p, eps_p, active_p = self.electrode("positive")
        L_n, eps_n, active_n = self.electrode("negative")
        ratio = self.area / cell.area
        before = cell.positive.thickness * cell.positive.active_fraction
        scale = ratio * L_p * active_p / before

        def numbers(c: Cell):
            return [
                c.positive.thickness,
                c.positive.porosity,
                c.positive.active_fraction,
                c.positive.transport_efficiency,
                c.negative.thickness,
                c.negative.porosity,
                c.negative.active_fraction,
                c.negative.transport_efficiency,
                c.separator.thickness,
                c.separator.porosity,
                c.separator.transport_efficiency,
                c.area,
                c.contact_resistance.scale,
                c.nominal_capacity,
                c.thermal.mass,
            ]

        values = [
            L_p,
            eps_p,
            active_p,
            eps_p**bruggeman,
            L_n,
            eps_n,
            active_n,
            eps_n**bruggeman,
            self.separator,
            self.separator_porosity,
            self.separator_porosity**bruggeman,
            self.area,
            cell.contact_resistance.scale / ratio,
            cell.nominal_capacity * scale,
            self.masses().total,
        ]
        return eqx.tree_at(numbers, cell, values)


def nfm_prismatic() -> Stack:
    """A large prismatic layered-oxide cell, 174 x 71.5 x 205 mm.

    Teardown geometry (two stacks of 94 plates, 16.6 x 19 cm, 19 and 8.87 mg/cm2 a side);
    packaging mass assumed at a tenth of the cell.
    """
    a = jnp.asarray
    return Stack(
        area=a(11.86),
        positive_loading=a(0.190),
        positive_density=a(2710.0),
        positive_material=a(4250.0),
        positive_active=a(0.97),
        negative_loading=a(0.0887),
        negative_density=a(1020.0),
        negative_material=a(1500.0),
        negative_active=a(0.95),
        binder_density=a(1850.0),
        overhang=a(1.012),
        foil=a(12e-6),
        separator=a(12e-6),
        separator_porosity=a(0.40),
        overfill=a(1.25),
        packaging=a(0.56),
    )
