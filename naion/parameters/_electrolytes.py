"""Cells with another electrolyte, or with one that freezes."""

import dataclasses

import jax.numpy as jnp
from jaxtyping import Array

from .._takes import takes
from ..properties import (
    AbstractCurve,
    Freezing,
    LandesfeindConductivity,
    LandesfeindDiffusivity,
    LandesfeindPolynomial,
    Property,
)
from ._cell import Cell

Number = float | Array

EC_EMC = {
    "conductivity": (0.521, 228.0, -1.06, 0.353, -0.00359, 0.00148),
    "diffusivity": (1010.0, 1.01, -1560.0, -487.0),
    "t_plus": (
        -12.8,
        -6.12,
        0.0821,
        0.904,
        0.0318,
        -1.27e-4,
        0.0175,
        -3.12e-3,
        -3.96e-5,
    ),
    "factor": (25.7, -45.1, -0.177, 1.94, 0.295, 3.08e-4, 0.259, -9.46e-3, -4.54e-4),
}
"""Coefficients of LiPF6 in EC:EMC 3:7, 263 to 323 K: Landesfeind and Gasteiger, J.
Electrochem. Soc. 166 (2019) A3079."""


@takes
def with_landesfeind(cell: Cell) -> Cell:
    """The cell with LiPF6 in EC:EMC 3:7, as functions of concentration and temperature.

    For a sodium cell this is an assumption, as the coefficients of NaPF6 are not public.
    """
    p = {name: jnp.asarray(values) for name, values in EC_EMC.items()}

    def measured(curve: AbstractCurve) -> Property:
        return Property(curve, valid=(263.15, 323.15))

    electrolyte = dataclasses.replace(
        cell.electrolyte,
        conductivity=measured(LandesfeindConductivity(p["conductivity"])),
        diffusivity=measured(LandesfeindDiffusivity(p["diffusivity"])),
        t_plus=measured(LandesfeindPolynomial(p["t_plus"])),
        thermodynamic_factor=measured(LandesfeindPolynomial(p["factor"])),
    )
    return dataclasses.replace(cell, electrolyte=electrolyte)


@takes
def with_freezing(
    cell: Cell, liquidus: Number, *, span: Number = 20.0, exponent: Number = 2.0
) -> Cell:
    """The cell with an electrolyte that partly freezes below its liquidus temperature.

    Args:
        cell: the cell without it.
        liquidus: temperature at which freezing begins [K]; 253 to 283 in mixtures that are
            rich in EC.
        span: degrees below the liquidus at which half is solid [K], 10 to 50.
        exponent: exponent of transport in the remaining liquid, 1.5 to 3.
    """

    def frozen(given: Property) -> Property:
        numbers = (jnp.asarray(x, float) for x in (liquidus, span, exponent))
        law = Freezing(given.temperature, *numbers)
        return dataclasses.replace(given, temperature=law)

    e = cell.electrolyte
    electrolyte = dataclasses.replace(
        e, conductivity=frozen(e.conductivity), diffusivity=frozen(e.diffusivity)
    )
    return dataclasses.replace(cell, electrolyte=electrolyte)
