"""One process that asks for a batch, for the tests; its arguments are below.

Prints a line for every chunk, and the sum of all lanes at the end.
"""

import argparse
import contextlib
import os
import signal

import jax.numpy as jnp
import numpy as np

import naion as na

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("--kill-after", type=int, default=0, help="chunks")
parser.add_argument("--cluster", help="see `naion.batch.cluster`")
parser.add_argument("--lanes", type=int, default=10)
options = parser.parse_args()

na.enable_x64()
lanes = np.linspace(0.0, 1.0, options.lanes)
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
            done = na.batch.run(
                jnp.exp,
                lanes,
                chunk=3,
                folder=options.folder,
                executor=executor,
                progress=progress,
            )
            print("sum", np.sum(done), flush=True)
