"""Integrators for semi-explicit DAEs with structure. Knows nothing of batteries."""

from ._differentiate import solve
from ._integrate import Record, Segments, Settings, Trajectory, integrate
from ._rosenbrock import RODAS5P, Tableau, apply, interpolate, stepping
from ._system import AbstractSystem, Status

__all__ = [
    "RODAS5P",
    "AbstractSystem",
    "Record",
    "Segments",
    "Settings",
    "Status",
    "Tableau",
    "Trajectory",
    "apply",
    "integrate",
    "interpolate",
    "solve",
    "stepping",
]
