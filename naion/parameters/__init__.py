"""Cells: what a parameter set loads, a fit returns and a simulation takes."""

from ._balance import (
    electrode_capacities,
    open_circuit_voltage,
    stoichiometry_at_soc,
    stoichiometry_at_voltage,
)
from ._cell import (
    Cell,
    Electrode,
    Electrolyte,
    Limits,
    Particle,
    Separator,
    Stoichiometry,
    Thermal,
)
from ._registry import ParameterSet, Provenance, available, load, load_set
from ._serialise import from_json, to_json

__all__ = [
    "Cell",
    "Electrode",
    "Electrolyte",
    "Limits",
    "ParameterSet",
    "Particle",
    "Provenance",
    "Separator",
    "Stoichiometry",
    "Thermal",
    "available",
    "electrode_capacities",
    "from_json",
    "load",
    "load_set",
    "open_circuit_voltage",
    "stoichiometry_at_soc",
    "stoichiometry_at_voltage",
    "to_json",
]
