"""Pores of hard carbon that fill from the other sites, with a finite rate."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp

from .._constants import F, R
from .._shapes import Alike, Scalar
from ..properties import (
    MSMR,
    AbstractCurve,
    PiecewiseCubic,
    Property,
    Table,
    WholeOfPart,
    prepare,
)
from .store import AbstractPopulations, AbstractStore


class Exchange(NamedTuple):
    """How readily pores take sodium and give it, by their composition.

    Attributes:
        taking: sqrt(x_b (1 - x_b)) exp(z(U_b)).
        giving: sqrt(x_b (1 - x_b)) exp(-z(U_b)).
        middle: U_0 of z [V].
    """

    taking: AbstractCurve
    giving: AbstractCurve
    middle: Scalar


REACH = 5.0
"""Where F (U - U_0) / 2RT bends: a quarter of a volt from the plateau, where pores are
empty or full, rates would be those of nothing real, and too stiff for any integrator."""


def driving(U: Alike, middle: Scalar, T: Scalar) -> Alike:
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
    def taking(host: MSMR, b: Alike, U: Alike) -> PiecewiseCubic:
        taken = room(b) * jnp.exp(driving(U, middle, host.T))
        table = Table(jnp.append(b[0] - 1.0, b), jnp.append(taken[0], taken))
        return table.cubics()

    def giving(host: MSMR, b: Alike, U: Alike) -> PiecewiseCubic:
        given = room(b) / jnp.exp(driving(U, middle, host.T))
        table = Table(jnp.append(b, b[-1] + 1.0), jnp.append(given, given[-1]))
        return table.cubics()

    def room(b: Alike) -> Alike:
        return jnp.sqrt(b / sites * (1.0 - b / sites))

    return Exchange(host.tabled(taking), host.tabled(giving), middle)


def filling(rate: Scalar, U_a: Alike, b: Alike, pores: Exchange, T: Scalar) -> Alike:
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


class PoreFilling(AbstractStore):
    """Two populations of sites: some take sodium from the surface, pores only from them.

    The open-circuit potential must be an `MSMR`; the reactions named here are those of
    the pores, all others the slope's. In equilibrium both have the same potential.

    Attributes:
        rate: k_pf of S = k_pf sinh(F (U_b - U_a) / 2RT) sqrt(x_b (1 - x_b)), the change
            of composition, a function of temperature [s-1].
        reactions: which of the `MSMR` are the pores'.
    """

    rate: Property
    reactions: tuple[int, ...] = eqx.field(static=True)

    def ready(self, ocp: Property) -> "SlopeAndPores":
        host = ocp.curve
        if not isinstance(host, MSMR):
            raise ValueError(
                "Pore filling needs an open-circuit potential of several reactions "
                f"(`MSMR`), got {type(host).__name__}."
            )
        n = host.amount.shape[0]
        rest = tuple(i for i in range(n) if i not in self.reactions)
        slope, filled = host.part(rest), host.part(self.reactions)
        whole = WholeOfPart(slope, filled)
        curves = prepare((self.rate, slope, exchange(filled), whole))
        return SlopeAndPores(*curves, host, (slope, filled))


class SlopeAndPores(AbstractPopulations):
    """Curves of a host whose pores fill from its other sites, the slope's.

    Attributes:
        rate: k_pf [s-1].
        slope: potential of the slope's sites by their composition [V].
        exchange: how readily pores take sodium and give it, by their composition.
        of_slope: composition of the host in equilibrium by the slope's.
        host: all reactions.
        parts: those of the slope's sites, and of the pores.
    """

    rate: Property
    slope: AbstractCurve
    exchange: Exchange
    of_slope: AbstractCurve
    host: MSMR
    parts: tuple[MSMR, MSMR]

    def split(self, x: Alike, T: Scalar) -> tuple[Alike, Alike]:
        # Particles of one material have one composition at rest.
        U = jnp.broadcast_to(self.host.at(T)(x[0]), x.shape)
        slope, filled = (part.at(T).composition(U) for part in self.parts)
        return slope, filled

    def whole(self, mobile: Alike, T: Scalar) -> Alike:
        return self.of_slope.at(T)(mobile)

    def potential(self, ocp: Property, mobile: Alike, T: Scalar) -> Alike:
        return ocp.scale * self.slope.at(T)(mobile)

    def filling(self, mobile: Alike, held: Alike, T: Scalar) -> Alike:
        U = self.slope.at(T)(mobile)
        return filling(self.rate(T, T), U, held, self.exchange, T)
