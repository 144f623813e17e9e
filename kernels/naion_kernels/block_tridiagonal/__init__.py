"""Block-tridiagonal solves by cyclic reduction: factor once, solve many times."""

from .reference import Factors, factor, solve, solve_transposed

__all__ = ["Factors", "factor", "solve", "solve_transposed"]
