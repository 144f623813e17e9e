"""Two commercial layered-oxide 18650 cells: Hakadi (rates), TU Berlin (temperatures)."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from .._constants import ZERO_CELSIUS
from ..fit import (
    Experiment,
    Free,
    Problem,
    Subject,
    discharge,
    pulse,
    segments,
    with_ocp_correction,
)
from ..mesh import Mesh
from ..models import DFN
from ..parameters import Cell, load
from ..properties import Table
from ._tables import EMBEDDED, columns

HAKADI = (
    "0.50C_rep1",
    "0.50C_rep2",
    "0.75C_rep1",
    "1.00C_rep1",
    "1.00C_rep2",
    "1.50C_rep1",
    "1.50C_rep2",
)
"""Measured discharges of Hakadi cell 2."""

TEMPERATURES = (15, 25, 45)
"""Chamber temperatures of the TU Berlin check-ups [degC]."""


def start_cell() -> Cell:
    """The constructed set with a free charged state and free OCP shapes."""
    cell = load("nfm_hc_18650")
    cell = eqx.tree_at(
        lambda c: c.charged, cell, cell.published, is_leaf=lambda x: x is None
    )
    cell = with_ocp_correction(
        cell, "negative", [0.0, 0.03, 0.07, 0.12, 0.2, 0.3, 0.42, 0.55, 0.7, 0.85, 1.0]
    )
    cell = with_ocp_correction(cell, "positive", np.linspace(0.38, 0.99, 15))
    # Resistances rise towards the discharged end: let k_0 of hard carbon vary with x.
    x = jnp.asarray([0.0, 0.04, 0.12, 0.3, 1.0])
    k_0 = cell.negative.particle.rate_constant.curve(x)
    return eqx.tree_at(
        lambda c: c.negative.particle.rate_constant.curve,
        cell,
        Table(x, k_0, extrapolation="clamp"),
    )


FREE = (
    Free(("cell.charged.negative",), (0.75, 0.9995)),
    Free(("cell.charged.positive",), (0.36, 0.50)),
    Free(("cell.negative.particle.c_max",), (12e3, 19e3), "log", 0.08),
    Free(("cell.positive.active_fraction",), (0.50, 0.70), "log", 0.05),
    Free(("cell.contact_resistance.scale",), (0.05, 4.0), "log", 0.7),
    Free(("cell.negative.particle.rate_constant.curve.y",), (1e-12, 1e-8), "log", 0.8),
    Free(("cell.positive.particle.rate_constant.scale",), (0.05, 30.0), "log", 0.7),
    Free(("cell.negative.particle.diffusivity.scale",), (0.3, 10.0), "log", 0.7),
    Free(("cell.positive.particle.diffusivity.scale",), (0.3, 10.0), "log", 0.7),
    Free(("cell.electrolyte.conductivity.scale",), (0.3, 2.0), "log", 0.3),
    *(
        Free(
            (f"cell.{side}.particle.rate_constant.temperature.energy",),
            (35e3, 100e3),
            "linear",
            8e3,
        )
        for side in ("negative", "positive")
    ),
    Free(("cell.contact_resistance.temperature.energy",), (-60e3, 5e3), "linear", 15e3),
    *(
        Free(
            (f"cell.{side}.particle.diffusivity.temperature.energy",),
            (10e3, 55e3),
            "linear",
            10e3,
        )
        for side in ("negative", "positive")
    ),
    Free(
        ("cell.electrolyte.conductivity.temperature.pseudo_energy",),
        (150.0, 900.0),
        "linear",
        120.0,
    ),
    Free(("missing",), (-0.1, 0.35), "linear", 0.1),
    Free(
        ("cell.negative.particle.ocp.curve.correction.y",),
        (-0.15, 0.15),
        "linear",
        0.025,
        0.02,
    ),
    Free(
        ("cell.positive.particle.ocp.curve.correction.y",),
        (-0.3, 0.3),
        "linear",
        0.05,
        0.03,
    ),
)
"""Free parameters of both cells; what one data set does not see, its prior holds.

Priors of activation energies: charge transfer from the compression of the pulse resistances
with current (67 kJ/mol), diffusion from the range of the literature (16 to 55 kJ/mol). The
set's diffusivities are lower bounds: their scales may not fall far below one.
"""

MODEL = DFN(Mesh(6, 3, 6, 16))
"""Mesh of the rate fits."""

DISCREPANCY = 0.015
"""Weight of a check-up's voltages [V]: errors of the model, alike along a whole curve, count
as few independent ones, or they would drive the temperature laws far from their priors."""

COARSE = DFN(Mesh(4, 2, 4, 10))
"""Mesh of the check-up fits: some 200 steps each, at one modest rate."""


def hakadi_problem(names: tuple[str, ...] = HAKADI, tables=EMBEDDED) -> Problem:
    """Rate discharges of Hakadi cell 2; a subset of names for leave-one-out."""
    found = []
    for name in names:
        t = columns(tables, f"hakadi/cell2_dchg{name}.csv")
        q = t["charge_Ah"]
        found.append(
            discharge(
                name.replace("_", " "),
                q[:-1],
                t["voltage_V"][:-1],
                float(t["current_A"][0]),
                ZERO_CELSIUS + 25.0,
                capacity=float(q[-1]),
            )
        )
    return Problem(Subject(start_cell(), [0.0] * 3), FREE, tuple(found), MODEL)


def tuberlin_experiments(tables=EMBEDDED) -> tuple[Experiment, ...]:
    """Segment discharges and pulses at every temperature."""
    pulses = columns(tables, "tuberlin/pulses.csv")
    found = []
    for group, T in enumerate(TEMPERATURES):
        s = columns(tables, f"tuberlin/segments_{T}degC.csv")
        kelvin = ZERO_CELSIUS + float(np.median(s["temperature_degC"]))
        found.append(
            segments(
                f"{T} degC",
                s["segment"].astype(int),
                float(s["duration_s"][0]),
                360.0,
                float(s["current_A"][0]),
                s["loaded_V"],
                s["rest_V"],
                kelvin,
                sigma=DISCREPANCY,
                group=group,
            )
        )
        here = np.abs(pulses["temperature_degC"] - T) < 3.0
        for rate, R in zip(
            pulses["c_rate"][here], pulses["r_1s_mohm"][here], strict=True
        ):
            # The median over 21 states of charge, simulated at the middle one.
            found.append(
                pulse(
                    f"{T} degC pulse {rate:g}C",
                    1.5 * float(rate),
                    [1.0],
                    [R / 1e3],
                    kelvin,
                    discharged=0.8,
                    group=group,
                )
            )
    return tuple(found)


def tuberlin_problem(start: Cell | None = None, tables=EMBEDDED) -> Problem:
    """Check-ups at three temperatures with one activation energy for each process.

    Args:
        start: the fitted Hakadi cell, whose class the TU Berlin cell is of; none: the
            constructed set.
    """
    cell = start or start_cell()
    # This cell holds about 8 % more than the Hakadi cell: start where it does.
    cell = eqx.tree_at(lambda c: c.area, cell, 1.09 * cell.area)
    subject = Subject(cell, [0.1, 0.03, 0.0])
    free = (*FREE, Free(("cell.area",), (0.055, 0.080), "log", 0.06))
    return Problem(subject, free, tuberlin_experiments(tables), COARSE)
