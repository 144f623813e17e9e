"""One process that asks for a batch, for the tests; its arguments are below.

Prints a line for every chunk, and the capacities at the end.
"""

import argparse
import contextlib
import os
import signal

import equinox as eqx
import numpy as np

import naion as na

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("--kill-after", type=int, default=0, help="chunks")
parser.add_argument("--cluster", help="see `naion.batch.cluster`")
parser.add_argument("--lanes", type=int, default=10)
options = parser.parse_args()

na.enable_x64()
cell = na.parameters.load("nfm_hc_18650")
cells = na.batch.stack(
    [
        eqx.tree_at(lambda c: c.positive.particle.diffusivity.scale, cell, scale)
        for scale in np.linspace(0.5, 2.0, options.lanes)
    ]
)
chunks = []


def progress(text: str) -> None:
    chunks.append(text)
    print(text, flush=True)
    if len(chunks) == options.kill_after:
        os.kill(os.getpid(), signal.SIGKILL)


@contextlib.contextmanager
def workers():
    """None, or those that are asked for."""
    if options.cluster is None:
        yield None
    else:
        with na.batch.cluster(options.cluster, options.folder) as executor:
            yield executor


if __name__ == "__main__":
    with workers() as executor:
        if not na.batch.is_worker(options.cluster):
            done = na.batch.simulate(
                cells,
                "Discharge at 2C",
                model=na.DFN(na.Mesh(4, 3, 4, 10)),
                chunk=3,
                folder=options.folder,
                executor=executor,
                progress=progress,
            )
            print("capacity", *(f"{c:.12g}" for c in done.capacity), flush=True)
