"""Figures: `naion.plot.overview(solution)` and so on.

Every function takes axes, or makes some, and returns them.
"""

from ._costs import cheaper
from ._figures import (
    band,
    electrodes,
    fields,
    fields_slider,
    fit,
    impedance,
    losses,
    overview,
)
from ._record import record

__all__ = [
    "band",
    "cheaper",
    "electrodes",
    "fields",
    "fields_slider",
    "fit",
    "impedance",
    "losses",
    "overview",
    "record",
]
