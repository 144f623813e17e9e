"""1000 cells with data of unlike length, fitted as a fleet: how long, and does it work?

Every cell has a drawn truth, one to three discharges at C/2, 1C and 2C with 50 to 200 noisy
voltages each, and three free parameters. Uses every core the process may use.
"""

import time

import equinox as eqx
import jax.numpy as jnp
import numpy as np

import naion as na
from benchmarks.harness import FAST, write
from naion.fit import FreeParameter, Problem, Specimen, discharge, fleet, least_squares
from naion.parameters import leaf

N = 12 if FAST else 1000
ALONE = 4 if FAST else 20
"""Cells that are also fitted one after the other, for comparison."""

SEED = 20261122
NOISE = 1e-3
RATES = (1.0, 0.5, 2.0)
PATHS = (
    "contact_resistance.scale",
    "positive.particle.rate_constant.scale",
    "positive.particle.diffusivity.scale",
)
FREE = tuple(FreeParameter((f"cell.{p}",), (0.1, 10.0), "log") for p in PATHS)
MODEL = na.DFN(na.Mesh(5, 3, 5, 16))


def problems(rng: np.random.Generator) -> tuple[dict[str, Problem], np.ndarray]:
    """Made-up cells, by name, and the true factors, (N, 3)."""
    cell = na.parameters.load("nfm_hc_18650")
    truth = np.exp(rng.normal(0.0, 0.3, (N, len(PATHS))))
    nominal = float(cell.nominal_capacity)
    shares = jnp.linspace(0.01, 0.9, 200)

    def voltages(lane):
        factors, rate = lane
        moved = eqx.tree_at(lambda c: [leaf(c, p) for p in PATHS], cell, list(factors))
        protocol = na.Protocol("Discharge at 1C until 1.5 V")
        own = eqx.tree_at(lambda p: p.value, protocol, rate[None])
        done = na.simulate(moved, own, model=MODEL, rtol=1e-4, throw=False)
        return shares * done.capacity, done.voltage_at_charge(shares * done.capacity)

    which = [(i, rate) for i in range(N) for rate in RATES[: 1 + i % 3]]
    rows = np.array([i for i, _ in which])
    q, V = na.batch.run(voltages, (truth[rows], np.array([r for _, r in which])))
    tests: dict[str, list] = {}
    for (i, rate), charge, voltage in zip(which, q, V, strict=True):
        n = int(rng.integers(50, 201))
        keep = np.unique(np.linspace(0, 199, n).astype(int))
        noisy = voltage[keep] + NOISE * rng.standard_normal(keep.size)
        tests.setdefault(f"cell_{i:04d}", []).append(
            discharge(
                f"{rate:g}C", charge[keep], noisy, rate * nominal, 298.15, sigma=NOISE
            )
        )
    specimen = Specimen(cell, [0.0])
    made = {name: Problem(specimen, FREE, tuple(t), MODEL) for name, t in tests.items()}
    return made, truth


def main() -> None:
    """Fit all, compare with single fits, and write the table."""
    made, truth = problems(np.random.default_rng(SEED))
    began = time.perf_counter()
    fleet(made)
    first = time.perf_counter() - began
    few = dict(list(made.items())[:ALONE])
    for p in few.values():
        least_squares(p)
    began = time.perf_counter()
    for p in few.values():
        least_squares(p)
    alone = (time.perf_counter() - began) / ALONE
    began = time.perf_counter()
    fits = fleet(made)
    seconds = time.perf_counter() - began
    good = [f for f in fits.values() if not isinstance(f, Exception)]
    # Tests at one rate cannot tell three resistances apart: look at those with three.
    three = [i for i in range(N) if i % 3 == 2]
    names = list(made)
    errors = np.array([np.exp(fits[names[i]].z) / truth[i] - 1.0 for i in three])
    rows = [
        [
            "fleet, first in its process",
            str(N),
            f"{first:.0f}",
            f"{1e3 * first / N:.0f}",
        ],
        ["fleet", str(N), f"{seconds:.0f}", f"{1e3 * seconds / N:.0f}"],
        [
            "one after the other",
            str(ALONE),
            f"{alone * ALONE:.1f}",
            f"{1e3 * alone:.0f}",
        ],
    ]
    converged = sum(f.converged for f in good)
    low, high = np.percentile(100.0 * np.abs(errors), [50, 95])
    write(
        "fleet",
        f"{N} cells fitted as a fleet",
        ["how", "cells", "s", "ms a cell"],
        rows,
        f"Three parameters, one to three discharges a cell, {1e3 * NOISE:g} mV of noise, "
        f"seed {SEED}. {converged} of {N} converged, {N - len(good)} failed. Of the cells "
        f"with three rates, parameters are off by {low:.1f} % (median) and {high:.1f} % "
        "(95th percentile).",
    )
