"""Many sourced numbers as one vector."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax.scipy.stats import norm
from jaxtyping import Array

from ..parameters import Sourced


def at_once(numbers: Sequence[Sourced], u: Array) -> Array:
    """`Sourced.at` of many numbers, as a few operations on vectors.

    One number at a time gives a program that takes long to compile.

    Args:
        numbers: the numbers, n of them.
        u: standard deviations from their medians, (n,).

    Returns:
        their values, (n,).
    """
    clipped = jnp.clip(u, *np.array([s.reach for s in numbers]).reshape(-1, 2).T)
    median = np.array([s.median for s in numbers])
    away = np.array([s.sd for s in numbers]) * clipped
    is_log = np.array([s.is_log for s in numbers], bool)
    triangular = np.array([s.is_triangular for s in numbers], bool)
    usual = jnp.where(
        is_log, median * jnp.exp(jnp.where(is_log, away, 0.0)), median + away
    )
    ends = [(*(s.range or (0.0, 0.0)), float(s.value)) for s in numbers]
    low, high, most = np.array(ends).reshape(-1, 3).T
    width = np.where(high > low, high - low, 1.0)
    p = norm.cdf(clipped)
    below = p < (most - low) / width
    # Each root is taken where it is real, so that slopes stay finite.
    rising = jnp.sqrt(jnp.where(below, p * width * (most - low), 1.0))
    falling = jnp.sqrt(jnp.where(below, 1.0, (1.0 - p) * width * (high - most)))
    between = jnp.where(below, low + rising, high - falling)
    return jnp.where(triangular, between, usual)
