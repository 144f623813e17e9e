"""Solutions as tables and as labelled arrays."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ..parameters import Cell
from ..systems import Event, Output
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
"""What a condition is about, with its unit."""


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
