"""How long until a fresh process has its first 1C sodium discharge, or its gradient?

Whole processes: importing, loading the set, tracing, compiling or reading the caches,
solving. Cold: all caches empty. Cached: what the cold process left behind. naion has XLA
compile without its fusion emitters (see `naion.enable_x64`): the same with them.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.harness import FAST, Times, write

NAME = "nvpf_hc_chayambuka2022"
BEGIN = f"""
import equinox as eqx, jax, naion as na
na.enable_x64()
cell = na.parameters.load({NAME!r})
"""
DISCHARGE = "na.simulate({}, 'Discharge at 1C until 2.0 V', throw=False)"
PROCESSES = {
    "discharge": f"jax.block_until_ready({DISCHARGE.format('cell')}.final)",
    "gradient": f"energy = lambda c: {DISCHARGE.format('c')}.energy\n"
    "jax.block_until_ready(eqx.filter_jit(eqx.filter_grad(energy))(cell).area)",
}
CASES = (
    ("discharge", "on", "false"),
    ("discharge", "on", "true"),
    ("gradient", "on", "false"),
    ("gradient", "on", "true"),
    ("discharge", "off", "false"),
)
"""What, native kernels, and XLA's fusion emitters, which naion leaves out."""


def process_seconds(what: str, cache: Path, kernels: str, emitters: str) -> float:
    """Wall time of a fresh process with given caches [s]."""
    settings = {
        "JAX_COMPILATION_CACHE_DIR": str(cache / "jax"),
        "NAION_KERNEL_CACHE": str(cache / "kernels"),
        "NAION_KERNELS": kernels,
        "XLA_FLAGS": f"--xla_cpu_use_fusion_emitters={emitters}",
    }
    program = [sys.executable, "-c", BEGIN + PROCESSES[what]]
    began = time.perf_counter()
    subprocess.run(program, check=True, env={**os.environ, **settings})
    return time.perf_counter() - began


def main() -> None:
    """Run and write the table."""
    rows = []
    for case in CASES:
        what, kernels, emitters = case
        cold, cached = [], []
        for _ in range(1 if FAST else 3):
            with tempfile.TemporaryDirectory() as folder:
                own = what, Path(folder), kernels, emitters
                cold.append(process_seconds(*own))
                cached += [process_seconds(*own) for _ in range(2)]
        emit = {"false": "no", "true": "yes"}[emitters]
        medians = [f"{Times(values).median:.1f}" for values in (cold, cached)]
        rows.append([what, kernels, emit, *medians])
        print(rows[-1], flush=True)
    write(
        "first_call",
        "First call of a process",
        ["what", "native kernels", "fusion emitters", "cold [s]", "cached [s]"],
        rows,
        f"{NAME}, 1C, default mesh; the gradient by every number of the cell. All cores.",
    )
