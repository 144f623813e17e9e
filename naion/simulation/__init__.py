"""Run a protocol on a cell."""

from ..parameters import Start
from ._impedance import impedance
from ._outcome import outcome_of
from ._proof import is_unfinished
from ._simulate import Keep, in_kelvin, simulate
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
    "is_unfinished",
    "outcome_of",
    "segments_of",
    "simulate",
]
