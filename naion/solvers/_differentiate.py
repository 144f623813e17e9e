"""Exact derivatives of a solve: the recorded steps, replayed.

Step sizes are constants of the recorded solve, except the step that ends at an event,
whose length follows from the event (implicit function theorem), and the step that ends a
segment, which follows the segment's duration. Along the record a tangent runs forwards,
a cotangent backwards; each recorded step is recomputed from its stored start. So memory is
one state for every accepted step, and both modes give the derivative of the same
discrete solution.

A record is replayed in phases, one an iteration of a flat loop, all through one program:
initialisation, if the step begins with it; the step's slope along its own length, if it ends
at an event; and the step.
"""

import dataclasses
import enum
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.custom_derivatives import SymbolicZero
from jax.flatten_util import ravel_pytree

from naion_kernels.lanes import per_lane

from ._deferred import deferred, deferred_map
from ._initialisation import initialising
from ._integrate import (
    Record,
    Segments,
    Settings,
    Trajectory,
    Where,
    integrate,
    not_begun,
    row,
    step_outputs,
)
from ._rosenbrock import At, cotangents, finish, stages, stepping, tangents
from ._system import AbstractSystem

PACKAGES = ("naion",)
"""Where the code of all that is solved is, unless users bring their own."""


class _Inputs(NamedTuple):
    """Everything a solve can be differentiated with respect to; floats only."""

    y: Array
    args: Any
    control: Any
    duration: Array


class _Outputs(NamedTuple):
    """The differentiable part of a trajectory."""

    t: Array
    h: Array
    outputs: Array
    y: Array
    t_end: Array


class _Results(NamedTuple):
    """All that has derivatives: `Trajectory` says what it is."""

    way: _Outputs
    end: Array
    extremes: Array


class _Static(NamedTuple):
    """The rest of the inputs: integers and settings."""

    args: Any
    control: Any
    stops: Array
    joined: Array
    count: Array
    settings: Settings
    where: Where


def solve(
    system: AbstractSystem,
    where: Where,
    args: Any,
    segments: Segments,
    settings: Settings,
    keep_states: bool = False,
) -> Trajectory:
    """`integrate`, differentiable in forward and reverse mode (once).

    Derivatives are with respect to every floating-point number in `where.y`, `args`,
    `segments.control` and `segments.duration`, of every output of every step, of times
    and step lengths, of the final state, of the outputs there and of their extremes. They
    take a record with the room of `settings`, also where none is returned.
    """
    args, fixed_args = eqx.partition(args, eqx.is_inexact_array)
    control, fixed_control = eqx.partition(segments.control, eqx.is_inexact_array)
    inputs = _Inputs(where.y, args, control, segments.duration)
    static = _Static(
        fixed_args,
        fixed_control,
        segments.stops,
        segments.joined,
        segments.count,
        settings,
        jax.lax.stop_gradient(where),
    )
    (way, end, extremes), done = _solve(system, keep_states, inputs, static)
    record = done.record._replace(t=way.t, h=way.h, outputs=way.outputs)
    where = done.where._replace(y=way.y, t=way.t_end)
    return done._replace(record=record, where=where, end=end, extremes=extremes)


def _solve_impl(system, keep_states, inputs: _Inputs, static: _Static):
    args = eqx.combine(inputs.args, static.args)
    control = eqx.combine(inputs.control, static.control)
    segments = Segments(
        control, inputs.duration, static.stops, static.joined, static.count
    )
    run = functools.partial(integrate, keep_states=keep_states)
    where = static.where._replace(y=inputs.y)
    at = system, where, args, segments, static.settings
    run = per_lane(run, packages=PACKAGES) if static.settings.native else run
    done = deferred(run, not_begun(*at, keep_states), *at)
    r = done.record
    way = _Outputs(r.t, r.h, r.outputs, done.y, done.t)
    return _Results(way, done.end, done.extremes), done


_solve = jax.custom_jvp(_solve_impl, nondiff_argnums=(0, 1))


