"""What TOML files of the command line share: their entries, cells and meshes."""

from pathlib import Path
from typing import Any

from .._entries import (
    celsius,
    count,
    number,
    numbers,
    one_of,
    only,
    tables,
    text,
    within,
)
from .._files import read_toml
from ..mesh import Mesh

__all__ = [
    "beside",
    "celsius",
    "count",
    "mesh_of",
    "number",
    "numbers",
    "one_of",
    "only",
    "read_toml",
    "tables",
    "text",
    "within",
]

FINEST = 400
"""Volumes of a region, or shells, at most. Errors of the mesh fall with the square of the
counts and are below those of any measurement at a tenth of this; time and memory grow."""

MOST_SHELLS = 20_000
"""Shells of all particles together at most: twenty times the usual mesh."""


def beside(file: Path, name: str) -> str:
    """A cell named in a TOML file: a set, or a file relative to the TOML file."""
    path = file.parent / name
    return str(path) if path.is_file() else name


def mesh_of(file_text: dict[str, Any], file: Path) -> Mesh:
    """The mesh that a file asks for, or the usual one.

    Raises:
        ValueError: for what is not four counts, or a mesh finer than any use.
    """
    if "mesh" not in file_text:
        return Mesh()
    counts = file_text["mesh"]
    if not isinstance(counts, list) or len(counts) != 4:
        raise ValueError(
            f"{file}: mesh = {counts!r}; expected [n_neg, n_sep, n_pos, n_r]."
        )
    for n in counts:
        if count(n, f"{file}, mesh") > FINEST:
            raise ValueError(
                f"{file}, mesh: {n} is more than {FINEST}; the errors of a mesh are below "
                "those of any measurement at a tenth of this."
            )
    shells = (counts[0] + counts[2]) * counts[3]
    if shells > MOST_SHELLS:
        raise ValueError(
            f"{file}, mesh: (n_neg + n_pos) n_r is {shells}; more than {MOST_SHELLS} take "
            "hours and gigabytes for digits that no measurement has."
        )
    try:
        return Mesh(*counts)
    except ValueError as error:
        raise ValueError(f"{file}, mesh: {error}") from None
