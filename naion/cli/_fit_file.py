"""`naion fit`: a fit described in TOML.

cell = "nfm_hc_18650"          # a set or a cell.json
mesh = [6, 3, 6, 16]           # optional: n_neg, n_sep, n_pos, n_r

[[data]]
file = "discharge_1C.csv"      # relative to the TOML file
kind = "discharge"             # time_s, current_A, voltage_V from the charged state
temperature = 25               # [degC]; else the file's temperature_degC
sigma = 0.01                   # [V], optional

[[data]]
file = "drive.csv"
kind = "profile"               # V(t) under the measured current, all of which flows; at
                               # most 400 voltages are compared, as the report says
soc = 0.8                      # start; or discharged = 0.3 [A.h from charged]

[[data]]
file = "segments_15degC.csv"   # segment, duration_s, current_A, loaded_V, rest_V
kind = "segments"              # segment means and rest voltages
rest = 360                     # [s]

[[data]]
kind = "pulse"
current = 1.5                  # [A]
times = [1.0, 10.0]            # [s]
resistance = [0.091, 0.100]    # [ohm]
discharged = 0.8               # [A.h from charged]
temperature = 25

[[free]]
path = "negative.particle.rate_constant.scale"   # or a list of tied paths
bounds = [0.05, 20.0]
transform = "log"              # or "linear"
prior = 0.7                    # standard deviation, transformed; optional

[[ocp_correction]]
electrode = "positive"
knots = [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98]     # stoichiometry
prior = 0.05                   # [V]
smooth = 0.03                  # [V], of second differences
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import equinox as eqx
import numpy as np

from .. import plot
from .._cautions import caution
from .._constants import ZERO_CELSIUS
from .._files import writable_folder
from ..fit import (
    Experiment,
    Fit,
    FreeParameter,
    Kind,
    Problem,
    Specimen,
    check_free,
    check_start,
    discharge,
    doubts,
    least_squares,
    measured_profile,
    pulse,
    scores,
    segments,
    with_ocp_correction,
    write_fitted_cell,
)
from ..io import read_cell, read_columns, read_measurement
from ..models import DFN
from ..parameters import Cell, electrode_capacities, stoichiometry_at_soc
from ..report import Figure, Report, Table
from ._exit import EXIT
from ._toml import (
    beside,
    celsius,
    mesh_of,
    number,
    numbers,
    one_of,
    only,
    read_toml,
    tables,
    text,
    within,
)

KEYS = {
    "discharge": {"file", "kind", "temperature", "sigma", "name"},
    "profile": {"file", "kind", "temperature", "sigma", "name", "soc", "discharged"},
    "segments": {"file", "kind", "temperature", "sigma", "name", "rest"},
    "pulse": {
        "kind",
        "current",
        "times",
        "resistance",
        "discharged",
        "temperature",
        "name",
    },
}

POINTS = 100
"""Voltages of a discharge that are compared at most."""

FEWEST = 5
"""Rows of a discharge at least: fewer do not say where the curve goes."""

VOLTS = 0.5, 10.0
"""A single cell's highest voltage lies between these [V]."""

# Compiled, since fleets ask for it again and again.
_at_soc = eqx.filter_jit(stoichiometry_at_soc)


def options(p: argparse.ArgumentParser) -> None:
    """Which file, and where to write."""
    p.add_argument("file", type=Path, help="TOML file; see the README")
    p.add_argument("--out", type=Path, required=True, help="folder to write")


def command(arguments: argparse.Namespace) -> int:
    """Fit; the exit status says whether the fitted numbers make sense."""
    senseless = fit_from_file(arguments.file, arguments.out)
    return EXIT["bad_input"] if senseless else EXIT["completed"]


def fit_from_file(file: Path, out: Path) -> int:
    """Run the fit; writes cell.json, report.html, report.md and figures below `out`.

    Returns:
        how many tests the fitted cell does not describe at all; see `naion.fit.doubts`.

    Raises:
        ValueError: for anything wrong in the file or its data, saying where.
    """
    problem, name = problem_of(read_toml(file), file)
    writable_folder(out)
    for e in problem.experiments:
        if e.note:
            print(f"{e.name}: {e.note}", flush=True)
    fit = least_squares(problem, progress=lambda said: print(said, flush=True))
    write_fitted_cell(out / "cell.json", fit, name)
    wrong = doubts(fit)
    _report(fit, name, wrong).write(out)
    for said in wrong:
        print(f"naion: this fit makes no sense: {said}", file=sys.stderr)
    print(f"wrote {out / 'cell.json'} and {out / 'report.html'}")
    return len(wrong)


