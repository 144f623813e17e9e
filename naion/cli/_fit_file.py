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
kind = "profile"               # V(t) under the measured current
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

import csv
from pathlib import Path
from typing import Any

import equinox as eqx
import numpy as np

from .. import plot
from .._constants import ZERO_CELSIUS
from ..fit import (
    Experiment,
    Free,
    Kind,
    Observations,
    Problem,
    Subject,
    discharge,
    least_squares,
    pulse,
    scores,
    segments,
    with_ocp_correction,
)
from ..fit._free import leaf
from ..io import read_cell, read_measurement
from ..models import DFN
from ..parameters import Cell, electrode_capacities, stoichiometry_at_soc
from ..predict import write_fitted_cell
from ..protocol import Protocol
from ..report import Figure, Report, Table
from ._toml import beside, celsius, mesh_of, number, only, read_toml

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
PROFILE_ROWS = 150
"""A measured profile is thinned to this many rows for fitting."""


def fit_from_file(file: Path, out: Path) -> int:
    """Run the fit; writes cell.json, report.html, report.md and figures below `out`.

    Raises:
        ValueError: for anything wrong in the file or its data, saying where.
    """
    problem, name = problem_of(read_toml(file), file)
    fit = least_squares(problem, progress=lambda text: print(text, flush=True))
    write_fitted_cell(out / "cell.json", fit, name)
    report = Report(f"Fit of {name}")
    report.add(Table(["test", "what", "model against data"], scores(fit)))
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
    pairs = zip(problem.experiments, fit.predictions, strict=True)
    for i, (e, m) in enumerate(pairs):
        if any(o.kind != Kind.RESISTANCE for o in e.observations):
            axes = plot.fit(e, m)
            report.add(Figure(f"fit_{i}", axes.figure, e.name))
    report.write(out)
    print(f"wrote {out / 'cell.json'} and {out / 'report.html'}")
    return 0


def problem_of(text: dict[str, Any], file: Path) -> tuple[Problem, str]:
    """The problem that a fit's TOML describes, and the name of its cell.

    Args:
        text: what the file says.
        file: where it is; paths in it are relative to its folder.
    """
    known = {"cell", "mesh", "data", "free", "ocp_correction"}
    only(text, known, str(file))
    for key in ("cell", "data"):
        if key not in text:
            raise ValueError(f"{file}: no {key!r}. See `naion fit --help` and README.")
    cell, extra = read_cell(beside(file, text["cell"]))
    if cell.charged is None:
        full = stoichiometry_at_soc(cell, 1.0)
        cell = eqx.tree_at(lambda c: c.charged, cell, full, is_leaf=lambda x: x is None)
    free = []
    for i, entry in enumerate(text.get("ocp_correction", [])):
        only(
            entry, {"electrode", "knots", "prior", "smooth"}, f"ocp_correction {i + 1}"
        )
        side = entry["electrode"]
        if side not in ("negative", "positive"):
            raise ValueError(f"ocp_correction {i + 1}: no electrode {side!r}.")
        cell = with_ocp_correction(cell, side, entry["knots"])
        path = f"cell.{side}.particle.ocp.curve.correction.y"
        prior, smooth = entry.get("prior", 0.05), entry.get("smooth", 0.03)
        free.append(Free((path,), (-0.5, 0.5), "linear", prior, smooth))
    subject = Subject(cell, [0.0])
    for i, entry in enumerate(text.get("free", [])):
        free.append(_free(entry, subject, f"{file}, free {i + 1}"))
    data = [
        _experiment(entry, file, cell, f"{file}, data {i + 1}")
        for i, entry in enumerate(text["data"])
    ]
    name = extra.get("name", str(text["cell"]))
    return Problem(subject, tuple(free), tuple(data), DFN(mesh_of(text, file))), name


def _free(entry: dict[str, Any], subject: Subject, where: str) -> Free:
    only(entry, {"path", "bounds", "transform", "prior", "smooth"}, where)
    if "path" not in entry or "bounds" not in entry:
        raise ValueError(f"{where}: needs 'path' and 'bounds'.")
    paths = entry["path"] if isinstance(entry["path"], list) else [entry["path"]]
    low, high = entry["bounds"]
    for path in paths:
        value = np.asarray(leaf(subject.cell, path))
        if np.any(value < low) or np.any(value > high):
            raise ValueError(
                f"{where}: {path} starts at {value}, outside its bounds {low} to {high}."
            )
    rest = {k: entry[k] for k in ("transform", "prior", "smooth") if k in entry}
    return Free(tuple(f"cell.{p}" for p in paths), (low, high), **rest)


