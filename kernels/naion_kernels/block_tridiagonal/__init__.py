"""Block-tridiagonal solves: factor once, solve many times.

A matrix couples each row only to its two neighbours,

    lower[i] x[i-1] + diag[i] x[i] + upper[i] x[i+1] = rhs[i],   i = 0 ... n-1.

The rows run along the leading axis, independent systems along trailing axes. XLA gets
cyclic reduction, a program of one lane plain elimination: see the two modules.
"""

import contextlib
import contextvars
from collections.abc import Iterator

from jax import Array

from . import elimination, reduction
from ._blocks import inverse

Factors = elimination.Factors | reduction.Factors

_one_lane = contextvars.ContextVar("one_lane", default=False)


@contextlib.contextmanager
def one_lane() -> Iterator[None]:
    """What is traced inside becomes a program of one lane."""
    token = _one_lane.set(True)
    try:
        yield
    finally:
        _one_lane.reset(token)


def factor(lower: Array, diag: Array, upper: Array) -> Factors:
    """Factorise a block-tridiagonal matrix.

    Args:
        lower: blocks left of the diagonal, (n, m, m, ...); `lower[0]` is ignored.
        diag: diagonal blocks, (n, m, m, ...).
        upper: blocks right of the diagonal, (n, m, m, ...); `upper[n-1]` is ignored.

    Returns:
        Factors for `solve` and `solve_transposed`. A singular block gives non-finite
        factors, not an error.
    """
    way = elimination if _one_lane.get() else reduction
    return way.factor(lower, diag, upper)


def solve(factors: Factors, rhs: Array) -> Array:
    """Solve A x = rhs; right-hand sides and x are (n, m, k, ...)."""
    if isinstance(factors, elimination.Factors):
        return elimination.solve(factors, rhs)
    return reduction.solve(factors, rhs)


def solve_transposed(factors: Factors, rhs: Array) -> Array:
    """Solve A^T x = rhs with the factors of A; shapes as in `solve`."""
    if isinstance(factors, elimination.Factors):
        return elimination.solve_transposed(factors, rhs)
    return reduction.solve_transposed(factors, rhs)


__all__ = ["Factors", "factor", "inverse", "one_lane", "solve", "solve_transposed"]
