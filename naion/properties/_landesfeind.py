"""Electrolyte laws in concentration and temperature together.

Landesfeind and Gasteiger, J. Electrochem. Soc. 166 (2019) A3079, DOI 10.1149/2.0571912jes:
conductivity, diffusivity, transference number and thermodynamic factor of LiPF6 in three
solvents; NaPF6 was measured with the same method (J. Electrochem. Soc. 168 (2021) 040538).
"""

import abc

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._shapes import Alike, Scalar
from ._curves import AbstractCurve

LEAST = 0.5
"""Of 1 + T - p2 in the conductivity [K]: reached at about -46 degC in EC:EMC."""


class AbstractLandesfeind(AbstractCurve):
    """A law with coefficients p, at a temperature that `at` sets; m = c / (1 mol/L)."""

    p: Float[Array, " n"]
    T: Scalar = eqx.field(default_factory=lambda: jnp.asarray(298.15, float))

    def at(self, T: Scalar) -> AbstractCurve:
        return type(self)(self.p, T)

    def __call__(self, x: Alike) -> Alike:
        return self.law(x / 1000.0)

    @abc.abstractmethod
    def law(self, m: Alike) -> Alike:
        """The value at molarity `m`, of any shape."""

    def prepared(self) -> AbstractCurve:
        return self


class LandesfeindConductivity(AbstractLandesfeind):
    """p1 (1 + T - p2) m (1 + p3 sqrt(m) + p4 (1 + p5 e) m) / (1 + p6 e m^4) with
    e = exp(1000 K / T), in mS/cm; called, in S/m. p is (6,).
    """

    def law(self, m: Alike) -> Alike:
        p1, p2, p3, p4, p5, p6 = self.p
        e = jnp.exp(1000.0 / self.T)
        root = jnp.sqrt(jnp.maximum(m, 1e-9))
        above = 1.0 + p3 * root + p4 * (1.0 + p5 * e) * m
        # The fit, from 263 to 323 K, vanishes below; what is left there is a floor.
        warm = jnp.maximum(1.0 + self.T - p2, LEAST)
        return 0.1 * p1 * warm * m * above / (1.0 + p6 * e * m**4)


class LandesfeindDiffusivity(AbstractLandesfeind):
    """1e-10 p1 exp(p2 m) exp(p3 / T) exp(p4 m / T) [m2/s]. p is (4,)."""

    def law(self, m: Alike) -> Alike:
        p1, p2, p3, p4 = self.p
        return 1e-10 * p1 * jnp.exp(p2 * m + p3 / self.T + p4 * m / self.T)


class LandesfeindPolynomial(AbstractLandesfeind):
    """p1 + p2 m + p3 T + p4 m2 + p5 m T + p6 T2 + p7 m3 + p8 m2 T + p9 m T2: transference
    number, thermodynamic factor. p is (9,).
    """

    def law(self, m: Alike) -> Alike:
        p, T = self.p, self.T
        constant = p[0] + p[2] * T + p[5] * T**2
        linear = p[1] + p[4] * T + p[8] * T**2
        return constant + m * (linear + m * (p[3] + p[7] * T + m * p[6]))
