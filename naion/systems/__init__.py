"""Cells and packs under a protocol, as the abstract systems that integrators solve."""

from ._cell_system import CellSystem, Event, Imposed, segments_of
from ._layers import in_layers, in_parallel
from ._members import Members
from ._outputs import Output, Outputs, outputs_in
from ._pack import Converters, Pack, Wiring
from ._pack_system import LIMITS, PER_CELL, PackSystem, columns_of

__all__ = [
    "LIMITS",
    "PER_CELL",
    "CellSystem",
    "Converters",
    "Event",
    "Imposed",
    "Members",
    "Output",
    "Outputs",
    "Pack",
    "PackSystem",
    "Wiring",
    "columns_of",
    "in_layers",
    "in_parallel",
    "outputs_in",
    "segments_of",
]
