"""Run a protocol on a cell."""

from ._simulate import simulate, start_state
from ._solution import Solution
from ._system import Output

__all__ = ["Output", "Solution", "simulate", "start_state"]