def _report(fit: Fit, name: str, wrong: list[str]) -> Report:
    """Scores, what was compared, parameters and figures."""
    report = Report(f"Fit of {name}")
    for said in wrong:
        report.paragraph(f"This fit makes no sense: {said}")
    report.add(Table(["test", "what", "model against data"], scores(fit)))
    experiments = fit.problem.experiments
    notes = [[e.name, e.note] for e in experiments if e.note]
    if notes:
        report.add(Table(["test", "what is compared"], notes))
    header = ["parameter", "value", "90 % interval", "at a bound"]
    table = [
        [
            r["name"],
            f"{r['value']:.5g}",
            f"{r['low']:.4g} to {r['high']:.4g}",
            "yes" if r["at_bound"] else "",
        ]
        for r in fit.table()
    ]
    report.add(Table(header, table))
    for i, (e, m) in enumerate(zip(experiments, fit.predictions, strict=True)):
        if any(o.kind != Kind.RESISTANCE for o in e.observations):
            axes = plot.fit(e, m)
            report.add(Figure(f"fit_{i}", axes.figure, e.name))
    return report


def problem_of(content: dict[str, Any], file: Path) -> tuple[Problem, str]:
    """The problem that a fit's TOML describes, and the name of its cell.

    Args:
        content: what the file says.
        file: where it is; paths in it are relative to its folder.

    Raises:
        ValueError: for anything wrong in it or in the files that it names.
    """
    only(content, {"cell", "mesh", "data", "free", "ocp_correction"}, str(file))
    for key in ("cell", "data"):
        if key not in content:
            form = 'cell = "NAME"' if key == "cell" else "tables [[data]]"
            raise ValueError(
                f"{file}: no {key!r}; expected {form}. See `naion fit --help` and README."
            )
    model = DFN(mesh_of(content, file))
    try:
        cell, extra = read_cell(beside(file, text(content["cell"], f"{file}, cell")))
    except FileNotFoundError as error:
        raise ValueError(f"{file}, cell: {error}") from None
    if cell.charged is None:
        full = _at_soc(cell, 1.0)
        cell = eqx.tree_at(lambda c: c.charged, cell, full, is_leaf=lambda x: x is None)
    free, places = [], []
    for i, entry in enumerate(tables(content, "ocp_correction", file)):
        places.append(f"{file}, ocp_correction {i + 1}")
        cell, correction = _correction(cell, entry, places[-1])
        free.append(correction)
    for i, entry in enumerate(tables(content, "free", file)):
        places.append(f"{file}, free {i + 1}")
        free.append(_free(entry, places[-1]))
    if not free:
        raise ValueError(
            f"{file}: nothing is free; add [[free]] or [[ocp_correction]]."
        )
    specimen = Specimen(cell, [0.0])
    try:
        check_free(free, specimen, places)
        for f, place in zip(free, places, strict=True):
            check_start(f, specimen, place)
    except KeyError as error:
        raise ValueError(f"{file}, free: {error.args[0]}") from None
    data = [
        _experiment(entry, file, cell, f"{file}, data {i + 1}")
        for i, entry in enumerate(tables(content, "data", file))
    ]
    if not data:
        raise ValueError(f"{file}: no [[data]] to fit to.")
    name = str(extra.get("name", content["cell"]))
    return Problem(specimen, tuple(free), tuple(data), model), name


