"""Cells side by side: `naion.summary`."""

from ._summary import COLD, RATES, summary
from ._tests import (
    Charge,
    charge,
    cycle,
    discharge,
    fastest,
    full_capacity,
    temperature_law,
)

__all__ = [
    "COLD",
    "RATES",
    "Charge",
    "charge",
    "cycle",
    "discharge",
    "fastest",
    "full_capacity",
    "summary",
    "temperature_law",
]
