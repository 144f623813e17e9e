"""Curves: how a property depends on composition at the reference temperature.

The argument is a stoichiometry for solid properties and the salt concentration
[mol.m-3] for electrolyte properties. All numbers are array leaves, so that they can be
fitted; choices that change the program (kind of interpolation) are static.
"""

import abc
from typing import Any, Literal, get_args

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int

from .._shapes import Alike, Scalar

Interpolation = Literal["pchip", "parabolic", "logarithmic", "linear"]
"""Between the points of a table; see `Table`."""

Extrapolation = Literal["linear", "clamp"]
"""Beyond the ends of a table; see `Table`."""


class AbstractCurve(eqx.Module):
    """A function of composition."""

    @abc.abstractmethod
    def __call__(self, x: Alike) -> Alike:
        """Evaluate at composition `x` of any shape."""

    def at(self, T: Scalar) -> "AbstractCurve":
        """The curve at a temperature [K], where that is more than a factor."""
        return self

    @abc.abstractmethod
    def prepared(self) -> "AbstractCurve":
        """The same curve with its interpolation coefficients worked out once."""


class Constant(AbstractCurve):
    """The same value at every composition."""

    value: Scalar

    def __call__(self, x: Alike) -> Alike:
        return jnp.broadcast_to(self.value, jnp.shape(x))

    def prepared(self) -> AbstractCurve:
        return self


class Table(AbstractCurve):
    """A curve through tabulated points.

    Points that fall in `x` are turned round, and equal ones become one. Numbers that are
    traced or stacked are taken as they are.

    Attributes:
        x: compositions, rising or falling, (n,) with two or more.
        y: values there, (n,).
        interpolation: "pchip" is monotone between points and continuously
            differentiable (Fritsch and Butland, SIAM J. Sci. Stat. Comput. 5 (1984)
            300, DOI 10.1137/0905021); "parabolic" takes its slopes from the parabolas
            through three points each: it may overshoot, and is linear in `y`, for values
            that are fitted ("pchip" has kinks in `y` wherever a slope changes its sign);
            "logarithmic" is parabolic in the logarithm of `y`, for positive values that
            are fitted over decades;
            "linear" has a kink at each point, which costs an adaptive integrator many
            steps.
        extrapolation: "linear" continues with the end slopes, "clamp" with the end
            values.

    Raises:
        ValueError: for fewer than two points, unequal lengths, numbers that are not
            finite, points in no order or with two values, unknown words, or values of a
            logarithmic table that are not above zero.
    """

    x: Float[Array, " n"]
    y: Float[Array, " n"]
    interpolation: Interpolation = eqx.field(static=True, default="pchip")
    extrapolation: Extrapolation = eqx.field(static=True, default="linear")

    def __init__(
        self,
        x: ArrayLike,
        y: ArrayLike,
        interpolation: Interpolation = "pchip",
        extrapolation: Extrapolation = "linear",
    ):
        for name, word, known in (
            ("interpolation", interpolation, get_args(Interpolation)),
            ("extrapolation", extrapolation, get_args(Extrapolation)),
        ):
            if word not in known:
                raise ValueError(
                    f"{name}={word!r} of a table: expected {' or '.join(known)}."
                )
        self.x, self.y = _in_order(x, y)
        self.interpolation, self.extrapolation = interpolation, extrapolation
        if interpolation == "logarithmic" and not isinstance(self.y, Tracer):
            below = np.asarray(self.y)[np.asarray(self.y) <= 0.0]
            if below.size:
                raise ValueError(
                    "y of a logarithmic table: expected values above zero, got "
                    f"{below[0]:g}. Use interpolation='parabolic' or 'pchip'."
                )

    def __call__(self, x: Alike) -> Alike:
        return self.prepared()(x)

    def prepared(self) -> AbstractCurve:
        cubics = self.cubics()
        return _Exponential(cubics) if self.interpolation == "logarithmic" else cubics

    def cubics(self) -> "PiecewiseCubic":
        """Through the points; those of a logarithmic table are of the logarithm."""
        y = jnp.log(self.y) if self.interpolation == "logarithmic" else self.y
        width = jnp.diff(self.x)
        secant = jnp.diff(y) / width
        goes_on = 1.0 if self.extrapolation == "linear" else 0.0
        if self.interpolation == "linear" or self.x.shape[0] < 3:
            left = right = secant
        else:
            of = _pchip_slopes if self.interpolation == "pchip" else _parabolic_slopes
            slope = of(width, secant)
            left, right = slope[:-1], slope[1:]
        return piecewise_cubic(self.x, y, left, right, goes_on)


