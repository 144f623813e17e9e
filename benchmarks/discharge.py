"""One 1C discharge, sodium and lithium: naion against PyBaMM on one pinned core.

Work against precision, not one point: every setting of both sides stands with its error.
"""

from benchmarks.harness import FAST, Times, alternate, pin, rmse, write

pin()

import jax  # noqa: E402
import numpy as np  # noqa: E402

import naion as na  # noqa: E402
from benchmarks import opponent  # noqa: E402
from benchmarks.cases import (  # noqa: E402
    CASES,
    NAION_CONVERGED,
    PYBAMM_CONVERGED,
    Case,
    Settings,
    options,
)


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


def main() -> None:
    """Time both sides in turn and write the tables."""
    rows, ratios = [], []
    for case in CASES:
        reference, _ = naion_curve(case, NAION_CONVERGED)
        own = opponent.curve(pybamm_run(case, PYBAMM_CONVERGED)())
        both = {"default": (None, None), "tuned": (case.naion, case.pybamm)}
        seen: dict[str, tuple[Times, Times, Times]] = {}
        for label, (ours, theirs) in both.items():
            direct, jitted = naion_run(case, ours)
            solve = pybamm_run(case, theirs)
            a, b, c = alternate(direct, jitted, solve)
            seen[label] = a, b, c
            found, s = naion_curve(case, ours)
            steps = f"{int(s.n_steps)} + {int(s.n_rejected)}"
            accuracy = describe(found, reference)
            what = f"{case.name}, {label}"
            rows.append(
                [what, "naion, call", str(ours or "default"), str(a), accuracy, steps]
            )
            rows.append(
                [what, "naion, in jit", str(ours or "default"), str(b), accuracy, steps]
            )
            theirs_found = opponent.curve(solve())
            rows.append(
                [
                    what,
                    "PyBaMM",
                    str(theirs or "default"),
                    str(c),
                    describe(theirs_found, own),
                    str(len(solve().t)),
                ]
            )
            ratios.append(
                f"{case.name}, {label}: PyBaMM over naion {c.over(a)} as called, "
                f"{c.over(b)} inside jit"
            )
        for v, n, rtol in WORK[: 1 if FAST else None]:
            s = Settings(v, 3, n, 2.5, rtol)
            (t,) = alternate(naion_run(case, s)[1], repeats=7)
            found, sol = naion_curve(case, s)
            steps = f"{int(sol.n_steps)} + {int(sol.n_rejected)}"
            accuracy = describe(found, reference)
            rows.append(
                [
                    f"{case.name}, curve",
                    "naion, in jit",
                    str(s),
                    str(t),
                    accuracy,
                    steps,
                ]
            )
            s = Settings(v, v, n, 2.5, 0.5 * rtol)
            solve = pybamm_run(case, s)
            (t,) = alternate(solve, repeats=7)
            last = solve()
            accuracy = describe(opponent.curve(last), own)
            rows.append(
                [
                    f"{case.name}, curve",
                    "PyBaMM",
                    str(s),
                    str(t),
                    accuracy,
                    str(len(last.t)),
                ]
            )
    write(
        "discharge",
        "One 1C discharge on one core",
        [
            "case",
            "side",
            "settings",
            "ms, median (quartiles)",
            "RMSE / max, capacity",
            "steps",
        ],
        rows,
        "Timed in turn. Errors of each side against its own converged solution. "
        + ". ".join(ratios)
        + ".",
    )


WORK = (
    (5, 12, 2e-3),
    (5, 20, 1e-3),
    (5, 30, 1e-3),
    (8, 30, 5e-4),
    (10, 40, 2e-4),
    (20, 60, 1e-5),
)

if __name__ == "__main__":
    na.enable_x64()
    main()
