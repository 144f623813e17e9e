"""Predictions with intervals, and claims beside them."""

from ._ensemble import (
    Ensemble,
    Uncertainty,
    ensemble,
    uncertainty_of,
    uncertainty_of_set,
    voltage_band,
    write_fitted_cell,
)
from ._questions import ColdRow, cold_table, energy_density

__all__ = [
    "ColdRow",
    "Ensemble",
    "Uncertainty",
    "cold_table",
    "energy_density",
    "ensemble",
    "uncertainty_of",
    "uncertainty_of_set",
    "voltage_band",
    "write_fitted_cell",
]
