"""What files of fits and of sweeps share: a cell, and a mesh."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from .._file_models import Expected, Strict, Text
from .._mesh_counts import MeshCounts
from ..io import read_cell
from ..mesh import Mesh
from ..parameters import Cell


class OfCell(Strict):
    """A file about a cell."""

    cell: Annotated[
        Text,
        Field(
            description="a set, by name or TOML file, or a cell.json",
            examples=["nfm_hc_18650"],
        ),
        Expected("a text, the name of a set or of a cell.json"),
    ]
    mesh: Annotated[
        MeshCounts | None,
        Field(description="n_neg, n_sep, n_pos, n_r; else the cell's own"),
    ] = None

    def read_mesh(self) -> Mesh | None:
        """The mesh that is asked for, if one is."""
        return None if self.mesh is None else Mesh(*self.mesh)

    def read_cell(self, file: Path) -> tuple[Cell, dict[str, Any]]:
        """The cell, and what else its file keeps.

        Args:
            file: that names it.

        Raises:
            ValueError: when there is none of that name.
        """
        try:
            return read_cell(beside(file, self.cell))
        except FileNotFoundError as error:
            raise ValueError(f"{file}: cell: {error}") from None


def beside(file: Path, name: str) -> str:
    """A cell named in a TOML file: a set, or a file relative to the TOML file."""
    path = file.parent / name
    return str(path) if path.is_file() else name