def _solve_jvp(system, keep_states, primals, tangents):
    inputs, static = _no_second_derivative(primals[0]), primals[1]
    recorded = static._replace(
        settings=dataclasses.replace(static.settings, recording=True)
    )
    # Only what is perturbed is differentiated: a fit of a few scalars must not pay for
    # every table of the cell.
    moves = jax.tree.map(
        lambda t: not isinstance(t, SymbolicZero),
        tangents[0],
        is_leaf=lambda t: isinstance(t, SymbolicZero),
    )
    if any(jax.tree.leaves((moves.control, moves.duration))):
        # Where no value jumps its tangent may.
        apart = jnp.zeros_like(static.joined)
        recorded = recorded._replace(joined=apart)
    results, done = _solve_impl(system, True, inputs, recorded)
    moving, fixed = eqx.partition(inputs, moves)
    tangent = eqx.filter(tangents[0], moves)
    way = _Sweep(system, recorded, moving, fixed, done)(tangent)
    dots = _Results(way, *_at_ends(done, way.outputs))
    if not keep_states:
        done = done._replace(record=done.record._replace(y=done.record.y[:, :0]))
    if not static.settings.recording:
        # Rows that nobody asked for.
        done = done._replace(record=jax.tree.map(lambda a: a[:0], done.record))
        results, dots = (r._replace(way=_short(r.way)) for r in (results, dots))
    return (results, done), (dots, jax.tree.map(_zero_tangent, done))


def _short(way: _Outputs) -> _Outputs:
    return way._replace(t=way.t[:0], h=way.h[:0], outputs=way.outputs[:0])


def _at_ends(done: Trajectory, dots: Array) -> tuple[Array, Array]:
    """Of the outputs' tangents those at the end, and at the least and greatest outputs."""
    some = done.n_steps > 0
    last = jnp.maximum(done.n_steps - 1, 0)
    used = jnp.arange(dots.shape[0]) < done.n_steps
    outputs, dots = (
        a[:, :2].reshape(-1, a.shape[-1]) for a in (done.record.outputs, dots)
    )
    used = jnp.repeat(used, 2)[:, None]
    at = jnp.stack(
        [
            jnp.argmin(jnp.where(used, outputs, jnp.inf), axis=0),
            jnp.argmax(jnp.where(used, outputs, -jnp.inf), axis=0),
        ]
    )
    extremes = jnp.take_along_axis(dots, at, axis=0)
    end = dots[2 * last + 1]
    return jnp.where(some, end, 0.0), jnp.where(some, extremes, 0.0)


_solve.defjvp(_solve_jvp, symbolic_zeros=True)


def _zero_tangent(a: Array):
    if jnp.issubdtype(a.dtype, jnp.inexact):
        return jnp.zeros_like(a)
    return np.zeros(a.shape, jax.dtypes.float0)


@jax.custom_jvp
def _no_second_derivative(tree):
    return tree


@_no_second_derivative.defjvp
def _refuse(primals, tangents):
    raise NotImplementedError(
        "naion differentiates a simulation once. Second derivatives (a Hessian, or a "
        "gradient of a gradient) are not supported: use Gauss-Newton from `jacfwd`, or "
        "finite differences of the gradient."
    )


class _Phase(enum.IntEnum):
    """What is done with a recorded step, in this order."""

    INITIALISE = 0
    SLOPE = 1
    STEP = 2


class _End(NamedTuple):
    """What a phase leads to: state, outputs, distance to the step's event, length."""

    y: Array
    outputs: Array
    distance: Array
    h: Array


