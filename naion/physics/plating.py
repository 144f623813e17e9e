"""Plating and stripping of the metal on the negative electrode."""

import jax.numpy as jnp
from jaxtyping import Array

from .._constants import F, R


def current(
    eta: Array,
    plated: Array,
    c_e: Array,
    T: Array,
    rate_constant: Array,
    transfer: Array,
    saturation: Array,
) -> Array:
    """Current density of the metal's own reaction, negative when it plates [A.m-2].

        j_pl = F k_pl (c_0 m strip - c_e exp(-a F eta/RT)),   c_0 = 1000 mol.m-3
        m = plated / (plated + saturation)
        strip = e / (1 + e / 100),   e = exp((1-a) F eta/RT)

    Stripping is limited by the metal that there is and, at some 0.2 V, to a hundred times
    the exchange current: ions have to leave, and traces of metal far above their
    potential must not carry unbounded currents.

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
    metal = _positive(plated, saturation)
    faster = _exp((1.0 - transfer) * f_eta)
    strips = c_0 * metal / (metal + saturation) * faster / (1.0 + faster / FASTEST)
    plates = c_e * _exp(-transfer * f_eta)
    return F * rate_constant * (strips - plates)


FASTEST = 100.0
"""Fastest stripping of much metal over the exchange current."""


def _exp(x: Array) -> Array:
    """Finite wherever an iteration strays."""
    return jnp.exp(jnp.minimum(x, 100.0))


def _positive(x: Array, size: Array) -> Array:
    """x, but never below zero; smooth on the scale of `size` / 100."""
    small = 1e-2 * size
    return 0.5 * (x + jnp.sqrt(x * x + small * small) - small)
