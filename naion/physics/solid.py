"""Diffusion in a sphere and electron conduction in the solid."""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._constants import F, R
from .._shapes import Alike, Scalar
from ..mesh import Shells


def shell_flux(
    sto_in: Alike, sto_out: Alike, diffusivity: Callable[[Array], Array], gap: Alike
) -> Alike:
    """-D_s dx/dr across the face between two shells [m.s-1].

    D_s is taken at the mean composition of the two shells.

    Args:
        sto_in: stoichiometry of the inner shells.
        sto_out: stoichiometry of the outer shells.
        diffusivity: D_s [m2.s-1] as a function of stoichiometry.
        gap: distance of the two nodes [m].
    """
    D_s = diffusivity(0.5 * (sto_in + sto_out))
    return -D_s * (sto_out - sto_in) / gap


def shell_flux_by_potential(
    sto_in: Alike,
    sto_out: Alike,
    mobility: Callable[[Array], Array],
    ocp: Callable[[Array], Array],
    gap: Alike,
    T: Scalar,
) -> Alike:
    """D_0 x (1-x) F/RT dU/dr across the face between two shells [m.s-1].

    Sodium moves down its chemical potential, mu = -F U: the diffusivity is
    D_s = D_0 x (1-x) F/RT (-dU/dx), and D_0 where U is that of an ideal solution. The
    potential must fall everywhere, or the composition parts.

    Args:
        sto_in: stoichiometry of the inner shells.
        sto_out: stoichiometry of the outer shells.
        mobility: D_0 [m2.s-1] as a function of stoichiometry.
        ocp: U [V] as a function of stoichiometry.
        gap: distance of the two nodes [m].
        T: temperature [K].

    Reference: Newman and Thomas-Alyea, Electrochemical Systems, 3rd ed., sec. 12.1.
    """
    x = 0.5 * (sto_in + sto_out)
    sites = jnp.maximum(x * (1.0 - x), 0.0)
    return mobility(x) * sites * F / (R * T) * (ocp(sto_out) - ocp(sto_in)) / gap


def shell_rates(
    flux: Float[Array, "faces n"],
    surface_flux: Float[Array, " n"],
    shells: Shells,
    radius: Float[Array, " n"],
) -> Float[Array, "faces+1 n"]:
    """dx/dt = -(1/r^2) d(r^2 N)/dr on control volumes [s-1].

    Args:
        flux: N through the inner faces, outwards, (n_r-1, n).
        surface_flux: N through the surface, outwards, (n,).
        shells: geometry of the unit sphere.
        radius: particle radius, (n,) [m].
    """
    through = jnp.asarray(shells.faces**2)[:, None] * flux
    zero = jnp.zeros_like(surface_flux)[None]
    through = jnp.concatenate([zero, through, surface_flux[None]])
    return -jnp.diff(through, axis=0) / (jnp.asarray(shells.volumes)[:, None] * radius)
