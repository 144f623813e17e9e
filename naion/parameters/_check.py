"""Whether a cell can be: every number within what is possible."""

from ._cell import Cell
from ._numbers import check_as


def check(cell: Cell) -> None:
    """Whether every number of a cell is possible. Traced cells are not looked at.

    Args:
        cell: one, or many stacked along leading axes of every number.

    Raises:
        ValueError: with all that is not: its field, what was given, what is expected.
    """
    check_as(cell, Cell)
