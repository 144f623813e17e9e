"""Packs of unlike cells: each a full DFN with its own heat, all solved as one DAE."""

from ..systems import Converters, Pack
from ._build import build
from ._simulate import PackSolution, simulate

__all__ = ["Converters", "Pack", "PackSolution", "build", "simulate"]
