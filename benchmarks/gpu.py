"""Cells per second on a GPU: batches up to memory, forward and gradient.

Without a GPU the table says so.
"""

import time

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import naion as na
from benchmarks.cases import SODIUM, factors, options
from benchmarks.harness import FAST, alternate, write

SIZES = (256, 1024, 4096, 16384, 65536, 262144)
HEADER = [
    *("what", "cells", "ms, median (quartiles)", "cells/s", "failures"),
    *("largest difference from the CPU, %", "over forward"),
]
NOTES = (
    "1C sodium discharges, float64, settings and error as in discharge.md, tuned: a batch is "
    "one kernel, one thread a cell, timed with its transfers inside JAX. Parameters drawn as "
    "in batch.md."
)


def lane(k):
    """Capacity and outcome of a cell with drawn factors."""
    cell = SODIUM.cell()

    def where(c):
        return (
            c.negative.particle.diffusivity.scale,
            c.positive.particle.diffusivity.scale,
            c.area,
        )

    drawn = eqx.tree_at(where, cell, (k[0], k[1], cell.area * k[2]))
    step = f"Discharge at 1C until {SODIUM.lower} V"
    s = na.simulate(drawn, step, **options(SODIUM.naion))
    return s.capacity, s.outcome


def bandwidth() -> float:
    """Of a copy in the device's memory [GB/s]."""
    numbers = jnp.zeros(2**27)
    copy = jax.jit(lambda a: a + 1.0)
    (times,) = alternate(lambda: copy(numbers), repeats=9)
    return 2.0 * numbers.nbytes / times.median / 1e9


def main() -> None:
    """Measure, or say that there is nothing to measure on."""
    if jax.default_backend() != "gpu":
        rows = [
            [f"{w}, 1C sodium", *["not measured"] * 6] for w in ("forward", "gradient")
        ]
        write(
            "gpu", "Batches on a GPU", HEADER, rows, f"{NOTES} No GPU on this machine."
        )
        return
    forward = jax.jit(jax.vmap(lane))
    gradient = jax.jit(jax.vmap(jax.value_and_grad(lane, has_aux=True)))
    few = jnp.asarray(factors(64))
    with jax.default_device(jax.devices("cpu")[0]):
        expected = np.asarray(jax.jit(jax.vmap(lane))(few)[0])
    began = time.perf_counter()
    found = np.asarray(forward(few)[0])
    compiled = time.perf_counter() - began
    difference = 100.0 * np.max(np.abs(found / expected - 1.0))
    rows, rate_of = [], {}
    for what, program in (("forward", forward), ("gradient", gradient)):
        for n in SIZES[:2] if FAST else SIZES:
            draws = jnp.asarray(factors(n))
            try:
                (times,) = alternate(lambda p=program, d=draws: p(d), repeats=5)
            except jax.errors.JaxRuntimeError as error:
                rows.append([what, str(n), str(error).split("\n")[0][:60], *[""] * 4])
                break
            result = program(draws)
            outcome = np.asarray(result[1] if what == "forward" else result[0][1])
            failed = sum(not na.Result(int(o)).is_physical for o in outcome)
            rate = rate_of[what, n] = n / times.median
            share = rate / rate_of["forward", n]
            rows.append(
                [
                    what,
                    str(n),
                    str(times),
                    f"{rate:.0f}",
                    str(failed),
                    f"{difference:.1e}" if what == "forward" else "",
                    f"{share:.2f}" if what == "gradient" else "",
                ]
            )
    notes = (
        f"{NOTES} {jax.devices()[0].device_kind}, copies at {bandwidth():.0f} GB/s; first "
        f"call {compiled:.0f} s."
    )
    write("gpu", "Batches on a GPU", HEADER, rows, notes)