class _Sweep(eqx.Module):
    """The linear map from tangents of the inputs to tangents of the outputs.

    Attributes:
        system: what was solved.
        static: inputs that cannot move.
        moving: inputs with a tangent.
        fixed: inputs without.
        done: the solve, its states recorded.
    """

    system: AbstractSystem
    static: _Static
    moving: _Inputs
    fixed: _Inputs
    done: Trajectory

    def __call__(self, tangent: _Inputs) -> _Outputs:
        # One flat vector each way, as inputs that do not move have no tangent.
        b, tangent_of = ravel_pytree(tangent)
        none, outputs_of = ravel_pytree(self._no_tangent())

        def along(sweep: _Sweep, b: Array) -> Array:
            return ravel_pytree(sweep._run(_Sweep.forward, tangent_of(b)))[0]

        def against(sweep: _Sweep, c: Array) -> Array:
            return ravel_pytree(sweep._run(_Sweep.backward, outputs_of(c)))[0]

        return outputs_of(deferred_map(along, against, self, b, none))

    def _run(self, way: Callable[["_Sweep", Any], Any], along: Any) -> Any:
        if self.static.settings.native:
            way = per_lane(way, alike=True, packages=PACKAGES)
        return way(self, along)

    @property
    def record(self) -> Record:
        """The steps."""
        return self.done.record

    @property
    def n_steps(self) -> Array:
        """How many there are."""
        return self.done.n_steps

    def _no_tangent(self) -> _Outputs:
        r = self.record
        zero = jnp.zeros_like(r.t[0])
        outputs = _Outputs(r.t, r.h, r.outputs, self.done.y, zero)
        return jax.tree.map(jnp.zeros_like, outputs)

    def _replay(self, n: Array, phase: Array) -> "_Replay":
        rec = row(self.record, n)
        return _Replay(self.system, self.static, self.fixed, rec, phase)

    def forward(self, tangent: _Inputs) -> _Outputs:
        """Tangents along the record."""
        record = self.record
        zero = jnp.zeros_like(self.record.t[0])

        def body(carry):
            n, phase, y_dot, t_dot, slope, out = carry
            along_h = phase == _Phase.SLOPE
            start = record.y[n], zero, self.moving
            dots = jax.tree.map(
                lambda a: jnp.where(along_h, 0.0, a), (y_dot, zero, tangent)
            )
            dots = dots[0], along_h * 1.0, dots[2]
            replay = self._replay(n, phase)
            x, x_dot = jax.jvp(replay.begin, start, dots)
            u, u_dot = tangents(self.system, replay.at, x, x_dot)
            _, dot = jax.jvp(replay.end, (x, u), (x_dot, u_dot))

            is_step = phase == _Phase.STEP
            has_event = self._ends_at_event(n)
            # The length moves so that the distance to the event stays zero.
            safe = jnp.where(has_event, slope.distance, 1.0)
            longer = jnp.where(is_step & has_event, -dot.distance / safe, 0.0)
            dot = _add(dot, jax.tree.map(lambda a: longer * a, slope))
            slope = jax.tree.map(lambda a, b: jnp.where(along_h, a, b), dot, slope)
            at = jnp.where(is_step, n, record.t.shape[0])
            out = out._replace(
                t=out.t.at[at].set(t_dot, mode="drop"),
                h=out.h.at[at].set(dot.h, mode="drop"),
                outputs=out.outputs.at[at].set(dot.outputs, mode="drop"),
            )
            y_dot = jnp.where(along_h, y_dot, dot.y)
            t_dot = jnp.where(is_step, t_dot + dot.h, t_dot)
            following = jnp.where(has_event & ~along_h, _Phase.SLOPE, _Phase.STEP)
            n = n + is_step
            phase = jnp.where(is_step, self._first_phase(n), following)
            return n, phase, y_dot, t_dot, slope, out

        out = self._no_tangent()
        y_dot = out.y if tangent.y is None else tangent.y
        slope = _End(jnp.zeros_like(out.y), jnp.zeros_like(out.outputs[0]), zero, zero)
        first = jnp.asarray(0)
        carry = (first, self._first_phase(first), y_dot, zero, slope, out)
        _, _, y_dot, t_dot, _, out = jax.lax.while_loop(
            lambda c: c[0] < self.n_steps, body, carry
        )
        return out._replace(y=y_dot, t_end=t_dot)

    def _ends_at_event(self, n: Array) -> Array:
        """Whether the length of a step follows from an event."""
        return (self.record.event[n] >= 0) & ~self.record.skipped[n]

    def _first_phase(self, n: Array) -> Array:
        without = jnp.where(self._ends_at_event(n), _Phase.SLOPE, _Phase.STEP)
        return jnp.where(self.record.initialised[n], _Phase.INITIALISE, without)

    def backward(self, cotangent: _Outputs) -> _Inputs:
        """Cotangents against the record."""
        record = self.record
        zero = jnp.zeros_like(record.t[0])

        def body(carry):
            n, phase, y_bar, t_bar, longer_bar, total = carry
            is_step, along_h = phase == _Phase.STEP, phase == _Phase.SLOPE
            start = record.y[n], zero, self.moving
            replay = self._replay(n, phase)
            x, against_begin = jax.vjp(replay.begin, *start)
            u, factors = stages(self.system, replay.at(x))
            _, against_end = jax.vjp(replay.end, x, u)
            bar = _End(
                jnp.where(along_h, 0.0, y_bar),
                jnp.where(is_step, cotangent.outputs[n], 0.0),
                jnp.where(along_h, 1.0, 0.0),
                jnp.where(is_step, cotangent.h[n] + t_bar, 0.0),
            )
            x_bar, u_bar = against_end(bar)
            more = cotangents(self.system, replay.at, x, u, factors, u_bar)
            y_more, slope, more = against_begin(_add(x_bar, more))
            # What a longer step would do, the event takes back: see `forward`.
            scale = jnp.where(
                along_h, -longer_bar / jnp.where(along_h, slope, 1.0), 1.0
            )
            y_bar = scale * y_more + jnp.where(along_h, y_bar, 0.0)
            total = _add(total, jax.tree.map(lambda a: scale * a, more))

            to_slope = is_step & self._ends_at_event(n)
            to_initialise = (
                ~to_slope & (phase != _Phase.INITIALISE) & record.initialised[n]
            )
            done = ~to_slope & ~to_initialise
            t_bar = jnp.where(done, t_bar + cotangent.t[n], t_bar)
            other = jnp.where(to_slope, _Phase.SLOPE, _Phase.INITIALISE)
            phase = jnp.where(done, _Phase.STEP, other)
            return n - done, phase, y_bar, t_bar, slope, total

        zeros = jax.tree.map(jnp.zeros_like, self.moving)
        step = jnp.asarray(int(_Phase.STEP))
        carry = (self.n_steps - 1, step, cotangent.y, cotangent.t_end, zero, zeros)
        _, _, y_bar, _, _, total = jax.lax.while_loop(lambda c: c[0] >= 0, body, carry)
        return total if total.y is None else total._replace(y=y_bar)


