"""What is in a measured record: its steps, its oddities, and the rows of some steps."""

from ._steps import NAMES, MeasuredStep, doubts_beside, oddities, rows_of, steps_of

__all__ = [
    "NAMES",
    "MeasuredStep",
    "doubts_beside",
    "oddities",
    "rows_of",
    "steps_of",
]
