"""One process of a batch, for the tests; its arguments are below.

Prints a line for every chunk that it computed, and the capacities at the end.
"""

import argparse
import os
import signal
import time

import equinox as eqx
import jax
import numpy as np

import naion as na

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("--kill-after", type=int, default=0)
parser.add_argument("--port", type=int)
parser.add_argument("--rank", type=int)
parser.add_argument("--late", type=float, default=0.0, help="seconds after each chunk")
options = parser.parse_args()

na.enable_x64()
if options.port is not None:
    jax.distributed.initialize(f"127.0.0.1:{options.port}", 2, options.rank)

cell = na.parameters.load("nfm_hc_18650")
cells = na.batch.stack(
    [
        eqx.tree_at(lambda c: c.positive.particle.diffusivity.scale, cell, scale)
        for scale in np.linspace(0.5, 2.0, 10)
    ]
)
chunks = []


def progress(text: str) -> None:
    chunks.append(text)
    print(text, flush=True)
    time.sleep(options.late)
    if len(chunks) == options.kill_after:
        os.kill(os.getpid(), signal.SIGKILL)


done = na.batch.simulate(
    cells,
    "Discharge at 2C",
    model=na.DFN(na.Mesh(4, 3, 4, 10)),
    chunk=3,
    folder=options.folder,
    progress=progress,
)
print("capacity", *(f"{c:.12g}" for c in done.capacity), flush=True)
