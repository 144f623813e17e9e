"""Of every fitted cell, tests that its fit has not seen, predicted from the cell alone."""

import dataclasses
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


def predicted(cell: Cell, tests: list[Experiment], name: str) -> Unseen:
    """Tests of one kind, from a cell that starts at SOC 1 and a sensor without error.

    Args:
        cell: fitted to other tests.
        tests: not fitted.
        name: of all of them.
    """
    off, kind = [], tests[0].observations[0].kind
    for e in tests:
        alone = Tested(dataclasses.replace(e, group=0))
        seen = alone.repeated(cell, DFN(), calibrated=False)
        value = np.concatenate([o.value for o in e.observations])
        # A model that has ended has no voltage.
        error = np.where(np.isfinite(seen), seen, 0.0) - value
        off.append(error / value if kind == Kind.RESISTANCE else error)
    errors = np.concatenate(off)
    if kind == Kind.RESISTANCE:
        low, mean, high = (100.0 * f(errors) for f in (np.min, np.mean, np.max))
        text = f"{mean:+.0f} % ({low:+.0f} to {high:+.0f})"
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


EMPTIED = 0.0
"""State of charge from which pulses went down to 0 V, out of any use [%]."""


def of_hina(cell: Cell, tables=EMBEDDED) -> Unseen:
    """Pulses of a third cell of the type."""
    c = columns(tables, "hina/pulses.csv")
    keys = ("discharged_Ah", "temperature_degC", "current_A", "r_1s_mohm")
    rows = zip(*(c[k][c["soc_percent"] > EMPTIED] for k in keys), strict=True)
    tests = [
        pulse(
            f"{q:.1f} A.h {current:.0f} A",
            float(current),
            [1.0],
            [R / 1e3],
            ZERO_CELSIUS + float(T),
            discharged=max(float(q), 0.0),
        )
        for q, T, current, R in rows
    ]
    return predicted(cell, tests, "HiNa, 1 s pulses of another cell, 20 to 100 %")


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
