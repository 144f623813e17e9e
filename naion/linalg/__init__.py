"""Structured linear algebra: static condensation of chains, nodes and a border."""

from ._condensed import (
    Blocks,
    CondensedFactors,
    CondensedMatrix,
    Pores,
    Runs,
    gather,
    spread,
)

__all__ = [
    "Blocks",
    "CondensedFactors",
    "CondensedMatrix",
    "Pores",
    "Runs",
    "gather",
    "spread",
]
