"""Solutions as text, as pandas tables and as xarray data sets."""

import base64
import html
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import numpy as np
from jax.core import Tracer

from .._constants import ZERO_CELSIUS
from .._results import Result
from ..parameters import Cell
from ..systems import Event, Output
from ._overview import thumbnail
from ._variables import TIME, WITH_CELL, Variable, variable, variables_of

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from ._solution import Solution


def _rows(s: "Solution") -> dict[str, np.ndarray]:
    """Protocol step and cycle at the start of every solver step, and at the end."""
    n = int(s.n_steps)
    step = np.asarray(s._steps.segment[:n])
    step = np.append(step, step[-1:]) if n else np.zeros(1, int)
    return {"Step": step, "Cycle": np.asarray(s.cycle)[step]}


def to_pandas(s: "Solution") -> "pd.DataFrame":
    """See `Solution.to_pandas`."""
    import pandas as pd

    own = {v.name: s[v.name] for v in variables_of(s) if v.dimensions == TIME}
    return pd.DataFrame(_rows(s) | own)


MET = {
    Event.LOWER_VOLTAGE: (Output.VOLTAGE, "V"),
    Event.UPPER_VOLTAGE: (Output.VOLTAGE, "V"),
    Event.CURRENT: (Output.CURRENT, "A"),
    Event.TEMPERATURE_BELOW: (Output.TEMPERATURE, "K"),
    Event.TEMPERATURE_ABOVE: (Output.TEMPERATURE, "K"),
}
"""The output that each condition of a step watches, and its unit."""


def skipped(s: "Solution") -> dict[int, str]:
    """See `Solution.skipped`."""
    r, n = s._steps, int(s.n_steps)
    found = {}
    for k in np.flatnonzero(np.asarray(r.skipped[:n])):
        event = int(r.event[k])
        reason = f"its condition ({Event(event).name.lower()}) was met before"
        if event in MET:
            output, unit = MET[Event(event)]
            reason = f"already at {float(r.outputs[k, 0, output]):.4g} {unit}"
        found[int(r.segment[k])] = reason
    return found


def in_words(s: "Solution") -> str:
    """Outcome, capacity, ranges and cautions as text; of many stacked solutions, outcomes."""
    if isinstance(s.outcome, Tracer):
        return in_short(s)
    outcomes = np.asarray(s.outcome)
    if outcomes.ndim:
        kinds, counts = np.unique(outcomes, return_counts=True)
        pairs = zip(kinds, counts, strict=True)
        return f"{outcomes.size} simulations: " + ", ".join(
            f"{n} {Result(int(k)).name.lower()}" for k, n in pairs
        )
    end, least, most = s.end, s.least, s.greatest
    told = [_ended(s)]
    if int(s.n_steps):
        told += [
            f"  {float(s.capacity):.4g} A.h and {float(s.energy):.4g} W.h delivered, net, "
            f"in {_duration(float(s.t_end))}",
            f"  at the end {float(end.voltage):.4g} V, {float(end.current):.4g} A, "
            f"{_celsius(end.temperature)} degC",
            f"  between {float(least.voltage):.4g} and {float(most.voltage):.4g} V, "
            f"{_celsius(least.temperature)} and {_celsius(most.temperature)} degC; "
            f"{int(s.n_steps)} steps of the solver",
        ]
    if s.record.t.shape[-1]:
        told += [f"  step {k + 1} skipped: {why}" for k, why in s.skipped.items()]
    told += [f"  caution: {text}" for text in s.cautions]
    return "\n".join(told)


def in_short(s: "Solution") -> str:
    """One line; a tree of anything but numbers as one."""
    if isinstance(s.outcome, Tracer):
        return "<Solution, traced>"
    if not isinstance(s.outcome, jax.Array | np.ndarray | np.generic):
        return eqx.tree_pformat(s)
    if np.ndim(s.outcome):
        return f"<Solution of {in_words(s)}>"
    name, n = s.result.name.lower(), int(s.n_steps)
    if not n:
        return f"<Solution: {name}>"
    return (
        f"<Solution: {name}, {float(s.capacity):.4g} A.h and {float(s.energy):.4g} W.h "
        f"in {_duration(float(s.t_end))}, {n} steps of the solver>"
    )


