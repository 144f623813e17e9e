"""Heat sources of the lumped energy balance."""

import jax.numpy as jnp
from jaxtyping import Array


def ohmic(current: Array, dphi: Array) -> Array:
    """-sum i dphi over faces, for one phase [W.m-2 of electrode]."""
    return -jnp.sum(current * dphi)


def reaction(a_j_dx: Array, eta: Array) -> Array:
    """Integral of a j (phi_s - phi_e - U) [W.m-2 of electrode]; includes films."""
    return jnp.sum(a_j_dx * eta)


def reversible(a_j_dx: Array, dUdT: Array, T: Array) -> Array:
    """Integral of a j T dU/dT [W.m-2 of electrode]."""
    return jnp.sum(a_j_dx * T * dUdT)
