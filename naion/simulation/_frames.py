"""Solutions as tables, as labelled arrays and as files."""

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import jax.numpy as jnp
import numpy as np

from .._files import write_whole
from ..mesh import Mesh
from ..models import DFN, THERMAL, ThroughStack
from ..parameters import Cell
from ..solvers import Record
from ._cycles import Cycles
from ._system import Event, Output

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from ._solution import Solution

FORMAT = "naion-solution-3"


def _rows(s: "Solution") -> dict[str, np.ndarray]:
    """Protocol step and cycle at the start of every solver step, and at the end."""
    n = int(s.n_steps)
    step = np.asarray(s._steps.segment[:n])
    step = np.append(step, step[-1:]) if n else np.zeros(1, int)
    return {"Step": step, "Cycle": np.asarray(s.cycle)[step]}


def to_pandas(s: "Solution") -> "pd.DataFrame":
    """See `Solution.to_pandas`."""
    import pandas as pd

    from ._solution import VARIABLES

    return pd.DataFrame(_rows(s) | {name: s[name] for name in VARIABLES})


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

    from ._solution import VARIABLES

    def labelled(name: str, dims, values) -> tuple:
        unit = name.rsplit("[", 1)[1].rstrip("]") if "[" in name else ""
        return dims, np.asarray(values), {"units": unit}

    data = {
        name: labelled(name, "time", s[name])
        for name in VARIABLES
        if not name.startswith("Time")
    }
    data |= {k: labelled(k, "time", v) for k, v in _rows(s).items()}
    coordinates = {"time": labelled("Time [s]", "time", s.t)}
    layer = ("layer",) if s.model.nodes > 1 else ()
    if layer:
        name = "Layer temperature [K]"
        data[name] = labelled(name, ("time", *layer), s.layer_temperature)
    if s.record.y.shape[-1]:
        states, mesh = s.states, s.model.mesh
        coordinates["step_time"] = labelled("Time [s]", "step_time", s.t[:-1])
        shells = ("r", mesh.shells().nodes, {"long_name": "r over radius"})
        coordinates["r"] = shells
        on_line = ("step_time", *layer, "x")
        in_particles = ("step_time", *layer, "particle")
        fields = {
            "Electrolyte potential [V]": (on_line, states.phi_e),
            "Electrode potential [V]": (on_line, states.phi_s),
            "Interfacial current density [A.m-2]": (in_particles, states.j),
            "Particle stoichiometry": (
                ("step_time", *layer, "r", "particle"),
                states.total_sto,
            ),
        }
        if cell is None:
            fields["Electrolyte concentration over initial"] = on_line, states.c_e
        else:
            c_e = states.c_e * cell.electrolyte.concentration
            fields["Electrolyte concentration [mol.m-3]"] = on_line, c_e
            dx = np.asarray(s.model.lay_out(cell).dx)
            middle = np.cumsum(dx) - 0.5 * dx
            coordinates["x"] = labelled("Position [m]", "x", middle)
        data |= {name: labelled(name, *field) for name, field in fields.items()}
    return xr.Dataset(data, coordinates, {"outcome": s.result.name})


def save(s: "Solution", path: Path | str) -> None:
    """See `Solution.save`."""
    model = s.model
    about = {
        "format": FORMAT,
        "mesh": vars(model.mesh),
        "thermal": next(k for k, v in THERMAL.items() if type(model.thermal) is v),
        "nodes": model.nodes,
        "surface": model.surface,
        "sides": model.sides,
        "has_pores": model.has_pores,
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


_ARRAYS = (
    *("final", "t_end", "end", "extremes", "outcome", "n_steps", "n_rejected", "cycle"),
)


def load(path: Path | str) -> "Solution":
    """See `Solution.load`."""
    from ._solution import Solution

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
    thermal = THERMAL[about["thermal"]]
    model = DFN(
        Mesh(**about["mesh"]),
        thermal(about["nodes"]) if thermal is ThroughStack else thermal(),
        tuple(about["surface"]),
        tuple(about["sides"]),
        about["has_pores"],
    )
    return Solution(
        record=record,
        end=tuple(rest.pop("end")),
        **rest,
        of_cycles=None if sums is None else Cycles(**sums),
        model=model,
        cautions=tuple(about["cautions"]),
    )