def _ended(s: "Solution") -> str:
    """The outcome: of a cut-off which limit and which step, and what was skipped or not run.

    The steps are those of the protocol, counted from 1, also over cycles.
    """
    name, n = s.result.name.lower(), int(s.n_steps)
    known = s.record.t.shape[-1] > 0 and n > 0
    steps = int(np.sum(np.asarray(s.cycle) >= 0))
    if s.result == Result.COMPLETED and known and s.skipped:
        over = sorted(s.skipped)
        which = f"step {over[0] + 1}" if len(over) == 1 else f"{len(over)} steps"
        return f"{name}, but {which} of {steps} skipped: {s.result.explanation}"
    if s.result != Result.CUT_OFF or n == 0:
        return f"{name}: {s.result.explanation}"
    limit = "lower" if float(s.end.current) > 0.0 else "upper"
    met = f"reached {float(s.end.voltage):.4g} V, the {limit} limit of voltage"
    if not known:
        return f"{name}: The cell {met}, before the protocol ended."
    step, event = int(s.record.segment[n - 1]), int(s.record.event[n - 1])
    if event not in (Event.LOWER_VOLTAGE, Event.UPPER_VOLTAGE):
        met = "ended with a cell of the pack at a limit of its own voltage"
    cycle = int(s.cycle[step])
    of_cycle = f" (cycle {cycle + 1})" if int(np.max(np.asarray(s.cycle))) else ""
    told = f"{name}: Step {step + 1} of {steps}{of_cycle} {met}."
    if step + 1 == steps:
        return told
    left = "Step" if step + 2 == steps else f"Steps {step + 2} to"
    were = "was" if step + 2 == steps else "were"
    told += f" {left} {steps} {were} not run."
    if event in (Event.LOWER_VOLTAGE, Event.UPPER_VOLTAGE):
        until = f"until {float(s.end.voltage):.4g} V"
        told += f' With "{until}" in a step the next one begins there.'
    return told


def in_html(s: "Solution") -> str:
    """See `Solution._repr_html_`."""
    words = f"<pre>{html.escape(in_words(s))}</pre>"
    if isinstance(s.outcome, Tracer) or np.ndim(s.outcome):
        return words
    if s.record.t.shape[-1] == 0 or int(s.n_steps) == 0:
        return words
    encoded = base64.b64encode(thumbnail(s)).decode()
    return (
        f'{words}<img style="max-width:100%" alt="voltage and current" '
        f'src="data:image/png;base64,{encoded}">'
    )


def _celsius(T: Any) -> str:
    return f"{float(T) - ZERO_CELSIUS:.1f}"


def _duration(seconds: float) -> str:
    """A duration in the largest unit of which it has at least two."""
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2.0 * length:
            return f"{seconds / length:.4g} {unit}"
    return f"{seconds:.4g} s"


def to_xarray(s: "Solution", cell: Cell | None = None) -> "xr.Dataset":
    """See `Solution.to_xarray`."""
    import xarray as xr

    layers = s.model.nodes > 1

    def labelled(v: Variable, values: Any) -> tuple[tuple[str, ...], np.ndarray, dict]:
        first, *rest = v.dimensions
        each = ("layer",) if layers and v.is_field else ()
        about = {"units": v.unit, "symbol": v.symbol}
        return (first, *each, *rest), np.asarray(values), about

    data: dict[str, Any] = {k: ("time", v) for k, v in _rows(s).items()}
    for v in variables_of(s):
        if v.quantity != "Time":
            data[v.name] = labelled(v, s[v.name])
    seconds = {"units": "s"}
    coordinates: dict[str, Any] = {"time": ("time", np.asarray(s.t), seconds)}
    if s.record.y.shape[-1]:
        coordinates["step_time"] = "step_time", np.asarray(s.t[:-1]), seconds
        radii = s.equations.mesh.shells().nodes
        coordinates["r"] = "r", radii, {"long_name": "r over radius"}
        if cell is not None:
            own = {v: v.function(s, cell) for v in WITH_CELL}
            data |= {v.name: labelled(v, a) for v, a in own.items() if v.is_field}
            x = variable("Position [m]", WITH_CELL)
            coordinates["x"] = labelled(x, own[x])
    return xr.Dataset(data, coordinates, {"outcome": s.result.name})
