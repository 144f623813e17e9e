"""Salt and charge in the liquid: concentrated-solution theory on finite volumes."""

from typing import NamedTuple

import jax.numpy as jnp

from .._constants import F, R
from .._shapes import Alike, Each


class FaceFlux(NamedTuple):
    """Fluxes through the faces between neighbouring volumes.

    Attributes:
        salt: N_e [mol.m-2.s-1].
        current: i_e [A.m-2].
    """

    salt: Each
    current: Each


def face_flux(
    c_left: Each,
    c_right: Each,
    dphi: Each,
    D_e: Each,
    kappa: Each,
    kappa_over_c: Each,
    t_plus: Each,
    chi: Each,
    T: Each,
) -> FaceFlux:
    """Salt flux and current through the faces between neighbouring volumes.

        i_e = B (-kappa dphi_e/dx + 2RT/F (1 - t+) chi (kappa/c_e) dc_e/dx)
        N_e = -B D_e dc_e/dx + t+ i_e / F

    Properties are means over the concentrations between the neighbours. (A harmonic mean
    of kappa would block the current next to volumes that run out of salt. A mean of
    kappa times a difference of ln(c_e) would drive currents without bound there: kappa/c_e
    stays finite.)

    Args:
        c_left, c_right: concentrations of the neighbours, `above_zero` [mol.m-3].
        dphi: phi_e right minus left [V].
        D_e: B D_e / dx [m.s-1].
        kappa: B kappa / dx [S.m-2].
        kappa_over_c: B kappa / (c_e dx) [S.m.mol-1].
        t_plus: cation transference number.
        chi: thermodynamic factor 1 + dln f/dln c.
        T: temperature [K].

    Reference: Newman and Thomas-Alyea, Electrochemical Systems, 3rd ed., eqs. 12.8
    and 22.12.
    """
    dc = c_right - c_left
    diffusion = 2.0 * R * T / F * (1.0 - t_plus) * chi * kappa_over_c * dc
    current = diffusion - kappa * dphi
    salt = -D_e * dc + t_plus * current / F
    return FaceFlux(salt, current)


def above_zero(c: Alike) -> Alike:
    """c [mol.m-3], but never below zero: properties are not defined there."""
    return 0.5 * (c + jnp.sqrt(c * c + 1e-4))
