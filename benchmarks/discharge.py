"""One 1C discharge, sodium and lithium: naion against PyBaMM on one pinned core.

Work against precision, not one point: every setting of both sides stands with its error.
"""

import jax
import numpy as np

import naion as na
from benchmarks import opponent
from benchmarks.cases import (
    CASES,
    NAION_CONVERGED,
    PYBAMM_CONVERGED,
    Case,
    Settings,
    options,
)
from benchmarks.harness import FAST, Times, alternate, rmse, write


def naion_run(case: Case, settings: Settings | None):
    """A call as users make it in a loop, and the same inside `jax.jit`."""
    cell, protocol = case.cell(), na.Protocol(f"Discharge at 1C until {case.lower} V")
    given = options(settings)

    def energy(cell):
        return na.simulate(cell, protocol, **given).energy

    jitted = jax.jit(energy)
    return lambda: energy(cell), lambda: jitted(cell)


def naion_curve(case: Case, settings: Settings | None):
    """Charge and voltage, and the solution."""
    step = f"Discharge at 1C until {case.lower} V"
    s = na.simulate(case.cell(), step, max_steps=6000, **options(settings))
    q = np.linspace(0.0, float(s.capacity), 4000)
    return (q, np.asarray(s.voltage_at_charge(q))), s


def pybamm_run(case: Case, settings: Settings | None):
    values = opponent.parameter_values(case)
    values["Current function [A]"] = values["Nominal cell capacity [A.h]"]
    sim = opponent.simulation(case, settings, values)
    return lambda: sim.solve([0.0, 4000.0])


def describe(found, reference) -> str:
    """Error on the first 98 % of the charge, and of the capacity."""
    Q = reference[0][-1]
    error, largest = rmse(found, reference, 0.98 * Q)
    return f"{error:.2f} / {largest:.1f} mV, {100 * (found[0][-1] / Q - 1):+.3f} %"


HEADER = ["case", "side", "settings", "ms, median (quartiles)", "RMSE / max, capacity"]


class Side:
    """One side on one case: runs, and rows of the table."""

    def __init__(self, case: Case, name: str):
        self.case, self.name = case, name
        if name == "naion":
            self.reference, _ = naion_curve(case, NAION_CONVERGED)
        else:
            self.reference = opponent.curve(pybamm_run(case, PYBAMM_CONVERGED)())

    def row(
        self, label: str, settings: Settings | None, times: Times, how=""
    ) -> list[str]:
        """A row of the table, with the error of these settings."""
        if self.name == "naion":
            found, s = naion_curve(self.case, settings)
            steps = f"{int(s.n_steps)} + {int(s.n_rejected)}"
        else:
            s = pybamm_run(self.case, settings)()
            found, steps = opponent.curve(s), str(len(s.t))
        what, settings_text = f"{self.case.name}, {label}", str(settings or "default")
        accuracy = describe(found, self.reference)
        return [what, self.name + how, settings_text, str(times), accuracy, steps]


def main() -> None:
    """Time both sides in turn and write the table."""
    rows, ratios = [], []
    for case in CASES:
        ours, theirs = Side(case, "naion"), Side(case, "PyBaMM")
        for label, a, b in (
            ("default", None, None),
            ("tuned", case.naion, case.pybamm),
        ):
            called, jitted, opposed = alternate(
                *naion_run(case, a), pybamm_run(case, b)
            )
            rows.append(ours.row(label, a, called, ", call"))
            rows.append(ours.row(label, a, jitted, ", in jit"))
            rows.append(theirs.row(label, b, opposed))
            ratios.append(
                f"{case.name}, {label}: {opposed.over(called)} as called, "
                f"{opposed.over(jitted)} inside jit"
            )
        for v, n, rtol in WORK[: 1 if FAST else None]:
            a, b = Settings(v, 3, n, 2.5, rtol), Settings(v, v, n, 2.5, 0.5 * rtol)
            jitted, opposed = alternate(
                naion_run(case, a)[1], pybamm_run(case, b), repeats=7
            )
            rows.append(ours.row("curve", a, jitted, ", in jit"))
            rows.append(theirs.row("curve", b, opposed))
    write(
        "discharge",
        "One 1C discharge on one core",
        [*HEADER, "steps"],
        rows,
        "Errors of each side against its own converged solution. Time of PyBaMM over that "
        f"of naion, timed in turn: {'; '.join(ratios)}.",
    )


WORK = (
    (5, 12, 2e-3),
    (5, 20, 1e-3),
    (5, 30, 1e-3),
    (8, 30, 5e-4),
    (10, 40, 2e-4),
    (20, 60, 1e-5),
)
