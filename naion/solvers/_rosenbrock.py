r"""Rosenbrock methods: linearly implicit, one factorisation and no iteration a step.

With u_i the stages (Hairer and Wanner, Solving Ordinary Differential Equations II, 2nd
ed., section IV.7, transformed form),

    (M/(gamma h) - J) u_i = f(t + alpha_i h, y + sum_j a_ij u_j)
                            + M sum_j (c_ij/h) u_j + gamma_i h df/dt,
    y_new = y + sum_i m_i u_i.

There is nothing to converge: every step of every lane of a batch costs the same, and
the derivative of a step is the derivative of a few linear solves.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ._system import AbstractSystem


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


class Step(NamedTuple):
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


def apply(
    weights: Weights,
    system: AbstractSystem,
    tau: Array,
    y: Array,
    args: Any,
    control: Any,
    *,
    differentiable: bool,
) -> Step:
    """The stages from `y` at `tau` and what becomes of them.

    Args:
        differentiable: both ways, that is; else the derivatives are left out, which would
            be a third of what there is to trace. The derivative of a stage's solve is
            another solve with the same factors; the elimination itself is never
            differentiated.
    """
    mass = jnp.asarray(system.mass, y.dtype)

    def rates(tau, y):
        return system.rates(tau, y, args, control)

    fixed = jax.lax.stop_gradient((tau, y, args, control))
    factors = system.factor(jax.lax.stop_gradient(weights.shift), *fixed)
    rates_tau = jax.jvp(
        lambda s: system.rates(s, *fixed[1:]), fixed[:1], (jnp.ones_like(tau),)
    )[1]

    # The linear system of a stage has one more row, which says that its last unknown is
    # the weight of df/dt. So one derivative of the rates serves y and t.
    def matvec(u):
        u, slope = u
        along = jax.jvp(rates, (tau, y), (slope, u))[1]
        return weights.shift * mass * u - along, slope

    def forwards(_, b):
        rhs, slope = b
        return factors.solve(rhs + slope * rates_tau), slope

    def backwards(_, b):
        bar, slope_bar = b
        rhs_bar = factors.solve_transposed(bar)
        return rhs_bar, slope_bar + jnp.vdot(rates_tau, rhs_bar)

    def stage(i, u):
        rhs = rates(tau + weights.times[i], y + weights.a[i] @ u)
        b = rhs + mass * (weights.c[i] @ u), weights.slopes[i]
        if differentiable:
            new, _ = jax.lax.custom_linear_solve(matvec, b, forwards, backwards)
        else:
            new, _ = forwards(matvec, b)
        return u.at[i].set(new)

    u = jnp.zeros((weights.m.shape[0], y.shape[0]), y.dtype)
    u = jax.lax.fori_loop(0, weights.m.shape[0], stage, u)
    return Step(y + weights.m @ u, weights.error @ u, weights.dense @ u)


def interpolate(theta: Array, start: Array, end: Array, dense: Array) -> Array:
    """Dense output inside a step, theta in [0, 1] from `start` to `end`.

    (1-s) y0 + s (y1 + (1-s) (k1 + s (k2 + s k3 ...))).
    """
    inner = jnp.zeros_like(start)
    for k in dense[::-1]:
        inner = k + theta * inner
    return (1.0 - theta) * start + theta * (end + (1.0 - theta) * inner)
