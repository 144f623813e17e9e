"""Products and inverses of many small blocks at once; batch axes trail."""

import functools
import operator

import jax.numpy as jnp
from jax import Array


def product(a: Array, b: Array) -> Array:
    """(i, j, ...) x (j, k, ...) -> (i, k, ...).

    Written out term by term, not einsum: the blocks are far too small for a matrix
    library, and this form fuses with its neighbours.
    """
    terms = [a[:, j, None] * b[None, j] for j in range(a.shape[1])]
    return functools.reduce(operator.add, terms)


def transposed_product(a: Array, b: Array) -> Array:
    """Product with the transpose of `a`."""
    return product(jnp.swapaxes(a, 0, 1), b)


def inverse(a: Array) -> Array:
    """Inverse of a block (m, m, ...): up to m = 3 by cofactors, else by elimination."""
    m = a.shape[0]
    if m == 1:
        return 1.0 / a
    if m == 2:
        (p, q), (r, s) = a
        rows, det = ((s, -q), (-r, p)), p * s - q * r
    elif m == 3:
        rows = [
            [
                a[(i + 1) % 3, (j + 1) % 3] * a[(i + 2) % 3, (j + 2) % 3]
                - a[(i + 1) % 3, (j + 2) % 3] * a[(i + 2) % 3, (j + 1) % 3]
                for i in range(3)
            ]
            for j in range(3)
        ]
        det = sum(a[0, j] * rows[j][0] for j in range(3))
    else:
        return _by_elimination(a)
    return jnp.stack([jnp.stack(row) for row in rows]) / det


def _by_elimination(a: Array) -> Array:
    """Gauss-Jordan with row pivoting, written out: no call of LAPACK for each block."""
    m = a.shape[0]
    eye = jnp.eye(m, dtype=a.dtype).reshape(m, m, *(1,) * (a.ndim - 2))
    rows = list(jnp.concatenate([a, jnp.broadcast_to(eye, a.shape)], axis=1))
    for k in range(m):
        for i in range(k + 1, m):
            larger = jnp.abs(rows[i][k]) > jnp.abs(rows[k][k])
            rows[k], rows[i] = (
                jnp.where(larger, rows[i], rows[k]),
                jnp.where(larger, rows[k], rows[i]),
            )
        rows[k] = rows[k] / rows[k][k]
        for i in range(m):
            if i != k:
                rows[i] = rows[i] - rows[i][k] * rows[k]
    return jnp.stack([row[m:] for row in rows])
