r"""Rosenbrock methods: linearly implicit, one factorisation and no iteration a step.

With u_i the stages (Hairer and Wanner, Solving Ordinary Differential Equations II, 2nd
ed., section IV.7, transformed form),

    (M/(gamma h) - J) u_i = f(t + alpha_i h, y + sum_j a_ij u_j)
                            + M sum_j (c_ij/h) u_j + gamma_i h df/dt,
    y_new = y + sum_i m_i u_i.

There is nothing to converge: every step of every lane of a batch costs the same, and
the derivative of a step is the derivative of a few linear solves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ._system import AbstractSystem, Factorised

X = TypeVar("X")


@dataclass(frozen=True, eq=False)
class Tableau:
    """Coefficients of a Rosenbrock method with s stages.

    Attributes:
        gamma: diagonal coefficient.
        a: stage weights, (s, s), strictly lower triangular.
        c: coupling weights, (s, s), strictly lower triangular.
        alpha: stage times, (s,).
        gamma_sum: weights of df/dt, (s,).
        m: weights of the result, (s,).
        error: weights of the error estimate, (s,).
        dense: weights of the dense output, (p, s); see `interpolate`.
        order: of the result.
        error_order: exponent of h in the error estimate.
    """

    gamma: float
    a: np.ndarray
    c: np.ndarray
    alpha: np.ndarray
    gamma_sum: np.ndarray
    m: np.ndarray
    error: np.ndarray
    dense: np.ndarray
    order: int
    error_order: int


class Weights(NamedTuple):
    """The numbers of one application of `apply`: a tableau with its step put in.

    Attributes:
        shift: of the step matrix shift M - df/dy [s-1].
        a: stage weights, (s, s).
        c: coupling weights over the step, (s, s) [s-1].
        times: stage times after the start, (s,) [s].
        slopes: weights of df/dt, (s,) [s].
        m: weights of the result, (s,).
        error: weights of the error estimate, (s,).
        dense: weights of the dense output, (p, s).
    """

    shift: Array
    a: Array
    c: Array
    times: Array
    slopes: Array
    m: Array
    error: Array
    dense: Array


class StepResult(NamedTuple):
    """One step: its end, its error estimate and its dense output.

    Attributes:
        y: state at the end, (n,).
        error: local error estimate, (n,).
        dense: (p, n).
    """

    y: Array
    error: Array
    dense: Array


def stepping(tableau: Tableau, h: Array) -> Weights:
    """Weights of a step of length `h` [s]."""
    return Weights(
        shift=1.0 / (tableau.gamma * h),
        a=jnp.asarray(tableau.a),
        c=jnp.asarray(tableau.c) / h,
        times=jnp.asarray(tableau.alpha) * h,
        slopes=jnp.asarray(tableau.gamma_sum) * h,
        m=jnp.asarray(tableau.m),
        error=jnp.asarray(tableau.error),
        dense=jnp.asarray(tableau.dense),
    )


def _lower(*rows: tuple[float, ...]) -> np.ndarray:
    full = np.zeros((len(rows) + 1, len(rows) + 1))
    for i, row in enumerate(rows, start=1):
        full[i, : len(row)] = row
    return full


_RODAS5P_LAST = (
    -7.502846399306121,
    2.561846144803919,
    -11.627539656261098,
    -0.18268767659942256,
    0.030198172008377946,
)

RODAS5P = Tableau(
    gamma=0.21193756319429014,
    a=_lower(
        (3.0,),
        (2.849394379747939, 0.45842242204463923),
        (-6.954028509809101, 2.489845061869568, -10.358996098473584),
        (
            2.8029986275628964,
            0.5072464736228206,
            -0.3988312541770524,
            -0.04721187230404641,
        ),
        _RODAS5P_LAST,
        (*_RODAS5P_LAST, 1.0),
        (*_RODAS5P_LAST, 1.0, 1.0),
    ),
    c=_lower(
        (-14.155112264123755,),
        (-17.97296035885952, -2.859693295451294),
        (147.12150275711716, -1.41221402718213, 71.68940251302358),
        (
            165.43517024871676,
            -0.4592823456491126,
            42.90938336958603,
            -5.961986721573306,
        ),
        (
            24.854864614690072,
            -3.0009227002832186,
            47.4931110020768,
            5.5814197821558125,
            -0.6610691825249471,
        ),
        (
            30.91273214028599,
            -3.1208243349937974,
            77.79954646070892,
            34.28646028294783,
            -19.097331116725623,
            -28.087943162872662,
        ),
        (
            37.80277123390563,
            -3.2571969029072276,
            112.26918849496327,
            66.9347231244047,
            -40.06618937091002,
            -54.66780262877968,
            -9.48861652309627,
        ),
    ),
    alpha=np.array(
        [
            0.0,
            0.6358126895828704,
            0.4095798393397535,
            0.9769306725060716,
            0.4288403609558664,
            1.0,
            1.0,
            1.0,
        ]
    ),
    gamma_sum=np.array(
        [
            0.21193756319429014,
            -0.42387512638858027,
            -0.3384627126235924,
            1.8046452872882734,
            2.325825639765069,
            0.0,
            0.0,
            0.0,
        ]
    ),
    m=np.array([*_RODAS5P_LAST, 1.0, 1.0, 1.0]),
    error=np.array([0.0] * 7 + [1.0]),
    dense=np.array(
        [
            [
                25.948786856663858,
                -2.5579724845846235,
                10.433815404888879,
                -2.3679251022685204,
                0.524948541321073,
                1.1241088310450404,
                0.4272876194431874,
                -0.17202221070155493,
            ],
            [
                -9.91568850695171,
                -0.9689944594115154,
                3.0438037242978453,
                -24.495224566215796,
                20.176138334709044,
                15.98066361424651,
                -6.789040303419874,
                -6.710236069923372,
            ],
            [
                11.419903575922262,
                2.8879645146136994,
                72.92137995996029,
                80.12511834622643,
                -52.072871366152654,
                -59.78993625266729,
                -0.15582684282751913,
                4.883087185713722,
            ],
        ]
    ),
    order=5,
    error_order=5,
)
"""Rodas5P: order 5(4), 8 stages, stiffly accurate, dense output of order 4.

