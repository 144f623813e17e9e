"""Run a protocol on a cell."""

from ._impedance import impedance
from ._simulate import Start, simulate, start_state
from ._solution import Solution
from ._system import Output

__all__ = ["Output", "Solution", "Start", "impedance", "simulate", "start_state"]
