"""`naion predict`."""

import argparse
from typing import Any

import numpy as np

from ..fit import (
    Delivered,
    Tested,
    Uncertainty,
    delivered,
    ensemble,
    scores_of,
    uncertainty_of_set,
    voltage_band,
)
from ..io import write_csv
from ..models import DFN
from ..parameters import Cell, is_set, load_set
from ..simulation import simulate
from ._cell_named import cell_named
from ._exit import EXIT
from ._run import check_table, ended, grid, prepare, rows, text
from ._run import shared_options as options_of_run

DRAWS = 32
"""Cells drawn for an interval."""

AS_DONE = {
    **{"temperature": None, "start": "charged", "thermal": None, "cycles": 1},
    **{
        "rtol": 5e-4,
        "max_steps": None,
        "format": None,
        "positive": None,
        "sheet": None,
    },
    **{"column": [], "unit": []},
}
"""Options that say how a test is done or a profile read, where they are not given."""


def options(p: argparse.ArgumentParser) -> None:
    """Those of `naion run`, or a test of the fit."""
    what = options_of_run(p)
    what.add_argument(
        "--like", metavar="TEST", help="a test that the cell was fitted to"
    )


def command(arguments: argparse.Namespace) -> int:
    """Simulate with a 90 % band: of a fit, or of the assumed numbers of a set."""
    cell, extra = cell_named(arguments.cell)
    if arguments.like is not None:
        return _like(arguments, cell, extra)
    if is_set(arguments.cell):
        known = uncertainty_of_set(load_set(arguments.cell))
        print(
            f"The band is that of {len(known.vector.free)} assumed numbers of the set; "
            "errors of the model and of its other numbers are not in it."
        )
    elif "fit" in extra:
        known = Uncertainty.read(arguments.cell, extra["fit"], cell)
        for said in not_in_the_band(known):
            print(said)
    else:
        raise ValueError(
            f"{arguments.cell} carries no fit: intervals need a cell.json written by "
            "`naion fit` or `naion demo`, or a set. For a single curve use "
            "`naion run`."
        )
    asked = prepare(arguments, cell)
    check_table(arguments.out, (arguments.cell, arguments.profile))
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
    status = ended(best)
    print(in_intervals(delivered(drawn, asked.protocol, **asked.options)))
    print(f"wrote {arguments.out}")
    return status


def in_intervals(each: Delivered) -> str:
    """What is delivered, with 90 % intervals."""
    if np.all(np.isnan(each.capacity)):
        return "delivered: not known, as every draw of the cell failed"
    said = []
    for values, unit in ((each.capacity, "A.h"), (each.energy, "W.h")):
        low, high = np.nanpercentile(values, [5.0, 95.0])
        said.append(f"{values[0]:.4g} {unit} ({low:.4g} to {high:.4g})")
    failed = np.isnan(each.capacity).sum()
    without = f"; {failed} of {len(each.capacity)} draws failed" if failed else ""
    return f"delivered, net, 90 % of the draws: {', '.join(said)}{without}"


def not_in_the_band(known: Uncertainty) -> list[str]:
    """What the band of a fit cannot hold, one sentence for each."""
    said = []
    if not len(known.vector):
        said.append(
            "Nothing of the cell was fitted, but what belongs to its tests: the numbers of "
            "the cell have no spread in the band."
        )
    if known.tests and known.discrepancy == 0.0:
        said.append(
            "The fit compared no voltage: the model's own error in voltage is not known, "
            "and not in the band. Fit a discharge, too."
        )
    return said


def _like(arguments: argparse.Namespace, cell: Cell, extra: dict[str, Any]) -> int:
    """Repeat a test of the fit, as a new test is predicted and as it was fitted."""
    tests: tuple[Tested, ...] = ()
    if "fit" in extra:
        tests = Uncertainty.read(arguments.cell, extra["fit"], cell).tests
    test = next((t for t in tests if t.name == arguments.like), None)
    if test is None:
        names = ", ".join(repr(t.name) for t in tests)
        kept = (
            f"keeps the tests {names}"
            if names
            else (
                "keeps no tests: fit the cell again"
                if "fit" in extra
                else "keeps no tests: expected a cell.json that `naion fit` wrote"
            )
        )
        raise ValueError(f"--like {arguments.like}: {arguments.cell} {kept}.")
    for name, usual in AS_DONE.items():
        given = getattr(arguments, name)
        if given != usual:
            raise ValueError(
                f"--{name.replace('_', '-')} {given} with --like: the test is repeated as "
                "it was done; ask for other conditions with --protocol."
            )
    check_table(arguments.out, (arguments.cell, arguments.profile))
    predicted, fitted = (
        test.repeated(cell, DFN(), calibrated=c) for c in (False, True)
    )
    print(f"{test.name}: {_calibration(test)}")
    pairs = zip(
        scores_of(test.experiment, predicted),
        scores_of(test.experiment, fitted),
        strict=True,
    )
    for (_, label, as_new), (_, _, as_fitted) in pairs:
        print(f"  {label}: {as_new} as a new test is predicted; {as_fitted} as fitted")
    table, i = [], 0
    for o in test.experiment.observations:
        part, i = slice(i, i + len(o.value)), i + len(o.value)
        columns = o.b, o.value, predicted[part], fitted[part]
        table += [[o.label, *text(list(row))] for row in zip(*columns, strict=True)]
    along = "frequency_Hz" if test.experiment.is_spectrum else "time_s"
    header = ["what", along, "measured", "predicted", "fitted"]
    write_csv(arguments.out, header, table)
    print(f"wrote {arguments.out}")
    return EXIT["completed"]


def _calibration(test: Tested) -> str:
    """What the fit found of a test, in words."""
    unit = {
        "missing": " A.h",
        "offset": " A",
        "lead_resistance": " ohm",
        "lead_inductance": " H",
    }
    own = [
        f"{name.replace('_', ' ')} {value:.4g}{unit.get(name, '')}"
        for name, value in test.off.items()
    ]
    return f"fitted with {', '.join(own) or 'no calibration of its own'}"
