"""The cell that a command line or a file names."""

from pathlib import Path
from typing import Any

from ..io import read_cell
from ..parameters import Cell, nearest_sets


def cell_named(name: str) -> tuple[Cell, dict[str, Any]]:
    """The cell of a set or a file, and what else its file keeps; see `naion.io.read_cell`.

    Raises:
        FileNotFoundError: when there is neither, with the nearest sets.
        ValueError: for a file that is no cell.
    """
    try:
        return read_cell(name)
    except FileNotFoundError as error:
        near = ", ".join(nearest_sets(Path(name).name))
        raise FileNotFoundError(f"{error} Nearest: {near or 'none'}.") from None