def _in_order(x: Any, y: Any) -> tuple[Array, Array]:
    """The points of a table, rising in x; checked as far as they are known.

    Raises:
        ValueError: see `Table`.
    """
    traced = isinstance(x, Tracer), isinstance(y, Tracer)
    if not traced[0]:
        x = _numbers("x", x)
    if not traced[1]:
        y = _numbers("y", y)
    if np.ndim(x) > 1 or np.ndim(y) > 1:
        return jnp.asarray(x), jnp.asarray(y)
    if np.shape(x) != np.shape(y) or np.size(x) < 2:
        raise ValueError(
            "A table needs as many values as points, two or more: got x of shape "
            f"{np.shape(x)} and y of shape {np.shape(y)}."
        )
    if traced[0]:
        return jnp.asarray(x), jnp.asarray(y)
    x = np.asarray(x)
    rising = 1.0 if x[0] <= x[-1] else -1.0
    step = rising * np.diff(x)
    if np.any(step < 0.0):
        at = int(np.argmax(step < 0.0)) + 1
        raise ValueError(
            f"A table's points must rise or fall in x: point {at + 1}, x = {x[at]:g}, "
            f"follows x = {x[at - 1]:g}. Sort them by x."
        )
    again = np.flatnonzero(step == 0.0)
    for i in again:
        if traced[1] or y[i] != y[i + 1]:
            values = "" if traced[1] else f": y = {y[i]:g} and y = {y[i + 1]:g}"
            raise ValueError(
                f"A table has two values at x = {x[i]:g} (points {i + 1} and {i + 2})"
                f"{values}. Keep one of them, or their mean."
            )
    if np.size(again):
        return _in_order(np.delete(x, again), np.delete(y, again))
    if rising < 0.0:
        x, y = x[::-1], y[::-1]
    # Not `jnp.asarray`, which compiles a program for every new length.
    return jax.device_put((x, y)) if not traced[1] else (jnp.asarray(x), jnp.asarray(y))


def _numbers(name: str, given: Any) -> np.ndarray:
    """A table's column as finite numbers."""
    try:
        values = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} of a table: expected numbers, got {given!r}."
        ) from None
    if not np.all(np.isfinite(values)):
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise ValueError(
            f"{name} of a table: expected finite numbers, got {values[where]} at point "
            f"{', '.join(str(i + 1) for i in where)}."
        )
    return values


class PiecewiseCubic(AbstractCurve):
    """A prepared `Table`: a cubic polynomial in every piece, extrapolations included.

    Attributes:
        knots: where one piece ends and the next begins, as a `_search_tree`.
        pieces: from where each piece's distance is taken and the coefficients of powers
            0 to 3 of that distance, (5, n+1).
    """

    knots: Float[Array, " n"]
    pieces: Float[Array, "5 m"]

    def __call__(self, x: Alike) -> Alike:
        return _cubic(self.knots, self.pieces, x)

    def prepared(self) -> AbstractCurve:
        return self


class _Exponential(AbstractCurve):
    """The exponential of a curve: a prepared logarithmic `Table`."""

    exponent: PiecewiseCubic

    def __call__(self, x: Alike) -> Alike:
        return jnp.exp(self.exponent(x))

    def prepared(self) -> AbstractCurve:
        return self


def piecewise_cubic(
    x: Float[Array, " n"],
    y: Float[Array, " n"],
    left: Float[Array, " n-1"],
    right: Float[Array, " n-1"],
    goes_on: float,
) -> PiecewiseCubic:
    """The cubics through points with given slopes at both ends of every piece.

    Args:
        x, y: the points, x increasing, (n,).
        left, right: slopes at the ends of each piece, (n-1,).
        goes_on: 1 to continue outside with the end slopes, 0 with the end values.
    """
    width = jnp.diff(x)
    secant = jnp.diff(y) / width
    quadratic = (3.0 * secant - 2.0 * left - right) / width
    cubic = (left + right - 2.0 * secant) / width**2
    # The pieces outside begin at the first and at the last point.
    anchor, value = (jnp.concatenate([a[:1], a[:-1], a[-1:]]) for a in (x, y))
    slope = jnp.concatenate([goes_on * left[:1], left, goes_on * right[-1:]])
    pieces = [anchor, value, slope, jnp.pad(quadratic, 1), jnp.pad(cubic, 1)]
    return PiecewiseCubic(_search_tree(x), jnp.stack(pieces))


