"""Temperature laws: dimensionless factors that are one at the reference temperature."""

import abc

import equinox as eqx
import jax.numpy as jnp

from .._constants import R
from .._shapes import Alike, Scalar


class AbstractTemperatureLaw(eqx.Module):
    """A factor in temperature."""

    @abc.abstractmethod
    def __call__(self, T: Alike) -> Alike:
        """The factor at temperature `T` [K]."""


class Invariant(AbstractTemperatureLaw):
    """No dependence on temperature."""

    def __call__(self, T: Alike) -> Alike:
        return jnp.ones_like(T)


class Arrhenius(AbstractTemperatureLaw):
    """exp(E/R (1/T_ref - 1/T)).

    Attributes:
        energy: activation energy E [J.mol-1]; negative for a resistance.
        reference: T_ref [K].
    """

    energy: Scalar
    reference: Scalar

    def __call__(self, T: Alike) -> Alike:
        return jnp.exp(self.energy / R * (1.0 / self.reference - 1.0 / T))


class VTF(AbstractTemperatureLaw):
    """Vogel-Tammann-Fulcher, exp(B (1/(T_ref - T_0) - 1/(T - T_0))).

    Attributes:
        pseudo_energy: B [K].
        vogel: T_0 [K].
        reference: T_ref [K].
        times_temperature: multiply by T / T_ref (for diffusivities).
    """

    pseudo_energy: Scalar
    vogel: Scalar
    reference: Scalar
    times_temperature: bool = eqx.field(static=True, default=False)

    def __call__(self, T: Alike) -> Alike:
        warm = 1.0 / (self.reference - self.vogel)
        factor = jnp.exp(self.pseudo_energy * (warm - 1.0 / (T - self.vogel)))
        return factor * (T / self.reference) if self.times_temperature else factor


class Freezing(AbstractTemperatureLaw):
    """A law times (1 - s)^b below the liquidus, where a share s of the liquid is solid.

    s = d / (d + span), with d the distance below the liquidus, softened over a kelvin.

    Attributes:
        base: the law of the liquid.
        liquidus: [K].
        span: below the liquidus, where half is solid [K].
        exponent: b, of transport in what is left.
    """

    base: AbstractTemperatureLaw
    liquidus: Scalar
    span: Scalar
    exponent: Scalar

    def __call__(self, T: Alike) -> Alike:
        below = jnp.logaddexp(0.0, self.liquidus - T)
        return self.base(T) * (self.span / (self.span + below)) ** self.exponent


class BeyondTests(AbstractTemperatureLaw):
    """A law that goes on beyond the temperatures of tests with more activation energy.

    base(T) exp(E/R (1/T' - 1/T)), where T' is T held between the lowest and the highest
    temperature of the tests: between them it is the law.

    Attributes:
        base: the law that was fitted to the tests.
        lowest, highest: temperatures of the tests [K].
        energy: E, what is added to the activation energy beyond them [J.mol-1].
    """

    base: AbstractTemperatureLaw
    lowest: Scalar
    highest: Scalar
    energy: Scalar

    def __call__(self, T: Alike) -> Alike:
        tested = jnp.clip(T, self.lowest, self.highest)
        return self.base(T) * jnp.exp(self.energy / R * (1.0 / tested - 1.0 / T))