def _correction(
    cell: Cell, entry: dict[str, Any], where: str
) -> tuple[Cell, FreeParameter]:
    """The cell with a correction of an open-circuit potential, and what is free of it."""
    only(entry, {"electrode", "knots", "prior", "smooth"}, where)
    for key in ("electrode", "knots"):
        if key not in entry:
            raise ValueError(f"{where}: needs {key!r}.")
    side = one_of(entry["electrode"], ("negative", "positive"), f"{where}, electrode")
    knots = numbers(entry["knots"], f"{where}, knots")
    path = f"cell.{side}.particle.ocp.curve.correction.y"
    prior, smooth = (
        number(entry.get(key, usual), f"{where}, {key}")
        for key, usual in (("prior", 0.05), ("smooth", 0.03))
    )
    try:
        corrected = with_ocp_correction(
            cell, "negative" if side == "negative" else "positive", knots
        )
        few = float("inf") if len(knots) < 3 and "smooth" not in entry else smooth
        return corrected, FreeParameter((path,), (-0.5, 0.5), "linear", prior, few)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _free(entry: dict[str, Any], where: str) -> FreeParameter:
    only(entry, {"path", "bounds", "transform", "prior", "smooth"}, where)
    if "path" not in entry or "bounds" not in entry:
        raise ValueError(f"{where}: needs 'path' and 'bounds'.")
    given = entry["path"]
    paths = given if isinstance(given, list) and given else [given]
    paths = [f"cell.{text(p, f'{where}, path')}" for p in paths]
    bounds = numbers(entry["bounds"], f"{where}, bounds")
    rest = {k: entry[k] for k in ("transform", "prior", "smooth") if k in entry}
    try:
        return FreeParameter(tuple(paths), tuple(bounds), **rest)  # pyright: ignore[reportArgumentType]
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _experiment(
    entry: dict[str, Any], file: Path, cell: Cell, where: str
) -> Experiment:
    if "kind" not in entry:
        raise ValueError(f"{where}: no 'kind'; known are {', '.join(KEYS)}.")
    kind = one_of(entry["kind"], KEYS, f"{where}, kind")
    only(entry, KEYS[kind], where)
    missing = KEYS[kind] & {"file", "current", "times", "resistance"} - set(entry)
    if missing:
        raise ValueError(f"{where}: a {kind} needs {', '.join(sorted(missing))}.")
    given: dict[str, float] = {
        key: number(entry[key], f"{where}, {key}")
        for key in ("sigma", "rest", "current", "discharged")
        if key in entry
    }
    if "temperature" in entry:
        given["temperature"] = celsius(entry["temperature"], f"{where}, temperature")
    if "soc" in entry:
        given["soc"] = within(entry["soc"], 0.0, 1.0, f"{where}, soc")
        if "discharged" in entry:
            raise ValueError(
                f"{where}: give the start as soc or as discharged, not both."
            )
    for key in ("sigma", "rest"):
        if not given.get(key, 1.0) > 0.0:
            raise ValueError(
                f"{where}, {key}: {given[key]:g}; expected more than zero."
            )
    capacity = float(electrode_capacities(cell)[0])
    if abs(given.get("discharged", 0.0)) > capacity:
        raise ValueError(
            f"{where}, discharged: {given['discharged']:g} A.h; the negative electrode "
            f"holds {capacity:.3g} A.h."
        )
    usual = entry.get("file", f"pulse {entry.get('current')} A")
    name = text(
        entry.get("name", usual), f"{where}, {'name' if 'name' in entry else 'file'}"
    )
    try:
        if kind == "pulse":
            return _pulse(entry, name, given, cell, where)
        path = file.parent / text(entry["file"], f"{where}, file")
        if kind == "segments":
            return _segments(path, name, given, cell)
        return _measured(path, kind, name, given, cell)
    except ValueError as error:
        said = str(error)
        raise ValueError(said if str(file) in said else f"{where}: {said}") from None


def _pulse(
    entry: dict[str, Any], name: str, given: dict[str, float], cell: Cell, where: str
) -> Experiment:
    times, resistance = (
        numbers(
            entry[key] if isinstance(entry[key], list) else [entry[key]],
            f"{where}, {key}",
        )
        for key in ("times", "resistance")
    )
    T, said = _temperature(given, {}, cell, name)
    discharged = given.get("discharged", 0.0)
    test = pulse(name, given["current"], times, resistance, T, discharged)
    return replace(test, note=said)


def _measured(
    path: Path, kind: str, name: str, given: dict[str, float], cell: Cell
) -> Experiment:
    """A discharge or a profile from a table of measurements."""
    table = read_measurement(path)
    highest = float(np.max(table["voltage_V"]))
    if not VOLTS[0] < highest < VOLTS[1]:
        raise ValueError(
            f"{path}: voltages reach {highest:.4g} V; a single cell has {VOLTS[0]:g} to "
            f"{VOLTS[1]:g} V. Name the column after its unit, voltage_V or voltage_mV, and "
            "divide the voltage of cells in series by their number."
        )
    if not np.any(table["current_A"]):
        raise ValueError(f"{path}: no current flows, so there is nothing to fit to.")
    T, said = _temperature(given, table, cell, str(path))
    sigma = given.get("sigma", 0.01)
    if kind == "discharge":
        return _discharge(path, name, table, T, said, sigma)
    discharged = given.get("discharged", 0.0)
    if "soc" in given:
        start = _at_soc(cell, given["soc"])
        assert cell.charged is not None
        change = cell.charged.negative - start.negative
        discharged = float(change * electrode_capacities(cell)[0])
    try:
        return measured_profile(
            name,
            table["time_s"],
            table["current_A"],
            table["voltage_V"],
            T,
            sigma=sigma,
            discharged=discharged,
            note=said,
        )
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _temperature(
    given: dict[str, float], table: dict[str, np.ndarray], cell: Cell, where: str
) -> tuple[float, str]:
    """One temperature for a whole test [K], and where it comes from."""
    T = table.get("temperature_degC")
    between = "" if T is None else f"{np.min(T):.1f} to {np.max(T):.1f} degC"
    if "temperature" in given:
        chosen = given["temperature"]
        if T is not None and abs(float(np.median(T)) - chosen) > 2.0:
            caution(
                f"{where}: {chosen:g} degC is taken, as the fit's file says; the column "
                f"of temperatures holds {between}."
            )
        return chosen + ZERO_CELSIUS, ""
    if T is not None:
        chosen = float(np.median(T))
        said = f"temperature {chosen:.1f} degC, the median of {between}"
        return chosen + ZERO_CELSIUS, said
    own = float(cell.temperature)
    return own, f"temperature {own - ZERO_CELSIUS:.1f} degC, the cell's: none is given"


