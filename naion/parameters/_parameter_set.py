"""A cell with where its numbers are from."""

from dataclasses import dataclass

from ._cell import Cell
from ._sourced import Sourced


@dataclass(frozen=True)
class ParameterSet:
    """A parameter set: the cell and where its numbers are from.

    Attributes:
        name: of its file, as given to `load`.
        title: one line.
        cell: the numbers.
        provenance: one entry for every number or table.
        citation: how to cite the set.
        licence: licence of the numbers.
    """

    name: str
    title: str
    cell: Cell
    provenance: tuple[Sourced, ...]
    citation: str
    licence: str
