"""What native kernels gain over plain XLA, what they cost to compile, and whether they agree.

Every question of the other benchmarks, each way in a process of its own with empty caches.
Processor time, of which other users of a machine take none: least of the repeats for runs;
with the compilers' for the first call.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import naion as na

from .cases import LITHIUM, SODIUM, Case, Settings, drive_cycle, options, scalars
from .harness import FAST, write

FACTORS = jnp.ones(8)
ENOUGH = 1.5
"""A gain below this is marked."""

CYCLE = [
    "Discharge at 1C until 2.0 V",
    "Charge at 1C until 4.2 V",
    "Hold at 4.2 V until C/20",
]
GITT = ["Discharge at C/2 for 300 seconds", "Rest for 900 seconds"] * 20


def _scaled(cell, factors):
    """A cell with eight numbers that a fit might free, times factors."""
    new = [factors[k] * value for k, value in enumerate(scalars(cell))]
    return eqx.tree_at(scalars, cell, new)


def _voltages(case: Case, settings: Settings | None):
    """200 voltages of a 1C discharge, as a function of factors."""
    cell, given = case.cell(), options(settings)
    protocol = na.Protocol(f"Discharge at 1C until {case.lower} V")
    part = jnp.linspace(0.0, 0.95, 200)

    def voltages(factors):
        s = na.simulate(_scaled(cell, factors), protocol, **given)
        return s.voltage_at_charge(part * s.capacity)

    return voltages


def _loss():
    voltages = _voltages(SODIUM, SODIUM.naion)
    return lambda factors: jnp.mean((voltages(factors) - 3.5) ** 2)


def _many(n: int):
    return np.random.default_rng(0).uniform(0.95, 1.0, (n, 8))


def _energy(protocol, start=1.0):
    cell, given = SODIUM.cell(), options(SODIUM.naion)

    def energy(factors):
        scaled = _scaled(cell, factors)
        return na.simulate(scaled, protocol, start=start, **given).energy

    return energy


def _drive():
    capacity = float(SODIUM.cell().nominal_capacity)
    return _energy(na.Protocol.profile(*drive_cycle(capacity)), start=0.9)


def _pack(n: int):
    model, cell = options(SODIUM.naion)["model"], SODIUM.cell()

    def energy(factors):
        cells = [_scaled(cell, f) for f in factors]
        pack = na.pack.build([cells])
        return na.pack.simulate(
            pack, "Discharge at 1C", model=model, throw=False
        ).whole.final

    return energy


QUESTIONS: dict[str, Callable[[], tuple[Callable, object]]] = {
    "1C discharge, sodium, default": lambda: (_voltages(SODIUM, None), FACTORS),
    "1C discharge, sodium, tuned": lambda: (_voltages(SODIUM, SODIUM.naion), FACTORS),
    "1C discharge, lithium, tuned": lambda: (
        _voltages(LITHIUM, LITHIUM.naion),
        FACTORS,
    ),
    "value and gradient by 8 numbers": lambda: (jax.value_and_grad(_loss()), FACTORS),
    "Jacobian of 200 voltages by 8 numbers": lambda: (
        jax.jacfwd(_voltages(SODIUM, SODIUM.naion)),
        FACTORS,
    ),
    "64 discharges at once": lambda: (
        jax.vmap(_voltages(SODIUM, SODIUM.naion)),
        _many(64),
    ),
    "16 gradients at once": lambda: (jax.vmap(jax.grad(_loss())), _many(16)),
    "8 Jacobians at once": lambda: (
        jax.vmap(jax.jacfwd(_voltages(SODIUM, SODIUM.naion))),
        _many(8),
    ),
    "CC-CV cycle": lambda: (_energy(na.Protocol(CYCLE)), FACTORS),
    "GITT, 20 pulses": lambda: (_energy(na.Protocol(GITT)), FACTORS),
    "drive cycle, 1200 s at 1 Hz": lambda: (_drive(), FACTORS),
    "pack, 10 in series": lambda: (_pack(10), _many(10)),
}


def measure(question: str) -> None:
    """Print what one way takes, as JSON: for a process of its own."""
    na.enable_x64()
    fn, at = QUESTIONS[question]()
    run = jax.jit(fn)
    at = jnp.asarray(at)

    def spent():
        return sum(os.times()[:4])

    before = spent()
    found = jax.block_until_ready(run(at))
    first, began, times = spent() - before, time.monotonic(), []
    while len(times) < (2 if FAST else 5) or (
        len(times) < 200 and time.monotonic() - began < (1 if FAST else 20)
    ):
        before = time.process_time()
        jax.block_until_ready(run(at))
        times.append(time.process_time() - before)
    values = np.concatenate([np.ravel(x) for x in jax.tree.leaves(found)])
    print(json.dumps([first, min(times), values.tolist()]))


def one_way(question: str, kernels: str) -> tuple[float, float, np.ndarray]:
    """Seconds of the first call and of a later one, and the results."""
    with tempfile.TemporaryDirectory() as caches:
        settings = {
            "JAX_COMPILATION_CACHE_DIR": str(Path(caches) / "jax"),
            "NAION_KERNEL_CACHE": str(Path(caches) / "kernels"),
            "NAION_KERNELS": kernels,
        }
        command = [sys.executable, "-m", "benchmarks", "native", question]
        said = subprocess.run(
            command,
            env={**os.environ, **settings},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
    first, later, values = json.loads(said.splitlines()[-1])
    return first, later, np.asarray(values)


def main() -> None:
    """Measure and write the table, or one question as a process of its own."""
    if len(sys.argv) > 1:
        return measure(sys.argv[1])
    rows = []
    for question in QUESTIONS:
        first, later, values = one_way(question, "on")
        plain_first, plain_later, plain = one_way(question, "off")
        gain = plain_later / later
        apart = np.max(np.abs(values - plain)) / np.max(np.abs(plain))
        rows.append(
            [
                question,
                f"{1e3 * later:.2f}",
                f"{1e3 * plain_later:.2f}",
                f"{gain:.1f}" + (" (too little)" if gain < ENOUGH else ""),
                f"{first:.1f}",
                f"{plain_first:.1f}",
                f"{apart:.0e}",
            ]
        )
        print(rows[-1], flush=True)
    write(
        "native",
        "Native kernels against plain XLA",
        [
            "question",
            "native [ms]",
            "XLA [ms]",
            "gain",
            "first call, native [s]",
            "first call, XLA [s]",
            "largest relative difference",
        ],
        rows,
        f"Sodium cell, {SODIUM.naion}, where nothing else is said; on one core. Processor "
        "time, least of repeats; first calls with empty caches, and with the time of the "
        "compilers. Arithmetic in another order may accept other steps. Results then "
        "differ within the tolerance; their gradients by more, least at small tolerances: "
        "each is exact for its own steps. Impedance has no lane programs: it is XLA's "
        "either way.",
    )
