"""`naion predict`."""

import argparse

import numpy as np

from .._files import writable
from ..fit import Uncertainty, ensemble, uncertainty_of_set, voltage_band
from ..io import read_cell, write_csv
from ..parameters import is_set, load_set
from ..simulation import simulate
from ._run import ended, grid, options, prepare, rows, text

__all__ = ["command", "options"]

DRAWS = 32
"""Cells drawn for an interval."""


def command(arguments: argparse.Namespace) -> int:
    """Simulate with a 90 % band: of a fit, or of the assumed numbers of a set."""
    cell, extra = read_cell(arguments.cell)
    if is_set(arguments.cell):
        known = uncertainty_of_set(load_set(arguments.cell))
        print(
            f"The band is that of {len(known.vector.free)} assumed numbers of the set; "
            "errors of the model and of its other numbers are not in it."
        )
    elif "fit" in extra:
        known = Uncertainty.read(arguments.cell, extra["fit"], cell)
    else:
        raise ValueError(
            f"{arguments.cell} carries no fit: intervals need a cell.json written by "
            "`naion fit` or `naion demo`, or a set. For a single curve use "
            "`naion run`."
        )
    asked = prepare(arguments, cell)
    writable(arguments.out)
    best = simulate(cell, asked.protocol, throw=False, **asked.options)
    times = grid(best) if asked.times is None else asked.times
    drawn = ensemble(cell, known, DRAWS)
    _, low, high = voltage_band(drawn, times, asked.protocol, **asked.options)
    header = [
        "time_s",
        "current_A",
        "voltage_V",
        "voltage_lo_V",
        "voltage_hi_V",
        "temperature_degC",
    ]
    table = [
        [*r[:3], lo if np.isfinite(r[2]) else np.nan, hi, r[3]]
        for r, lo, hi in zip(rows(best, times, asked.origin), low, high, strict=True)
    ]
    table = [[*r[:4], r[4] if np.isfinite(r[2]) else np.nan, r[5]] for r in table]
    write_csv(arguments.out, header, [text(r) for r in table])
    return ended(best)
