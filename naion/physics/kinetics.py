"""Charge transfer at the particle surface."""

import abc
from typing import ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from .._constants import F, R
from .._shapes import Alike, Each, Scalar
from ..properties import Property
from .electrolyte import above_zero


class Interface(NamedTuple):
    """What a reaction sees of its surroundings.

    Attributes:
        k_0: rate constant [m.s-1].
        c_e: salt concentration over its initial value.
        x: surface stoichiometry.
        x_mean: mean stoichiometry of the particle, where a form asks for it; else as `x`.
        c_max: site density [mol.m-3].
        T: temperature [K].
        salt: its concentration [mol.m-3].
    """

    k_0: Each
    c_e: Each
    x: Each
    x_mean: Each
    c_max: Each
    T: Each
    salt: Each


class AbstractKinetics(eqx.Module):
    """A form of charge-transfer kinetics.

    A form is given as a residual in volts, so that it stays well scaled where currents
    are exponentially large or exchange currents exponentially small (deep cold).
    """

    uses_mean: ClassVar[bool] = False
    """Whether the form asks for the particles' mean stoichiometry."""

    @abc.abstractmethod
    def residual(self, j: Each, eta: Each, at: Interface) -> Each:
        """Zero where interfacial current `j` and overpotential `eta` belong together.

        Args:
            j: intercalation current density, positive on oxidation [A.m-2].
            eta: phi_s - phi_e - U - j R_film [V].
            at: surroundings.

        Returns:
            residual [V].
        """


class ButlerVolmer(AbstractKinetics):
    """Symmetric Butler-Volmer, j = 2 j_0 sinh(F eta / 2RT), solved for eta.

    Reference: Newman and Thomas-Alyea, Electrochemical Systems, 3rd ed., eq. 8.24 with
    transfer coefficients of one half.
    """

    def residual(self, j: Each, eta: Each, at: Interface) -> Each:
        j_0 = exchange_current(at.k_0, at.c_e, at.x, at.c_max)
        return eta - 2.0 * R * at.T / F * jnp.arcsinh(j / (2.0 * j_0))


class AsymmetricButlerVolmer(AbstractKinetics):
    """j = j_0 (exp(a F eta/RT) - exp(-(1-a) F eta/RT)).

    j_0 = F k_0 c_max (c_e/c_e0)^a (1-x)^a x^(1-a).

    Attributes:
        anodic: transfer coefficient a.

    Reference: Newman and Thomas-Alyea, Electrochemical Systems, 3rd ed., eq. 8.24.
    """

    anodic: Scalar

    def residual(self, j: Each, eta: Each, at: Interface) -> Each:
        a, f_eta = self.anodic, F * eta / (R * at.T)
        salt, free = _power(at.c_e, 3e-4, a), _power(1.0 - at.x, 3e-5, a)
        sites = salt * free * _power(at.x, 3e-5, 1.0 - a)
        j_0 = F * at.k_0 * at.c_max * (sites + 1e-20)
        return _in_volts(_exp(a * f_eta) - _exp((a - 1.0) * f_eta), j / j_0, at.T)


class ChayambukaButlerVolmer(AbstractKinetics):
    """Butler-Volmer with mass transfer in each branch.

        j_0 = F k_0 c_max (1 - x_mean)^a x_mean^(1-a)
        j = j_0 (x/x_mean exp(a F eta/RT)
                 - (1-x)/(1-x_mean) c_e/c_e0 exp(-(1-a) F eta/RT))

    The mean concentration of the liquid is its initial one, as salt is conserved.

    Attributes:
        anodic: transfer coefficient a.

    Reference: Chayambuka et al. 2022, DOI 10.1016/j.electacta.2021.139764, as documented
    by BattMo.jl.
    """

    uses_mean: ClassVar[bool] = True

    anodic: Scalar

    def residual(self, j: Each, eta: Each, at: Interface) -> Each:
        a, f_eta = self.anodic, F * eta / (R * at.T)
        x, x_mean = _positive(at.x, 3e-5), _positive(at.x_mean, 3e-5)
        free, free_mean = _positive(1.0 - at.x, 3e-5), _positive(1.0 - at.x_mean, 3e-5)
        j_0 = F * at.k_0 * at.c_max * free_mean**a * x_mean ** (1.0 - a)
        out = x / x_mean * _exp(a * f_eta)
        into = free / free_mean * _positive(at.c_e, 3e-4) * _exp((a - 1.0) * f_eta)
        return _in_volts(out - into, j / j_0, at.T)


