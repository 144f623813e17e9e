"""How long does a 1C sodium discharge take, steady, cold and from the cache?

Accuracy stands beside every time. Cold and cached are whole processes: importing,
loading the set, compiling or reading the cache, solving.
"""

import os
import subprocess
import sys
import tempfile
import time

import jax

import naion as na
from benchmarks.harness import FAST, median_text, seconds, voltage_error, write
from benchmarks.mesh import CONVERGED, discharge

NAME, RATE = "nvpf_hc_chayambuka2022", "1C"
PROCESS = f"""
import jax, naion as na
from naion._cache import compilation_cache
na.enable_x64(); compilation_cache()
cell = na.parameters.load({NAME!r})
jax.block_until_ready(na.simulate(cell, "Discharge at {RATE} until 2.0 V").final)
"""


def process_seconds(cache: str) -> float:
    """Wall time of a fresh process with a given compilation cache [s]."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", PROCESS],
        check=True,
        env={**os.environ, "JAX_COMPILATION_CACHE_DIR": cache},
    )
    return time.perf_counter() - began


def main() -> None:
    """Run and write the table."""
    cell = na.parameters.load(NAME)
    run = jax.jit(lambda c: na.simulate(c, f"Discharge at {RATE} until 2.0 V").final)
    loss = jax.jit(
        jax.value_and_grad(
            lambda k: (
                na.simulate(
                    _scaled(cell, k), f"Discharge at {RATE} until 2.0 V", throw=False
                ).energy
            )
        )
    )
    default = discharge(NAME, RATE, na.Mesh(), 5e-4)
    reference = discharge(NAME, RATE, CONVERGED, 1e-6)
    rmse, largest, capacity = voltage_error(default, reference)
    accuracy = f"{rmse:.2f} / {largest:.2f} mV, {capacity:+.3f} %"
    steady = seconds(lambda: run(cell))
    gradient = seconds(lambda: loss(jax.numpy.asarray(1.0)))
    rows = [
        ["1C discharge, steady [ms]", median_text(steady), accuracy],
        ["value and gradient [ms]", median_text(gradient), "exact for the same solve"],
        ["gradient over solve", f"{gradient[1] / steady[1]:.2f}", ""],
    ]
    if not FAST:
        with tempfile.TemporaryDirectory() as cache:
            rows.append(
                ["first process, cold [s]", f"{process_seconds(cache):.1f}", accuracy]
            )
            rows.append(
                [
                    "second process, cached [s]",
                    f"{process_seconds(cache):.1f}",
                    accuracy,
                ]
            )
    write(
        "single",
        f"One discharge: {NAME}, {RATE}",
        ["what", "median (quartiles)", "voltage RMSE / max, capacity"],
        rows,
        f"Default {na.Mesh()}, rtol 5e-4; errors against {CONVERGED}, rtol 1e-6.",
    )


def _scaled(cell, k):
    import equinox as eqx

    return eqx.tree_at(lambda c: c.negative.particle.diffusivity.scale, cell, k)


if __name__ == "__main__":
    na.enable_x64()
    main()
