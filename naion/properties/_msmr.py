"""Open-circuit potentials from the multi-species multi-reaction model (MSMR)."""

import dataclasses
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._constants import F, R
from .._shapes import Alike, Scalar
from ._curves import AbstractCurve, PiecewiseCubic, piecewise_cubic
from ._in_temperature import REFERENCE, CubicsInTemperature, in_temperature

_ITERATIONS = 80
_IN_A_PIECE = 4
"""Newton steps from between two neighbouring points of a table."""

_FINE = 2000


class MSMR(AbstractCurve):
    """U(x) of a host whose sites fill by several reactions.

        x(U) = sum_j X_j / (1 + exp(F (U - U0_j) / (R T omega_j)))

    Called, it solves x(U) = x by a Newton iteration between bounds; a simulation uses
    cubics through points of the explicit x(U) (`prepared`). Both hold at the temperature
    that `at` sets.

    With constant U0, the potential has the entropic coefficient of its sites'
    configurations: dU/dT at constant x. It is part of the curve; a particle's `dudt` comes
    on top of it, as what the reactions' own potentials U0 add.

    Attributes:
        potential: U0 of each reaction [V], (n,).
        width: omega, (n,).
        amount: X, (n,).
        knots: points of the prepared curve.
        T: temperature [K].

    Reference: Verbrugge, Baker, Koch, Xiao and Gu, J. Electrochem. Soc. 164 (2017) E3243,
    DOI 10.1149/2.0341708jes.
    """

    potential: Float[Array, " n"]
    width: Float[Array, " n"]
    amount: Float[Array, " n"]
    knots: int = eqx.field(static=True, default=250)
    T: Scalar = eqx.field(default_factory=lambda: jnp.asarray(REFERENCE, float))

    def at(self, T: Scalar) -> "MSMR":
        return dataclasses.replace(self, T=T)

    def composition(self, U: Alike) -> Alike:
        """x at potential `U` [V], of any shape."""
        return self._filling(U)[0]

    def slope(self, U: Alike) -> Alike:
        """dx/dU at potential `U` [V-1], negative."""
        return self._filling(U)[1]

    def _filling(self, U: Alike) -> tuple[Alike, Alike]:
        """x and dx/dU at potential `U` [V]."""
        steep = F / (R * self.T * self.width)
        full = jax.nn.sigmoid(steep * (self.potential - U[..., None]))
        x = jnp.sum(self.amount * full, axis=-1)
        return x, -jnp.sum(self.amount * steep * full * (1.0 - full), axis=-1)

    def _bounds(self) -> tuple[Scalar, Scalar]:
        """Potentials between which all but a thousandth of the sites fill [V]."""
        reach = 12.0 * R * self.T / F * self.width
        return jnp.min(self.potential - reach), jnp.max(self.potential + reach)

    def __call__(self, x: Alike) -> Alike:
        x = jnp.asarray(x, float)
        ends = jax.lax.stop_gradient(self)._bounds()
        low, high = (jnp.broadcast_to(end, x.shape) for end in ends)
        return self._between(x, low, high, 0.5 * (low + high), _ITERATIONS)

    def _between(
        self, x: Alike, low: Alike, high: Alike, first: Alike, iterations: int
    ) -> Alike:
        """U at compositions `x` whose potentials lie between `low` and `high` [V], from
        a first guess.
        """
        target = jax.lax.stop_gradient(x)
        known = jax.lax.stop_gradient(self)

        def better(_, state):
            low, high, U, last = state
            x, slope = known._filling(U)
            excess = x - target
            # x falls with U: too much x means that U lies too low.
            low, high = jnp.where(excess > 0, U, low), jnp.where(excess > 0, high, U)
            newton = U - excess / slope
            # Steps that do not shrink may go to and fro between two sides for ever.
            good = (newton >= low) & (newton <= high)
            good = good & (jnp.abs(newton - U) <= 0.5 * last)
            new = jnp.where(good, newton, 0.5 * (low + high))
            return low, high, new, jnp.abs(new - U)

        state = low, high, first, 2.0 * (high - low)
        _, _, U, _ = jax.lax.fori_loop(0, iterations, better, state)
        # One more step carries the derivatives (implicit function theorem).
        found, slope = self._filling(U)
        return U - (found - x) / jax.lax.stop_gradient(slope)

    def prepared(self) -> AbstractCurve:
        def curve_at(host: MSMR, x: Alike, U: Alike) -> PiecewiseCubic:
            slope = 1.0 / host.slope(U)
            return piecewise_cubic(x, U, slope[:-1], slope[1:], 1.0)

        return self.tabled(curve_at).at(self.T)

    def tabled(
        self, curve_at: Callable[["MSMR", Array, Array], PiecewiseCubic]
    ) -> CubicsInTemperature:
        """Table what depends on composition and temperature.

        Args:
            curve_at: of the host at a temperature, points of its composition and
                potentials there [V], (knots,).
        """
        U_ref = self.knot_potentials()
        x = jax.lax.stop_gradient(
            self.at(jnp.asarray(REFERENCE, float)).composition(U_ref)
        )

        def of(T: Scalar) -> PiecewiseCubic:
            host = self.at(T)
            known = jax.lax.stop_gradient(host)
            # Between which of some falling potentials each x is.
            low, high = known._bounds()
            first = jnp.maximum(high, U_ref[0]) + 1.0
            last = jnp.minimum(low, U_ref[-1]) - 1.0
            grid = jnp.concatenate([first[None], U_ref, last[None]])
            filled = known.composition(grid)
            at = jnp.clip(jnp.searchsorted(filled, x), 1, len(grid) - 1)
            low, high, rise = grid[at], grid[at - 1], filled[at] - filled[at - 1]
            share = jnp.clip((filled[at] - x) / jnp.maximum(rise, 1e-300), 0.0, 1.0)
            guess = low + share * (high - low)
            return curve_at(host, x, host._between(x, low, high, guess, _IN_A_PIECE))

        return in_temperature(of)

    def knot_potentials(self) -> Float[Array, " {self.knots}"]:
        """At 298.15 K, falling, where either the potential or the composition has moved
        on [V].
        """
        known = jax.lax.stop_gradient(self.at(jnp.asarray(REFERENCE, float)))
        low, high = known._bounds()
        fine = jnp.linspace(high, low, _FINE)
        x = known.composition(fine)
        moved = (x - x[0]) / (x[-1] - x[0]) + (fine - high) / (low - high)
        return jnp.interp(jnp.linspace(0.0, 2.0, self.knots), moved, fine)

    def part(self, reactions: tuple[int, ...]) -> "MSMR":
        """The host with some of its reactions alone."""
        at = np.asarray(reactions)
        parts = self.potential[at], self.width[at], self.amount[at]
        return MSMR(*parts, self.knots, self.T)


class WholeOfPart(AbstractCurve):
    """Composition of a host whose part has composition x, both at one potential.

    Attributes:
        part: potential of some of its reactions by their composition [V].
        rest: the other reactions.
    """

    part: AbstractCurve
    rest: MSMR

    def at(self, T: Scalar) -> "WholeOfPart":
        return WholeOfPart(self.part.at(T), self.rest.at(T))

    def __call__(self, x: Alike) -> Alike:
        return x + self.rest.composition(self.part(x))

    def prepared(self) -> "WholeOfPart":
        return WholeOfPart(self.part.prepared(), self.rest)
