"""Several cells in one table."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from .._constants import ZERO_CELSIUS
from .._progress import Counted, Progress, silent
from .._results import Result
from .._takes import takes
from ..batch import run
from ..mesh import Mesh
from ..models import Isothermal
from ..parameters import Cell, load, require_full_cell
from ._tests import charge, cycle, discharge, fastest, full_capacity, temperature_law

if TYPE_CHECKING:
    import pandas as pd

RATES = (1.0 / 3.0, 1.0, 2.0, 3.0)
COLD = (25.0, 0.0, -20.0, -40.0)
ANSWERS = np.array([int(r) for r in Result if r.is_success or r.is_physical])
CHARGE_TEMPERATURES = (25.0, 0.0)
CHARGE_RATES = np.geomspace(0.05, 8.0, 16)


@takes
def summary(
    cells: Cell | str | Mapping[str, Cell] | Sequence[str],
    *,
    mesh: Mesh | None = None,
    progress: Progress = silent,
) -> "pd.DataFrame":
    """Capacity, energy, rate, cold, efficiency and charge without plating, side by side.

        naion.summary(["nvpf_hc_chayambuka2022", "nfm_hc_18650"])
        naion.summary({"as it is": cell, "thicker": thicker})

    Discharges are isothermal and begin full; the cycle at 1C has its heat, and no side
    reactions: its efficiency is that of the voltage. A charge goes from 10 to 80 % at
    constant current; the fastest without plating is interpolated between simulated rates.
    Cells whose electrolyte has no law in temperature have NaN in the cold, and those that
    plate at every rate (C/20 to 8C) have no charge without plating. Energy is over the
    cell's `thermal.mass`, of laboratory cells that of active materials alone.

    Args:
        cells: by what they are called; or names of sets; or one cell.
        mesh: for all; none: that of each cell.
        progress: called with a line of text before every cell.

    Returns:
        one row a cell, units in the names of the columns; printed with cells as columns.

    Raises:
        KeyError: for an unknown set, with the nearest ones.
        TypeError: for anything but cells.
        ValueError: for no cell, half of one, or many in one.
    """
    from ._printed import SideBySide

    every = _by_name(cells)
    for name, cell in every.items():
        require_full_cell(cell, "A summary", name)
    rows = {}
    for k, (name, cell) in enumerate(every.items()):
        progress(Counted(f"{name}: cell {k + 1} of {len(every)}", k, len(every)))
        rows[name] = _row(cell, cell.defaults.mesh if mesh is None else mesh)
    return SideBySide.from_dict(rows, orient="index")


def _by_name(cells: Any) -> dict[str, Cell]:
    if isinstance(cells, Cell):
        cells = {"cell": cells}
    elif isinstance(cells, str):
        cells = [cells]
    if not isinstance(cells, Mapping):
        named = isinstance(cells, Sequence)
        if not named or not all(isinstance(name, str) for name in cells):
            raise TypeError(
                "A summary needs names for its cells: a dict of cells by name, or a list "
                "of names of sets."
            )
        cells = {name: load(name) for name in cells}
    if not cells:
        raise ValueError("A summary needs at least one cell.")
    return dict(cells)


def _row(cell: Cell, mesh: Mesh) -> dict[str, float]:
    def delivered(condition: Any) -> Any:
        T = condition[1] + ZERO_CELSIUS
        s = discharge(cell, condition[0], T, mesh, Isothermal())
        found = jnp.stack([s.capacity, s.energy])
        # What failed for a numerical reason is no answer.
        return jnp.where(jnp.isin(s.outcome, ANSWERS), found, jnp.nan)

    law = temperature_law(cell)
    cold = COLD[1:] if law else ()
    conditions = [(r, COLD[0]) for r in RATES] + [(RATES[0], T) for T in cold]
    got = np.asarray(run(delivered, np.array(conditions)))
    (capacity, energy), at_rates = got[0], got[: len(RATES), 0]
    row = {
        "Capacity at rest [A.h]": float(full_capacity(cell)),
        "Capacity at C/3 [A.h]": capacity,
        "Energy at C/3 [W.h]": energy,
        "Specific energy [W.h.kg-1]": energy / float(cell.thermal.mass),
    }
    for rate, found in zip(RATES[1:], at_rates[1:], strict=True):
        row[f"Capacity at {rate:.0f}C [% of C/3]"] = 100.0 * found / capacity
    in_cold = dict(zip(cold, got[len(RATES) :, 1], strict=True))
    for T in COLD[1:]:
        share = 100.0 * in_cold.get(T, np.nan) / energy
        row[f"Energy at {T:.0f} degC [% of 25 degC]"] = share
    efficiency, warming = np.asarray(cycle(cell, mesh))
    row["Energy efficiency at 1C [%]"] = 100.0 * efficiency
    row["Warming at 1C [K]"] = warming
    warm = CHARGE_TEMPERATURES if law else CHARGE_TEMPERATURES[:1]
    grid = np.array([(r, T) for T in warm for r in CHARGE_RATES])
    charges = run(lambda x: charge(cell, x[0], x[1] + ZERO_CELSIUS, mesh), grid)
    shape = len(warm), len(CHARGE_RATES)
    margin, reached = (np.asarray(a).reshape(shape) for a in charges)
    minutes = dict(zip(warm, fastest(margin, reached, CHARGE_RATES), strict=True))
    for T in CHARGE_TEMPERATURES:
        name = f"10 to 80 % without plating at {T:.0f} degC [min]"
        row[name] = minutes.get(T, np.nan)
    return {k: float(v) for k, v in row.items()}
