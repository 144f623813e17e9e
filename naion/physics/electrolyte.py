"""Salt and charge in the liquid: concentrated-solution theory on finite volumes."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array

from .._constants import F, R


class FaceFlux(NamedTuple):
    """Fluxes through the faces between neighbouring volumes.

    Attributes:
        salt: N_e [mol.m-2.s-1].
        current: i_e [A.m-2].
    """

    salt: Array
    current: Array


def half_resistance(dx: Array, transport_efficiency: Array, bulk: Array) -> Array:
    """Half a volume's resistance to transport, dx / (2 B k)."""
    return 0.5 * dx / (transport_efficiency * bulk)


def face_flux(
    resistance_D: tuple[Array, Array],
    resistance_kappa: tuple[Array, Array],
    c_e: tuple[Array, Array],
    dphi: Array,
    t_plus: Array,
    chi: Array,
    T: Array,
) -> FaceFlux:
    """Salt flux and current across faces, continuous across material interfaces.

        i_e = B kappa (-dphi_e/dx + 2RT/F (1 - t+) chi dln(c_e)/dx)
        N_e = -B D_e dc_e/dx + t+ i_e / F

    Half resistances in series are the harmonic mean, exact at an interface.

    Args:
        resistance_D: half resistances dx/(2 B D_e), left and right of each face.
        resistance_kappa: half resistances dx/(2 B kappa), left and right.
        c_e: concentrations left and right, `above_zero` [mol.m-3].
        dphi: phi_e right minus left [V].
        t_plus: cation transference number at the face.
        chi: thermodynamic factor 1 + dln f/dln c at the face.
        T: temperature [K].

    Reference: Newman and Thomas-Alyea, Electrochemical Systems, 3rd ed., eqs. 12.8
    and 22.12.
    """
    left, right = c_e
    dlnc = jnp.log(right) - jnp.log(left)
    drive = -dphi + 2.0 * R * T / F * (1.0 - t_plus) * chi * dlnc
    current = drive / (resistance_kappa[0] + resistance_kappa[1])
    salt = -(right - left) / (resistance_D[0] + resistance_D[1]) + t_plus * current / F
    return FaceFlux(salt, current)


def above_zero(c: Array) -> Array:
    """c [mol.m-3], but never below about 0.005: depleted salt still has a logarithm."""
    return 0.5 * (c + jnp.sqrt(c * c + 1e-4))
