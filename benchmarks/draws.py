"""40 random sodium cells at 2C to 3C: do all end, and does any take much longer?

Diffusivities and rate constants of both electrodes and the electrolyte's conductivity are
drawn log-uniformly within a factor of 3 either way, the rate uniformly between 2C and 3C.
Both sides use their tuned settings.
"""

import time

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pybamm

import naion as na
from benchmarks import opponent
from benchmarks.cases import SEED, SODIUM, options
from benchmarks.harness import FAST, write
from naion.parameters import Stoichiometry, stoichiometry_at_soc

N = 4 if FAST else 40
SPREAD = 3.0
PYBAMM_NAMES = (
    "Negative particle diffusivity [m2.s-1]",
    "Positive particle diffusivity [m2.s-1]",
    "Negative electrode exchange-current density [A.m-2]",
    "Positive electrode exchange-current density [A.m-2]",
    "Electrolyte conductivity [S.m-1]",
)


def draws() -> np.ndarray:
    """Five factors and a C-rate, (N, 6)."""
    u = np.random.default_rng(SEED).uniform(size=(40, 6))[:N]
    return np.column_stack([SPREAD ** (2.0 * u[:, :5] - 1.0), 2.0 + u[:, 5]])


def parts(c):
    """What the factors multiply."""
    return (
        c.negative.particle.diffusivity.scale,
        c.positive.particle.diffusivity.scale,
        c.negative.particle.rate_constant.scale,
        c.positive.particle.rate_constant.scale,
        c.electrolyte.conductivity.scale,
    )


def naion_side(charge: bool):
    """Seconds, physical end and capacity of every draw."""
    cell, given = SODIUM.cell(), options(SODIUM.naion)
    step = "Charge at 1C until 4.2 V" if charge else "Discharge at 1C until 2.0 V"
    protocol = na.Protocol(step)
    start = stoichiometry_at_soc(cell, 0.0) if charge else cell.published

    @jax.jit
    def run(k):
        drawn = eqx.tree_at(parts, cell, tuple(k[:5]))
        rate = protocol.value * k[5]
        own = eqx.tree_at(lambda p: p.value, protocol, rate)
        s = na.simulate(drawn, own, start=start, **given)
        return s.capacity, s.outcome

    def one(k):
        _, outcome = run(jnp.asarray(k))
        return na.Result(int(outcome)).is_physical

    one(draws()[0])
    return one, start


def pybamm_side(charge: bool, start: Stoichiometry):
    """The same for PyBaMM."""
    at = (float(start.negative), float(start.positive))
    values = opponent.parameter_values(SODIUM, at)
    for i, name in enumerate(PYBAMM_NAMES):
        values[name] = opponent.scaled(values[name], pybamm.InputParameter(f"k{i}"))
    sign = -1.0 if charge else 1.0
    nominal = values["Nominal cell capacity [A.h]"]
    values["Current function [A]"] = sign * nominal * pybamm.InputParameter("k5")
    sim = opponent.simulation(SODIUM, SODIUM.pybamm, values)

    def one(k):
        try:
            sim.solve([0.0, 2500.0], inputs={f"k{i}": v for i, v in enumerate(k)})
        except Exception:
            return False
        return "event" in sim.solution.termination

    one(draws()[0])
    return one


def measure(one) -> tuple[np.ndarray, int]:
    """Best of three times of every draw [s], and how many failed."""
    seconds, failed = [], 0
    for k in draws():
        times = []
        for _ in range(3):
            began = time.perf_counter()
            good = one(k)
            times.append(time.perf_counter() - began)
        seconds.append(min(times))
        failed += not good
    return np.array(seconds), failed


def main() -> None:
    """Measure both sides in both directions and write the table."""
    rows = []
    for charge in (False, True):
        ours, start = naion_side(charge)
        for side, one in (("naion", ours), ("PyBaMM", pybamm_side(charge, start))):
            seconds, failed = measure(one)
            low, high = np.percentile(seconds, [50, 95])
            rows.append(
                [
                    "charge" if charge else "discharge",
                    side,
                    f"{1e3 * low:.1f}",
                    f"{1e3 * high:.1f}",
                    f"{high / low:.2f}",
                    f"{1e3 * seconds.max():.1f}",
                    f"{failed} of {N}",
                ]
            )
    write(
        "draws",
        f"{N} random sodium cells at 2C to 3C",
        ["what", "side", "median ms", "p95 ms", "p95 / median", "longest ms", "failed"],
        rows,
        f"Factors within {SPREAD:g} either way on diffusivities, rate constants and the "
        f"electrolyte's conductivity, log-uniform, seed {SEED}. Tuned settings of "
        "discharge.md. Charges start at rest at SOC 0. Failed: no cut-off or other physical "
        "end.",
    )
