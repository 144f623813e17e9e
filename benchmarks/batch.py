"""Cells per second: batches of 1C discharges with parameters drawn around the set's.

`python -m benchmarks --cores 2 batch` uses two cores; PyBaMM's batch then runs with two
solver threads.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pybamm

import naion as na
from benchmarks import opponent
from benchmarks.cases import CASES, SEED, SPREAD, Case, drawn, factors, options
from benchmarks.harness import FAST, alternate, cores, write

SIZES = (1, 8, 64, 512, 4096)
OPPONENT_SIZE = 64
CORES = cores()


def naion_side(case: Case):
    """A jitted batch: capacity, outcome and attempts of every cell."""
    cell, given = case.cell(), options(case.naion)
    protocol = na.Protocol(f"Discharge at 1C until {case.lower} V")

    def one(k):
        s = na.simulate(drawn(cell, k), protocol, **given)
        return s.capacity, s.outcome, s.n_steps + s.n_rejected

    return jax.jit(jax.vmap(one))


def pybamm_side(case: Case, n: int):
    """The same draws as inputs of one solver."""
    values = opponent.parameter_values(case)
    values["Current function [A]"] = values["Nominal cell capacity [A.h]"]
    names = [
        f"{side} particle diffusivity [m2.s-1]" for side in ("Negative", "Positive")
    ]
    for i, name in enumerate(names):
        values[name] = opponent.scaled(values[name], pybamm.InputParameter(f"k{i}"))
    height = values["Electrode height [m]"]
    values["Electrode height [m]"] = height * pybamm.InputParameter("k2")
    sim = opponent.simulation(case, case.pybamm, values, on_failure="ignore")
    sim.solver.options["num_threads"] = CORES
    inputs = [{f"k{i}": v for i, v in enumerate(row)} for row in factors(n)]
    return lambda: sim.solve([0.0, 4500.0], inputs=inputs)


def main() -> None:
    """Time both sides in turn and write the table."""
    rows = []
    for case in CASES:
        batch = naion_side(case)
        n = 8 if FAST else OPPONENT_SIZE
        draws = jnp.asarray(factors(n))
        pybamm_batch = pybamm_side(case, n)
        ours, theirs = alternate(lambda b=batch, d=draws: b(d), pybamm_batch, repeats=5)
        per_core = CORES * theirs.median / n
        failed = sum("event" not in s.termination for s in pybamm_batch())
        rows.append(
            [
                *(case.name, "PyBaMM tuned", str(n), f"{1.0 / per_core:.1f}", "", ""),
                str(failed),
            ]
        )
        for size in SIZES[:3] if FAST else SIZES:
            draws = jnp.asarray(factors(size))
            if size != n:
                (ours_here,) = alternate(lambda b=batch, d=draws: b(d), repeats=5)
            else:
                ours_here = ours
            _, outcome, attempts = batch(draws)
            failed = sum(not na.Result(int(o)).is_physical for o in np.asarray(outcome))
            rate = size / ours_here.median / CORES
            rows.append(
                [
                    case.name,
                    "naion tuned",
                    str(size),
                    f"{rate:.0f}",
                    theirs.over(ours) if size == n else f"{rate * per_core:.1f}",
                    f"{np.mean(attempts):.0f} / {np.max(attempts)}",
                    str(failed),
                ]
            )
    header = ["case", "side", "cells", "cells/s and core", "ratio"]
    write(
        "batch" if CORES == 1 else f"batch_{CORES}",
        f"Batches of 1C discharges on {CORES} core(s)",
        [*header, "attempts, mean / max", "failures"],
        rows,
        f"Parameters drawn with seed {SEED}, spread {SPREAD:g}. Settings and their errors "
        "as in discharge.md, tuned. The ratio at 64 cells is timed in turn.",
    )
