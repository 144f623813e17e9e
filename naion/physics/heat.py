"""Heat sources of the lumped energy balance."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._shapes import Alike, Scalar


def ohmic(current: Alike, dphi: Alike) -> Scalar:
    """-sum i dphi over faces, for one phase [W.m-2 of electrode]."""
    return -jnp.sum(current * dphi)


def reaction(a_j_dx: Alike, eta: Alike) -> Scalar:
    """Integral of a j (phi_s - phi_e - U) [W.m-2 of electrode]; includes films."""
    return jnp.sum(a_j_dx * eta)


def reversible(a_j_dx: Alike, dUdT: Alike, T: Scalar) -> Scalar:
    """Integral of a j T dU/dT [W.m-2 of electrode]."""
    return jnp.sum(a_j_dx * T * dUdT)


def between_layers(
    conductance: Scalar, first: Scalar, last: Scalar, edges: Scalar, n: int
) -> tuple[Float[Array, "{n} {n}"], Float[Array, " {n}"]]:
    """Heat into n equal layers, X T + g T_ambient, by finite volumes in the thickness.

    Between a layer's middle and a face lies half its own resistance.

    Args:
        conductance: from one face to the other, lambda A / H [W.K-1].
        first: cooling at the face of the first layer, h A [W.K-1].
        last: at that of the last one.
        edges: of all layers together, evenly.

    Returns:
        X, (n, n), and g, (n,) [W.K-1]; all rows of X add up to -g.
    """
    half = 2.0 * n * conductance
    to_next = jnp.full(n - 1, n * conductance)
    outside = jnp.full(n, edges / n)
    outside = outside.at[0].add(first * half / (first + half))
    outside = outside.at[-1].add(last * half / (last + half))
    pairs = jnp.diag(to_next, 1) + jnp.diag(to_next, -1)
    return pairs - jnp.diag(jnp.sum(pairs, axis=1) + outside), outside
