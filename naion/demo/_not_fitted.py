"""Of every fitted cell, tests that its fit has not seen."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from .._constants import ZERO_CELSIUS
from ..fit import (
    Experiment,
    Kind,
    Problem,
    Tested,
    discharge,
    least_squares,
    pulse,
)
from ..models import DFN
from ..parameters import Cell
from ..protocol import Mode, Protocol, Step
from ..simulation import simulate
from ._hina import AFTER, PULSES, STATES, pulses
from ._nvpf import RATES, nvpf_problem
from ._tables import EMBEDDED, columns


class Unseen(NamedTuple):
    """How a prediction met what was measured.

    Attributes:
        test: what was predicted.
        what: the kind of numbers.
        off: RMSE of voltages [mV]; of resistances the mean error and its range [%].
    """

    test: str
    what: str
    off: str


def predicted(
    cell: Cell,
    tests: list[Experiment],
    name: str,
    calibration: Mapping[str, float] | None = None,
) -> Unseen:
    """Tests of one kind, if nothing else is known from SOC 1 and a sensor without error.

    Args:
        cell: fitted to other tests.
        tests: not fitted.
        name: of all of them.
        calibration: what other tests said of the start and the sensor, see `Tested`.
    """
    off, kind = [], tests[0].observations[0].kind
    for e in tests:
        e = dataclasses.replace(e, group=0)
        alone = Tested(e) if calibration is None else Tested(e, calibration)
        seen = alone.repeated(cell, DFN(), calibrated=True)
        value = np.concatenate([o.value for o in e.observations])
        # A model that has ended has no voltage.
        error = np.where(np.isfinite(seen), seen, 0.0) - value
        off.append(error / value if kind == Kind.RESISTANCE else error)
    errors = np.concatenate(off)
    if kind == Kind.RESISTANCE:
        text = _in_short(100.0 * errors)
        return Unseen(name, f"{len(errors)} resistances", text)
    rmse = 1e3 * float(np.sqrt(np.mean(errors**2)))
    return Unseen(name, f"{len(errors)} voltages", f"{rmse:.0f} mV")


def of_hakadi(cell: Cell, tables=EMBEDDED) -> Unseen:
    """The slow discharge, half as fast as the slowest that is fitted."""
    c = columns(tables, "hakadi/cell2_dchg0.25C.csv")
    current = float(c["current_A"][0])
    test = discharge(
        "0.25C", c["charge_Ah"], c["voltage_V"], current, ZERO_CELSIUS + 25.0
    )
    return predicted(cell, [test], "Hakadi, discharge at 0.25C")


RATED = 1.5
"""Of the Hakadi cell [A.h], and the current of its pulses, which the figure does not give,
taken as 1C [A]."""


def of_hakadi_pulses(cell: Cell, tables=EMBEDDED) -> Unseen:
    """Resistances after 10 s: only cycles without rests are fitted."""
    c = columns(tables, "hakadi/resistance_10s.csv")
    tests = [
        pulse(
            f"{100.0 * soc:.0f} %",
            RATED,
            [10.0],
            [R / 1e3],
            ZERO_CELSIUS + 25.0,
            discharged=float(1.0 - soc) * RATED,
        )
        for soc, R in zip(c["soc"], c["r_10s_mohm"], strict=True)
    ]
    name = "Hakadi, pulses of 10 s (taken as 1C) at 10 to 100 % charge"
    return predicted(cell, tests, name)


def of_hakadi_rests(cell: Cell, tables=EMBEDDED) -> Unseen:
    """Voltages after rests of 20 min on discharge: no rest is fitted.

    Beside them how far the branches of discharge and charge are apart: the fitted cell has
    one. States of charge are shares of what the steps give, as in the figure.
    """
    c = columns(tables, "hakadi/rested.csv")
    soc, V = rested(cell)
    off = np.interp(c["soc"], soc[::-1], V[::-1]) - c["out_V"]
    rmse, apart = (
        1e3 * float(np.sqrt(np.mean(x**2))) for x in (off, c["in_V"] - c["out_V"])
    )
    return Unseen(
        "Hakadi, rests of 20 min on discharge, 10 to 90 % charge",
        f"{len(off)} voltages",
        f"{rmse:.0f} mV; discharge and charge are {apart:.0f} mV apart",
    )


def rested(cell: Cell) -> tuple[np.ndarray, np.ndarray]:
    """State of charge and voltage at the end of every rest of Hakadi's slow discharge.

    From full to the lower limit in steps of 540 s at 0.5 A, each followed by 20 min.
    """
    lower = float(cell.limits.lower_voltage)
    steps = [
        Step(Mode.CURRENT, 0.5, duration=540.0, lower_voltage=lower),
        Step(Mode.CURRENT, 0.0, duration=1200.0),
    ]
    n = 30
    s = simulate(
        cell, Protocol(steps, cycles=n), temperature=ZERO_CELSIUS + 25.0, throw=False
    )
    # Just before the next step begins; the cell is empty where steps give nothing more.
    at = s.at(np.asarray([float(s.began(2 * k)) for k in range(1, n)]))
    q, V = np.asarray(at.charge) / 3600.0, np.asarray(at.voltage)
    new = np.diff(q, prepend=0.0) > 0.01
    q, V = q[new], V[new]
    return 1.0 - q / q[-1], V


def of_tuberlin(cell: Cell, tables=EMBEDDED) -> Unseen:
    """Pulse resistances after 10 s, where those after 1 s are fitted."""
    c = columns(tables, "tuberlin/pulses.csv")
    keys = ("temperature_degC", "c_rate", "r_10s_mohm")
    tests = [
        pulse(
            f"{T:.0f} degC {rate:g}C",
            1.5 * float(rate),
            [10.0],
            [R / 1e3],
            ZERO_CELSIUS + float(T),
            discharged=0.8,
        )
        for T, rate, R in zip(*(c[k] for k in keys), strict=True)
    ]
    return predicted(cell, tests, "TU Berlin, pulses of 10 s at 15 to 45 degC")


BETWEEN = (90, 60, 30)
"""States of charge between those whose pulses are fitted [%]."""


def of_hina(cell: Cell, fitted: Sequence[Tested] = (), tables=EMBEDDED) -> Unseen:
    """Resistances after 0.1, 1 and 5 s at states of charge between the fitted ones.

    Beside them what straight lines between the fitted states would have given.

    Args:
        cell: the fitted one.
        fitted: tests of its fit: pulses among them say how large and how full the cell was
            that all pulses were measured on.
        tables: where the data are.
    """
    calibration = next(
        (t.calibration for t in fitted if Kind.RESISTANCE in kinds(t.experiment)), None
    )
    tests = [
        dataclasses.replace(
            e, observations=tuple(o for o in e.observations if o.label == "resistance")
        )
        for e in pulses(BETWEEN, PULSES, tables)
    ]
    name = "HiNa, pulses at states of charge between the fitted ones"
    found = predicted(cell, tests, name, calibration)
    lines = _in_short(100.0 * between_neighbours(tables))
    return found._replace(off=f"{found.off}; lines between neighbours: {lines}")


def between_neighbours(tables=EMBEDDED) -> np.ndarray:
    """Relative errors of resistances interpolated in the state of charge."""
    c = columns(tables, "hina/pulses.csv")
    current, soc = np.round(c["current_A"], 1), c["soc_percent"]
    errors = []
    for amperes in PULSES:
        here, asked = (
            np.flatnonzero((current == amperes) & np.isin(soc, states))[::-1]
            for states in (STATES, BETWEEN)
        )
        for name in AFTER:
            lines = np.interp(soc[asked], soc[here], c[name][here])
            errors.append(lines / c[name][asked] - 1.0)
    return np.concatenate(errors)


def _in_short(errors: np.ndarray) -> str:
    """Mean and range [%]."""
    return f"{errors.mean():+.0f} % ({errors.min():+.0f} to {errors.max():+.0f})"


def kinds(e: Experiment) -> list[Kind]:
    """What was observed."""
    return [o.kind for o in e.observations]


LEFT_OUT = "12"
"""Rate of the NVPF cell that a second fit does not see [A/m2]."""


def nvpf_without(tables=EMBEDDED) -> Problem:
    """The NVPF cell's two slow discharges alone."""
    return nvpf_problem(tuple(r for r in RATES if r != LEFT_OUT), tables)


def of_nvpf(problem: Problem, tables=EMBEDDED) -> Unseen:
    """Its fast discharge, from a fit to the two slow ones; see `nvpf_without`."""
    fit = least_squares(problem, max_evaluations=40, tolerance=2e-3)
    every = dict(zip(RATES, nvpf_problem(tables=tables).experiments, strict=True))
    cell = problem.model.kept_in(fit.specimen.cell)
    name = f"NVPF, {LEFT_OUT} A/m2 from a fit to 0.5 and 1 A/m2"
    return predicted(cell, [every[LEFT_OUT]], name)
