"""A cell with the source of every number."""

from dataclasses import dataclass

from ._cell import Cell
from ._sourced import Sourced


@dataclass(frozen=True)
class ParameterSet:
    """A parameter set: a cell, and the source of every number.

    Attributes:
        name: name of the set's file, as given to `load`.
        title: description in one line.
        cell: the cell.
        provenance: value, unit, quality and source of every number or table.
        citation: how to cite the set.
        licence: licence of the numbers.
    """

    name: str
    title: str
    cell: Cell
    provenance: tuple[Sourced, ...]
    citation: str
    licence: str
