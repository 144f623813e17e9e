"""From coats, foils and a housing to the geometry, the mass and the model of a cell."""

from ._blueprint import QUALITIES, Blueprint, Input, available, load, read_input
from ._design import DataSheet, Design
from ._housing import AbstractHousing, Cylinder, Pouch, Prismatic
from ._stack import Balance, Coat, Foil, Masses, Separator, Stack, balance

__all__ = [
    "QUALITIES",
    "AbstractHousing",
    "Balance",
    "Blueprint",
    "Coat",
    "Cylinder",
    "DataSheet",
    "Design",
    "Foil",
    "Input",
    "Masses",
    "Pouch",
    "Prismatic",
    "Separator",
    "Stack",
    "available",
    "balance",
    "load",
    "read_input",
]
