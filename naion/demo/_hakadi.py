"""Hakadi 18650, cell 2: a hold, a discharge and a charge at four rates."""

import numpy as np

from .._constants import ZERO_CELSIUS
from ..fit import (
    BELOW_ANY_CUT_OFF,
    Experiment,
    FreeParameter,
    Part,
    Problem,
    Specimen,
    recorded,
)
from ..mesh import Mesh
from ..models import DFN, Lumped
from ..parameters import Cell
from ..protocol import Mode, Step
from ._layered_oxide import FREE, start_cell
from ._tables import EMBEDDED, columns

FILES = (
    "0.50C_rep1",
    "0.50C_rep2",
    "0.75C_rep1",
    "1.00C_rep1",
    "1.00C_rep2",
    "1.50C_rep1",
    "1.50C_rep2",
)
"""Measured cycles, by the rate of their discharge; charges are all at 1C."""

HELD = 4.1
"""Voltage of the hold before each discharge [V]."""

SENSOR = (
    FreeParameter(("missing",), (0.0, 0.15), "linear", 0.02),
    FreeParameter(("gain",), (0.95, 1.05), "log", 0.01),
    FreeParameter(("gain_on_charge",), (0.8, 1.2), "log", 0.05),
    FreeParameter(("offset",), (-0.04, 0.04), "linear", 0.01),
)
"""What is not known of each file: how full the cell was before the hold, and the errors of
the home-built tester's sensor (offsets of 10 mA; capacities of charges are wrong by up to
9 %, of discharges by 2 %)."""

HEAT = (FreeParameter(("cell.thermal.cooling",), (0.02, 0.4), "log", 0.5),)
"""The cell warms itself: charges follow discharges at once, in a cell that is still warm."""

MODEL = DFN(Mesh(6, 3, 6, 16), Lumped())


def hakadi_problem(
    files: tuple[str, ...] = FILES,
    tables=EMBEDDED,
    *,
    cell: Cell | None = None,
    free: tuple[FreeParameter, ...] = (*FREE, *HEAT, *SENSOR),
    model: DFN = MODEL,
) -> Problem:
    """The fit of `make demo`.

    Args:
        files: which cycles; a subset for leave-one-out.
        tables: where the data are.
        cell: where to start; none: the constructed set.
        free: what may move.
        model: equations and mesh.
    """
    found = [cycle(name, i, tables) for i, name in enumerate(files)]
    # A little is missing before each hold; the sensors are right, to begin with.
    specimen = Specimen(cell or start_cell(), np.full(len(files), 0.01))
    return Problem(specimen, free, tuple(found), model)


def cycle(name: str, group: int, tables=EMBEDDED) -> Experiment:
    """One file: a hold at 4.1 V, a discharge and at once a charge."""
    t = columns(tables, f"hakadi/cell2_dchg{name}.csv")
    held, down, up = (t["step"] == k for k in (0, 1, 2))
    time, V, current = t["time_s"], t["voltage_V"], t["current_A"]
    out = float(current[down][0])
    lasted = float(time[down][-1])
    discharge = Step(
        Mode.CURRENT, out, duration=lasted, lower_voltage=BELOW_ANY_CUT_OFF
    )
    charge = Step(
        Mode.CURRENT,
        float(current[up][0]),
        duration=float(time[up][-1]),
        upper_voltage=HELD,
    )
    return recorded(
        name.replace("_", " "),
        [
            Part(Step(Mode.VOLTAGE, HELD, duration=float(time[held][-1]))),
            Part(discharge, time[down][:-1], V[down][:-1], "discharge"),
            Part(charge, time[up][:-1], V[up][:-1], "charge", sigma=0.015),
            # A model that is full too early waits for the data.
            Part(Step(Mode.VOLTAGE, HELD, duration=600.0)),
        ],
        ZERO_CELSIUS + 25.0,
        group=group,
        capacity=lasted * out / 3600.0,
    )