Steinebach, BIT Numer. Math. 63 (2023) 27, DOI 10.1007/s10543-023-00967-x.
"""


class At(NamedTuple):
    """What the stages of a step hang on.

    Attributes:
        weights: of the step.
        tau: time since the segment began [s].
        y: state at the start, (n,).
        args: of the system.
        control: of the segment.
    """

    weights: Weights
    tau: Array
    y: Array
    args: Any
    control: Any


def apply(
    weights: Weights, system: AbstractSystem, tau: Array, y: Array, args: Any, control
) -> StepResult:
    """The step from `y` at `tau`; not differentiated by JAX, see `stages`."""
    u, _ = stages(system, At(weights, tau, y, args, control))
    return finish(weights, y, u)


def finish(weights: Weights, y: Array, u: Array) -> StepResult:
    """What becomes of the stages, (s, n)."""
    return StepResult(y + weights.m @ u, weights.error @ u, weights.dense @ u)


def stages(system: AbstractSystem, at: At) -> tuple[Array, Factorised]:
    """The stages u_i, (s, n), and the factors of their matrix.

    Not differentiated by JAX, which would go through the loop and the elimination: see
    `tangents` and `cotangents`.
    """
    factors, rates_tau = _factor(system, at)

    def stage(i, u):
        rhs = _right_side(system, at, i, u) + at.weights.slopes[i] * rates_tau
        return u.at[i].set(factors.solve(rhs))

    return jax.lax.fori_loop(0, len(at.weights.m), stage, _none(at)), factors


def tangents(
    system: AbstractSystem, at: Callable[[X], At], x: X, x_dot: X
) -> tuple[Array, Array]:
    """The stages and their tangents, each (s, n).

    The residual of a stage, r(x, u_1 .. u_i) = 0, is linear in u_i with minus the step
    matrix before it: another solve with the same factors gives the tangent.

    Args:
        system: what is integrated.
        at: what the stages hang on, from what moves.
        x: what moves.
        x_dot: its tangent.
    """
    here = at(x)
    factors, rates_tau = _factor(system, here)

    def stage(i, carry):
        u, u_dot = carry
        right, right_dot = jax.jvp(
            lambda x, u: _right_side(system, at(x), i, u), (x, u), (x_dot, u_dot)
        )
        new = factors.solve(right + here.weights.slopes[i] * rates_tau)
        _, left_dot = jax.jvp(
            lambda x: _left_side(system, at(x), i, new), (x,), (x_dot,)
        )
        new_dot = factors.solve(right_dot - left_dot)
        return u.at[i].set(new), u_dot.at[i].set(new_dot)

    return jax.lax.fori_loop(0, len(here.weights.m), stage, (_none(here), _none(here)))


def cotangents(
    system: AbstractSystem,
    at: Callable[[X], At],
    x: X,
    u: Array,
    factors: Factorised,
    u_bar: Array,
) -> X:
    """The cotangent of what moves, from those of the stages; the transpose of `tangents`.

    Args:
        system, at, x: see `tangents`.
        u: the stages, (s, n).
        factors: of their matrix.
        u_bar: cotangents of the stages, (s, n).
    """
    last = u.shape[0] - 1

    def stage(k, carry):
        u_bar, x_bar = carry
        i = last - k

        def residual(x, before):
            here = at(x)
            right = _right_side(system, here, i, before)
            return right - _left_side(system, here, i, u[i])

        _, pullback = jax.vjp(residual, x, u)
        x_more, u_more = pullback(factors.solve_transposed(u_bar[i]))
        return u_bar + u_more, jax.tree.map(jnp.add, x_bar, x_more)

    none = jax.tree.map(jnp.zeros_like, x)
    return jax.lax.fori_loop(0, u.shape[0], stage, (u_bar, none))[1]


def _none(at: At) -> Array:
    return jnp.zeros((len(at.weights.m), len(at.y)), at.y.dtype)


def _factor(system: AbstractSystem, at: At) -> tuple[Factorised, Array]:
    """Factors of the step matrix, and df/dt."""
    factors = system.factor(at.weights.shift, at.tau, at.y, at.args, at.control)
    along_tau = jax.jvp(
        lambda tau: system.rates(tau, at.y, at.args, at.control),
        (at.tau,),
        (jnp.ones_like(at.tau),),
    )[1]
    return factors, along_tau


def _right_side(system: AbstractSystem, at: At, i: Array, u: Array) -> Array:
    """Of the equation of stage `i`, but for its df/dt; hangs on the stages before."""
    w = at.weights
    y = at.y + w.a[i] @ u
    rates = system.rates(at.tau + w.times[i], y, at.args, at.control)
    return rates + jnp.asarray(system.mass, y.dtype) * (w.c[i] @ u)


def _left_side(system: AbstractSystem, at: At, i: Array, new: Array) -> Array:
    """The step matrix times stage `i`, less what the stage has of df/dt."""

    def rates(tau: Array, y: Array) -> Array:
        return system.rates(tau, y, at.args, at.control)

    along = jax.jvp(rates, (at.tau, at.y), (at.weights.slopes[i], new))[1]
    return at.weights.shift * jnp.asarray(system.mass, new.dtype) * new - along


def interpolate(theta: Array, start: Array, end: Array, dense: Array) -> Array:
    """Dense output inside a step, theta in [0, 1] from `start` to `end`.

    (1-s) y0 + s (y1 + (1-s) (k1 + s (k2 + s k3 ...))).
    """
    inner = jnp.zeros_like(start)
    for k in dense[::-1]:
        inner = k + theta * inner
    return (1.0 - theta) * start + theta * (end + (1.0 - theta) * inner)