class _Begun(NamedTuple):
    """What a phase begins with, of what moves; of the controls those of its segment."""

    y: Array
    h: Array
    args: Any
    control: Any


class _Replay(NamedTuple):
    """A phase of a recorded step, as functions of what it hangs on.

    Attributes:
        system: what was solved.
        static, fixed: inputs that do not move.
        rec: what was recorded of the step.
        phase: a `_Phase`.
    """

    system: AbstractSystem
    static: _Static
    fixed: _Inputs
    rec: Record
    phase: Array

    @property
    def initialises(self) -> Array:
        """Whether algebraic unknowns are solved for, and nothing else moves."""
        return self.phase == _Phase.INITIALISE

    @property
    def frozen(self) -> Array:
        """Unknowns whose value before the phase is of no consequence, (n,)."""
        return self.initialises & jnp.asarray(self.system.mass == 0.0)

    def begin(self, y: Array, longer: Array, moving: _Inputs) -> _Begun:
        """From the state before, (n,), with a step made `longer` [s]."""
        rec = self.rec
        y = jnp.where(rec.fresh, self.system.begin(y), y)
        # What initialisation finds does not hang on where it started from.
        y = jnp.where(self.frozen, jax.lax.stop_gradient(y), y)
        end = eqx.combine(moving, self.fixed).duration[rec.segment]
        h = rec.h + longer
        moved = h + jnp.where(rec.ended, end - jax.lax.stop_gradient(end), 0.0)
        h = jnp.where(jnp.isfinite(moved), moved, h)
        return _Begun(y, h, moving.args, row(moving.control, rec.segment))

    def at(self, x: _Begun) -> At:
        """What the stages hang on."""
        tableau = self.static.settings.tableau
        # A row without a step is left as it is: consistent, and initialisation keeps it so.
        skipped = self.rec.skipped
        weights = jax.tree.map(
            lambda a, b: jnp.where(self.initialises | skipped, a, b),
            initialising(tableau, jnp.ones_like(x.h)),
            stepping(tableau, jnp.where(skipped, 1.0, x.h)),
        )
        args = eqx.combine(x.args, self.fixed.args, self.static.args)
        rest = row((self.fixed.control, self.static.control), self.rec.segment)
        return At(weights, self.rec.tau, x.y, args, eqx.combine(x.control, *rest))

    def end(self, x: _Begun, u: Array) -> _End:
        """What the stages, (s, n), lead to."""
        weights, tau, y, args, control = self.at(x)
        step = finish(weights, y, u)
        outputs = step_outputs(self.system, tau, y, x.h, step, args, control)
        distances = self.system.events(tau + x.h, step.y, args, control)
        stays = (self.initialises | self.rec.skipped) & ~self.frozen
        y_end = jnp.where(stays, y, step.y)
        return _End(y_end, outputs, distances[self.rec.event], x.h)


def _add(a, b):
    return jax.tree.map(jnp.add, a, b)
