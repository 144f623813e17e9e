"""A first process with a second one beside it, for the tests.

Prints the second's number, and waits; the second waits in compiled code or in Python.
"""

import os
import signal
import sys
import time

from naion.demo._second import beside


def wait(how, tell):
    tell(f"second {os.getpid()}")
    if how == "raise":
        raise ValueError("the data are not there")
    if how == "exit":
        os._exit(3)
    time.sleep(120.0)


if __name__ == "__main__":
    # A shell has its background processes ignore it, and what they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with beside(wait, sys.argv[1], say=lambda text: print(text, flush=True)) as finish:
        finish()
