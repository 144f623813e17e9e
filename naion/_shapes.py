"""Shapes of arrays in annotations; the tests of `make shapes` check them at run time."""

from jaxtyping import Array, Float

Scalar = Float[Array, ""]

Alike = Float[Array, "*n"]
"""Of any shape, the same for all that have it in one signature."""

Each = Float[Array, "*#n"]
"""Taken element by element: shapes that broadcast together."""
