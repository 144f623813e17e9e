"""What files of fits and of sweeps share: a cell, and a mesh."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from .._file_models import Expected, Strict, Text
from ..io import read_cell
from ..mesh import Mesh
from ..parameters import Cell

FINEST = 400
"""Volumes of a region, or shells, at most. Errors of the mesh fall with the square of the
counts and are below those of any measurement at a tenth of this; time and memory grow."""

MOST_SHELLS = 20_000
"""Shells of all particles together at most: twenty times the usual mesh."""

Volumes = Annotated[int, Field(ge=1, le=FINEST)]
Counts = tuple[Volumes, Volumes, Volumes, Volumes]


def _not_too_fine(counts: Counts) -> Counts:
    shells = (counts[0] + counts[2]) * counts[3]
    if shells > MOST_SHELLS:
        raise ValueError(
            f"(n_neg + n_pos) n_r is {shells}; more than {MOST_SHELLS} take hours and "
            "gigabytes for digits that no measurement has."
        )
    Mesh(*counts)
    return counts


MeshCounts = Annotated[
    Counts,
    Field(strict=False),
    Expected(f"[n_neg, n_sep, n_pos, n_r], whole numbers from 1 to {FINEST}"),
    AfterValidator(_not_too_fine),
]


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
        MeshCounts | None, Field(description="n_neg, n_sep, n_pos, n_r; else the usual")
    ] = None

    def read_mesh(self) -> Mesh:
        """The mesh that is asked for."""
        return Mesh() if self.mesh is None else Mesh(*self.mesh)

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
