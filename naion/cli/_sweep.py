"""`naion sweep`: many simulations, or fits of many cells, described in TOML.

A sweep of parameters:

cell = "nvpf_hc_chayambuka2022"     # a set or a cell.json
protocol = ["Discharge at {rate}C until 2.0 V"]
start = "charged"                   # as in `naion run`; optional, as all below
temperature = 25                    # [degC]
thermal = "lumped"                  # or "isothermal", "stack"
mesh = [6, 3, 6, 16]                # n_neg, n_sep, n_pos, n_r
rtol = 5e-4
max_steps = 5000                    # most steps of each lane; else by the protocol
chunk = 256                         # lanes computed and kept at once; else chosen
draws = 1000                        # Latin hypercube of the ranges; else a grid
seed = 0

[[vary]]
path = "negative.particle.diffusivity.scale"   # or a list of tied paths
range = [0.1, 10.0]                 # or values = [0.1, 1.0, 10.0]
spacing = "log"                     # or "linear"
count = 5                           # points of a range in a grid

[[vary]]
name = "rate"                       # a name in braces in the protocol
values = [0.5, 1.0, 2.0]

[[vary]]
name = "temperature"                # of the cell [degC]; or "soc", of the start
values = [-20, 0, 25]

A fleet of fits:

fit = "fit.toml"                    # as for `naion fit`; texts may hold {columns}
cells = "cells.csv"                 # a row for each cell; `name` and other columns
at_once = 128                       # fits under way at the same time; optional
max_evaluations = 30                # of each fit; optional
"""

import argparse
import itertools
import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array

from .._cautions import caution
from .._constants import ZERO_CELSIUS
from .._files import writable_folder
from .._results import Result
from ..batch import lane_of, run, stack
from ..io import read_cell, write_csv
from ..models import DFN, THERMAL
from ..parameters import Cell, cautions, leaf
from ..protocol import Protocol
from ..simulation import is_unfinished, simulate
from ._exit import EXIT
from ._fleet import fit_fleet
from ._run import start_of, tolerance
from ._toml import (
    beside,
    celsius,
    count,
    mesh_of,
    number,
    one_of,
    only,
    read_toml,
    tables,
)
from ._toml import text as words

KEYS = {
    *("cell", "protocol", "vary", "start", "temperature", "thermal", "mesh", "rtol"),
    *("draws", "seed", "chunk", "max_steps"),
}
MOST_LANES = 10_000_000
"""Numbers of a gigabyte; more take weeks."""

OWN = ("temperature", "soc")
"""Names that are not the protocol's."""


def options(p: argparse.ArgumentParser) -> None:
    """Which file, where to write, and with whom."""
    p.description = __doc__
    p.formatter_class = argparse.RawDescriptionHelpFormatter
    p.add_argument("file", type=Path, help="TOML file")
    p.add_argument("--out", type=Path, required=True, help="folder to write")
    p.add_argument(
        "--distributed",
        nargs="?",
        const="auto",
        metavar="HOST:PORT,N,K",
        help="as one of several processes: those of Slurm or MPI, or process K of N "
        "that meet at HOST:PORT; all need to see the folder",
    )


def command(arguments: argparse.Namespace) -> int:
    """Sweep; the exit status says whether any lane failed."""
    if arguments.distributed:
        _join_processes(arguments.distributed)
    failed = sweep(arguments.file, arguments.out)
    return EXIT["numerical"] if failed else EXIT["completed"]


def _join_processes(text: str) -> None:
    """Become one of several processes, before JAX looks for devices."""
    if text == "auto":
        jax.distributed.initialize()
        return
    try:
        address, n, k = text.split(",")
        jax.distributed.initialize(address, int(n), int(k))
    except ValueError:
        raise ValueError(
            f"--distributed {text}: expected HOST:PORT,N,K such as node1:9876,2,0."
        ) from None


def sweep(file: Path, out: Path) -> int:
    """Run what `file` describes; writes table.csv and what to resume from below `out`.

    Returns:
        how many lanes or fits failed.

    Raises:
        ValueError: for anything wrong in the file, saying where.
    """
    text = read_toml(file)
    if "fit" in text:
        return fit_fleet(text, file, out)
    return _simulations(text, file, out)


