"""How many threads the small dense algebra of fits and searches runs on."""

import contextlib
import importlib
from collections.abc import Iterator

from threadpoolctl import threadpool_limits


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Within, linear algebra of NumPy and SciPy runs on one thread.

    Matrices of fits and searches are small: more threads gain nothing, and where the
    processors are busy each call waits until all of its threads have had their turn. The
    limit is one of the process: it holds for what other threads compute meanwhile.
    """
    # SciPy brings a library of its own, which can only be limited once it is loaded.
    importlib.import_module("scipy.linalg")
    with threadpool_limits(1, user_api="blas"):
        yield
