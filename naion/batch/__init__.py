"""Batches: many cells at once, on all devices or on many workers, with checkpoints."""

from ._checkpoint import Checkpoint
from ._cluster import cluster, is_worker
from ._deal import deal, workers_of
from ._digest import digest
from ._program import Lanes, Program, is_shared
from ._run import run
from ._simulate import Solutions, simulate
from ._stack import lane_of, stack

__all__ = [
    "Checkpoint",
    "Lanes",
    "Program",
    "Solutions",
    "cluster",
    "deal",
    "digest",
    "is_shared",
    "is_worker",
    "lane_of",
    "run",
    "simulate",
    "stack",
    "workers_of",
]
