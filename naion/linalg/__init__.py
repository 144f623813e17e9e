"""Structured linear algebra: static condensation of chains, nodes and a border."""

from ._condensed import Blocks, CondensedFactors, CondensedMatrix

__all__ = ["Blocks", "CondensedFactors", "CondensedMatrix"]
