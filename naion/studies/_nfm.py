"""Two commercial layered-oxide 18650 cells: Hakadi (rates), TU Berlin (temperatures)."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from .._constants import ZERO_CELSIUS
from ..fit import (
    Experiment,
    Free,
    Part,
    Problem,
    Subject,
    pulse,
    recorded,
    segments,
    with_ocp_correction,
)
from ..fit._experiment import BELOW_ANY_CUT_OFF
from ..mesh import Mesh
from ..models import DFN
from ..parameters import Cell, load
from ..properties import Table
from ..protocol import Mode, Step
from ._tables import EMBEDDED, columns

HELD = 4.1
"""Voltage at which the Hakadi cell was held before each discharge [V]."""

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


SENSOR = (
    Free(("missing",), (-0.02, 0.15), "linear", 0.02),
    Free(("gain",), (0.95, 1.05), "log", 0.01),
    Free(("gain_on_charge",), (0.8, 1.2), "log", 0.05),
    Free(("offset",), (-0.04, 0.04), "linear", 0.01),
)
"""What is not known of each Hakadi file: how full the cell was before the hold, and the
errors of the home-built tester's sensor (offsets of 10 mA; capacities of charges are wrong
by up to 9 %, of discharges by 2 %)."""

HAKADI_FREE = (*(f for f in FREE if f.paths != ("missing",)), *SENSOR)


def hakadi_problem(names: tuple[str, ...] = HAKADI, tables=EMBEDDED) -> Problem:
    """Hold, discharge and charge of Hakadi cell 2 at every rate.

    Args:
        names: which; a subset for leave-one-out.
    """
    found = [hakadi_cycle(name, i, tables) for i, name in enumerate(names)]
    # A little is missing before each hold; the sensors are right, to begin with.
    subject = Subject(start_cell(), [0.01] * len(names))
    return Problem(subject, HAKADI_FREE, tuple(found), MODEL)


def hakadi_cycle(name: str, group: int, tables=EMBEDDED) -> Experiment:
    """One of the files: a hold at 4.1 V, a discharge and at once a charge."""
    t = columns(tables, f"hakadi/cell2_dchg{name}.csv")
    held, down, up = (t["step"] == k for k in (0, 1, 2))
    time, V, current = t["time_s"], t["voltage_V"], t["current_A"]
    out = float(current[down][0])
    return recorded(
        name.replace("_", " "),
        [
            Part(Step(Mode.VOLTAGE, HELD, duration=float(time[held][-1]))),
            Part(
                Step(
                    Mode.CURRENT,
                    out,
                    duration=float(time[down][-1]),
                    lower_voltage=BELOW_ANY_CUT_OFF,
                ),
                time[down][:-1],
                V[down][:-1],
                "discharge",
            ),
            Part(
                Step(
                    Mode.CURRENT,
                    float(current[up][0]),
                    duration=float(time[up][-1]),
                    upper_voltage=HELD,
                ),
                time[up][:-1],
                V[up][:-1],
                "charge",
                sigma=0.015,
            ),
            # What the model has not charged by then it goes on to.
            Part(Step(Mode.VOLTAGE, HELD, duration=600.0)),
        ],
        ZERO_CELSIUS + 25.0,
        group=group,
        capacity=float(time[down][-1]) * out / 3600.0,
    )


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
