"""A CC-CV cycle, GITT and a drive cycle of the sodium cell: naion against PyBaMM.

One pinned core. Errors are of the voltage on 200 equal steps, of charge passed for the
discharge and for the charge of CC-CV, and of time for the others, against each side's own
converged solution.
"""

from itertools import pairwise

import jax
import numpy as np
import pybamm

import naion as na
from benchmarks import opponent
from benchmarks.cases import (
    DRIVE_CYCLE,
    NAION_CONVERGED,
    PYBAMM_CONVERGED,
    PYBAMM_FINE,
    SODIUM,
    drive_cycle,
    options,
)
from benchmarks.harness import alternate, rmse, write

CYCLE = [
    "Discharge at 1C until 2.0 V",
    "Charge at 1C until 4.2 V",
    "Hold at 4.2 V until C/20",
]
AFTER = 1e-6
"""When a leg has begun [s]: before, PyBaMM gives the end of the one before."""

GITT = ["Discharge at C/2 for 300 seconds", "Rest for 900 seconds"] * 20
QUESTIONS = {
    "CC-CV cycle": (CYCLE, 1.0, "charge"),
    "GITT, 20 pulses": (GITT, 1.0, "time"),
    "drive cycle, 1200 s at 1 Hz": (None, 0.9, "time"),
}


def naion_side(steps, start, settings):
    """A jitted run, and its solution."""
    cell, given = SODIUM.cell(), options(settings)
    if steps is None:
        protocol = na.Protocol.profile(*drive_cycle(float(cell.nominal_capacity)))
    else:
        protocol = na.Protocol(steps)
    run = jax.jit(lambda c: na.simulate(c, protocol, start=start, **given).energy)
    return lambda: run(cell), lambda: na.simulate(cell, protocol, start=start, **given)


def naion_legs(solution, by: str):
    """Curves; of a cycle its discharge and its charge, each from where it begins.

    As one curve, what a capacity is off would set a voltage before the turn beside one
    after it, some 1.5 V apart.
    """
    last = float(solution.t_end) - 1e-6
    turn = [float(solution.began(1))] if by == "charge" else []
    return [_naion_curve(solution, by, *ends) for ends in pairwise([0.0, *turn, last])]


def _naion_curve(solution, by: str, begin: float, end: float):
    t = np.linspace(begin, end, 20000)
    found = solution.at(t, after=t < end)
    V, charge = np.asarray(found.voltage), np.asarray(found.charge)
    return (t if by == "time" else np.abs(charge - charge[0]) / 3600.0), V


def pybamm_legs(solution, by: str):
    """As `naion_legs`."""
    if by == "time":
        return [opponent.curve(solution, by)]
    turn = float(solution.cycles[0].t[-1])
    return [
        opponent.curve(solution, by, end=turn),
        opponent.curve(solution, by, begin=turn + AFTER),
    ]


def off(found, exact) -> str:
    """RMSE and largest difference over the first 98 % of every leg, in words."""
    each = [rmse(a, b, 0.98 * b[0][-1]) for a, b in zip(found, exact, strict=True)]
    error, largest = np.array(each).T
    return f"{np.sqrt(np.mean(error**2)):.2f} / {largest.max():.1f} mV"


def pybamm_side(steps, start, settings):
    cell = SODIUM.cell()
    sto = na.parameters.stoichiometry_at_soc(cell, start)
    values = opponent.parameter_values(
        SODIUM, (float(sto.negative), float(sto.positive))
    )
    if steps is None:
        t, I = drive_cycle(values["Nominal cell capacity [A.h]"])
        values["Current function [A]"] = pybamm.Interpolant(t, I, pybamm.t)
        sim = opponent.simulation(SODIUM, settings, values)
        # Told where the current bends, it is a little faster, and does not fail there.
        return lambda: sim.solve(t)
    values["Upper voltage cut-off [V]"] = 4.3
    experiment = pybamm.Experiment(steps)
    sim = opponent.simulation(SODIUM, settings, values, experiment)
    return lambda: sim.solve()


def main() -> None:
    """Time both sides in turn and write the table."""
    rows = []
    for question, (steps, start, by) in QUESTIONS.items():
        reference = naion_legs(naion_side(steps, start, NAION_CONVERGED)[1](), by)
        fine = PYBAMM_CONVERGED if steps else PYBAMM_FINE
        own = pybamm_legs(pybamm_side(steps, start, fine)(), by)
        tuned = (SODIUM.naion, SODIUM.pybamm) if steps else DRIVE_CYCLE
        both = {"default": (None, None), "tuned": tuned}
        for label, (ours, theirs) in both.items():
            run, solve = naion_side(steps, start, ours)
            other = pybamm_side(steps, start, theirs)
            a, b = alternate(run, other, repeats=5)
            s = solve()
            steps_taken = f"{int(s.n_steps)} + {int(s.n_rejected)}"
            for side, times, found, exact, n in (
                ("naion", a, naion_legs(s, by), reference, steps_taken),
                ("PyBaMM", b, pybamm_legs(other(), by), own, ""),
            ):
                rows.append(
                    [
                        f"{question}, {label}",
                        side,
                        str(times),
                        off(found, exact),
                        n,
                        b.over(a) if side == "PyBaMM" else "",
                    ]
                )
    write(
        "cycles",
        "Cycles of the sodium cell on one core",
        ["case", "side", "ms, median (quartiles)", "RMSE / max", "steps", "ratio"],
        rows,
        f"Tuned: naion {SODIUM.naion}, PyBaMM {SODIUM.pybamm}; for the drive cycle "
        f"{DRIVE_CYCLE[0]} and {DRIVE_CYCLE[1]}; timed in turn.",
    )
