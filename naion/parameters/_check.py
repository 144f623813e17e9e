"""Check that every number of a cell is possible."""

from ._cell import Cell
from ._numbers import check_as


def check(cell: Cell) -> None:
    """Check that every number of a cell is possible.

    Cells that JAX traces are not checked; inside compiled programs `possible` does that.

    Args:
        cell: one cell, or many stacked along leading axes of every number.

    Raises:
        ValueError: naming all numbers that are not possible, with what is expected.
    """
    check_as(cell, Cell)
