"""Shapes of arrays in annotations; the tests of `make shapes` check them at run time."""

from jaxtyping import Array, Float

Scalar = Float[Array, ""]

Alike = Float[Array, "*n"]
"""Of any shape, the same for all that have it in one signature."""

Line = Float[Array, " n_x"]
"""In the volumes through the cell."""

Faces = Float[Array, " n_f"]
"""At the faces between them."""

Particles = Float[Array, " n_e"]
"""Of the particles."""

AnyParticles = Float[Array, "*n n_e"]
"""Of the particles, which come last."""

Each = Float[Array, "*#n"]
"""Taken element by element: shapes that broadcast together."""
