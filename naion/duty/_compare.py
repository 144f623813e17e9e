"""Chemistries side by side under duties and temperatures."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .._progress import Progress, silent
from ..models import DFN
from ..parameters import Cell
from ._catalogue import load
from ._served import Served, ready, serve
from ._vehicle import ZERO

if TYPE_CHECKING:
    import pandas as pd

TEMPERATURES = (35.0, 25.0, 0.0, -20.0, -30.0)
"""Of a comparison [degC]."""


def compare(
    cells: Mapping[str, Cell],
    names: Sequence[str],
    temperatures: Sequence[float] = TEMPERATURES,
    *,
    model: DFN | None = None,
    progress: Progress = silent,
) -> "pd.DataFrame":
    """Every cell under every duty at every temperature, one row each.

    Args:
        cells: by the name that stands in the table.
        names: of duties; see `duties`.
        temperatures: of the day [degC].
        model: see `serve`.
        progress: called with a line of text after every simulation.

    Returns:
        energies of the whole battery, which has the same rated energy with all cells.

    Raises:
        TypeError: for cells that have no names, or are none.
        KeyError, ValueError: see `load` and `serve`.
    """
    import pandas as pd

    if not isinstance(cells, Mapping):
        raise TypeError(
            f"cells are a {type(cells).__name__}: expected cells by the name that stands in "
            'the table, {"mine": cell}.'
        )
    names = [names] if isinstance(names, str) else names
    asked = [(T, load(name, T + ZERO)) for name in names for T in temperatures]
    rows = []
    for name, cell in cells.items():
        own = ready(cell, model)
        for T, duty in asked:
            served = serve(own, duty)
            rows.append(row(name, T, served))
            progress(
                f"{name}, {duty.name}, {T:+.0f} degC: {served.result.name.lower()}"
            )
    return pd.DataFrame(rows)


def row(name: str, T: float, served: Served) -> dict[str, float | str]:
    """A line of the table of `compare`."""
    duty = served.duty
    kilo = 3.6e6
    distance = duty.distance
    driven = np.nan if distance is None else served.given / kilo / distance * 1e5
    return {
        "Cell": name,
        "Duty": duty.name,
        "Temperature [degC]": T,
        "Energy asked [kWh]": served.asked / kilo,
        "Energy delivered [kWh]": served.given / kilo,
        "Energy missed [%]": _percent(served.missed),
        "Most power missed [%]": _percent(served.most_missed),
        "Time short of power [s]": served.time_missed,
        "Charge refused [%]": _percent(served.refused),
        "Efficiency [%]": _percent(served.efficiency),
        "Peak temperature [degC]": served.peak_temperature - ZERO,
        "Lowest plating margin [mV]": 1e3 * served.margin,
        "Final SOC [%]": _percent(served.final_soc),
        "Delivered per way [kWh/100km]": driven,
        "Outcome": served.result.name.lower(),
    }


def _percent(share: float) -> float:
    """Without the sign of what rounds to zero: a solve has an error."""
    return 100.0 * share if abs(share) > 1e-4 else abs(0.0 * share)
