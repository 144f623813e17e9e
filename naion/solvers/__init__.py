"""Integrators for semi-explicit DAEs with structure. Knows nothing of batteries."""

from ._differentiate import solve
from ._integrate import (
    Record,
    Segments,
    Settings,
    Trajectory,
    Where,
    beginning,
    integrate,
)
from ._rosenbrock import RODAS5P, Tableau, apply, interpolate, stepping
from ._system import AbstractSystem, Factorised, Status

__all__ = [
    "RODAS5P",
    "AbstractSystem",
    "Factorised",
    "Record",
    "Segments",
    "Settings",
    "Status",
    "Tableau",
    "Trajectory",
    "Where",
    "apply",
    "beginning",
    "integrate",
    "interpolate",
    "solve",
    "stepping",
]
