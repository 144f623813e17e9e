"""What files of fits and of sweeps share: a cell, or half of one, and a mesh."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from .._file_models import Expected, Pair, Positive, Strict, Text
from .._mesh_counts import MeshCounts
from ..mesh import Mesh
from ..parameters import Cell
from ._cell_named import cell_named
from ._half_cell import METALS, halved


class HalfCell(Strict):
    """One electrode of the cell against metal; half_cell = "negative" is enough."""

    form = '"negative" or "positive", or a table with more'
    electrode: Annotated[
        Literal["negative", "positive"], Field(description="of the cell, which works")
    ]
    metal: Annotated[
        Literal["sodium", "lithium"], Field(description="against which")
    ] = METALS[0]
    exchange_current: Annotated[
        Positive | None,
        Field(description="of the metal, 1000 mol.m-3 of salt [A.m-2]; else assumed"),
    ] = None
    area: Annotated[
        Positive | None, Field(description="of the electrode [m2]; else the cell's")
    ] = None
    separator: Annotated[
        Positive | None, Field(description="its thickness [m]; else the cell's")
    ] = None
    limits: Annotated[
        Pair | None, Field(description="of voltage [V]", examples=[[0.0, 2.0]])
    ] = None
    contact_resistance: Annotated[
        float, Field(ge=0.0, description="of the half cell [ohm]")
    ] = 0.0


def _by_word(given: Any) -> Any:
    return {"electrode": given} if isinstance(given, str) else given


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
    half_cell: Annotated[HalfCell | None, BeforeValidator(_by_word)] = None

    def read_mesh(self) -> Mesh | None:
        """The mesh that is asked for, if one is."""
        return None if self.mesh is None else Mesh(*self.mesh)

    def read_cell(self, file: Path) -> tuple[Cell, dict[str, Any]]:
        """The cell, or the half of it that is asked for, and what else its file keeps.

        Args:
            file: that names it.

        Raises:
            ValueError: when there is none of that name, or no half of it.
        """
        try:
            cell, extra = cell_named(beside(file, self.cell))
        except FileNotFoundError as error:
            raise ValueError(f"{file}: cell: {error}") from None
        if self.half_cell is None:
            return cell, extra
        try:
            return halved(cell, **self.half_cell.model_dump()), extra
        except ValueError as error:
            raise ValueError(f"{file}: half_cell: {error}") from None


def beside(file: Path, name: str) -> str:
    """A cell named in a TOML file: a set, or a file relative to the TOML file."""
    path = file.parent / name
    return str(path) if path.is_file() else name
