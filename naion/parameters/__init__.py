"""Cells and parameter sets: what a set loads, a fit returns and a simulation takes."""

from ..physics.pores import PoreFilling
from ._balance import (
    AFTER_CHARGE,
    AFTER_DISCHARGE,
    check_discharged,
    compositions,
    electrode_capacities,
    equilibrium_potential,
    open_circuit_voltage,
    stoichiometries_at_limits,
    stoichiometry_at_soc,
    stoichiometry_at_voltage,
    with_ready_curves,
)
from ._blends import walled, with_second_material, with_sizes
from ._cell import (
    SEI,
    Cell,
    Defaults,
    DoubleLayer,
    Electrode,
    Electrolyte,
    Hysteresis,
    Limits,
    Material,
    Particle,
    Plating,
    Separator,
    Stoichiometry,
    Thermal,
    ThroughPlane,
)
from ._charge_transfer import charge_transfer_resistances
from ._check import check
from ._doubts import doubts_of
from ._electrolytes import with_freezing, with_landesfeind
from ._half_cell import half_cell, metal_electrode, require_full_cell
from ._hard_carbon import HARD_CARBONS, with_pore_filling, with_reactions
from ._known import is_half_cell, recognised
from ._metals import lithium_metal, metal_kinetics, sodium_metal
from ._names import path_of
from ._numbers import possible
from ._parameter_set import ParameterSet
from ._plausible import doubts_of_current
from ._ranges import range_at
from ._registry import (
    available,
    is_set,
    load,
    load_set,
    nearest_sets,
    schema,
    template,
    titles,
)
from ._roles import Role, about, is_of_design, leaf, role_of
from ._serialise import from_json, to_json
from ._sourced import QUALITIES, TWO_SD, Quality, Sourced
from ._start import Start, at_rest, check_start, on_branch, start_of
from ._suited_mesh import suited_mesh, with_suited_mesh
from ._validity import DISPERSED, cautions, is_dispersed
from ._variants import (
    with_double_layer,
    with_heat_through_stack,
    with_hysteresis,
    with_plating,
    with_process,
    with_sei,
)

__all__ = [
    "DISPERSED",
    "AFTER_CHARGE",
    "AFTER_DISCHARGE",
    "HARD_CARBONS",
    "QUALITIES",
    "SEI",
    "Role",
    "TWO_SD",
    "Cell",
    "Defaults",
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
    "Quality",
    "Separator",
    "Sourced",
    "Start",
    "Stoichiometry",
    "Thermal",
    "ThroughPlane",
    "about",
    "at_rest",
    "available",
    "cautions",
    "charge_transfer_resistances",
    "check",
    "check_discharged",
    "check_start",
    "compositions",
    "doubts_of",
    "doubts_of_current",
    "electrode_capacities",
    "equilibrium_potential",
    "from_json",
    "half_cell",
    "is_dispersed",
    "is_half_cell",
    "leaf",
    "lithium_metal",
    "metal_electrode",
    "metal_kinetics",
    "is_set",
    "load",
    "on_branch",
    "is_of_design",
    "load_set",
    "nearest_sets",
    "open_circuit_voltage",
    "path_of",
    "possible",
    "range_at",
    "recognised",
    "require_full_cell",
    "role_of",
    "schema",
    "sodium_metal",
    "start_of",
    "stoichiometries_at_limits",
    "stoichiometry_at_soc",
    "stoichiometry_at_voltage",
    "suited_mesh",
    "template",
    "titles",
    "to_json",
    "walled",
    "with_double_layer",
    "with_freezing",
    "with_heat_through_stack",
    "with_hysteresis",
    "with_landesfeind",
    "with_plating",
    "with_pore_filling",
    "with_process",
    "with_reactions",
    "with_ready_curves",
    "with_second_material",
    "with_sei",
    "with_sizes",
    "with_suited_mesh",
]
