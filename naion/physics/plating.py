"""Plating and stripping of the metal on the negative electrode."""

from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array

from .._constants import F, R
from .._shapes import Alike, Each, Scalar
from ..properties import Property
from .surface import AbstractSurfaceProcess, Named, Surface, Unknown, per_charge


class Plating(AbstractSurfaceProcess):
    """Plating and stripping of the metal beside intercalation.

    Attributes:
        rate_constant: k_pl, a function of temperature [m.s-1].
        transfer: cathodic transfer coefficient.
        saturation: amount of metal at which stripping is half limited, in units of the
            electrode's sites.
        loss: rate at which metal loses contact [s-1].
    """

    rate_constant: Property
    transfer: Scalar
    saturation: Scalar
    loss: Scalar

    unknowns: ClassVar = (
        Unknown("plated", 10.0, sodium=1.0, title="Plated metal over sites"),
        Unknown("dead", 10.0, sodium=1.0, title="Metal without contact over sites"),
    )

    def current(self, u: Named, at: Surface) -> Each:
        k = self.rate_constant(at.T, at.T)
        metal = u["plated"], at.salt, at.T
        return current(at.drop, *metal, k, self.transfer, self.saturation)

    def rates(self, u: Named, at: Surface) -> dict[str, Array]:
        dead = self.loss * u["plated"]
        plated = -per_charge(at.sites) * self.current(u, at) - dead
        return {"plated": plated, "dead": dead}


def current(
    eta: Each,
    plated: Each,
    c_e: Each,
    T: Each,
    rate_constant: Each,
    transfer: Each,
    saturation: Each,
) -> Each:
    """Current density of the metal's own reaction, negative when it plates [A.m-2].

        j_pl = F k_pl (c_0 m e_a - c_e e_c) / sqrt(1 + (e_a / 100)^2),   c_0 = 1000 mol.m-3
        m = plated / (plated + saturation)
        e_a = exp((1-a) F eta/RT),   e_c = exp(-a F eta/RT)

    Stripping is limited by the metal that there is. Some 0.2 V above the metal's potential
    the whole reaction is slowed to a hundred times the exchange current: ions have to leave,
    and traces of metal far above their potential must not carry unbounded currents. What is
    slowed are both directions, so that the metal in equilibrium is that of the reversible
    form; it is reached within minutes there.

    Args:
        eta: phi_s - phi_e - j R_film against the metal [V].
        plated: amount of metal, in units of the electrode's sites.
        c_e: salt concentration [mol.m-3].
        T: temperature [K].
        rate_constant: k_pl [m.s-1].
        transfer: cathodic transfer coefficient a.
        saturation: amount of metal at which stripping is half limited.

    Reference: the reversible form of O'Kane et al., J. Electrochem. Soc. 167 (2020)
    090540, DOI 10.1149/1945-7111/ab90ac.
    """
    c_0 = 1000.0
    f_eta = F * eta / (R * T)
    # Odd: what an error of integration takes below zero is plated again.
    metal = plated / (jnp.abs(plated) + saturation)
    faster = _exp((1.0 - transfer) * f_eta)
    net = c_0 * metal * faster - c_e * _exp(-transfer * f_eta)
    return F * rate_constant * net / jnp.hypot(1.0, faster / FASTEST)


FASTEST = 100.0
"""Fastest stripping of much metal over the exchange current."""


def _exp(x: Alike) -> Alike:
    """Finite wherever an iteration strays."""
    return jnp.exp(jnp.minimum(x, 100.0))