def _simulations(text: dict[str, Any], file: Path, out: Path) -> int:
    only(text, KEYS, str(file))
    for key in ("cell", "protocol", "vary"):
        if key not in text:
            raise ValueError(f"{file}: no {key!r}; see `naion sweep --help`.")
    named = words(text["cell"], f"{file}, cell")
    try:
        cell, _ = read_cell(beside(file, named))
    except FileNotFoundError as error:
        raise ValueError(f"{file}, cell: {error}") from None
    names, rows = _points(text, file)
    steps = text["protocol"]
    steps = [steps] if isinstance(steps, str) else steps
    texts = isinstance(steps, list) and all(isinstance(s, str) for s in steps)
    if not steps or not texts:
        raise ValueError(f"{file}: protocol = {steps!r}; expected a list of steps.")
    known = {n for v in text["vary"] for n in [v.get("name")] if n}
    _check_names(steps, known - set(OWN), file)
    columns = dict(zip(names, rows.T, strict=True))
    kind = one_of(text.get("thermal", "isothermal"), THERMAL, f"{file}, thermal")
    model = DFN(mesh_of(text, file), THERMAL[kind]())
    start = start_of(text.get("start", "charged"), cell, f"{file}, start")
    usual = float(cell.temperature) - ZERO_CELSIUS
    if "temperature" in text:
        usual = celsius(text["temperature"], f"{file}, temperature")
    where = f"{file}, rtol"
    rtol = tolerance(number(text.get("rtol", 5e-4), where), where)
    chunk, max_steps = (
        count(text[key], f"{file}, {key}") if key in text else None
        for key in ("chunk", "max_steps")
    )
    lanes = {
        "paths": [
            _per_lane(cell, v, columns[_title(v)], f"{file}, vary {i + 1}")
            for i, v in enumerate(text["vary"])
            if "path" in v
        ],
        "protocol": _protocols(steps, columns, file),
        "temperature": ZERO_CELSIUS
        + columns.get("temperature", np.full(len(rows), usual)),
        "soc": columns.get("soc", np.zeros(len(rows))),
    }
    paths = [_tied(v) for v in text["vary"] if "path" in v]

    def one(lane: dict[str, Any]) -> dict[str, Array]:
        moved = cell
        for tied, value in zip(paths, lane["paths"], strict=True):
            moved = eqx.tree_at(
                lambda c, tied=tied: [leaf(c, p) for p in tied],
                moved,
                [value] * len(tied),
            )
        done = simulate(
            moved,
            lane["protocol"],
            model=model,
            start=lane["soc"] if "soc" in columns else start,
            temperature=lane["temperature"],
            rtol=rtol,
            max_steps=max_steps,
            keep="end",
            throw=False,
        )
        return {
            "outcome": done.outcome,
            "capacity_Ah": done.capacity,
            "energy_Wh": done.energy,
            "duration_s": done.t_end,
            "end_voltage_V": done.end.voltage,
            "highest_temperature_degC": done.greatest.temperature - ZERO_CELSIUS,
            "steps": done.n_steps,
        }

    writable_folder(out)
    done = run(
        one,
        lanes,
        chunk=chunk,
        folder=out / "finished",
        progress=lambda text: print(text, flush=True),
    )
    for k in np.flatnonzero(is_unfinished(done["outcome"], lanes["protocol"])):
        if max_steps is None or done["outcome"][k] != Result.STEP_LIMIT:
            alone = one(lane_of(lanes, k))
            for name, value in alone.items():
                done[name][k] = value
    hottest = np.append(done["highest_temperature_degC"] + ZERO_CELSIUS, -np.inf)
    for said in cautions(cell, lanes["temperature"].min(), np.nanmax(hottest)):
        caution(said)
    results = [Result(int(k)) for k in done.pop("outcome")]
    if jax.process_index() == 0:
        header = [*names, "outcome", *done]
        body = [
            [*(f"{x:.9g}" for x in row), r.name.lower(), *(f"{x:.9g}" for x in numbers)]
            for row, r, numbers in zip(
                rows, results, zip(*done.values(), strict=True), strict=True
            )
        ]
        write_csv(out / "table.csv", header, body)
        counts = Counter(r.name.lower() for r in results)
        print(", ".join(f"{n} {name}" for name, n in sorted(counts.items())))
        print(f"wrote {out / 'table.csv'}")
    return sum(not r.is_physical for r in results)


