"""`naion data`: what is in a measured file, and how a fit would use it.

naion data cell_07.csv --plot record.png
naion data export.txt --column time="Zeit" current="I" voltage="U" \\
    --unit time=min current=mA --positive charge

Shows rows, steps with their kinds, currents and temperatures, and what is odd in them;
then the [[data]] entries of a FIT.toml (`naion fit`) that would use the file.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .._columns import in_columns
from .._files import writable
from ..data import NAMES as KINDS
from ..data import MeasuredStep, oddities, steps_of
from ..io import formats, read_cell, read_data
from ._exit import EXIT
from ._template import entries

SHOWN = 60
"""Steps that are listed at most."""


def options(p: argparse.ArgumentParser) -> None:
    """Which file, and how it is to be read."""
    known = "\n".join(f"  {name:10s}{about}" for name, about in formats().items())
    p.description = f"{__doc__}\nFormats:\n{known}"
    p.formatter_class = argparse.RawDescriptionHelpFormatter
    p.add_argument(
        "file", type=Path, help="CSV, text, Parquet, spreadsheet, .nda, .mat"
    )
    reading_options(p)
    p.add_argument("--cell", help="a set or a cell.json, for C-rates and starts")
    p.add_argument("--capacity", type=float, metavar="AH", help="for C-rates")
    p.add_argument("--plot", type=Path, metavar="PNG", help="figure to write")


def reading_options(p: argparse.ArgumentParser) -> None:
    """Add how a file is to be read."""
    p.add_argument("--format", help="whose labels the file has; else it is found out")
    pairs = {"nargs": "+", "default": [], "metavar": "QUANTITY=..."}
    p.add_argument("--column", help='such as current="I_cell"', **pairs)
    p.add_argument("--unit", help="such as current=mA time=clock", **pairs)
    p.add_argument(
        "--positive", help="a positive current is a charge, discharge or state"
    )
    p.add_argument("--sheet", help="of a spreadsheet, by name")


def reading_of(arguments: argparse.Namespace) -> dict:
    """Arguments of `read_data`, those that are given.

    Raises:
        ValueError: for a pair without an equals sign.
    """
    given = {
        "format": arguments.format,
        "columns": _pairs(arguments.column, "--column"),
        "units": _pairs(arguments.unit, "--unit"),
        "positive": arguments.positive,
        "sheet": arguments.sheet,
    }
    return {key: value for key, value in given.items() if value}


def _pairs(texts: list[str], option: str) -> dict[str, str]:
    pairs = {}
    for text in texts:
        quantity, equals, value = text.partition("=")
        if not equals or not value:
            raise ValueError(
                f'{option} {text}: expected a pair such as current="I / mA".'
            )
        pairs[quantity.strip()] = value.strip()
    return pairs


def command(arguments: argparse.Namespace) -> int:
    """Show a file."""
    reading = reading_of(arguments)
    table = read_data(arguments.file, **reading)
    if arguments.plot is not None:
        writable(arguments.plot, [arguments.file])
    capacity, cell = arguments.capacity, None
    if capacity is not None and not (np.isfinite(capacity) and capacity > 0.0):
        raise ValueError(f"--capacity {capacity:g}: expected more than zero [A.h].")
    if arguments.cell is not None:
        cell, _ = read_cell(arguments.cell)
        capacity = capacity or float(cell.nominal_capacity)
    steps = steps_of(table)
    print(summary(arguments.file, table, steps))
    print(f"\n{steps_table(steps, capacity)}")
    for said in oddities(table):
        print(f"\nodd: {said}")
    print("\nIn a FIT.toml (`naion fit`; `naion fit --template` writes a whole one):\n")
    print(entries(arguments.file, table, steps, reading, cell))
    if arguments.plot is not None:
        from .. import plot

        axes = plot.record(table)
        np.ravel(axes)[0].figure.savefig(arguments.plot, dpi=150)
        print(f"wrote {arguments.plot}")
    return EXIT["completed"]


def summary(
    path: Path, table: Mapping[str, np.ndarray], steps: list[MeasuredStep]
) -> str:
    """A few lines on what a file holds."""
    t, current, V = table["time_s"], table["current_A"], table["voltage_V"]
    dt = np.diff(t)
    charges = [s.charge for s in steps]
    lines = [
        ["rows", f"{len(t)}"],
        ["duration", f"{(t[-1] - t[0]) / 3600.0:.4g} h"],
        [
            "rows apart",
            f"{np.median(dt):.4g} s ({np.min(dt):.4g} to {np.max(dt):.4g} s)",
        ],
        ["voltage", f"{np.min(V):.4f} to {np.max(V):.4f} V"],
        ["current", f"{np.min(current):.4g} to {np.max(current):.4g} A (+: discharge)"],
        [
            "charge",
            f"{sum(c for c in charges if c > 0.0):.4g} A.h out, "
            f"{-sum(c for c in charges if c < 0.0):.4g} A.h in",
        ],
    ]
    T = table.get("temperature_degC")
    lines.append(
        ["temperature", "none measured"]
        if T is None
        else ["temperature", f"{np.min(T):.1f} to {np.max(T):.1f} degC"]
    )
    if "cycle" in table:
        cycles = np.unique(table["cycle"])
        lines.append(["cycles", f"{len(cycles)} ({cycles[0]:g} to {cycles[-1]:g})"])
    lines.append(["steps", f"{len(steps)}"])
    return f"{path}\n{in_columns(lines)}"


def steps_table(steps: list[MeasuredStep], capacity: float | None) -> str:
    """Steps under each other, those in the middle of many left out."""
    head = ["step", "cycle", "kind", "begin [h]", "lasts", "current [A]", "C-rate"]
    rows = [[*head, "voltage [V]", "charge [A.h]", "T [degC]"]]
    for k, s in enumerate(steps):
        if len(steps) > SHOWN and SHOWN - 10 <= k < len(steps) - 10:
            if k == SHOWN - 10:
                rows.append(["...", *[""] * (len(rows[0]) - 1)])
            continue
        flows = s.kind not in ("rest", "profile")
        rate = f"{abs(s.current) / capacity:.3g}C" if capacity and flows else ""
        rows.append(
            [
                str(k + 1),
                "" if s.cycle is None else str(s.cycle),
                KINDS[s.kind],
                f"{s.begin / 3600.0:.4f}",
                _lasts(s.duration),
                f"{s.current:.4g}",
                rate,
                f"{s.voltages[0]:.3f} to {s.voltages[1]:.3f}",
                f"{s.charge:.4g}",
                "" if np.isnan(s.temperature) else f"{s.temperature:.1f}",
            ]
        )
    used = [k for k in range(len(rows[0])) if any(r[k] for r in rows[1:])]
    return in_columns([[r[k] for k in used] for r in rows])


def _lasts(s: float) -> str:
    if s < 120.0:
        return f"{s:.4g} s"
    return f"{s / 60.0:.4g} min" if s < 7200.0 else f"{s / 3600.0:.4g} h"
