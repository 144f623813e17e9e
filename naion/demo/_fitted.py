"""Fits of the demo, kept on disk so that one that was stopped goes on."""

import base64
import dataclasses
import io
import json
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from .. import plot
from .._files import write_whole
from .._progress import Progress
from ..batch import Checkpoint, digest
from ..fit import (
    Fit,
    Problem,
    Uncertainty,
    least_squares,
    off_limits,
    scores,
    simulate_test,
    write_fitted_cell,
)
from ..io import read_cell
from ..parameters import Cell
from ..protocol import Mode

ABOUT = {"kind": "demo"}


class Fitted(NamedTuple):
    """What the report and later fits need of a fit.

    Attributes:
        rows: scores, with the capacity errors.
        parameters: see `Fit.table`.
        at_bound: names of parameters at a bound.
        off_limits: see `naion.fit.off_limits`.
        figure: measured and fitted, as a PNG.
        cell, known: as in its cell.json.
    """

    rows: list[list[str]]
    parameters: list[dict[str, Any]]
    at_bound: tuple[str, ...]
    off_limits: tuple[str, ...]
    figure: bytes
    cell: Cell
    known: Uncertainty


def fitted(
    key: str, title: str, problem: Problem, out: Path, say: Progress, **options: Any
) -> Fitted:
    """The fit of a problem, from an earlier run where there is one.

    Args:
        key: of the cell: the name of its folder below `out`, for cell.json.
        title: of the cell.
        problem: what is fitted.
        out: what is finished is kept in its folder `finished`.
        say: told what is done.
        options: of `least_squares`.
    """
    finished = Checkpoint(out / "finished", ABOUT)
    file = out / key / "cell.json"
    asked = digest(problem, title, options)
    data = json.loads(finished.get(f"fit_{key}") or b"{}")
    if data.get("digest") == asked:
        say(f"{title}: fitted before, and kept in {finished.folder}")
    else:
        say(f"{title}: fitting")
        fit = least_squares(problem, progress=lambda t: say("  " + t), **options)
        write_fitted_cell(file, fit, title)
        found = {
            "digest": asked,
            "rows": with_capacities(fit),
            "parameters": fit.table(),
            "at_bound": fit.at_bound,
            "off_limits": off_limits(fit),
            "figure": base64.b64encode(_figure(fit)).decode(),
            "cell": file.read_text(encoding="utf-8"),
        }
        finished.save(f"fit_{key}", json.dumps(found).encode())
        data = json.loads(finished.load(f"fit_{key}"))
    # Somebody may have moved the file, or changed it.
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, data["cell"])
    cell, extra = read_cell(file)
    return Fitted(
        data["rows"],
        data["parameters"],
        tuple(data["at_bound"]),
        tuple(data["off_limits"]),
        base64.b64decode(data["figure"]),
        cell,
        Uncertainty.from_json(extra["fit"], cell),
    )


def with_capacities(fit: Fit) -> list[list[str]]:
    """Scores with the capacity error beside each discharge."""
    errors = dict(capacity_errors(fit))
    rows = []
    for name, what, text in scores(fit):
        discharged = what in ("voltage", "discharge") and name in errors
        rows.append([name, what, text, f"{errors[name]:+.2f} %" if discharged else ""])
    return rows


def capacity_errors(fit: Fit) -> list[tuple[str, float]]:
    """Simulated over measured capacity to the measured cut-off, minus one [%].

    For each experiment with a measured capacity; of its first discharge.
    """
    found = []
    lower = fit.specimen.cell.limits.lower_voltage
    for e in fit.problem.experiments:
        if e.capacity is None:
            continue
        p = e.protocol
        row = int(np.argmax((p.mode == Mode.CURRENT) & (p.value > 0.0)))
        p = eqx.tree_at(
            lambda p: (p.duration, p.lower_voltage, p.count),
            p,
            (
                p.duration.at[row].set(1e6),
                p.lower_voltage.at[row].set(lower),
                jnp.asarray(row + 1),
            ),
        )
        own, done = simulate_test(
            fit.specimen, dataclasses.replace(e, protocol=p), fit.problem.model
        )
        before = done.at(done.began(row)).charge / 3600.0
        logged = float(done.capacity - before) / float(own.gain)
        found.append((e.name, 100.0 * (logged / e.capacity - 1.0)))
    return found


def _figure(fit: Fit) -> bytes:
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(7.0, 4.0), layout="constrained")
    axes = canvas.add_subplot()
    pairs = zip(fit.problem.experiments, fit.predictions, strict=True)
    for i, (e, m) in enumerate(pairs):
        plot.fit(e, m, axes, f"C{i % 10}")
    axes.legend(fontsize=7, ncols=2)
    buffer = io.BytesIO()
    canvas.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()
