"""Pores of hard carbon that fill from the other sites, with a finite rate."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array

from .._constants import F, R
from ..properties import MSMR, AbstractCurve, PiecewiseCubic, Table


class Exchange(NamedTuple):
    """How readily pores take sodium and give it, by their composition.

    Attributes:
        taking: sqrt(x_b (1 - x_b)) exp(z(U_b)).
        giving: sqrt(x_b (1 - x_b)) exp(-z(U_b)).
        middle: U_0 of z [V].
    """

    taking: AbstractCurve
    giving: AbstractCurve
    middle: Array


REACH = 5.0
"""Where F (U - U_0) / 2RT bends: a quarter of a volt from the plateau, where pores are
empty or full, rates would be those of nothing real, and too stiff for any integrator."""


def driving(U: Array, middle: Array, T: Array) -> Array:
    """z(U) = F (U - U_0) / 2RT near the plateau, bounded far from it."""
    return REACH * jnp.tanh(F * (U - middle) / (2.0 * R * T) / REACH)


def exchange(host: MSMR) -> Exchange:
    """Of pores with the reactions of `host`.

    Where pores are all but empty or full their potential has no bounds, but what they
    take and give has: products are tabulated, and not the potential.
    """
    sites = jnp.sum(host.amount)
    middle = host.amount @ host.potential / sites

    # Beyond empty nothing more is given, beyond full nothing more is taken; whatever
    # oversteps by an error of integration is driven back.
    def taking(host: MSMR, b: Array, U: Array) -> PiecewiseCubic:
        taken = room(b) * jnp.exp(driving(U, middle, host.T))
        table = Table(jnp.append(b[0] - 1.0, b), jnp.append(taken[0], taken))
        return table.prepared()

    def giving(host: MSMR, b: Array, U: Array) -> PiecewiseCubic:
        given = room(b) / jnp.exp(driving(U, middle, host.T))
        table = Table(jnp.append(b, b[-1] + 1.0), jnp.append(given, given[-1]))
        return table.prepared()

    def room(b: Array) -> Array:
        return jnp.sqrt(b / sites * (1.0 - b / sites))

    return Exchange(host.tabled(taking), host.tabled(giving), middle)


def filling(rate: Array, U_a: Array, b: Array, pores: Exchange, T: Array) -> Array:
    """S = k_pf sinh(z(U_b) - z(U_a)) sqrt(x_b (1 - x_b)) [s-1].

    Sodium moves to the sites of higher potential; z is F U / 2RT where pores fill.

    Args:
        rate: k_pf [s-1].
        U_a: potential of the other sites [V].
        b: composition of the pores, in units of all sites.
        pores: their curves.
        T: temperature [K].
    """
    lift = jnp.exp(driving(U_a, pores.middle, T))
    taking, giving = pores.taking.at(T), pores.giving.at(T)
    return 0.5 * rate * (taking(b) / lift - giving(b) * lift)
