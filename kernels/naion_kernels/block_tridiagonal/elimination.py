r"""Block Gauss elimination (Thomas): a loop over the rows, and the least arithmetic.

    (D + L) (1 + U) = A,   U_i = P_i upper_i,   P_i = (diag_i - lower_i U_{i-1})^-1.

Each row waits for the one before it. Compiled lane by lane that costs nothing; as XLA
operations, one after the other, it costs more than cyclic reduction.

Reference: Golub and Van Loan, Matrix Computations, 4th ed. (2013), section 4.5.1.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ._blocks import inverse, product, transposed_product


class Factors(NamedTuple):
    """A factorised block-tridiagonal matrix.

    Attributes:
        lower: L, (n, m, m, ...).
        pivot: P, the inverse of D, (n, m, m, ...).
        upper: U, (n, m, m, ...).
    """

    lower: Array
    pivot: Array
    upper: Array


def factor(lower: Array, diag: Array, upper: Array) -> Factors:
    """Factorise; arguments as of `block_tridiagonal.factor`."""

    def eliminate(above, row):
        lower, diag, upper = row
        pivot = inverse(diag - product(lower, above))
        beside = product(pivot, upper)
        return beside, (pivot, beside)

    lower, upper = lower.at[0].set(0.0), upper.at[-1].set(0.0)
    _, (pivot, beside) = jax.lax.scan(
        eliminate, jnp.zeros_like(diag[0]), (lower, diag, upper)
    )
    return Factors(lower, pivot, beside)


def solve(factors: Factors, rhs: Array) -> Array:
    """Solve A x = rhs, (n, m, k, ...)."""

    def down(above, row):
        (lower, pivot, _), rhs = row
        y = product(pivot, rhs - product(lower, above))
        return y, y

    def up(below, row):
        upper, y = row
        x = y - product(upper, below)
        return x, x

    zero = jnp.zeros_like(rhs[0])
    _, y = jax.lax.scan(down, zero, (factors, rhs))
    _, x = jax.lax.scan(up, zero, (factors.upper, y), reverse=True)
    return x


def solve_transposed(factors: Factors, rhs: Array) -> Array:
    """Solve A^T x = rhs with the factors of A."""

    def down(carry, row):
        upper, rhs = row
        z = rhs - carry
        return transposed_product(upper, z), z

    def up(carry, row):
        (lower, pivot, _), z = row
        x = transposed_product(pivot, z - carry)
        return transposed_product(lower, x), x

    zero = jnp.zeros_like(rhs[0])
    _, z = jax.lax.scan(down, zero, (factors.upper, rhs))
    _, x = jax.lax.scan(up, zero, (factors, z), reverse=True)
    return x
