"""Simulate a protocol on a cell, and what a simulation returns."""

from ..parameters import Start
from ..systems import Output, Outputs, outputs_in
from ._impedance import impedance
from ._outcome import beyond_laws, outcome_of
from ._overview import overview as draw_overview
from ._overview import voltage_over_time
from ._proof import is_unfinished
from ._simulate import simulate
from ._solution import Solution
from ._variables import VARIABLES, WITH_CELL, Variable, known, variable
from .driver import Keep, in_kelvin

__all__ = [
    "VARIABLES",
    "WITH_CELL",
    "Keep",
    "Output",
    "Outputs",
    "Solution",
    "Start",
    "Variable",
    "beyond_laws",
    "draw_overview",
    "impedance",
    "in_kelvin",
    "is_unfinished",
    "known",
    "outcome_of",
    "outputs_in",
    "simulate",
    "variable",
    "voltage_over_time",
]
