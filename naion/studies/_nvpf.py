"""The NVPF / hard-carbon laboratory cell: three rates, hard carbon and cathode together."""

import equinox as eqx

from ..fit import Experiment, Free, Problem, Subject, discharge, with_ocp_correction
from ..mesh import Mesh
from ..models import DFN
from ..parameters import Cell, load
from ._tables import EMBEDDED, columns

RATES = ("0p5", "1", "12")
"""Measured discharges [A/m2], as in the file names."""


def start_cell() -> Cell:
    """The published set with a free charged state and free OCP shapes."""
    cell = load("nvpf_hc_chayambuka2022")
    cell = eqx.tree_at(
        lambda c: c.charged, cell, cell.published, is_leaf=lambda x: x is None
    )
    cell = with_ocp_correction(
        cell,
        "negative",
        [0.0, 0.02, 0.05, 0.1, 0.16, 0.23, 0.32, 0.42, 0.55, 0.7, 0.85, 1.0],
    )
    knots = [0.15, 0.22, 0.3, 0.38, 0.45, 0.5, 0.54, 0.57, 0.585, 0.6, 0.63, 0.68, 0.75]
    return with_ocp_correction(cell, "positive", [*knots, 0.83, 0.9, 0.95, 0.98, 1.0])


FREE = (
    Free(("cell.charged.negative",), (0.6, 0.9999)),
    Free(("cell.charged.positive",), (0.16, 0.45)),
    Free(("cell.negative.active_fraction",), (0.38, 0.60), "log", 0.1),
    Free(("cell.positive.active_fraction",), (0.45, 0.70), "log", 0.1),
    Free(("cell.negative.particle.rate_constant.scale",), (0.02, 50.0), "log", 1.1),
    Free(("cell.positive.particle.rate_constant.scale",), (0.02, 50.0), "log", 1.1),
    Free(("cell.negative.particle.diffusivity.scale",), (0.1, 20.0), "log", 0.7),
    Free(("cell.positive.particle.diffusivity.scale",), (0.1, 20.0), "log", 0.7),
    Free(("cell.electrolyte.diffusivity.scale",), (0.2, 5.0), "log", 0.7),
    Free(("cell.electrolyte.conductivity.scale",), (0.5, 2.0), "log", 0.2),
    Free(("cell.contact_resistance.curve.value",), (0.0, 40.0), "linear", 15.0),
    Free(
        ("cell.negative.particle.ocp.curve.correction.y",),
        (-0.25, 0.25),
        "linear",
        0.05,
        0.03,
    ),
    Free(
        ("cell.positive.particle.ocp.curve.correction.y",),
        (-0.4, 0.4),
        "linear",
        0.08,
        0.06,
    ),
)
"""Free parameters; priors from the spread of two digitisations of the set."""


def experiments(tables=EMBEDDED) -> tuple[Experiment, ...]:
    """The measured discharges."""
    found = []
    for rate in RATES:
        t = columns(tables, f"nvpf_hc/discharge_{rate}_A_per_m2.csv")
        q, V = t["charge_Ah"], t["voltage_V"]
        found.append(
            discharge(
                f"{rate.replace('p', '.')} A/m2",
                q[:-1],
                V[:-1],
                float(t["current_A"][0]),
                298.15,
                capacity=float(q[-1]),
                sigma_charge=0.002,
            )
        )
    return tuple(found)


def nvpf_problem(rates: tuple[str, ...] = RATES, tables=EMBEDDED) -> Problem:
    """The fit of `make demo`; a subset of rates for leave-one-out."""
    chosen = [e for e, r in zip(experiments(tables), RATES, strict=True) if r in rates]
    subject = Subject(start_cell(), [0.0])
    model = DFN(Mesh(6, 3, 6, 20))
    return Problem(subject, FREE, tuple(chosen), model)
