"""The NVPF / hard-carbon laboratory cell: three rates, hard carbon and cathode together."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from ..fit import (
    Experiment,
    FreeParameter,
    Problem,
    Specimen,
    discharge,
    with_ocp_correction,
)
from ..mesh import Mesh
from ..models import DFN
from ..parameters import Cell, load
from ..properties import Table
from ._tables import EMBEDDED, columns

RATES = ("0p5", "1", "12")
"""Measured discharges [A/m2], as in the file names."""

KNOTS = {
    "negative": [0, 0.01, 0.02, 0.035, 0.05, 0.07, 0.1, 0.13, 0.16, 0.2, 0.25, 0.32]
    + [0.42, 0.55, 0.7, 0.85, 1.0],
    "positive": [0.15, 0.19, 0.22, 0.26, 0.3, 0.34, 0.38, 0.42, 0.45, 0.48, 0.5, 0.52]
    + [0.54, 0.555, 0.57, 0.58, 0.59, 0.6, 0.615, 0.63, 0.655, 0.68, 0.715, 0.75]
    + [0.79, 0.83, 0.9, 0.95, 0.98, 1.0],
}
"""Stoichiometries at which open-circuit potentials may be corrected."""

CURVE_KNOTS = {
    "negative": np.linspace(0.02, 0.98, 9),
    "positive": np.linspace(0.2, 0.98, 9),
}
"""Stoichiometries at which rate constants and diffusivities are free."""


def start_cell(curves: bool = True) -> Cell:
    """The published set with free curves.

    Args:
        curves: give rate constants and diffusivities values of their own at knots.
    """
    cell = load("nvpf_hc_chayambuka2022")
    for side in ("negative", "positive"):
        cell = with_ocp_correction(cell, side, KNOTS[side])
        for what in ("rate_constant", "diffusivity") if curves else ():

            def curve(c: Cell, side=side, what=what):
                return getattr(getattr(c, side).particle, what).curve

            x = jnp.asarray(CURVE_KNOTS[side])
            table = Table(x, curve(cell)(x), extrapolation="clamp")
            cell = eqx.tree_at(curve, cell, table)
    return cell


def _both(what: str, *rest) -> tuple[FreeParameter, ...]:
    sides = ("negative", "positive")
    return tuple(FreeParameter((f"cell.{s}.{what}",), *rest) for s in sides)


FREE = (
    FreeParameter(("cell.published.positive",), (0.01, 0.45)),
    FreeParameter(("cell.negative.active_fraction",), (0.38, 0.49), "log", 0.1),
    FreeParameter(("cell.positive.active_fraction",), (0.45, 0.70), "log", 0.1),
    *_both("particle.rate_constant.curve.y", (1e-14, 1e-7), "log", 0.8, 0.6),
    *_both("particle.diffusivity.curve.y", (1e-18, 1e-13), "log", 0.6, 0.6),
    FreeParameter(("cell.electrolyte.diffusivity.scale",), (0.2, 5.0), "log", 0.7),
    FreeParameter(("cell.electrolyte.conductivity.scale",), (0.5, 2.0), "log", 0.2),
    FreeParameter(
        ("cell.contact_resistance.curve.value",), (0.0, 40.0), "linear", 15.0
    ),
    FreeParameter(
        ("cell.negative.particle.ocp.curve.correction.y",),
        (-0.25, 0.25),
        "linear",
        0.05,
        0.06,
    ),
    FreeParameter(
        ("cell.positive.particle.ocp.curve.correction.y",),
        (-0.4, 0.4),
        "linear",
        0.08,
        0.12,
    ),
)
"""Free parameters; priors from the spread of two digitisations of the set."""

RTOL = 2e-5
"""Tolerance of its simulations: at 2e-4 the choice of time steps makes the cost rough by more
than a step along its long valleys gains (`python -m benchmarks alike`)."""

AXIS = (FreeParameter(("gain",), (0.95, 1.05), "log", 0.01),)
"""The charge axis of each digitised figure, which may be off by a per cent: the steps of
the two slow curves lie apart by more than any cell could make them."""


def experiments(tables=EMBEDDED) -> tuple[Experiment, ...]:
    """The measured discharges, each a group of its own."""
    found = []
    for group, rate in enumerate(RATES):
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
                group=group,
            )
        )
    return tuple(found)


MODEL = DFN(Mesh(6, 3, 6, 20))


def nvpf_problem(
    rates: tuple[str, ...] = RATES,
    tables=EMBEDDED,
    *,
    cell: Cell | None = None,
    free: tuple[FreeParameter, ...] = (*FREE, *AXIS),
    model: DFN = MODEL,
) -> Problem:
    """The fit of `make demo`.

    Args:
        rates: which discharges; a subset for leave-one-out.
        tables: where the data are.
        cell: where to start; none: the published set.
        free: what may move.
        model: equations and mesh.
    """
    chosen = [e for e, r in zip(experiments(tables), RATES, strict=True) if r in rates]
    specimen = Specimen(cell or start_cell(), np.zeros(len(RATES)))
    return Problem(specimen, free, tuple(chosen), model, RTOL)
