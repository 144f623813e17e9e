"""HiNa's 10 A.h cylindrical cell: a slow cycle, a 2C charge with its temperature, pulses.

Three cells of one type: what was measured on each is a group.
"""

import dataclasses
from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from .._constants import ZERO_CELSIUS
from ..fit import (
    BELOW_ANY_CUT_OFF,
    Experiment,
    FreeParameter,
    Kind,
    Observations,
    Part,
    Problem,
    Specimen,
    pulse,
    recorded,
    with_ocp_correction,
)
from ..mesh import Mesh
from ..models import DFN, Lumped
from ..parameters import Cell, load, with_hysteresis
from ..properties import AbstractCurve, Property, Table
from ..protocol import Mode, Step
from ._tables import EMBEDDED, columns

FULL, EMPTY = 3.95, 1.5
"""Voltage window of the tests [V]."""

SLOW, FAST = 0.2, 20.0
"""Currents: C/50 and 2C [A]."""

STATES = (100, 80, 50, 20)
"""States of charge whose pulses are fitted; those between are predicted [%]."""

PULSES = (10.0, 30.0)
"""Currents of the pulses that are fitted [A]."""


WINDOWS = {"negative": (0.02, 0.95), "positive": (0.05, 0.97)}
"""Stoichiometries between which rate constants are curves."""


def level(low: float, high: float, value: float) -> Table:
    """A curve of positive values that are equal to begin with."""
    x = jnp.linspace(low, high, 5)
    return Table(x, jnp.full(x.shape, value), "logarithmic", "clamp")


def rate_constant(side: str) -> Callable[[Cell], AbstractCurve]:
    """Of an electrode, in a cell."""
    return lambda cell: getattr(cell, side).particle.rate_constant.curve


GUESSED = {"negative": 1.1662758159141724e-09, "positive": 1.1495053301723215e-09}
"""Rate constants that a fit begins with, 8 ohm.cm2 of charge transfer each [m.s-1]."""

CONTACT = 2e-3
"""Contact resistance that a fit begins with, of the format [ohm]."""


def start_cell() -> Cell:
    """The constructed set with hysteresis, free OCP shapes and rate constants of SOC.

    The set's resistances come from the pulses that are fitted here: a fit begins with
    guesses, so that none of them counts twice.
    """
    cell = load("cfm_hc_32140")
    cell = eqx.tree_at(
        lambda c: c.contact_resistance.curve.value, cell, jnp.asarray(CONTACT)
    )
    cell = with_ocp_correction(cell, "positive", np.linspace(0.01, 0.99, 15))
    width = Property(level(0.05, 0.97, 0.015))
    for side, ends in WINDOWS.items():
        at = rate_constant(side)
        cell = eqx.tree_at(at, cell, level(*ends, GUESSED[side]))
    # The tests begin after a charge.
    return with_hysteresis(cell, None, width, initial=(0.0, 1.0))


FREE = (
    FreeParameter(("cell.published.positive",), (0.001, 0.25), "linear", 0.05),
    FreeParameter(("cell.positive.active_fraction",), (0.55, 0.70), "log", 0.04),
    FreeParameter(("cell.area",), (0.48, 0.60), "log", 0.04),
    FreeParameter(("size",), (0.8, 1.15), "log", 0.04),
    FreeParameter(("cell.contact_resistance.curve.value",), (3e-4, 8e-3), "log", 0.5),
    *(
        FreeParameter((f"cell.{side}.particle.{what}.scale",), (0.02, 20.0), "log", 0.7)
        for side in ("negative", "positive")
        for what in ("rate_constant", "diffusivity")
    ),
    *(
        FreeParameter(
            (f"cell.{side}.particle.rate_constant.curve.y",),
            (1e-12, 1e-7),
            "log",
            0.4,
            0.4,
        )
        for side in WINDOWS
    ),
    FreeParameter(("cell.electrolyte.conductivity.scale",), (0.3, 2.0), "log", 0.3),
    FreeParameter(("cell.thermal.specific_heat",), (600.0, 1500.0), "log", 0.15),
    FreeParameter(("cell.thermal.cooling",), (0.05, 1.0), "log", 0.5),
    FreeParameter(
        ("cell.positive.particle.ocp.curve.correction.y",),
        (-0.2, 0.2),
        "linear",
        0.03,
        0.03,
    ),
    FreeParameter(
        ("cell.positive.particle.hysteresis.half_width.curve.y",),
        (0.001, 0.1),
        "log",
        0.5,
        0.5,
    ),
    FreeParameter(
        ("cell.positive.particle.hysteresis.decay",), (5.0, 100.0), "log", 0.5
    ),
)
"""Free parameters; `size` because the tests are of different cells."""

MODEL = DFN(Mesh(5, 3, 5, 12), Lumped())