class Corrected(AbstractCurve):
    """A base curve plus a correction, both free to be fitted.

    The correction is how a published open-circuit potential moves towards a measured
    cell without losing its shape.
    """

    base: AbstractCurve
    correction: Table

    def __call__(self, x: Alike) -> Alike:
        return self.base(x) + self.correction(x)

    def at(self, T: Scalar) -> AbstractCurve:
        return Corrected(self.base.at(T), self.correction)

    def prepared(self) -> AbstractCurve:
        return _Sum(self.base.prepared(), self.correction.prepared())


class _Sum(AbstractCurve):
    first: AbstractCurve
    second: AbstractCurve

    def __call__(self, x: Alike) -> Alike:
        return self.first(x) + self.second(x)

    def at(self, T: Scalar) -> AbstractCurve:
        return _Sum(self.first.at(T), self.second.at(T))

    def prepared(self) -> AbstractCurve:
        return self


class Walled(AbstractCurve):
    """A potential that rises by a volt where a host is empty and falls where it is full.

    Tables end at finite potentials; beside another material of higher or lower potential
    a host would have no state of equilibrium.

    Attributes:
        base: the potential without walls [V].
        width: composition over which a wall falls to a third.
    """

    base: AbstractCurve
    width: Scalar

    def __call__(self, x: Alike) -> Alike:
        inside = jnp.clip(x, -5.0 * self.width, 1.0 + 5.0 * self.width)
        walls = jnp.exp(-inside / self.width) - jnp.exp((inside - 1.0) / self.width)
        return self.base(x) + walls

    def at(self, T: Scalar) -> AbstractCurve:
        return Walled(self.base.at(T), self.width)

    def prepared(self) -> AbstractCurve:
        return Walled(self.base.prepared(), self.width)


class TanhSum(AbstractCurve):
    """offset + slope x + exp_size exp(-exp_rate x) + sum_i size_i tanh(rate_i (x - x_i)).

    The form in which many lithium open-circuit potentials are published.
    """

    offset: Scalar
    slope: Scalar
    exp_size: Scalar
    exp_rate: Scalar
    size: Float[Array, " n"]
    rate: Float[Array, " n"]
    centre: Float[Array, " n"]

    def __call__(self, x: Alike) -> Alike:
        steps = self.size * jnp.tanh(self.rate * (x[..., None] - self.centre))
        rise = self.exp_size * jnp.exp(-self.exp_rate * x)
        return self.offset + self.slope * x + rise + jnp.sum(steps, axis=-1)

    def prepared(self) -> AbstractCurve:
        return self


class PowerSeries(AbstractCurve):
    """sum_i coefficient_i m^exponent_i with m = x / 1000, for electrolyte laws."""

    coefficient: Float[Array, " n"]
    exponent: tuple[float, ...] = eqx.field(static=True)

    def __call__(self, x: Alike) -> Alike:
        m = _positive(x / 1000.0)
        terms = [c * m**e for c, e in zip(self.coefficient, self.exponent, strict=True)]
        return jnp.sum(jnp.stack(terms), axis=0)

    def prepared(self) -> AbstractCurve:
        return self


class PowerExponential(AbstractCurve):
    """size m^power exp(-rate (m - 1)) with m = x / 1000, for electrolyte laws.

    `size` is the value at 1000 mol.m-3.
    """

    size: Scalar
    rate: Scalar
    power: float = eqx.field(static=True, default=0.0)

    def __call__(self, x: Alike) -> Alike:
        m = _positive(x / 1000.0)
        return self.size * m**self.power * jnp.exp(-self.rate * (m - 1.0))

    def prepared(self) -> AbstractCurve:
        return self


