"""Fits of many cells, from one TOML template and a table of cells."""

import csv
import hashlib
import io
import json
import re
import time
from collections import Counter
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import jax
import numpy as np

from .._cautions import caution
from .._files import read_text, read_toml, writable_folder
from .._progress import silent
from .._version import __version__
from ..batch import Checkpoint
from ..fit import (
    Fit,
    Problem,
    SearchState,
    fleet,
    off_limits,
    uncertainty_of,
    write_fitted_cell,
)
from ..io import delimiter_of, write_csv
from ._fit_problem import problem_of
from ._of_cell import beside
from ._said import aloud
from ._sweep_schema import FleetFile

PLACE = re.compile(r"\{(\w+)\}")


def fit_fleet(
    asked: FleetFile, file: Path, out: Path, executor: Executor | None = None
) -> int:
    """Fit every cell, here or on the workers of an executor; see `_sweep`.

    Writes table.csv and cells/NAME.json below `out`. Cells whose data and template have
    not changed since they were fitted are not fitted again, as long as the files that were
    kept of them are undamaged.

    Returns:
        how many cells have no fit that ended at a minimum; one that stalled at a kink of
        the cost counts as ended.
    """
    template_file = file.parent / asked.fit
    template = read_toml(template_file)
    rows = _read_cells(file.parent / asked.cells)
    _check_columns(template, rows, template_file, file.parent / asked.cells)
    writable_folder(out)
    finished = Checkpoint(out / "finished", {"kind": "fleet of fits"})
    began = time.perf_counter()
    problems, digests = _to_fit(asked, template, template_file, rows, out, finished)
    fitted = 0

    def done(name: str, fit: Fit | Exception) -> None:
        nonlocal fitted
        fitted += 1
        outcome = _keep_fit(finished, _cell(out, name), name, fit, digests[name])
        taken = time.perf_counter() - began
        aloud(f"{name}: {outcome} ({fitted} of {len(problems)}, {taken:.0f} s)")

    for group in _alike(problems):
        fleet(
            group,
            at_once=asked.at_once,
            max_evaluations=asked.max_evaluations,
            done=done,
            executor=executor,
            progress=silent if executor is None else aloud,
        )
    results = [json.loads(finished.load(row["name"])) for row in rows]
    _write_table(out / "table.csv", rows, results)
    counts = Counter(r["outcome"] for r in results)
    print(", ".join(f"{n} {outcome}" for outcome, n in sorted(counts.items())))
    print(f"wrote {out / 'table.csv'}")
    return sum(r["outcome"] not in ("converged", "stalled") for r in results)


def _to_fit(
    asked: FleetFile,
    template: dict[str, Any],
    template_file: Path,
    rows: list[dict[str, str]],
    out: Path,
    finished: Checkpoint,
) -> tuple[dict[str, Problem], dict[str, str]]:
    """The problems that are not fitted yet, and digests of all that can be read, by name.

    Cells that cannot be read are kept as finished, with the reason.
    """
    problems: dict[str, Problem] = {}
    digests: dict[str, str] = {}
    there, unreadable = 0, 0
    for row in rows:
        name = row["name"]
        try:
            filled = _filled(template, row, template_file)
            problem, _ = problem_of(filled, template_file)
        except (ValueError, KeyError, OSError) as error:
            said = str(error.args[0] if isinstance(error, KeyError) else error)
            unreadable += 1
            _keep(
                finished, name, {"outcome": "bad_data", "message": said, "digest": ""}
            )
            continue
        digests[name] = _digest(filled, template_file, asked.max_evaluations)
        kept = _kept(finished, name)
        if kept.get("digest") == digests[name] and _is_whole(kept, _cell(out, name)):
            there += 1
        else:
            problems[name] = problem
    aloud(
        f"{len(rows)} cells, {len(problems)} of them to fit; {there} were fitted before, "
        f"{unreadable} cannot be read"
    )
    return problems, digests


def _keep_fit(
    finished: Checkpoint, cell: Path, name: str, fit: Fit | Exception, digest: str
) -> str:
    """Write a fitted cell, keep a summary of the fit, and return its outcome.

    A fit that failed is kept without digest, so that it is tried again next time: the
    machine may have been the reason.
    """
    row, content = _summary(fit), ""
    if isinstance(fit, Fit):
        write_fitted_cell(cell, fit, name)
        content = _hash(cell)
    else:
        cell.unlink(missing_ok=True)
        digest = ""
    _keep(finished, name, {**row, "digest": digest, "cell": content})
    return row["outcome"]


def _read_cells(path: Path) -> list[dict[str, str]]:
    """The rows of the table of cells, checked."""
    content = read_text(path, fallback="latin-1")
    between = delimiter_of(content.partition("\n")[0])
    table = csv.DictReader(io.StringIO(content, newline=""), delimiter=between)
    rows = [dict(r) for r in table]
    if not rows or "name" not in rows[0]:
        raise ValueError(f"{path}: needs a column 'name' and a row for each cell.")
    for r in rows:
        if None in r or None in r.values():
            raise ValueError(
                f"{path}: the row of {r['name']!r} does not fit the header."
            )
    names = [r["name"] for r in rows]
    for name, n in Counter(names).items():
        if n > 1 or not re.fullmatch(r"[\w.-]+", name or ""):
            raise ValueError(
                f"{path}: name {name!r} {'stands twice' if n > 1 else 'is no file name'}; "
                "names are unique, of letters, digits, '.', '-' and '_'."
            )
    return rows


