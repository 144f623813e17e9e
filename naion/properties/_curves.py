"""Curves: how a property depends on composition at the reference temperature.

The argument is a stoichiometry for solid properties and the salt concentration
[mol.m-3] for electrolyte properties. All numbers are array leaves, so that they can be
fitted; choices that change the program (kind of interpolation) are static.
"""

import abc
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero
from jaxtyping import Array, Float


class AbstractCurve(eqx.Module):
    """A function of composition."""

    @abc.abstractmethod
    def __call__(self, x: Array) -> Array:
        """Evaluate at composition `x` of any shape."""

    @abc.abstractmethod
    def prepared(self) -> "AbstractCurve":
        """The same curve with its interpolation coefficients worked out once."""


class Constant(AbstractCurve):
    """The same value at every composition."""

    value: Float[Array, ""]

    def __call__(self, x: Array) -> Array:
        return jnp.broadcast_to(self.value, jnp.shape(x))

    def prepared(self) -> AbstractCurve:
        return self


class Table(AbstractCurve):
    """A curve through tabulated points.

    Attributes:
        x: strictly increasing compositions, (n,).
        y: values there, (n,).
        interpolation: "pchip" is monotone between points and continuously
            differentiable (Fritsch and Butland, SIAM J. Sci. Stat. Comput. 5 (1984)
            300, DOI 10.1137/0905021); "linear" has a kink at each point, which costs an
            adaptive integrator many steps.
        extrapolation: "linear" continues with the end slopes, "clamp" with the end
            values.
    """

    x: Float[Array, " n"]
    y: Float[Array, " n"]
    interpolation: Literal["pchip", "linear"] = eqx.field(static=True, default="pchip")
    extrapolation: Literal["linear", "clamp"] = eqx.field(static=True, default="linear")

    def __call__(self, x: Array) -> Array:
        return self.prepared()(x)

    def prepared(self) -> "PiecewiseCubic":
        width = jnp.diff(self.x)
        secant = jnp.diff(self.y) / width
        if self.interpolation == "linear" or self.x.shape[0] < 3:
            zero = jnp.zeros_like(secant)
            coefficients = jnp.stack([self.y[:-1], secant, zero, zero])
        else:
            slope = _pchip_slopes(width, secant)
            left, right = slope[:-1], slope[1:]
            quadratic = (3.0 * secant - 2.0 * left - right) / width
            cubic = (left + right - 2.0 * secant) / width**2
            coefficients = jnp.stack([self.y[:-1], left, quadratic, cubic])
        return PiecewiseCubic(self.x, coefficients, self.extrapolation)


class PiecewiseCubic(AbstractCurve):
    """A prepared `Table`: cubic polynomials between knots.

    Attributes:
        knots: (n,).
        coefficients: of powers 0 to 3 of the distance from the left knot, (4, n-1).
        extrapolation: as in `Table`.
    """

    knots: Float[Array, " n"]
    coefficients: Float[Array, "4 m"]
    extrapolation: Literal["linear", "clamp"] = eqx.field(static=True)

    def __call__(self, x: Array) -> Array:
        return _piecewise(self.extrapolation, x, self.knots, self.coefficients)

    def prepared(self) -> AbstractCurve:
        return self


class Corrected(AbstractCurve):
    """A base curve plus a correction, both free to be fitted.

    The correction is how a published open-circuit potential moves towards a measured
    cell without losing its shape.
    """

    base: AbstractCurve
    correction: Table

    def __call__(self, x: Array) -> Array:
        return self.base(x) + self.correction(x)

    def prepared(self) -> AbstractCurve:
        return _Sum(self.base.prepared(), self.correction.prepared())


class _Sum(AbstractCurve):
    first: AbstractCurve
    second: AbstractCurve

    def __call__(self, x: Array) -> Array:
        return self.first(x) + self.second(x)

    def prepared(self) -> AbstractCurve:
        return self


class TanhSum(AbstractCurve):
    """offset + slope x + exp_size exp(-exp_rate x) + sum_i size_i tanh(rate_i (x - x_i)).

    The form in which many lithium open-circuit potentials are published.
    """

    offset: Float[Array, ""]
    slope: Float[Array, ""]
    exp_size: Float[Array, ""]
    exp_rate: Float[Array, ""]
    size: Float[Array, " n"]
    rate: Float[Array, " n"]
    centre: Float[Array, " n"]

    def __call__(self, x: Array) -> Array:
        steps = self.size * jnp.tanh(self.rate * (x[..., None] - self.centre))
        rise = self.exp_size * jnp.exp(-self.exp_rate * x)
        return self.offset + self.slope * x + rise + jnp.sum(steps, axis=-1)

    def prepared(self) -> AbstractCurve:
        return self


