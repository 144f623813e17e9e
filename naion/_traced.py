"""Whether JAX is transforming what is computed."""

from typing import Any

import jax
from jax.core import Tracer


def is_traced(tree: Any) -> bool:
    """Whether JAX is transforming what is done with these arrays."""
    return any(isinstance(a, Tracer) for a in jax.tree.leaves(tree))
