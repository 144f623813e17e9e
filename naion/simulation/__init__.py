"""Run a protocol on a cell."""

from ._impedance import impedance
from ._simulate import Start, in_kelvin, outcome_of, simulate, start_state, usual_steps
from ._solution import Solution
from ._system import CellSystem, Imposed, Output, distances, segments_of

__all__ = [
    "CellSystem",
    "Imposed",
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
    "usual_steps",
]
