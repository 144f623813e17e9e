"""Run a protocol on a cell."""

from ._impedance import impedance
from ._outcome import outcome_of
from ._simulate import Keep, Start, in_kelvin, simulate, start_state
from ._solution import Solution
from ._system import CellSystem, Imposed, Output, distances, segments_of

__all__ = [
    "CellSystem",
    "Imposed",
    "Keep",
    "Output",
    "Solution",
    "Start",
    "distances",
    "impedance",
    "in_kelvin",
    "outcome_of",
    "segments_of",
    "simulate",
    "start_state",
]
