"""What is in a measured record: its steps, its oddities, and the rows of some steps."""

from ._steps import NAMES, MeasuredStep, doubts_beside, oddities, rows_of, steps_of
from ._switched import flowing, switched_late

__all__ = [
    "NAMES",
    "MeasuredStep",
    "doubts_beside",
    "flowing",
    "oddities",
    "rows_of",
    "steps_of",
    "switched_late",
]
