"""Solutions as tables, as labelled arrays and as files."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from ..mesh import Mesh
from ..models import DFN, THERMAL, ThroughStack
from ..parameters import Cell
from ._system import Output

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from ._solution import Solution

FORMAT = "naion-solution-2"


def _rows(s: "Solution") -> dict[str, np.ndarray]:
    """Protocol step and cycle at the start of every solver step, and at the end."""
    n = int(s.n_steps)
    step = np.asarray(s.record.segment[:n])
    step = np.append(step, step[-1:]) if n else np.zeros(1, int)
    return {"Step": step, "Cycle": np.asarray(s.cycle)[step]}


def to_pandas(s: "Solution") -> "pd.DataFrame":
    """See `Solution.to_pandas`."""
    import pandas as pd

    from ._solution import VARIABLES

    return pd.DataFrame(_rows(s) | {name: s[name] for name in VARIABLES})


def cycles(s: "Solution") -> "pd.DataFrame":
    """See `Solution.cycles`."""
    import pandas as pd

    n = int(s.n_steps)
    start, end = (np.asarray(s.record.outputs[:n, k]) for k in (0, 1))
    charge = (end - start)[:, Output.CHARGE] / 3600.0
    energy = (end - start)[:, Output.ENERGY] / 3600.0
    length = np.asarray(s.record.h[:n])
    out = charge > 0.0
    of = _rows(s)["Cycle"][:n]
    rows, discharge_first = [], []
    for cycle in np.unique(of):
        here = of == cycle
        extremes = np.concatenate([start[here], end[here]])
        given, taken = (np.sum(energy[here & which]) for which in (out, ~out))
        q_out, q_in = (np.sum(charge[here & which]) for which in (out, ~out))
        discharge_first.append(_discharge_first(charge[here]))
        warmest = np.max(extremes[:, Output.TEMPERATURE])
        rows.append(
            {
                "Cycle": int(cycle),
                "Discharge capacity [A.h]": q_out,
                "Charge capacity [A.h]": -q_in,
                "Discharge energy [W.h]": given,
                "Charge energy [W.h]": -taken,
                "Coulombic efficiency": np.nan,
                "Energy efficiency": np.nan,
                "Minimum voltage [V]": np.min(extremes[:, Output.VOLTAGE]),
                "Maximum voltage [V]": np.max(extremes[:, Output.VOLTAGE]),
                "Maximum temperature [K]": warmest,
                "Lowest plating margin [V]": np.min(extremes[:, Output.PLATING_MARGIN]),
                "Duration [h]": np.sum(length[here]) / 3600.0,
            }
        )
    table = pd.DataFrame(rows).set_index("Cycle")
    for name, what in (
        ("Coulombic efficiency", "capacity [A.h]"),
        ("Energy efficiency", "energy [W.h]"),
    ):
        given, taken = (
            table[f"{way} {what}"].to_numpy() for way in ("Discharge", "Charge")
        )
        table[name] = efficiencies(given, taken, np.array(discharge_first))
    return table


def _discharge_first(charge: np.ndarray) -> bool:
    """Whether most of a discharge comes before the charge, by their steps, out positive."""
    # Rests pass what round-off makes of nothing.
    least = 1e-9 * np.max(np.abs(charge))
    out, taken = (np.where(side > least, side, 0.0) for side in (charge, -charge))
    return bool(out @ np.cumsum(taken) <= 0.5 * np.sum(out) * np.sum(taken))


def efficiencies(
    out: np.ndarray, taken: np.ndarray, discharge_first: np.ndarray
) -> np.ndarray:
    """What the discharge of each cycle gave over what the charge before it took.

    Where a cycle begins with its discharge, the charge before is that of the cycle before:
    a ratio with the charge that follows would hide what is lost from cycle to cycle.

    Args:
        out: charge or energy given by each cycle, in their order, (n,).
        taken: charge or energy taken, in the same unit, (n,).
        discharge_first: whether most of a cycle's discharge came before its charge, (n,).

    Returns:
        NaN where there was no charge before, or no discharge, (n,).
    """
    if not len(out):
        return np.zeros(0)
    before = np.where(discharge_first, np.append(0.0, taken[:-1]), taken)
    nothing = 1e-9 * max(np.max(out), np.max(taken))
    there = (out > nothing) & (before > nothing)
    return np.where(there, out / np.where(there, before, 1.0), np.nan)


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
    }
    leaves = [np.asarray(a) for a in jax.tree.leaves(s)]
    arrays: Any = {f"leaf_{i}": a for i, a in enumerate(leaves)}
    path = Path(path)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        np.savez_compressed(file, about=np.array(json.dumps(about)), **arrays)
    os.replace(part, path)


def load(path: Path | str) -> "Solution":
    """See `Solution.load`."""
    from ..solvers import Record
    from ._solution import Solution

    try:
        with np.load(path) as file:
            about = json.loads(str(file["about"]))
            leaves = [jnp.asarray(file[f"leaf_{i}"]) for i in range(len(file) - 1)]
        assert about.pop("format") == FORMAT
    except (AssertionError, KeyError, ValueError, EOFError, OSError) as error:
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
    # Leaves come in the order of the fields, outputs at the end each on its own.
    n, m = len(Record._fields), len(Output)
    record, end, rest = leaves[:n], leaves[n + 2 : n + 2 + m], leaves[n + 2 + m :]
    outcome, n_steps, n_rejected, cycle = rest
    return Solution(
        Record(*record),
        leaves[n],
        leaves[n + 1],
        tuple(end),
        outcome,
        n_steps,
        n_rejected,
        cycle,
        model,
    )
