"""How long until a fresh process has its first 1C sodium discharge?

Whole processes: importing, loading the set, tracing, compiling or reading the caches,
solving. Cold: all caches empty. Cached: what the cold process left behind.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import naion as na
from benchmarks.harness import FAST, Times, write

NAME = "nvpf_hc_chayambuka2022"
PROCESS = f"""
import jax, naion as na
from naion._cache import compilation_cache
na.enable_x64(); compilation_cache()
cell = na.parameters.load({NAME!r})
jax.block_until_ready(na.simulate(cell, "Discharge at 1C until 2.0 V").final)
"""


def process_seconds(cache: Path, kernels: str) -> float:
    """Wall time of a fresh process with given caches [s]."""
    caches = {
        "JAX_COMPILATION_CACHE_DIR": str(cache / "jax"),
        "NAION_KERNEL_CACHE": str(cache / "kernels"),
        "NAION_KERNELS": kernels,
    }
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", PROCESS], check=True, env={**os.environ, **caches}
    )
    return time.perf_counter() - began


def main() -> None:
    """Run and write the table."""
    rows = []
    for kernels in ("on", "off"):
        cold, cached = [], []
        for _ in range(1 if FAST else 3):
            with tempfile.TemporaryDirectory() as folder:
                cold.append(process_seconds(Path(folder), kernels))
                cached += [process_seconds(Path(folder), kernels) for _ in range(3)]
        for what, values in (("cold", cold), ("cached", cached)):
            rows.append(
                [f"native kernels {kernels}", what, f"{Times(values).median:.1f}"]
            )
    write(
        "first_call",
        "First call of a process",
        ["what", "caches", "median [s]"],
        rows,
        f"{NAME}, 1C, default mesh. All cores.",
    )


if __name__ == "__main__":
    na.enable_x64()
    main()
