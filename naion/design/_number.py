"""Fields that hold one number, given as any kind of number."""

import dataclasses
from typing import Any

import equinox as eqx
import jax.numpy as jnp


def number(default: Any = dataclasses.MISSING) -> Any:
    """A field that turns what it is given into a float array, ()."""
    return eqx.field(converter=lambda x: jnp.asarray(x, float), default=default)
