"""`naion data`: what is in a measured file, and how a fit would use it.

naion data cell_07.csv --plot record.png
naion data export.txt --column time="Zeit" current="I" voltage="U" \\
    --unit time=min current=mA --positive charge
naion data eis.txt --column frequency="f" real="Z1" imaginary="Z2" \\
    --unit impedance=mohm --imaginary=-Im

Shows rows, steps with their kinds, currents and temperatures, and what is odd in them; of
impedance, the spectra; then the [[data]] entries of a FIT.toml (`naion fit`) that would
use the file.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .._columns import in_columns
from ..data import NAMES as KINDS
from ..data import MeasuredStep, oddities, steps_of
from ..io import (
    KramersKronig,
    Spectrum,
    formats,
    kramers_kronig,
    looks_upside_down,
    read_cell,
    read_data,
    read_spectra,
)
from ._exit import EXIT
from ._figures import check_figure, save_figure
from ._template import entries, holds_spectra, spectrum_entries

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
    p.add_argument(
        "--imaginary",
        choices=("Im", "-Im"),
        help="of impedance, what the imaginary column holds: --imaginary=-Im",
    )
    p.add_argument("--sheet", help="of a spreadsheet, by name")


def reading_of(arguments: argparse.Namespace) -> dict:
    """Arguments of `read_data` or `read_spectra`, those that are given.

    Raises:
        ValueError: for a pair without an equals sign.
    """
    given = {
        "format": arguments.format,
        "columns": _pairs(arguments.column, "--column"),
        "units": _pairs(arguments.unit, "--unit"),
        "positive": arguments.positive,
        "imaginary": arguments.imaginary,
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
        if quantity.strip() in pairs:
            raise ValueError(
                f"{option} {text}: {quantity.strip()} is given twice, "
                f"{pairs[quantity.strip()]!r} before; expected it once."
            )
        pairs[quantity.strip()] = value.strip()
    return pairs


def command(arguments: argparse.Namespace) -> int:
    """Show a file."""
    reading = reading_of(arguments)
    capacity, cell = arguments.capacity, None
    if capacity is not None and not (np.isfinite(capacity) and capacity > 0.0):
        raise ValueError(f"--capacity {capacity:g}: expected more than zero [A.h].")
    if arguments.plot is not None:
        check_figure(arguments.plot, [arguments.file])
    if holds_spectra(arguments.file, reading):
        return _spectra(arguments, reading)
    if "imaginary" in reading:
        raise ValueError(
            f"--imaginary: {arguments.file} is not read as impedance; name the columns, "
            '--column frequency="..." real="..." imaginary="...".'
        )
    table = read_data(arguments.file, **reading)
    if arguments.cell is not None:
        cell, _ = read_cell(arguments.cell)
        capacity = capacity or float(cell.nominal_capacity)
    steps = steps_of(table)
    print(summary(arguments.file, table, steps))
    print(f"\n{steps_table(steps, capacity)}")
    for said in oddities(table, capacity):
        print(f"\nodd: {said}")
    print("\nIn a FIT.toml (`naion fit`; `naion fit --template` writes a whole one):\n")
    print(entries(arguments.file, table, steps, reading, cell))
    if arguments.plot is not None:
        from .. import plot

        axes = plot.record(table)
        save_figure(np.ravel(axes)[0].figure, arguments.plot)
    return EXIT["completed"]


def _spectra(arguments: argparse.Namespace, reading: dict) -> int:
    """Show a file of impedance spectra."""
    if arguments.capacity is not None:
        raise ValueError(
            f"--capacity {arguments.capacity:g}: {arguments.file} holds impedance, which "
            "has no C-rates; --cell finds states of charge."
        )
    found = read_spectra(arguments.file, **reading)
    cell = None
    if arguments.cell is not None:
        cell, _ = read_cell(arguments.cell)
    tests = [kramers_kronig(one.frequency, one.impedance) for one in found]
    print(f"{arguments.file}\n{spectra_table(found, tests)}")
    for k, (one, test) in enumerate(zip(found, tests, strict=True)):
        if looks_upside_down(one.frequency, one.impedance):
            print(
                f"\nodd: spectrum {k + 1} looks upside down, with positive imaginary parts "
                "at low frequencies; if the column holds -Im: --imaginary=-Im"
            )
        elif test is not None and test.is_violated:
            print(f"\nodd: spectrum {k + 1} {test.violation}")
    print("\nIn a FIT.toml (`naion fit`; `naion fit --template` writes a whole one):\n")
    print(spectrum_entries(arguments.file, found, reading, cell))
    if arguments.plot is not None:
        save_figure(_nyquist(found).figure, arguments.plot)
    return EXIT["completed"]


def _nyquist(found: Sequence[Spectrum]) -> Any:
    """All spectra of a file in one figure."""
    from .. import plot

    axes: Any = None
    for k, one in enumerate(found):
        # What the figure calls mohm: times an area it is shown in ohm.cm2.
        Z = 10.0 * one.impedance if one.per_area else one.impedance
        axes = plot.impedance(one.frequency, Z, axes, label=f"spectrum {k + 1}")
        if one.per_area:
            axes.set_xlabel("Re Z [ohm.cm2]")
            axes.set_ylabel("-Im Z [ohm.cm2]")
    if len(found) > 1:
        axes.legend(fontsize="x-small")
    return axes


def spectra_table(
    found: Sequence[Spectrum], tests: Sequence[KramersKronig | None]
) -> str:
    """A line for each spectrum; the last column is of its Kramers-Kronig test."""
    of_area = any(one.per_area for one in found)
    factor, unit = (1e4, "ohm.cm2") if of_area else (1e3, "mohm")
    rows = [
        [
            "spectrum",
            "frequencies",
            "from [Hz]",
            "to [Hz]",
            f"Re Z [{unit}]",
            f"-Im Z [{unit}]",
            "voltage [V]",
            "T [degC]",
            "K-K residual [%]",
        ]
    ]
    for k, (one, test) in enumerate(zip(found, tests, strict=True)):
        Z, f = factor * one.impedance, one.frequency
        rows.append(
            [
                str(k + 1),
                str(len(f)),
                f"{f[0]:.4g}",
                f"{f[-1]:.4g}",
                f"{np.min(Z.real):.4g} to {np.max(Z.real):.4g}",
                f"{np.min(-Z.imag):.4g} to {np.max(-Z.imag):.4g}",
                "" if np.isnan(one.voltage) else f"{one.voltage:.4f}",
                "" if np.isnan(one.temperature) else f"{one.temperature:.1f}",
                "" if test is None else f"{100.0 * test.rms:.2g}",
            ]
        )
    used = [k for k in range(len(rows[0])) if any(r[k] for r in rows[1:])]
    return in_columns([[r[k] for k in used] for r in rows])


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
