"""`naion data`: what is in a measured file, and how a fit would use it.

naion data cell_07.csv --plot record.png
naion data cells/*.csv --cell nfm_hc_18650
naion data export.txt --column time="Zeit" current="I" voltage="U" \\
    --unit time=min current=mA --positive charge
naion data eis.txt --column frequency="f" real="Z1" imaginary="Z2" \\
    --unit impedance=mohm --imaginary=-Im

Shows rows, steps with their kinds, currents and temperatures, and what is odd in them; of
impedance, the spectra; then the [[data]] entries of a FIT.toml (`naion fit`) that would
use the file. Of several files a row each, and what is odd in them.
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
from ..parameters import Cell
from ._data_files import check_record, show_files
from ._exit import EXIT
from ._figures import check_figure, save_figure
from ._file_options import files_named, reading_of, reading_options
from ._template import entries, holds_spectra, spectrum_entries

SHOWN = 60
"""Steps that are listed at most."""


def options(p: argparse.ArgumentParser) -> None:
    """Which files, and how they are to be read."""
    known = "\n".join(f"  {name:10s}{about}" for name, about in formats().items())
    p.description = f"{__doc__}\nFormats:\n{known}"
    p.formatter_class = argparse.RawDescriptionHelpFormatter
    p.add_argument(
        "file",
        type=Path,
        nargs="+",
        help="CSV, text, Parquet, spreadsheet, .nda, .mat; several of them, or a pattern",
    )
    reading_options(p)
    p.add_argument("--cell", help="a set or a cell.json, for C-rates and starts")
    p.add_argument("--capacity", type=float, metavar="AH", help="for C-rates")
    p.add_argument("--plot", type=Path, metavar="PNG", help="figure to write")


def command(arguments: argparse.Namespace) -> int:
    """Show a file, or a row for each of several."""
    reading = reading_of(arguments)
    capacity, cell = arguments.capacity, None
    if capacity is not None and not (np.isfinite(capacity) and capacity > 0.0):
        raise ValueError(f"--capacity {capacity:g}: expected more than zero [A.h].")
    files = files_named(arguments.file)
    if arguments.plot is not None:
        if len(files) > 1:
            raise ValueError(
                f"--plot {arguments.plot} is of one file, and {len(files)} are given."
            )
        check_figure(arguments.plot, [files[0]])
    # Before the file, whose reading may take longer.
    if arguments.cell is not None:
        cell, _ = read_cell(arguments.cell)
    if len(files) > 1:
        if cell is not None:
            capacity = capacity or float(cell.nominal_capacity)
        return show_files(files, reading, capacity)
    if holds_spectra(files[0], reading):
        return _spectra(arguments, files[0], reading, cell)
    check_record(files[0], reading)
    table = read_data(files[0], **reading)
    if cell is not None:
        capacity = capacity or float(cell.nominal_capacity)
    steps = steps_of(table)
    print(summary(files[0], table, steps))
    print(f"\n{steps_table(steps, capacity)}")
    for said in oddities(table, capacity):
        print(f"\nodd: {said}")
    print("\nIn a FIT.toml (`naion fit`; `naion fit --template` writes a whole one):\n")
    print(entries(files[0], table, steps, reading, cell))
    if arguments.plot is not None:
        from .. import plot

        axes = plot.record(table)
        save_figure(np.ravel(axes)[0].figure, arguments.plot)
    return EXIT["completed"]


def _spectra(
    arguments: argparse.Namespace, file: Path, reading: dict, cell: Cell | None
) -> int:
    """Show a file of impedance spectra."""
    if arguments.capacity is not None:
        raise ValueError(
            f"--capacity {arguments.capacity:g}: {file} holds impedance, which "
            "has no C-rates; --cell finds states of charge."
        )
    found = read_spectra(file, **reading)
    tests = [kramers_kronig(one.frequency, one.impedance) for one in found]
    print(f"{file}\n{spectra_table(found, tests)}")
    for k, (one, test) in enumerate(zip(found, tests, strict=True)):
        if looks_upside_down(one.frequency, one.impedance):
            print(
                f"\nodd: spectrum {k + 1} looks upside down, with positive imaginary parts "
                "at low frequencies; if the column holds -Im: --imaginary=-Im"
            )
        elif test is not None and test.is_violated:
            print(f"\nodd: spectrum {k + 1} {test.violation}")
    print("\nIn a FIT.toml (`naion fit`; `naion fit --template` writes a whole one):\n")
    print(spectrum_entries(file, found, reading, cell))
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
