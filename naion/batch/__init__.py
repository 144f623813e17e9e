"""Many cells at once: on all devices of all hosts, in chunks, resumable."""

from ._finished import Finished
from ._program import Lanes, Program, is_shared
from ._run import mine, processes, run, together
from ._simulate import Solutions, simulate, stack

__all__ = [
    "Finished",
    "Lanes",
    "Program",
    "Solutions",
    "is_shared",
    "mine",
    "processes",
    "run",
    "simulate",
    "stack",
    "together",
]
