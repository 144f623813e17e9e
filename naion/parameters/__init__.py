"""Cells: what a parameter set loads, a fit returns and a simulation takes."""

from ._balance import (
    electrode_capacities,
    open_circuit_voltage,
    stoichiometry_at_soc,
    stoichiometry_at_voltage,
)
from ._cell import (
    SEI,
    Cell,
    Electrode,
    Electrolyte,
    Hysteresis,
    Limits,
    Particle,
    Plating,
    Separator,
    Stoichiometry,
    Thermal,
)
from ._registry import ParameterSet, Provenance, available, load, load_set
from ._serialise import from_json, to_json
from ._variants import with_hysteresis, with_plating, with_sei

__all__ = [
    "SEI",
    "Cell",
    "Electrode",
    "Electrolyte",
    "Hysteresis",
    "Limits",
    "ParameterSet",
    "Particle",
    "Plating",
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
    "with_hysteresis",
    "with_plating",
    "with_sei",
]
