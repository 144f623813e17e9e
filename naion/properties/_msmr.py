"""Open-circuit potentials from the multi-species multi-reaction model (MSMR)."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._constants import F, R
from ._curves import AbstractCurve, PiecewiseCubic, piecewise_cubic

REFERENCE = 298.15
"""Temperature at which widths are given [K]."""

_ITERATIONS = 80
_FINE = 2000


class MSMR(AbstractCurve):
    """U(x) of a host whose sites fill by several reactions.

        x(U) = sum_j X_j / (1 + exp(F (U - U0_j) / (R T omega_j)))

    Called, it solves x(U) = x by a Newton iteration between bounds; a simulation uses
    cubics through points of the explicit x(U) (`prepared`).

    Attributes:
        potential: U0 of each reaction [V], (n,).
        width: omega, (n,).
        amount: X, (n,).
        knots: points of the prepared curve.

    Reference: Verbrugge, Baker, Koch, Xiao and Gu, J. Electrochem. Soc. 164 (2017) E3243,
    DOI 10.1149/2.0341708jes.
    """

    potential: Float[Array, " n"]
    width: Float[Array, " n"]
    amount: Float[Array, " n"]
    knots: int = eqx.field(static=True, default=250)

    def composition(self, U: Array) -> Array:
        """x at potential `U` [V], of any shape."""
        return jnp.sum(self.amount * jax.nn.sigmoid(-self._driven(U)), axis=-1)

    def slope(self, U: Array) -> Array:
        """dx/dU at potential `U` [V-1], negative."""
        full = jax.nn.sigmoid(-self._driven(U))
        sharp = self.amount * F / (R * REFERENCE * self.width)
        return -jnp.sum(sharp * full * (1.0 - full), axis=-1)

    def _driven(self, U: Array) -> Array:
        return F * (U[..., None] - self.potential) / (R * REFERENCE * self.width)

    def _bounds(self) -> tuple[Array, Array]:
        """Potentials between which all but a thousandth of the sites fill [V]."""
        reach = 12.0 * R * REFERENCE / F * self.width
        return jnp.min(self.potential - reach), jnp.max(self.potential + reach)

    def __call__(self, x: Array) -> Array:
        x = jnp.asarray(x, float)
        target = jax.lax.stop_gradient(x)
        known = jax.lax.stop_gradient(self)

        def better(_, state):
            low, high, U = state
            excess = known.composition(U) - target
            # x falls with U: too much x means that U lies too low.
            low, high = jnp.where(excess > 0, U, low), jnp.where(excess > 0, high, U)
            newton = U - excess / known.slope(U)
            inside = (newton > low) & (newton < high)
            return low, high, jnp.where(inside, newton, 0.5 * (low + high))

        low, high = (jnp.broadcast_to(b, x.shape) for b in known._bounds())
        state = low, high, 0.5 * (low + high)
        _, _, U = jax.lax.fori_loop(0, _ITERATIONS, better, state)
        # One more step carries the derivatives (implicit function theorem).
        return U - (self.composition(U) - x) / known.slope(U)

    def prepared(self) -> PiecewiseCubic:
        U = self.knot_potentials()
        slope = 1.0 / self.slope(U)
        return piecewise_cubic(self.composition(U), U, slope[:-1], slope[1:], 1.0)

    def knot_potentials(self) -> Array:
        """Falling, where either the potential or the composition has moved on [V]."""
        known = jax.lax.stop_gradient(self)
        low, high = known._bounds()
        fine = jnp.linspace(high, low, _FINE)
        x = known.composition(fine)
        moved = (x - x[0]) / (x[-1] - x[0]) + (fine - high) / (low - high)
        return jnp.interp(jnp.linspace(0.0, 2.0, self.knots), moved, fine)

    def part(self, reactions: tuple[int, ...]) -> "MSMR":
        """The host with some of its reactions alone."""
        at = np.asarray(reactions)
        return MSMR(self.potential[at], self.width[at], self.amount[at], self.knots)


class WholeOfPart(AbstractCurve):
    """Composition of a host whose part has composition x, both at one potential.

    Attributes:
        host: all reactions.
        part: some of them.
    """

    host: MSMR
    part: MSMR

    def __call__(self, x: Array) -> Array:
        return self.host.composition(self.part(x))

    def prepared(self) -> PiecewiseCubic:
        U = self.part.knot_potentials()
        slope = self.host.slope(U) / self.part.slope(U)
        x, y = self.part.composition(U), self.host.composition(U)
        return piecewise_cubic(x, y, slope[:-1], slope[1:], 1.0)
