"""Cyclic reduction: few wide operations, as XLA likes them.

Even rows are eliminated in favour of odd ones, which leaves a block-tridiagonal
system of half the size; log2(n) such levels end in one block. All rows of a level are
independent, so a level is a handful of wide vector operations, whereas block Gauss
elimination (Thomas) is n dependent small ones. There is no pivoting across blocks.

Reference: Golub and Van Loan, Matrix Computations, 4th ed. (2013), section 4.5.4.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ._blocks import inverse, product


class Level(NamedTuple):
    """What one reduction keeps; `e` and `o` are the counts of even and odd rows.

    Attributes:
        inverse: inverse diagonal blocks of the even rows, (e, m, m, ...).
        to_left: even row times its odd left neighbour, inverse @ lower, (e, m, m, ...).
        to_right: the same for the right neighbour, inverse @ upper, (e, m, m, ...).
        from_left: odd row times its even left neighbour, lower @ inverse, (o, m, m, ...).
        from_right: the same for the right neighbour, upper @ inverse, (o, m, m, ...).
    """

    inverse: Array
    to_left: Array
    to_right: Array
    from_left: Array
    from_right: Array


class Factors(NamedTuple):
    """A factorised block-tridiagonal matrix: its levels and the last inverse block."""

    levels: tuple[Level, ...]
    inverse: Array


def factor(lower: Array, diag: Array, upper: Array) -> Factors:
    """Factorise; arguments as of `block_tridiagonal.factor`."""
    lower = lower.at[0].set(0.0)
    upper = upper.at[-1].set(0.0)
    levels = []
    while diag.shape[0] > 1:
        n_odd = diag.shape[0] // 2
        inverse = _inverse(diag[0::2])
        to_left, to_right = _mm(inverse, lower[0::2]), _mm(inverse, upper[0::2])
        from_left = _mm(lower[1::2], inverse[:n_odd])
        from_right = _mm(upper[1::2], _right(inverse, n_odd))
        levels.append(Level(inverse, to_left, to_right, from_left, from_right))
        diag = (
            diag[1::2]
            - _mm(lower[1::2], to_right[:n_odd])
            - _mm(upper[1::2], _right(to_left, n_odd))
        )
        lower, upper = (
            -_mm(lower[1::2], to_left[:n_odd]),
            -_mm(upper[1::2], _right(to_right, n_odd)),
        )
    return Factors(tuple(levels), _inverse(diag))


def solve(factors: Factors, rhs: Array) -> Array:
    """Solve A x = rhs, (n, m, k, ...)."""
    evens = []
    for level in factors.levels:
        even, odd = rhs[0::2], rhs[1::2]
        n_odd = odd.shape[0]
        evens.append(even)
        rhs = (
            odd
            - _mm(level.from_left, even[:n_odd])
            - _mm(level.from_right, _right(even, n_odd))
        )
    x = _mm(factors.inverse, rhs)
    for level, even in zip(reversed(factors.levels), reversed(evens), strict=True):
        left, right = _around(x, even.shape[0])
        even = (
            _mm(level.inverse, even)
            - _mm(level.to_left, left)
            - _mm(level.to_right, right)
        )
        x = _interleave(even, x)
    return x


def solve_transposed(factors: Factors, rhs: Array) -> Array:
    """Solve A^T x = rhs with the factors of A."""
    evens = []
    for level in factors.levels:
        even, odd = rhs[0::2], rhs[1::2]
        n_odd = odd.shape[0]
        evens.append(even)
        rhs = (
            odd
            - _mtm(level.to_right[:n_odd], even[:n_odd])
            - _mtm(_right(level.to_left, n_odd), _right(even, n_odd))
        )
    x = _mtm(factors.inverse, rhs)
    for level, even in zip(reversed(factors.levels), reversed(evens), strict=True):
        n_even = even.shape[0]
        left, right = _around(x, n_even)
        from_right, _ = _around(level.from_right, n_even)
        _, from_left = _around(level.from_left, n_even)
        even = (
            _mtm(level.inverse, even) - _mtm(from_right, left) - _mtm(from_left, right)
        )
        x = _interleave(even, x)
    return x


_mm, _inverse = jax.vmap(product), jax.vmap(inverse)


def _mtm(a: Array, b: Array) -> Array:
    return _mm(jnp.swapaxes(a, 1, 2), b)


def _right(even: Array, n_odd: int) -> Array:
    """The even row right of each odd row; zeros behind the end."""
    shifted = even[1 : n_odd + 1]
    if shifted.shape[0] == n_odd:
        return shifted
    return jnp.concatenate([shifted, jnp.zeros_like(even[:1])])


def _around(odd: Array, n_even: int) -> tuple[Array, Array]:
    """The odd rows left and right of each even row; zeros beyond the ends."""
    zero = jnp.zeros_like(odd[:1])
    padded = jnp.concatenate([zero, odd, zero])
    return padded[:n_even], padded[1 : n_even + 1]


def _interleave(even: Array, odd: Array) -> Array:
    n_odd = odd.shape[0]
    pairs = jnp.stack([even[:n_odd], odd], axis=1).reshape(2 * n_odd, *odd.shape[1:])
    return jnp.concatenate([pairs, even[n_odd:]])
