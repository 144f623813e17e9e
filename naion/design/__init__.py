"""From coats, foils and a housing to the geometry, the mass and the model of a cell."""

from ._blueprint import Blueprint, sourced
from ._design import DataSheet, Design
from ._housing import AbstractHousing, Cylinder, Pouch, Prismatic
from ._load import available, load, schema
from ._stack import Balance, Coat, Foil, Masses, SeparatorFilm, Stack, balance

__all__ = [
    "AbstractHousing",
    "Balance",
    "Blueprint",
    "Coat",
    "Cylinder",
    "DataSheet",
    "Design",
    "Foil",
    "Masses",
    "Pouch",
    "Prismatic",
    "SeparatorFilm",
    "Stack",
    "available",
    "balance",
    "load",
    "schema",
    "sourced",
]
