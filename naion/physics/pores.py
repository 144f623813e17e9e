"""Pores of hard carbon that fill from the other sites, with a finite rate."""

import jax.numpy as jnp
from jaxtyping import Array

from .._constants import F, R

SOFTENING = 1e-4
"""delta: lets empty pores begin to fill, and full ones to empty."""


def filling(rate: Array, driving: Array, x_b: Array, T: Array) -> Array:
    """S = k_pf sinh(F (U_b - U_a) / 2RT) sqrt(x_b (1 - x_b) + delta) [s-1].

    Sodium moves to the sites of higher potential.

    Args:
        rate: k_pf [s-1].
        driving: U_b - U_a, of the pores over the other sites [V].
        x_b: share of the pores that is full.
        T: temperature [K].
    """
    room = jnp.maximum(x_b * (1.0 - x_b), 0.0) + SOFTENING
    return rate * jnp.sinh(F * driving / (2.0 * R * T)) * jnp.sqrt(room)