def _discharge(
    path: Path,
    name: str,
    table: dict[str, np.ndarray],
    T: float,
    said: str,
    sigma: float,
) -> Experiment:
    """A discharge at constant current.

    Raises:
        ValueError: for a charge, a current that is not constant, or too few rows.
    """
    t = table["time_s"] - table["time_s"][0]
    current, V = table["current_A"], table["voltage_V"]
    if t[-1] <= 0.0:
        raise ValueError(f"{path}: all rows have the same time.")
    flowed = 0.5 * (current[1:] + current[:-1]) * np.diff(t)
    q = np.concatenate([[0.0], np.cumsum(flowed)]) / 3600.0
    mean = float(3600.0 * q[-1] / t[-1])
    low, high = float(np.min(current)), float(np.max(current))
    if high <= 0.0:
        raise ValueError(
            f"{path}: the current is {low:.4g} to {high:.4g} A, negative: a charge. If it "
            "is a discharge, turn its sign, or name the column 'Current / A' as in the "
            "Battery Data Format; a charge is fitted with kind = 'profile' and its start, "
            "soc or discharged."
        )
    if low < 0.9 * mean or high > 1.1 * mean:
        apart = np.abs(current - mean) > 0.1 * abs(mean)
        first = float(table["time_s"][np.argmax(apart)])
        raise ValueError(
            f"{path}: the current, {low:.4g} to {high:.4g} A, is not constant within 10 % "
            f"of its mean, {mean:.4g} A (first at {first:g} s); cut the file to the "
            "discharge, or use kind = 'profile'."
        )
    rows = np.flatnonzero(np.diff(q) > 0.0) + 1
    if rows.size < FEWEST:
        raise ValueError(
            f"{path}: {len(t)} rows; a discharge needs more than {FEWEST} at different "
            "times."
        )
    if rows.size <= POINTS:
        grid, voltage, how = q[rows], V[rows], ""
    else:
        grid = np.linspace(0.0, q[-1], POINTS + 2)[1:-1]
        voltage, how = np.interp(grid, q, V), ", evenly spaced in charge between rows,"
    note = (
        f"{len(grid)} voltages{how} of {len(t)} measured are compared; the current is "
        f"{mean:.4g} A throughout ({low:.4g} to {high:.4g} A measured)"
    )
    return discharge(
        name,
        grid,
        voltage,
        mean,
        T,
        sigma=sigma,
        capacity=float(q[-1]),
        note=f"{note}; {said}" if said else note,
    )


def _segments(path: Path, name: str, given: dict[str, float], cell: Cell) -> Experiment:
    needed = ("segment", "duration_s", "current_A", "loaded_V", "rest_V")
    columns = read_columns(path, needed)
    for key in ("duration_s", "current_A"):
        values = columns[key]
        if np.any(np.abs(values - values[0]) > 0.01 * np.abs(values[0])):
            raise ValueError(
                f"{path}: {key} is {np.min(values):g} to {np.max(values):g}; all segments "
                "must have the same."
            )
    T, said = _temperature(given, {}, cell, str(path))
    test = segments(
        name,
        columns["segment"],
        float(columns["duration_s"][0]),
        given.get("rest", 360.0),
        float(columns["current_A"][0]),
        columns["loaded_V"],
        columns["rest_V"],
        T,
        sigma=given.get("sigma", 0.01),
    )
    return replace(test, note=said)