TEXTS = {"file", "name", "cell", "kind", "path"}
"""Keys whose values remain text, even if they look like numbers."""


def _filled(node: Any, row: dict[str, str], file: Path, key: str = "") -> Any:
    """The template with names of columns in braces replaced by the values of a row."""
    if isinstance(node, dict):
        return {k: _filled(v, row, file, k) for k, v in node.items()}
    if isinstance(node, list):
        return [_filled(v, row, file, key) for v in node]
    if not isinstance(node, str):
        return node
    unknown = set(PLACE.findall(node)) - set(row)
    if unknown:
        raise ValueError(
            f"{file}: {node!r} names the column {', '.join(sorted(unknown))}; the table "
            f"of cells has {', '.join(row)}."
        )
    text = PLACE.sub(lambda m: row[m[1]], node)
    # A value that consists of one column alone may be a number.
    if PLACE.fullmatch(node) and key not in TEXTS:
        try:
            return float(text)
        except ValueError:
            pass
    return text


def _check_columns(
    template: Any, rows: list[dict[str, str]], file: Path, cells: Path
) -> None:
    """Every column of the cells is for something.

    Raises:
        ValueError: for a template that is the same for all cells.
    """
    named = set(PLACE.findall(json.dumps(template, default=str)))
    columns = set(rows[0])
    if len(rows) > 1 and not named & columns:
        given = ", ".join(c for c in rows[0] if c != "name") or "name"
        raise ValueError(
            f"{file}: names no column of {cells} in braces, so that all cells would be "
            f'fitted to the same data; expected such as file = "{{{given.split(", ")[0]}}}".'
        )
    left = [c for c in rows[0] if c not in named and c != "name"]
    if left:
        caution(
            f"{cells}: not used: {', '.join(left)}. {file} takes a column where its name "
            f"stands in braces, {{{left[0]}}}."
        )


def _digest(filled: dict[str, Any], file: Path, max_evaluations: int) -> str:
    """A hash of all that a fit depends on."""
    total = hashlib.sha256(f"{__version__}{max_evaluations}".encode())
    total.update(json.dumps(filled, sort_keys=True).encode())
    files = [file.parent / str(d.get("file")) for d in filled["data"]]
    for path in [Path(beside(file, str(filled.get("cell")))), *files]:
        if path.is_file():
            total.update(path.read_bytes())
    return total.hexdigest()


def _alike(problems: dict[str, Problem]) -> list[dict[str, Problem]]:
    """Groups of problems that can run as one program: of cells of one structure."""
    groups: dict[Any, dict[str, Problem]] = {}
    for name, p in problems.items():
        leaves, tree = jax.tree.flatten(p.specimen)
        shapes = tuple(np.shape(a) for a in leaves)
        groups.setdefault((tree, shapes, p.free, p.model), {})[name] = p
    return list(groups.values())


def _summary(fit: Fit | Exception) -> dict[str, Any]:
    if isinstance(fit, Exception):
        return {"outcome": "failed", "message": f"{type(fit).__name__}: {fit}"}
    off = off_limits(fit)
    return {
        "outcome": "off_limits" if off else OUTCOMES[fit.ended],
        "message": " ".join(off),
        "rmse_mV": 1e3 * uncertainty_of(fit).discrepancy,
        "cost": fit.cost,
        "evaluations": fit.evaluations,
        "at_bound": " ".join(fit.at_bound),
        "parameters": fit.table(),
    }


OUTCOMES = {
    SearchState.NOTHING_TO_GAIN: "converged",
    SearchState.STALLED: "stalled",
    SearchState.EVALUATION_LIMIT: "evaluation_limit",
}


def _keep(finished: Checkpoint, name: str, content: dict[str, Any]) -> None:
    finished.save(name, json.dumps(content).encode())


def _kept(finished: Checkpoint, name: str) -> dict[str, Any]:
    return json.loads(finished.get(name) or b"{}")


def _cell(out: Path, name: str) -> Path:
    return out / "cells" / f"{name}.json"


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _is_whole(kept: dict[str, Any], file: Path) -> bool:
    """Whether a fitted cell is still as it was written; says so if not."""
    whole = file.is_file() and _hash(file) == kept["cell"]
    if not whole:
        aloud(f"{file} is missing or not as it was written: fitted again")
    return whole


def _write_table(path: Path, rows: list[dict[str, str]], results: list[dict]) -> None:
    """Outcome, error and parameters with their intervals, a row for each cell."""
    names = next((r["parameters"] for r in results if "parameters" in r), [])
    names = [p["name"] for p in names]
    columns = ["outcome", "rmse_mV", "cost", "evaluations", "at_bound"]
    header = ["name", *columns]
    for n in names:
        header += [n, f"{n} low", f"{n} high"]
    header.append("message")
    body = []
    for row, r in zip(rows, results, strict=True):
        found = {p["name"]: p for p in r.get("parameters", [])}
        line: list[object] = [row["name"], *(_text(r.get(c, "")) for c in columns)]
        for n in names:
            line += [
                _text(found.get(n, {}).get(k, "")) for k in ("value", "low", "high")
            ]
        body.append([*line, r["message"]])
    write_csv(path, header, body)


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
