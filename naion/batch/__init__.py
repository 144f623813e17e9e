"""Many cells at once: on all devices of all hosts, in chunks, resumable."""

from ._digest import digest
from ._finished import Finished
from ._in_step import Ask, in_step
from ._program import Lanes, Program, is_shared
from ._run import mine, processes, run, together
from ._simulate import Solutions, simulate
from ._stack import lane_of, stack

__all__ = [
    "Ask",
    "Finished",
    "Lanes",
    "Program",
    "Solutions",
    "digest",
    "in_step",
    "is_shared",
    "mine",
    "processes",
    "lane_of",
    "run",
    "simulate",
    "stack",
    "together",
]
