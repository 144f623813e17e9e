"""Tables that depend on composition and on temperature."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._shapes import Alike, Scalar
from ._curves import AbstractCurve, PiecewiseCubic, count_below, elements

REFERENCE = 298.15
"""Temperature of a curve of which nothing else was said [K]."""


def _nodes(lowest: float, count: int, reference: int) -> np.ndarray:
    """Chebyshev nodes from a lowest temperature, of which one is 298.15 K, (count,)."""
    cosines = -np.cos(np.pi * (np.arange(count) + 0.5) / count)
    half = (REFERENCE - lowest) / (1.0 + cosines[reference])
    nodes = lowest + half * (1.0 + cosines)
    nodes[reference] = REFERENCE
    return nodes


NODES = _nodes(203.15, 8, 4)
"""Temperatures of the tables, 205 to 361 [K]; at 25 degC a table is that of 25 degC.

Between them hard carbon's potential is met within 20 uV, at sharper steps within 70 uV.
"""


MANY = 32
"""Points beyond which it takes less to blend a table of some 250 pieces than each point."""


class CubicsInTemperature(AbstractCurve):
    """Piecewise cubics at `NODES`, on the same knots, and a polynomial through them.

    Below and above the nodes, linear in temperature.

    Attributes:
        knots: where one piece ends and the next begins, as a search tree.
        pieces: from where each piece's distance is taken, then the coefficients of powers
            0 to 3 of that distance, each at every node, (1 + 4 k, m).
        weights: of the nodes at the curve's temperature, (k,).
    """

    knots: Float[Array, " n"]
    pieces: Float[Array, "r m"]
    weights: Float[Array, " k"]

    def __call__(self, x: Alike) -> Alike:
        return _blended(self.knots, self.pieces, self.weights, x)

    def at(self, T: Scalar) -> AbstractCurve:
        return CubicsInTemperature(self.knots, self.pieces, _weights(jnp.asarray(T)))

    def prepared(self) -> AbstractCurve:
        return self


def in_temperature(curve_at: Callable[[Array], PiecewiseCubic]) -> CubicsInTemperature:
    """Table a curve at `NODES`.

    Args:
        curve_at: of a temperature [K]; all its curves must have the same knots.
    """
    each = jax.vmap(curve_at)(jnp.asarray(NODES))
    by_power = jnp.swapaxes(each.pieces[:, 1:], 0, 1)
    rows = by_power.reshape(-1, by_power.shape[-1])
    pieces = jnp.concatenate([each.pieces[0, :1], rows])
    weights = jnp.asarray(np.asarray(NODES == REFERENCE, float))
    return CubicsInTemperature(each.knots[0], pieces, weights)


@jax.jit
def _blended(
    knots: Float[Array, " m"],
    pieces: Float[Array, "r p"],
    weights: Float[Array, " k"],
    x: Alike,
) -> Alike:
    index = count_below(jax.lax.stop_gradient(knots), x)

    def blended(rows: Array) -> Array:
        powers = rows[1:].reshape(4, len(weights), *rows.shape[1:])
        w = weights.reshape(-1, *[1] * (rows.ndim - 1))
        return jnp.concatenate([rows[:1], jnp.sum(w * powers, axis=1)])

    # Of many points, the whole table is blended first.
    many = x.size > MANY
    rows = blended(pieces) if many else pieces
    found = elements(rows, index)
    anchor, a, b, c, d = found if many else blended(found)
    z = x - anchor
    return a + z * (b + z * (c + z * d))


def _weights(T: Scalar) -> Float[Array, " k"]:
    """Of the nodes in the polynomial through them, (k,); linear beyond their ends."""
    inside = jnp.clip(T, NODES[0], NODES[-1])
    value, slope = jax.jvp(_lagrange, (inside,), (jnp.ones_like(inside),))
    return value + (T - inside) * slope


def _lagrange(T: Scalar) -> Float[Array, " k"]:
    """Lagrange's polynomials, by products from both sides: no division, exact at nodes."""
    away = [T - node for node in NODES]
    before, behind = [jnp.ones_like(T)], [jnp.ones_like(T)]
    for low, high in zip(away[:-1], away[:0:-1], strict=True):
        before.append(before[-1] * low)
        behind.append(behind[-1] * high)
    scale = [np.prod([n - m for m in NODES if m != n]) for n in NODES]
    parts = zip(before, behind[::-1], scale, strict=True)
    return jnp.stack([b * c / s for b, c, s in parts])
