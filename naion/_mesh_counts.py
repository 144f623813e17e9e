"""A mesh as files give it: four whole numbers."""

from typing import Annotated

from pydantic import AfterValidator, Field

from ._file_models import Expected
from .mesh import Mesh

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
