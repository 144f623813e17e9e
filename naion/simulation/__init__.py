"""Run a protocol on a cell."""

from ._simulate import simulate
from ._solution import Solution

__all__ = ["Solution", "simulate"]
