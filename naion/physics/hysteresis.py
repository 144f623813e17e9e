"""Open-circuit potentials that depend on where the electrode came from."""

import jax.numpy as jnp
from jaxtyping import Array


def rate(h: Array, j: Array, speed: Array, decay: Array, threshold: Array) -> Array:
    """dh/dt = gamma |dx/dt| (s - h) [s-1], with s and |j| smooth around j = 0.

        s = tanh(j / j_s),   |j| = j tanh(j / j_s)

    The state h goes to +1 while the electrode gives sodium off and to -1 while it takes
    sodium up; at rest it stays. The potential is U(x) + h H(x).

    Args:
        h: state, -1 to 1.
        j: intercalation current density [A.m-2].
        speed: |dx/dt| per current density [m2.A-1.s-1].
        decay: gamma; the loop closes over a change of composition of about 1/gamma.
        threshold: j_s [A.m-2].

    Reference: the one-state model of Plett, Battery Management Systems I (2015), sec. 2.10,
    with the current replaced by the rate of change of composition.
    """
    sign = jnp.tanh(j / threshold)
    return decay * speed * j * sign * (sign - h)
