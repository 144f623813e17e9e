"""The real cells naion is shown on: which data, which parameters, which question."""

from ._demo import capacity_errors, demo
from ._nfm import hakadi_problem, tuberlin_problem
from ._nvpf import nvpf_problem

__all__ = [
    "capacity_errors",
    "demo",
    "hakadi_problem",
    "nvpf_problem",
    "tuberlin_problem",
]