def _experiment(
    entry: dict[str, Any], file: Path, cell: Cell, where: str
) -> Experiment:
    kind = entry.get("kind")
    if kind not in KEYS:
        raise ValueError(f"{where}: kind {kind!r}; known are {', '.join(KEYS)}.")
    only(entry, KEYS[kind], where)
    missing = KEYS[kind] & {"file", "current", "times", "resistance"} - set(entry)
    if missing:
        raise ValueError(f"{where}: a {kind} needs {', '.join(sorted(missing))}.")
    name = entry.get("name", entry.get("file", f"pulse {entry.get('current')} A"))
    default = float(cell.temperature)
    T = default
    if "temperature" in entry:
        T = celsius(entry["temperature"], f"{where}, temperature") + ZERO_CELSIUS
    for key in ("sigma", "rest", "current", "soc", "discharged"):
        if key in entry:
            number(entry[key], f"{where}, {key}")
    if not 0.0 <= entry.get("soc", 0.0) <= 1.0:
        raise ValueError(f"{where}: soc = {entry['soc']}; expected 0 to 1.")
    sigma = float(entry.get("sigma", 0.01))
    if kind == "pulse":
        return pulse(
            name,
            float(entry["current"]),
            entry["times"],
            np.asarray(entry["resistance"], float),
            T,
            float(entry.get("discharged", 0.0)),
        )
    path = file.parent / entry["file"]
    if kind == "segments":
        return _segments(path, name, float(entry.get("rest", 360.0)), T, sigma)
    table = read_measurement(path)
    if "temperature" not in entry and "temperature_degC" in table:
        T = float(np.median(table["temperature_degC"])) + ZERO_CELSIUS
    t = table["time_s"] - table["time_s"][0]
    current, V = table["current_A"], table["voltage_V"]
    if kind == "discharge":
        q = np.concatenate(
            [[0.0], np.cumsum(0.5 * (current[1:] + current[:-1]) * np.diff(t))]
        )
        q = q / 3600.0
        mean = float(3600.0 * q[-1] / t[-1])
        if np.any(current < 0.9 * mean) or np.any(current > 1.1 * mean):
            raise ValueError(
                f"{path}: the current is not constant within 10 % of {mean:.4g} A; cut "
                "the file to the discharge, or use kind = 'profile'."
            )
        grid = np.linspace(0.0, q[-1], 102)[1:-1]
        return discharge(
            name,
            grid,
            np.interp(grid, q, V),
            mean,
            T,
            sigma=sigma,
            capacity=float(q[-1]),
        )
    keep = np.unique(np.linspace(0, len(t) - 1, PROFILE_ROWS).astype(int))
    protocol = Protocol.profile(t[keep], current[keep])
    discharged = float(entry.get("discharged", 0.0))
    if "soc" in entry:
        start = stoichiometry_at_soc(cell, float(entry["soc"]))
        assert cell.charged is not None
        change = cell.charged.negative - start.negative
        discharged = float(change * electrode_capacities(cell)[0])
    use = keep[1:]
    observed = Observations(
        Kind.VOLTAGE,
        t[use],
        t[use],
        V[use],
        np.full(len(use), sigma),
        "voltage",
        t[use],
    )
    return Experiment(name, protocol, T, (observed,), 0, discharged)


def _segments(path: Path, name: str, rest: float, T: float, sigma: float) -> Experiment:
    if not path.is_file():
        raise ValueError(f"{path}: no such file.")
    with path.open(newline="", encoding="utf-8-sig") as f:
        rows = [r for r in csv.reader(f) if r and not r[0].startswith("#")]
    needed = ("segment", "duration_s", "current_A", "loaded_V", "rest_V")
    if not rows or any(n not in rows[0] for n in needed):
        raise ValueError(f"{path}: needs the columns {', '.join(needed)}.")
    try:
        columns = {
            n: np.array([float(r[rows[0].index(n)]) for r in rows[1:]]) for n in needed
        }
    except (ValueError, IndexError):
        raise ValueError(f"{path}: a row does not hold numbers.") from None
    return segments(
        name,
        columns["segment"].astype(int),
        float(columns["duration_s"][0]),
        rest,
        float(columns["current_A"][0]),
        columns["loaded_V"],
        columns["rest_V"],
        T,
        sigma=sigma,
    )
