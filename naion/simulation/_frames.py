"""Solutions as tables, as labelled arrays and as files."""

import dataclasses
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from zipfile import BadZipFile

import jax.numpy as jnp
import numpy as np

from .._files import write_whole
from ..models import DFN, Equations
from ..parameters import Cell
from ..physics.surface import Unknown
from ..solvers import Record
from ._cycles import Cycles
from ._outputs import Output, Outputs
from ._system import Event
from ._variables import TIME, WITH_CELL, Variable, available, variable

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from ._solution import Solution

S = TypeVar("S", bound="Solution")

FORMAT = "naion-solution-5"


def _rows(s: "Solution") -> dict[str, np.ndarray]:
    """Protocol step and cycle at the start of every solver step, and at the end."""
    n = int(s.n_steps)
    step = np.asarray(s._steps.segment[:n])
    step = np.append(step, step[-1:]) if n else np.zeros(1, int)
    return {"Step": step, "Cycle": np.asarray(s.cycle)[step]}


def to_pandas(s: "Solution") -> "pd.DataFrame":
    """See `Solution.to_pandas`."""
    import pandas as pd

    own = {v.name: s[v.name] for v in available(s) if v.dimensions == TIME}
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
    for v in available(s):
        if v.quantity != "Time":
            data[v.name] = labelled(v, s[v.name])
    seconds = {"units": "s"}
    coordinates: dict[str, Any] = {"time": ("time", np.asarray(s.t), seconds)}
    if s.record.y.shape[-1]:
        coordinates["step_time"] = "step_time", np.asarray(s.t[:-1]), seconds
        radii = s.model.mesh.shells().nodes
        coordinates["r"] = "r", radii, {"long_name": "r over radius"}
        if cell is not None:
            own = {v: v.function(s, cell) for v in WITH_CELL}
            data |= {v.name: labelled(v, a) for v, a in own.items() if v.is_field}
            x = variable("Position [m]", WITH_CELL)
            coordinates["x"] = labelled(x, own[x])
    return xr.Dataset(data, coordinates, {"outcome": s.result.name})


def save(s: "Solution", path: Path | str) -> None:
    """See `Solution.save`."""
    about = {
        "format": FORMAT,
        "kind": type(s).__name__,
        "own": {name: getattr(s, name) for name in _own(type(s))},
        "model": s.model.to_json(),
        "surface": s.equations.surface,
        "sides": s.equations.sides,
        "has_pores": s.equations.has_pores,
        "cautions": s.cautions,
    }
    parts = {"record": s.record, "of_cycles": s.of_cycles}
    arrays: Any = {
        f"{name}.{k}": np.asarray(a)
        for name, part in parts.items()
        if part is not None
        for k, a in part._asdict().items()
    }
    arrays |= {k: np.asarray(getattr(s, k)) for k in _ARRAYS}
    content = io.BytesIO()
    np.savez_compressed(content, about=np.array(json.dumps(about)), **arrays)
    write_whole(path, content.getvalue())


_OUTPUTS = "end", "least", "greatest"
_ARRAYS = (
    *("final", "t_end", "outcome", "n_steps", "n_rejected", "cycle"),
    *_OUTPUTS,
)


def _own(kind: type["Solution"]) -> list[str]:
    """Tuples that a kind of solution has besides what every solution has."""
    from ._solution import Solution

    usual = {f.name for f in dataclasses.fields(Solution)}
    return [f.name for f in dataclasses.fields(kind) if f.name not in usual]


def load(path: Path | str, kind: type[S]) -> S:
    """See `Solution.load`."""
    try:
        with np.load(path) as file:
            about = json.loads(str(file["about"]))
            arrays = {k: file[k] for k in file.files if k != "about"}
        assert about.pop("format") == FORMAT
        record = Record(
            **{k: jnp.asarray(arrays[f"record.{k}"]) for k in Record._fields}
        )
        kept = any(k.startswith("of_cycles.") for k in arrays)
        sums = {k: arrays[f"of_cycles.{k}"] for k in Cycles._fields} if kept else None
        rest: Any = {k: jnp.asarray(arrays[k]) for k in _ARRAYS}
    except (
        AssertionError,
        KeyError,
        ValueError,
        EOFError,
        OSError,
        BadZipFile,
    ) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(
            f"{path} is not a solution that `Solution.save` of this version wrote."
        ) from None
    if about["kind"] != kind.__name__:
        raise ValueError(
            f"{path} holds a {about['kind']}: expected a {kind.__name__}. Use "
            f"`{about['kind']}.load`."
        )
    equations = Equations(
        DFN.from_json(about["model"]),
        tuple(Unknown(*unknown) for unknown in about["surface"]),
        tuple(about["sides"]),
        about["has_pores"],
    )
    own: Any = {name: tuple(about["own"][name]) for name in _own(kind)}
    return kind(
        record=record,
        **{k: Outputs(*rest.pop(k)) for k in _OUTPUTS},
        **rest,
        of_cycles=None if sums is None else Cycles(**sums),
        equations=equations,
        cautions=tuple(about["cautions"]),
        **own,
    )
