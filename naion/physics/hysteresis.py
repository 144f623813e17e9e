"""Open-circuit potentials that depend on where the electrode came from."""

from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._shapes import Alike, Each, Scalar
from ..properties import Property
from .surface import AbstractSurfaceProcess, Named, Surface, Unknown, per_charge


class Hysteresis(AbstractSurfaceProcess):
    """Open-circuit potential U(x) + h H(x), with a state h from -1 to 1.

    Attributes:
        half_width: H, as a function of stoichiometry [V].
        decay: gamma; the loop closes over a change of composition of about 1/gamma.
        threshold: current density below which neither branch is followed [A.m-2].
        initial: h where a simulation starts.
    """

    half_width: Property
    decay: Float[Array, ""]
    threshold: Float[Array, ""]
    initial: Float[Array, ""]

    unknowns: ClassVar = (Unknown("hysteresis", 0.05, title="Hysteresis state"),)

    def start(self, x: Alike, T: Scalar) -> dict[str, Array]:
        return {"hysteresis": jnp.broadcast_to(self.initial, x.shape)}

    def rates(self, u: Named, at: Surface) -> dict[str, Array]:
        speed = per_charge(at.sites)
        h = rate(u["hysteresis"], at.j, speed, self.decay, self.threshold)
        return {"hysteresis": h}

    def potential(self, u: Named, x: Alike, T: Scalar) -> Alike:
        return u["hysteresis"] * self.half_width(x, T)


def rate(h: Each, j: Each, speed: Each, decay: Each, threshold: Each) -> Each:
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
