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
    """Inverse of a block (m, m, ...); m of 1, 2 and 3 in closed form."""
    m = a.shape[0]
    if m == 1:
        return 1.0 / a
    if m == 2:
        (p, q), (r, s) = a
        rows, det = ((s, -q), (-r, p)), p * s - q * r
    elif m == 3:
        cofactors = [
            [
                a[(i + 1) % 3, (j + 1) % 3] * a[(i + 2) % 3, (j + 2) % 3]
                - a[(i + 1) % 3, (j + 2) % 3] * a[(i + 2) % 3, (j + 1) % 3]
                for i in range(3)
            ]
            for j in range(3)
        ]
        rows, det = cofactors, sum(a[0, j] * cofactors[j][0] for j in range(3))
    else:
        moved = jnp.moveaxis(a, (0, 1), (-2, -1))
        return jnp.moveaxis(jnp.linalg.inv(moved), (-2, -1), (0, 1))
    return jnp.stack([jnp.stack(row) for row in rows]) / det
