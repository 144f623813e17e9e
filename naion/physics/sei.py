"""Growth of the solid-electrolyte interphase (SEI) on the negative electrode.

Forms and symbols as collected by Single, Latz and Horstmann, ChemSusChem 11 (2018) 1950,
DOI 10.1002/cssc.201800077. Each law gives the current density of the reaction, negative
(a reduction), for a film of thickness L.
"""

import abc
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from .._constants import F, R
from .._shapes import Alike, Each, Scalar
from ..properties import Property
from .surface import AbstractSurfaceProcess, Named, Surface, Unknown, per_charge


class AbstractGrowth(eqx.Module):
    """A law of growth."""

    @abc.abstractmethod
    def current(self, across: Each, drop: Each, thickness: Each, T: Scalar) -> Each:
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

    def current(self, across: Each, drop: Each, thickness: Each, T: Scalar) -> Each:
        exponent = -self.transfer * F * (drop - self.potential) / (R * T)
        return -F * self.rate * jnp.exp(jnp.minimum(exponent, 100.0))


class SolventDiffusion(AbstractGrowth):
    """j = -F D_sol c_sol / L: solvent comes through the film.

    Attributes:
        permeability: D_sol c_sol [mol.m-1.s-1].
    """

    permeability: Scalar

    def current(self, across: Each, drop: Each, thickness: Each, T: Scalar) -> Each:
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

    def current(self, across: Each, drop: Each, thickness: Each, T: Scalar) -> Each:
        exponent = jnp.minimum(-F * across / (R * T), 100.0)
        return -F * self.permeability / thickness * jnp.exp(exponent)


class Warmed(AbstractGrowth):
    """Another law, faster where it is warmer: times exp(-E/R (1/T - 1/298.15)).

    Attributes:
        growth: the law at 25 degC.
        energy: E [J.mol-1].
    """

    growth: AbstractGrowth
    energy: Scalar

    def current(self, across: Each, drop: Each, thickness: Each, T: Scalar) -> Each:
        warm = jnp.exp(-self.energy / R * (1.0 / T - 1.0 / 298.15))
        return warm * self.growth.current(across, drop, thickness, T)


class SEI(AbstractSurfaceProcess):
    """A growing film on the particles.

    Attributes:
        growth: the law.
        thickness: of the fresh cell [m].
        conductivity: ionic, a function of temperature [S.m-1].
        molar_volume: [m3.mol-1].
        electrons: for each unit of SEI.
        dissolution: rate [s-1].
        inner_thickness: what does not dissolve [m].
        grown: what the film of an aged cell has on top of `thickness` at the start [m].
    """

    growth: AbstractGrowth
    thickness: Scalar
    conductivity: Property
    molar_volume: Scalar
    electrons: Scalar
    dissolution: Scalar
    inner_thickness: Scalar
    grown: Scalar | float = 0.0

    unknowns: ClassVar = (
        Unknown("sei", 0.1, title="SEI thickness over initial"),
        Unknown("lost", 10.0, sodium=1.0, title="Sodium in the SEI over sites"),
    )

    def start(self, x: Alike, T: Scalar) -> dict[str, Array]:
        film = 1.0 + self.grown / self.thickness
        return {"sei": film * jnp.ones_like(x), "lost": jnp.zeros_like(x)}

    def current(self, u: Named, at: Surface) -> Each:
        return self.growth.current(at.across, at.drop, u["sei"] * self.thickness, at.T)

    def rates(self, u: Named, at: Surface) -> dict[str, Array]:
        j = self.current(u, at)
        grows = rate(
            j,
            u["sei"] * self.thickness,
            self.molar_volume,
            self.electrons,
            self.dissolution,
            self.inner_thickness,
        )
        return {"sei": grows / self.thickness, "lost": -per_charge(at.sites) * j}

    def resistance(self, u: Named, T: Scalar) -> Each:
        return u["sei"] * self.thickness / self.conductivity(T, T)

    def film(self, u: Named) -> Each:
        return self.thickness * (u["sei"] - 1.0)


def rate(
    current: Each,
    thickness: Each,
    molar_volume: Each,
    electrons: Each,
    dissolution: Each,
    inner_thickness: Each,
) -> Each:
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
