"""What do thousands of cycles and a million rows cost, in time and memory?

Processor time and the most memory of the process, after one run that compiles. Each case
runs in a process of its own.
"""

import multiprocessing
import resource
import time

import numpy as np

import naion as na

from .harness import FAST, write

CYCLES = 100, 1000, 10_000
ROWS = 1000, 100_000, 1_000_000
CYCLE = (
    "Discharge at 1C until 2.0 V",
    "Charge at 1C until 4.0 V",
    "Hold at 4.0 V until C/20",
)


def cycles(n: int) -> na.Solution:
    """CC-CV cycles of the sodium 18650 on a coarse mesh, summaries kept."""
    model = na.DFN(na.Mesh(4, 2, 4, 12))
    cell = na.parameters.load("nfm_hc_18650")
    return na.simulate(cell, na.Protocol(CYCLE, cycles=n), model=model, keep="cycles")


def profile(n: int) -> na.Solution:
    """A random current of 1 Hz, every row a stretch of its own, all steps kept."""
    current = 0.5 * np.random.default_rng(0).standard_normal(n)
    protocol = na.Protocol.profile(np.arange(float(n)), current)
    cell, model = na.parameters.load("nfm_hc_18650"), na.DFN(na.Mesh(4, 2, 4, 26))
    return na.simulate(cell, protocol, model=model, start=0.5, throw=False)


def measured(kind: str, n: int) -> list[str]:
    """One row of the table, in a process of its own."""
    na.enable_x64()
    run = {"cycles": cycles, "rows": profile}[kind]
    # Protocols of so many stretches have a program of their own.
    run(n)
    began = time.process_time()
    s = run(n)
    float(s.t_end)
    taken = time.process_time() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    each = (
        f"{1e3 * taken / n:.2f} ms" if kind == "cycles" else f"{1e6 * taken / n:.0f} us"
    )
    steps = f"{int(s.n_steps)}"
    return [f"{n} {kind}", s.result.name.lower(), steps, each, f"{memory:.2f}"]


def main() -> None:
    """Run everything and write the table."""
    jobs = [("cycles", n) for n in CYCLES] + [("rows", n) for n in ROWS]
    jobs = jobs[::3] if FAST else jobs
    rows = []
    for job in jobs:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            rows.append(pool.apply(measured, job))
        print(rows[-1], flush=True)
    write(
        "long_runs",
        "Long runs: time and memory",
        ["run", "ends", "steps", "processor time of each", "most memory, GB"],
        rows,
        " ".join((__doc__ or "").split()),
    )