def slow_cycle(tables=EMBEDDED) -> Experiment:
    """C/50 discharge and charge of the first cell, held at 3.95 V before."""
    down, up = (columns(tables, f"hina/{k}_0p02C.csv") for k in ("discharge", "charge"))
    (t_down, V_down), (t_up, V_up) = (
        (3600.0 * c["charge_Ah"] / SLOW, c["voltage_V"]) for c in (down, up)
    )
    return recorded(
        "C/50",
        [
            Part(
                Step(
                    Mode.CURRENT,
                    SLOW,
                    duration=float(t_down[-1]),
                    lower_voltage=BELOW_ANY_CUT_OFF,
                ),
                t_down[:-1],
                V_down[:-1],
                "discharge",
            ),
            Part(
                Step(
                    Mode.CURRENT,
                    -SLOW,
                    duration=float(t_up[-1]),
                    upper_voltage=FULL + 0.2,
                ),
                t_up[:-1],
                V_up[:-1],
                "charge",
            ),
        ],
        ZERO_CELSIUS + 25.0,
        sigma_time=0.01,
        group=0,
    )


def fast_charge(tables=EMBEDDED) -> Experiment:
    """2C charge of the second cell, from the rest after a 2C discharge."""
    c = columns(tables, "hina/charge_2C.csv")
    before = [
        Part(
            Step(Mode.CURRENT, FAST, duration=3000.0, lower_voltage=EMPTY),
            lasted=1750.0,
        ),
        Part(Step(Mode.CURRENT, 0.0, duration=7200.0)),
    ]
    lasted = [float(c["time_s"][c["step"] == k][-1]) for k in range(3)]
    # Longer than they took: cut-offs end them, and the rest waits for the data.
    steps = {
        "charge": Step(
            Mode.CURRENT, -FAST, duration=3.0 * lasted[0], upper_voltage=FULL
        ),
        "hold": Step(Mode.VOLTAGE, FULL, duration=3.0 * lasted[1], current_below=0.2),
        "rest": Step(Mode.CURRENT, 0.0, duration=3.0 * lasted[2]),
    }
    parts = []
    for k, (label, step) in enumerate(steps.items()):
        t, V, warm = (
            c[name][c["step"] == k][:-1]
            for name in ("time_s", "voltage_V", "temperature_degC")
        )
        T = ZERO_CELSIUS + warm
        parts.append(Part(step, t, V, label, temperature=T, lasted=lasted[k]))
    return recorded("2C", [*before, *parts], ZERO_CELSIUS + 23.3, since=2, group=1)


def pulses(
    states: tuple[int, ...] = STATES,
    currents: tuple[float, ...] = PULSES,
    tables=EMBEDDED,
) -> tuple[Experiment, ...]:
    """Discharge pulses of the third cell: voltages at rest, resistances until 5 s.

    Args:
        states: of charge [%].
        currents: nominal [A].
        tables: where the data are.
    """
    c = columns(tables, "hina/pulses.csv")
    chosen = np.isin(c["soc_percent"], states)
    chosen &= np.isin(np.round(c["current_A"], 1), currents)
    found = []
    for row in np.flatnonzero(chosen):
        at = {name: float(values[row]) for name, values in c.items()}
        e = pulse(
            f"{at['soc_percent']:.0f} % {at['current_A']:.3g} A",
            at["current_A"],
            list(AFTER.values()),
            [at[name] / 1e3 for name in AFTER],
            ZERO_CELSIUS + at["temperature_degC"],
            max(at["discharged_Ah"], 0.0),
            relative_sigma=SPREAD,
            group=2,
        )
        before = e.observations[0].a[:1]
        rested = Observations(
            Kind.VOLTAGE,
            before,
            before,
            np.array([at["rested_V"]]),
            np.array([0.01]),
            "rested",
            np.array([e.discharged]),
        )
        found.append(dataclasses.replace(e, observations=(rested, *e.observations)))
    return tuple(found)


def not_filled(tables=EMBEDDED) -> float:
    """Charge missing at the first pulses, which begin at 3.89 V instead of 3.95 V [A.h].

    What the first cell has given at this voltage when it is discharged slowly.
    """
    rested = float(columns(tables, "hina/pulses.csv")["rested_V"][0])
    slow = columns(tables, "hina/discharge_0p02C.csv")
    return float(np.interp(-rested, -slow["voltage_V"], slow["charge_Ah"]))


AFTER = {"r_0p1s_mohm": 0.1, "r_1s_mohm": 1.0, "r_5s_mohm": 5.0}
"""Columns of resistances, and after how long [s]."""

SPREAD = 0.05
"""Of resistances between cells of the type (RWTH, 120 cells: 5.3 %)."""


def hina_problem(
    tables=EMBEDDED,
    *,
    states: tuple[int, ...] = STATES,
    currents: tuple[float, ...] = PULSES,
    cell: Cell | None = None,
    free: tuple[FreeParameter, ...] = FREE,
) -> Problem:
    """All tests on one cell, of three sizes.

    Args:
        tables: where the data are.
        states: of charge, whose pulses are fitted [%].
        currents: of the pulses, nominal [A].
        cell: to start from; none: `start_cell`.
        free: what may move.
    """
    start = start_cell() if cell is None else cell
    specimen = Specimen(start, [0.0, 0.0, not_filled(tables)])
    chosen = pulses(states, currents, tables)
    tests = (slow_cycle(tables), fast_charge(tables), *chosen)
    return Problem(specimen, free, tests, MODEL)
