"""Charge stored at the particle surfaces."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._shapes import Alike, Each, Scalar
from .surface import AbstractSurfaceProcess

AT = 10.0
"""Frequency at which capacitances hold where none is given [Hz]: amid the arcs of charge
transfer of most cells (assumed)."""


class DoubleLayer(AbstractSurfaceProcess):
    """What the reactions leave of the current charges a capacitor; in impedance spectra a
    constant-phase element, whose arcs are depressed:

        Y = i omega C_dl (i f/f_0)^(alpha - 1) = Q (i omega)^alpha,
        Q = C_dl (2 pi f_0)^(1 - alpha)

    At the frequency f_0 it takes as much current as the capacitor, whatever the exponent.
    With f_0 at the top of the arc of a resistance R in parallel, f_0 = 1/(2 pi R C_dl), the
    arc is R/(1 + (i omega R C_dl)^alpha), and C_dl the effective capacitance
    Q^(1/alpha) R^(1/alpha - 1) of Hsu and Mansfeld: what the arc tells of C_dl then hardly
    depends on what it tells of alpha. Q is a number of the surface: it does not change with
    R, and so not with temperature nor with the state of charge.

    In time a constant-phase element remembers all that was; there the layer is the
    capacitor C_dl, whatever the exponent.

    Reference: Brug, van den Eeden, Sluyters-Rehbach and Sluyters, J. Electroanal. Chem.
    176 (1984) 275, DOI 10.1016/S0022-0728(84)80324-1; Hsu and Mansfeld, Corrosion 57
    (2001) 747, DOI 10.5006/1.3280607.

    Attributes:
        capacitance: C_dl, for each area of particle [F.m-2].
        exponent: alpha, 0.5 to 1; 1: a capacitor [-].
        reference_frequency: f_0, at which `capacitance` holds; of no consequence for a
            capacitor [Hz].
    """

    capacitance: Float[Array, ""]
    exponent: Float[Array, ""] = eqx.field(
        default_factory=lambda: jnp.asarray(1.0, float)
    )
    reference_frequency: Float[Array, ""] = eqx.field(
        default_factory=lambda: jnp.asarray(AT, float)
    )

    def differential_capacitance(self, drop: Alike, T: Scalar) -> Each:
        return self.capacitance

    def dispersion(self, frequency: Scalar) -> Scalar:
        turned = jnp.log(frequency / self.reference_frequency) + 0.5j * jnp.pi
        return jnp.exp((self.exponent - 1.0) * turned)
