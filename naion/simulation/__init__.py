"""Run a protocol on a cell."""

from ..parameters import Start
from ._impedance import impedance
from ._outcome import outcome_of
from ._outputs import Output, Outputs, outputs_in
from ._proof import is_unfinished
from ._simulate import simulate
from ._solution import Solution
from ._system import CellSystem, Imposed, distances, segments_of
from ._variables import VARIABLES, WITH_CELL, Variable, known, variable
from .driver import Keep, in_kelvin

__all__ = [
    "VARIABLES",
    "WITH_CELL",
    "CellSystem",
    "Imposed",
    "Keep",
    "Output",
    "Outputs",
    "Solution",
    "Start",
    "Variable",
    "distances",
    "impedance",
    "in_kelvin",
    "is_unfinished",
    "known",
    "outcome_of",
    "outputs_in",
    "segments_of",
    "simulate",
    "variable",
]