class PowerSeries(AbstractCurve):
    """sum_i coefficient_i m^exponent_i with m = x / 1000, for electrolyte laws."""

    coefficient: Float[Array, " n"]
    exponent: tuple[float, ...] = eqx.field(static=True)

    def __call__(self, x: Array) -> Array:
        m = _positive(x / 1000.0)
        terms = [c * m**e for c, e in zip(self.coefficient, self.exponent, strict=True)]
        return jnp.sum(jnp.stack(terms), axis=0)

    def prepared(self) -> AbstractCurve:
        return self


class PowerExponential(AbstractCurve):
    """size m^power exp(-rate (m - 1)) with m = x / 1000, for electrolyte laws.

    `size` is the value at 1000 mol.m-3.
    """

    size: Float[Array, ""]
    rate: Float[Array, ""]
    power: float = eqx.field(static=True, default=0.0)

    def __call__(self, x: Array) -> Array:
        m = _positive(x / 1000.0)
        return self.size * m**self.power * jnp.exp(-self.rate * (m - 1.0))

    def prepared(self) -> AbstractCurve:
        return self


def _evaluate(extrapolation: str, x: Array, knots: Array, coefficients: Array) -> Array:
    inside = jnp.clip(x, knots[0], knots[-1])
    # Comparing with every knot vectorises, where a binary search would gather.
    index = jnp.sum(inside[..., None] >= knots[1:-1], axis=-1, dtype=jnp.int32)
    d = inside - knots[index]
    value, *higher = (c[index] for c in coefficients[::-1])
    for c in higher:
        value = c + d * value
    if extrapolation == "linear":
        end = _derivative("linear", inside, knots, coefficients)
        value = value + end * (x - inside)
    elif extrapolation == "zero":
        value = jnp.where(x == inside, value, 0.0)
    return value


def _derivative(extrapolation: str, x: Array, knots: Array, coefficients: Array):
    """Slope of a piecewise polynomial: itself one, of a degree less."""
    if coefficients.shape[0] == 1:
        return jnp.zeros_like(x)
    outside = {"linear": "clamp", "clamp": "zero", "zero": "zero"}[extrapolation]
    powers = jnp.arange(1.0, coefficients.shape[0])[:, None]
    return _piecewise(outside, x, knots, powers * coefficients[1:])


_piecewise = jax.custom_jvp(_evaluate, nondiff_argnums=(0,))
"""Evaluation that knows its own slope, so that derivatives stay as small as values."""


def _piecewise_jvp(extrapolation, primals, tangents):
    x, knots, coefficients = primals
    x_dot, knots_dot, coefficients_dot = tangents
    value = _piecewise(extrapolation, *primals)
    if not isinstance(knots_dot, SymbolicZero):
        # Moving knots are rare (a fit of abscissae): differentiate the plain code.
        def plain(knots, coefficients):
            return _evaluate(extrapolation, x, knots, coefficients)

        dots = [
            jnp.zeros_like(p) if isinstance(t, SymbolicZero) else t
            for p, t in ((knots, knots_dot), (coefficients, coefficients_dot))
        ]
        tangent = jax.jvp(plain, (knots, coefficients), tuple(dots))[1]
    elif not isinstance(coefficients_dot, SymbolicZero):
        tangent = _piecewise(extrapolation, x, knots, coefficients_dot)
    else:
        tangent = jnp.zeros_like(value)
    if not isinstance(x_dot, SymbolicZero):
        slope = _derivative(extrapolation, x, knots, coefficients)
        tangent = tangent + slope * x_dot
    return value, tangent


_piecewise.defjvp(_piecewise_jvp, symbolic_zeros=True)


def _positive(m: Array) -> Array:
    """A smooth floor: m for m >> 1e-6, positive with finite slope everywhere."""
    return 0.5 * (m + jnp.sqrt(m * m + 1e-12))


def _pchip_slopes(width: Array, secant: Array) -> Array:
    """Slopes at the points that keep each piece monotone (weighted harmonic mean)."""
    w_left = 2.0 * width[1:] + width[:-1]
    w_right = width[1:] + 2.0 * width[:-1]
    same_sign = secant[:-1] * secant[1:] > 0.0
    # Two wheres: the division must be finite also where its value is not used.
    safe_left = jnp.where(same_sign, secant[:-1], 1.0)
    safe_right = jnp.where(same_sign, secant[1:], 1.0)
    mean = (w_left + w_right) / (w_left / safe_left + w_right / safe_right)
    inner = jnp.where(same_sign, mean, 0.0)
    first = _end_slope(width[0], width[1], secant[0], secant[1])
    last = _end_slope(width[-1], width[-2], secant[-1], secant[-2])
    return jnp.concatenate([first[None], inner, last[None]])


def _end_slope(h0: Array, h1: Array, s0: Array, s1: Array) -> Array:
    """One-sided three-point slope, limited so that the end piece stays monotone."""
    slope = ((2.0 * h0 + h1) * s0 - h0 * s1) / (h0 + h1)
    slope = jnp.where(slope * s0 <= 0.0, 0.0, slope)
    steep = (s0 * s1 <= 0.0) & (jnp.abs(slope) > 3.0 * jnp.abs(s0))
    return jnp.where(steep, 3.0 * s0, slope)
