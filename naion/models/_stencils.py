"""What the equations take of neighbouring volumes, and derivatives value by value."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array


def before(values: Array) -> Array:
    """Values (k, n_x) of the node before each; its own for the first."""
    return jnp.concatenate([values[:, :1], values[:, :-1]], axis=1)


def after(values: Array) -> Array:
    """Values (k, n_x) of the node after each; its own for the last."""
    return jnp.concatenate([values[:, 1:], values[:, -1:]], axis=1)


def divergence(inner: Array, first: Array | float = 0.0, last: Array | float = 0.0):
    """Outflow minus inflow of every volume, from fluxes through the faces."""
    first, last = (jnp.reshape(jnp.asarray(a, inner.dtype), 1) for a in (first, last))
    return jnp.diff(jnp.concatenate([first, inner, last]))


def partials(fn, args: tuple[Array, ...]) -> Any:
    """Derivatives of an elementwise function by each argument, along a new first axis."""
    _, tangent = jax.linearize(fn, *args)
    n = len(args)
    unit = jnp.eye(n).reshape(n, n, *(1,) * args[0].ndim)
    along = [unit[:, i] * jnp.ones_like(a) for i, a in enumerate(args)]
    return jax.vmap(tangent)(*along)
