"""Cells: what a parameter set loads, a fit returns and a simulation takes."""

from ._balance import (
    compositions,
    electrode_capacities,
    open_circuit_voltage,
    stoichiometry_at_soc,
    stoichiometry_at_voltage,
)
from ._cell import (
    SEI,
    Cell,
    DoubleLayer,
    Electrode,
    Electrolyte,
    Hysteresis,
    Limits,
    Material,
    Particle,
    Plating,
    PoreFilling,
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
    "DoubleLayer",
    "Electrode",
    "Electrolyte",
    "Hysteresis",
    "Limits",
    "Material",
    "ParameterSet",
    "Particle",
    "Plating",
    "PoreFilling",
    "Provenance",
    "Separator",
    "Stoichiometry",
    "Thermal",
    "available",
    "compositions",
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
