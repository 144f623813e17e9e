"""Loss of active material: particles that crack where they work at high potential."""

from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array

from .._constants import R
from .._shapes import Each, Scalar
from .surface import AbstractSurfaceProcess, Named, Surface, Unknown, per_charge

T_REFERENCE = 298.15


class Wear(AbstractSurfaceProcess):
    """Share of the particles that are lost, in proportion to the strain of their cycling.

        d worn/dt = k |dx/dt| s((phi_s - phi_e - U) / W) exp(-E/R (1/T - 1/298.15))

    with |dx/dt| = |j| / (F c_max R_p / 3), the rate of the mean stoichiometry, and s the
    logistic function: what is turned over above the threshold U counts. The share is
    counted here and taken off the active fraction between blocks of cycles (`naion.life`):
    a block is short enough that it changes nothing within.

    Attributes:
        rate: k, share lost for each site's worth of sodium turned over [-].
        threshold: U [V].
        width: W [V].
        energy: E [J.mol-1].
    """

    rate: Scalar
    threshold: Scalar
    width: Scalar
    energy: Scalar

    unknowns: ClassVar = (Unknown("worn", None, title="Share of particles lost"),)

    def rates(self, u: Named, at: Surface) -> dict[str, Array]:
        return {"worn": self._rate(at)}

    def _rate(self, at: Surface) -> Each:
        high = jax.nn.sigmoid((at.across - self.threshold) / self.width)
        warm = jnp.exp(-self.energy / R * (1.0 / at.T - 1.0 / T_REFERENCE))
        # A root that is smooth where the current turns: 1e-6 A.m-2 is a rest.
        size = jnp.sqrt(at.j**2 + 1e-12)
        return self.rate * warm * high * size * per_charge(at.sites)
