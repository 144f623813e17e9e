"""Charge transfer at the particle surface."""

import abc

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from .._constants import F, R


class AbstractKinetics(eqx.Module):
    """A form of charge-transfer kinetics.

    A form is given as a residual in volts, so that it stays well scaled where currents
    are exponentially large or exchange currents exponentially small (deep cold).
    """

    @abc.abstractmethod
    def residual(self, j: Array, eta: Array, j_0: Array, T: Array) -> Array:
        """Zero where interfacial current `j` and overpotential `eta` belong together.

        Args:
            j: interfacial current density, positive on oxidation [A.m-2].
            eta: phi_s - phi_e - U - j R_film [V].
            j_0: exchange current density [A.m-2].
            T: temperature [K].

        Returns:
            residual [V].
        """


class ButlerVolmer(AbstractKinetics):
    """Symmetric Butler-Volmer, j = 2 j_0 sinh(F eta / 2RT), solved for eta.

    Reference: Newman and Thomas-Alyea, Electrochemical Systems, 3rd ed., eq. 8.24 with
    transfer coefficients of one half.
    """

    def residual(self, j: Array, eta: Array, j_0: Array, T: Array) -> Array:
        return eta - 2.0 * R * T / F * jnp.arcsinh(j / (2.0 * j_0))


def exchange_current(k_0: Array, c_e_ratio: Array, sto: Array, c_max: Array) -> Array:
    """j_0 = F k_0 c_max sqrt(c_e/c_e0) sqrt(x (1-x)) [A.m-2].

    Args:
        k_0: rate constant [m.s-1].
        c_e_ratio: salt concentration over its initial value [-].
        sto: surface stoichiometry x [-].
        c_max: site density [mol.m-3].
    """
    sites = _root(sto, 3e-5) * _root(1.0 - sto, 3e-5)
    return F * k_0 * c_max * (_root(c_e_ratio, 3e-4) * sites + 1e-20)


def _root(x: Array, end: float) -> Array:
    """sqrt(x) for x above `end`; below it falls exponentially to zero.

    The infinite slope of the square root at zero would let a linearly implicit step
    overshoot into negative concentrations.
    """
    z = x / end
    # Softplus; where the exponential underflows it is zero all the same, only slower.
    tail = jnp.log1p(jnp.exp(-jnp.minimum(jnp.abs(z), 700.0)))
    positive = end * (jnp.maximum(z, 0.0) + tail)
    return positive / jnp.sqrt(jnp.sqrt(positive * positive + end * end))
