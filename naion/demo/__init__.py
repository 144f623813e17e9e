"""The real cells that naion is shown on: data, what is fitted, and the demo's report."""

from ._demo import demo
from ._hakadi import hakadi_problem
from ._hina import hina_problem
from ._nvpf import nvpf_problem
from ._tuberlin import tuberlin_problem

__all__ = [
    "demo",
    "hakadi_problem",
    "hina_problem",
    "nvpf_problem",
    "tuberlin_problem",
]