def _points(text: dict[str, Any], file: Path) -> tuple[list[str], np.ndarray]:
    """Names of what varies, and its values, one row a lane."""
    vary = tables(text, "vary", file)
    if not vary:
        raise ValueError(f"{file}: `[[vary]]` says what varies; vary is {vary!r}.")
    for i, v in enumerate(vary):
        where = f"{file}, vary {i + 1}"
        only(v, {"path", "name", "values", "range", "spacing", "count"}, where)
        if ("path" in v) == ("name" in v) or ("values" in v) == ("range" in v):
            raise ValueError(
                f"{where}: needs either 'path' or 'name', and either 'values' or 'range'."
            )
        if v.get("spacing", "linear") not in ("linear", "log"):
            raise ValueError(f"{where}: spacing {v['spacing']!r}; use linear or log.")
        ends = v.get("range", v.get("values"))
        if not isinstance(ends, list) or not ends:
            raise ValueError(f"{where}: expected a list of numbers, got {ends!r}.")
        for given in ends:
            (celsius if v.get("name") == "temperature" else number)(given, where)
            if v.get("name") == "soc" and not 0.0 <= given <= 1.0:
                raise ValueError(
                    f"{where}: a state of charge of {given}; expected 0 to 1."
                )
        path = v.get("path", "-")
        paths = path if isinstance(path, list) else [path]
        if not paths or not all(
            isinstance(p, str) for p in [v.get("name", ""), *paths]
        ):
            raise ValueError(f"{where}: paths and names are texts, got {v}.")
        if "count" in v:
            count(v["count"], f"{where}, count")
        if "range" in v and (len(ends) != 2 or not ends[0] < ends[1]):
            raise ValueError(f"{where}: range {ends} is not [low, high].")
        if v.get("spacing") == "log" and min(ends) <= 0.0:
            raise ValueError(
                f"{where}: {min(ends):g}; log spacing needs values above zero."
            )
    names = [_title(v) for v in vary]
    moved = [n for v in vary for n in (_tied(v) if "path" in v else [v["name"]])]
    if len(set(moved)) < len(moved):
        raise ValueError(f"{file}: something varies twice: {', '.join(moved)}.")
    points = [v.get("count", len(v.get("values", [0]))) for v in vary]
    lanes = count(text.get("draws", math.prod(points)), f"{file}, draws")
    if lanes > MOST_LANES:
        asked = f"draws = {lanes}" if "draws" in text else f"count: a grid of {lanes}"
        raise ValueError(f"{file}, {asked} lanes; expected at most {MOST_LANES:,}.")
    if "draws" not in text:
        grid = itertools.product(*(_grid(v, file) for v in vary))
        return names, np.array(list(grid), float)
    seed = text.get("seed", 0)
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise ValueError(f"{file}: seed = {seed!r}; expected a whole number.")
    from scipy.stats import qmc

    sampler = qmc.LatinHypercube(len(vary), rng=np.random.default_rng(seed))
    shares = sampler.random(lanes)
    columns = [_at_share(v, u) for v, u in zip(vary, shares.T, strict=True)]
    return names, np.stack(columns, axis=1)


def _grid(v: dict[str, Any], file: Path) -> np.ndarray:
    if "values" in v:
        return np.asarray(v["values"], float)
    if "count" not in v:
        raise ValueError(
            f"{file}: the range of {_title(v)} needs 'count' points, or give 'draws' for "
            "a random sample of all ranges."
        )
    return _at_share(v, np.linspace(0.0, 1.0, v["count"]))


def _at_share(v: dict[str, Any], share: np.ndarray) -> np.ndarray:
    """Values at shares between 0 and 1 of a range, or of a list of values."""
    if "values" in v:
        values = np.asarray(v["values"], float)
        return values[np.minimum((share * len(values)).astype(int), len(values) - 1)]
    low, high = v["range"]
    if v.get("spacing") == "log":
        return np.exp(np.log(low) + share * np.log(high / low))
    return low + share * (high - low)


def _title(v: dict[str, Any]) -> str:
    return v["name"] if "name" in v else _tied(v)[0]


def _tied(v: dict[str, Any]) -> list[str]:
    return v["path"] if isinstance(v["path"], list) else [v["path"]]


def _check_names(steps: list[str], known: set[str], file: Path) -> None:
    used = set(re.findall(r"\{(\w+)\}", " ".join(steps)))
    if used != known:
        raise ValueError(
            f"{file}: the protocol has {sorted(used) or 'no names'} in braces, but "
            f"{sorted(known) or 'none'} vary by name (besides {', '.join(OWN)})."
        )


def _per_lane(cell: Cell, v: dict[str, Any], column: np.ndarray, where: str):
    """Values of a path for every lane.

    Raises:
        ValueError: for a path that is no single number.
    """
    for path in _tied(v):
        try:
            there = leaf(cell, path)
        except KeyError as error:
            raise ValueError(f"{where}: {error.args[0]}") from None
        if not eqx.is_array_like(there) or np.shape(there) != ():
            raise ValueError(
                f"{where}: {path} is not a single number; a curve varies by its scale, "
                f"as in {path}.scale."
            )
    return column


def _protocols(
    steps: list[str], columns: dict[str, np.ndarray], file: Path
) -> Protocol:
    """One protocol a lane; equal ones are read once."""
    n = len(next(iter(columns.values())))
    read: dict[tuple[str, ...], Protocol] = {}
    made = []
    for i in range(n):
        numbers = {name: f"{column[i]:.9g}" for name, column in columns.items()}
        texts = tuple(s.format(**numbers) if "{" in s else s for s in steps)
        if texts not in read:
            try:
                read[texts] = Protocol(list(texts))
            except ValueError as error:
                raise ValueError(f"{file}, protocol: {error}") from None
        made.append(read[texts])
    return stack(made)
