"""The real cells naion is shown on: which data, which parameters, which question."""

from ._demo import demo
from ._nfm import hakadi_problem, tuberlin_problem
from ._nvpf import nvpf_problem

__all__ = [
    "demo",
    "hakadi_problem",
    "nvpf_problem",
    "tuberlin_problem",
]
