"""Many cells at once: on all devices of all hosts, in chunks, resumable."""

from ._checkpoint import Checkpoint
from ._digest import digest
from ._program import Lanes, Program, is_shared
from ._run import mine, processes, run, together
from ._simulate import Solutions, simulate
from ._stack import lane_of, stack

__all__ = [
    "Checkpoint",
    "Lanes",
    "Program",
    "Solutions",
    "digest",
    "is_shared",
    "mine",
    "processes",
    "lane_of",
    "run",
    "simulate",
    "stack",
    "together",
]
