"""Run a protocol on a cell."""

from ._simulate import simulate, start_state
from ._solution import Solution

__all__ = ["Solution", "simulate", "start_state"]