def _search_tree(knots: Float[Array, " n"]) -> Float[Array, " m"]:
    """Increasing knots as a balanced binary search tree, level after level.

    Padded with infinities to one less than a power of two.
    """
    n = knots.shape[0]
    whole = 1 << n.bit_length()
    padded = jnp.concatenate([knots, jnp.full(whole - 1 - n, jnp.inf)])
    halves = [whole >> (level + 1) for level in range(n.bit_length())]
    order = np.concatenate(
        [np.arange(half - 1, whole - 1, 2 * half) for half in halves]
    )
    return padded[order]


# Looked up at many places with few shapes: `jit` lets JAX trace each shape once.
@jax.jit
def _cubic(knots: Float[Array, " n"], pieces: Float[Array, "5 m"], x: Alike) -> Alike:
    index = count_below(jax.lax.stop_gradient(knots), x)
    # One lookup: derivatives with respect to the table cost one sum into it, not five.
    found = jnp.split(elements(pieces, index), 5)
    anchor, a, b, c, d = (jnp.squeeze(row, 0) for row in found)
    z = x - anchor
    return a + z * (b + z * (c + z * d))


def count_below(tree: Float[Array, " m"], x: Alike) -> Int[Array, "*n"]:
    """How many knots of a `_search_tree` are not above each `x`."""
    if x.ndim == 0:  # few comparisons, and far fewer operations to compile
        return jnp.sum(x >= tree, dtype=jnp.int32)
    place = jnp.zeros(x.shape, jnp.int32)
    first = 0
    while first < tree.shape[0]:
        # The level's knots lie together: few enough for a processor's registers.
        level = tree[first : 2 * first + 1]
        beyond = x >= elements(level, place)
        place = 2 * place + beyond.astype(jnp.int32)
        first = 2 * first + 1
    return place


def elements(
    rows: Float[Array, "*rows m"], place: Int[Array, "*n"]
) -> Float[Array, "..."]:
    """The columns of `rows` at places that are known to lie inside."""
    at = rows.at[..., place]
    return at.get(mode="promise_in_bounds", wrap_negative_indices=False)


def _positive(m: Alike) -> Alike:
    """A smooth floor: m for m >> 1e-6, positive with finite slope everywhere."""
    return 0.5 * (m + jnp.sqrt(m * m + 1e-12))


def _pchip_slopes(
    width: Float[Array, " n"], secant: Float[Array, " n"]
) -> Float[Array, " n+1"]:
    """Slopes at the points that keep each piece monotone (weighted harmonic mean)."""
    w_left = 2.0 * width[1:] + width[:-1]
    w_right = width[1:] + 2.0 * width[:-1]
    same_sign = secant[:-1] * secant[1:] > 0.0
    # Two wheres: the division must be finite also where its value is not used.
    safe_left = jnp.where(same_sign, secant[:-1], 1.0)
    safe_right = jnp.where(same_sign, secant[1:], 1.0)
    mean = (w_left + w_right) / (w_left / safe_left + w_right / safe_right)
    inner = jnp.where(same_sign, mean, 0.0)
    h, s = (jnp.stack([a[:2], a[:-3:-1]], 1) for a in (width, secant))
    first, last = jnp.split(_end_slope(*h, *s), 2)
    return jnp.concatenate([first, inner, last])


def _parabolic_slopes(
    width: Float[Array, " n"], secant: Float[Array, " n"]
) -> Float[Array, " n+1"]:
    """Slopes at the points of the parabola through each and its neighbours."""
    total = width[:-1] + width[1:]
    inner = (width[1:] * secant[:-1] + width[:-1] * secant[1:]) / total
    first = secant[0] + width[0] / total[0] * (secant[0] - secant[1])
    last = secant[-1] + width[-1] / total[-1] * (secant[-1] - secant[-2])
    return jnp.concatenate([first[None], inner, last[None]])


def _end_slope(h0: Alike, h1: Alike, s0: Alike, s1: Alike) -> Alike:
    """One-sided three-point slopes, limited so that the end pieces stay monotone."""
    slope = ((2.0 * h0 + h1) * s0 - h0 * s1) / (h0 + h1)
    slope = jnp.where(slope * s0 <= 0.0, 0.0, slope)
    steep = (s0 * s1 <= 0.0) & (jnp.abs(slope) > 3.0 * jnp.abs(s0))
    return jnp.where(steep, 3.0 * s0, slope)