class MarcusHushChidsey(AbstractKinetics):
    """Marcus-Hush-Chidsey kinetics: the rate levels off at large overpotentials.

        j = j_0 g(h)/g'(0),   h = F eta/RT,   l = lambda/RT
        g = sqrt(pi l) tanh(h/2) erfc((l - sqrt(1 + sqrt(l) + h^2)) / (2 sqrt(l)))

    (within 13 % of the exact integral for l from 5 to 25), with the exchange current of
    the symmetric Butler-Volmer form, to which it tends at
    small h. Beyond the limiting current no overpotential suffices: the one given rises so
    steeply that the simulation ends at its cut-off.

    Attributes:
        reorganisation: energy lambda [J.mol-1].

    Reference: Zeng, Smith, Bai and Bazant, J. Electroanal. Chem. 735 (2014) 77,
    DOI 10.1016/j.jelechem.2014.09.038.
    """

    reorganisation: Scalar

    def residual(self, j: Each, eta: Each, at: Interface) -> Each:
        h = F * eta / (R * at.T)
        l = self.reorganisation / (R * at.T)

        def complement(h2: Alike) -> Alike:
            argument = (l - jnp.sqrt(1.0 + jnp.sqrt(l) + h2)) / (2.0 * jnp.sqrt(l))
            return 1.0 - jax.lax.erf(argument)

        # tanh(h/2) is h/2 at first.
        shape = 2.0 * jnp.tanh(0.5 * h) * complement(h * h) / complement(0.0 * l)
        j_0 = exchange_current(at.k_0, at.c_e, at.x, at.c_max)
        return _in_volts(shape, j / j_0, at.T) + 1e-2 * (eta - jnp.tanh(eta))


class MetalButlerVolmer(AbstractKinetics):
    """Plating and stripping of an electrode of metal, j = 2 j_0 sinh(F eta / 2RT).

    There is as much metal as is needed: j_0 is a function of salt and temperature alone.

    Attributes:
        exchange_current: j_0 as a function of the salt concentration [A.m-2].

    Reference: Newman and Thomas-Alyea, Electrochemical Systems, 3rd ed., eq. 8.24 with
    transfer coefficients of one half.
    """

    exchange_current: Property

    def residual(self, j: Each, eta: Each, at: Interface) -> Each:
        j_0 = self.exchange_current(above_zero(at.salt), at.T)
        return eta - 2.0 * R * at.T / F * jnp.arcsinh(j / (2.0 * j_0))


def _in_volts(rate: Each, wanted: Each, T: Each) -> Each:
    """How far a dimensionless rate is from the wanted one, as an overpotential [V].

    Exact for rates of the form 2 sinh(h/2), and of moderate slope for all others.
    """
    return 2.0 * R * T / F * (jnp.arcsinh(0.5 * rate) - jnp.arcsinh(0.5 * wanted))


def _exp(x: Alike) -> Alike:
    """Finite wherever an iteration strays."""
    return jnp.exp(jnp.clip(x, -300.0, 300.0))


def exchange_current(k_0: Each, c_e_ratio: Each, sto: Each, c_max: Each) -> Each:
    """j_0 = F k_0 c_max sqrt(c_e/c_e0) sqrt(x (1-x)) [A.m-2].

    Args:
        k_0: rate constant [m.s-1].
        c_e_ratio: salt concentration over its initial value [-].
        sto: surface stoichiometry x [-].
        c_max: site density [mol.m-3].
    """
    sites = _root(sto, 3e-5) * _root(1.0 - sto, 3e-5)
    return F * k_0 * c_max * (_root(c_e_ratio, 3e-4) * sites + 1e-20)


def _root(x: Alike, end: float) -> Alike:
    """sqrt(x) for x above `end`; below it falls exponentially to zero.

    The infinite slope of the square root at zero would let a linearly implicit step
    overshoot into negative concentrations.
    """
    positive = _positive(x, end)
    return positive / jnp.sqrt(jnp.sqrt(positive * positive + end * end))


def _power(x: Alike, end: float, exponent: Scalar) -> Alike:
    """x^exponent, for exponents of 0 to 1, in the same way."""
    positive = _positive(x, end)
    return positive / (positive * positive + end * end) ** (0.5 * (1.0 - exponent))


def _positive(x: Alike, end: float) -> Alike:
    """x above `end`; below it falls exponentially to zero."""
    z = x / end
    # Softplus; where the exponential underflows it is zero all the same, only slower.
    tail = jnp.log1p(jnp.exp(-jnp.minimum(jnp.abs(z), 700.0)))
    return end * (jnp.maximum(z, 0.0) + tail)
