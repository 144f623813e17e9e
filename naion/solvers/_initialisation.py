"""Consistent algebraic unknowns, by a step of no length.

With an infinite shift the stages of `apply` leave differential unknowns alone and turn
into Newton iterations on the algebraic rows, all with one factorised matrix (chord
iterations). So a start runs through the same program as a step: there is nothing else
to compile, and its derivative is that of the implicit function theorem.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from ._rosenbrock import StepResult, Tableau, Weights
from ._system import AbstractSystem

_FROZEN = 1e20
"""Shift that freezes differential unknowns in the step matrix [s-1].

First guesses of currents can be 1e17 times too large, and rates with them.
"""

MAX_ATTEMPTS = 500
_LEAST_DAMPING = 1e-4

_SPELL = 25
"""Attempts after which those that follow are damped, and then again free."""


def initialising(tableau: Tableau, damping: Array) -> Weights:
    """Weights of chord iterations; with `damping` below one, only two are of use.

    The dense output is the first update and the second, which was taken at the damped
    first; the error estimate is the last update.
    """
    s = len(tableau.m)
    none, stages = jnp.zeros(s), np.eye(s)
    dense = np.zeros((tableau.dense.shape[0], s))
    dense[:2] = stages[: dense.shape[0]][:2]
    return Weights(
        shift=jnp.asarray(_FROZEN),
        a=damping * np.tril(np.ones((s, s)), -1),
        c=jnp.zeros((s, s)),
        times=none,
        slopes=none,
        m=jnp.ones(s),
        error=jnp.asarray(stages[-1]),
        dense=jnp.asarray(dense),
    )


def most_damping(tried: Array) -> Array:
    """The largest damping allowed after so many attempts.

    Where kinetics bend sharply (a surface that is full has no exchange current), whole
    steps can go round in a circle, each of them smaller by the matrix of its start. A
    spell of damped ones leads out of it.
    """
    return jnp.where((tried // _SPELL) % 2 == 1, 0.25, 1.0)


class Attempt(NamedTuple):
    """What an attempt at initialisation came to.

    Attributes:
        y: the state to go on from.
        found: it solves the algebraic rows.
        damping: to try next.
        failed: there is nothing left to try.
    """

    y: Array
    found: Array
    damping: Array
    failed: Array


def judge(
    system: AbstractSystem, y: Array, trial: StepResult, damping: Array, args: Any
) -> Attempt:
    """Accept all chord iterations, or the damped first one, or neither.

    An update is accepted if it makes the next one smaller (natural monotonicity test;
    Deuflhard, Newton Methods for Nonlinear Problems (2011), section 3.3).
    """
    algebraic = jnp.asarray(system.mass == 0.0)
    first, second = trial.dense[0], trial.dense[1]
    sizes = [system.update_size(u, args) for u in (first, second, trial.error)]
    limit = system.limit_update(first, args)
    shrinks = (sizes[1] <= (1.0 - 0.25 * damping) * sizes[0]) | (sizes[1] <= 1.0)
    good = shrinks & (damping <= limit) & jnp.isfinite(sizes[0])
    chord = good & (damping == 1.0) & (sizes[2] <= jnp.maximum(sizes[1], 1.0))
    change = jnp.where(chord, trial.y - y, damping * first)
    change = jnp.where(good & algebraic, change, 0.0)
    smaller = jnp.maximum(jnp.minimum(limit, 0.5 * damping), 0.1 * damping)
    return Attempt(
        y + change,
        chord & (sizes[2] <= 1.0),
        jnp.where(good, jnp.minimum(1.0, 4.0 * damping), smaller),
        ~good & ((damping < _LEAST_DAMPING) | ~jnp.isfinite(sizes[0])),
    )
