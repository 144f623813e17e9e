"""Growth of the solid-electrolyte interphase (SEI) on the negative electrode.

Forms and symbols as collected by Single, Latz and Horstmann, ChemSusChem 11 (2018) 1950,
DOI 10.1002/cssc.201800077. Each law gives the current density of the reaction, negative
(a reduction), for a film of thickness L.
"""

import abc

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._constants import F, R

Scalar = Float[Array, ""]


class AbstractGrowth(eqx.Module):
    """A law of growth."""

    @abc.abstractmethod
    def current(self, across: Array, drop: Array, thickness: Array, T: Array) -> Array:
        """Current density of SEI formation, negative [A.m-2].

        Args:
            across: phi_s - phi_e [V].
            drop: phi_s - phi_e - j R_film [V].
            thickness: L [m].
            T: temperature [K].
        """


class ReactionLimited(AbstractGrowth):
    """j = -F k c_sol exp(-a F (drop - U_SEI) / RT).

    Attributes:
        rate: k c_sol [mol.m-2.s-1].
        transfer: a.
        potential: U_SEI [V].
    """

    rate: Scalar
    transfer: Scalar
    potential: Scalar

    def current(self, across: Array, drop: Array, thickness: Array, T: Array) -> Array:
        exponent = -self.transfer * F * (drop - self.potential) / (R * T)
        return -F * self.rate * jnp.exp(jnp.minimum(exponent, 100.0))


class SolventDiffusion(AbstractGrowth):
    """j = -F D_sol c_sol / L: solvent comes through the film.

    Attributes:
        permeability: D_sol c_sol [mol.m-1.s-1].
    """

    permeability: Scalar

    def current(self, across: Array, drop: Array, thickness: Array, T: Array) -> Array:
        return -F * self.permeability / thickness * jnp.ones_like(across)


class Interstitial(AbstractGrowth):
    """j = -F D_int c_int exp(-F (phi_s - phi_e) / RT) / L: neutral interstitials come
    through it.

    Depends on the state of charge, by the potential of the electrode against the liquid
    outside, as published (for storage, without current) and as PyBaMM has it: the film's
    own drop j R_film is not taken off.

    Attributes:
        permeability: D_int c_int at phi_s = phi_e [mol.m-1.s-1].
    """

    permeability: Scalar

    def current(self, across: Array, drop: Array, thickness: Array, T: Array) -> Array:
        exponent = jnp.minimum(-F * across / (R * T), 100.0)
        return -F * self.permeability / thickness * jnp.exp(exponent)


def rate(
    current: Array,
    thickness: Array,
    molar_volume: Array,
    electrons: Array,
    dissolution: Array,
    inner_thickness: Array,
) -> Array:
    """dL/dt = -V j / (z F) - k_diss (L - L_inner)+ [m.s-1].

    Args:
        current: of SEI formation, negative [A.m-2].
        thickness: L [m].
        molar_volume: V of the SEI [m3.mol-1].
        electrons: z, for each unit of SEI.
        dissolution: k_diss [s-1]; SEI of sodium dissolves more than that of lithium.
        inner_thickness: what does not dissolve [m].
    """
    outer = jnp.maximum(thickness - inner_thickness, 0.0)
    return -molar_volume * current / (electrons * F) - dissolution * outer
