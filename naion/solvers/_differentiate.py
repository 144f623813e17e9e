"""Exact derivatives of a solve: the recorded steps, replayed.

Step sizes are constants of the recorded solve, except the step that ends at an event,
whose length follows from the event (implicit function theorem), and the step that ends a
segment, which follows the segment's duration. Along the record a tangent runs forwards,
a cotangent backwards; each recorded step is recomputed once from its stored start. So
memory is one state for every accepted step, and both modes give the derivative of the
same discrete solution.
"""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.custom_derivatives import SymbolicZero
from jax.flatten_util import ravel_pytree

from ._integrate import (
    Record,
    Segments,
    Settings,
    Trajectory,
    integrate,
    row,
    step_outputs,
)
from ._rosenbrock import rosenbrock_step
from ._start import settle
from ._system import AbstractSystem


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


class _Static(NamedTuple):
    """The rest of the inputs: integers and settings."""

    args: Any
    control: Any
    stops: Array
    count: Array
    settings: Settings


def solve(
    system: AbstractSystem,
    y0: Array,
    args: Any,
    segments: Segments,
    settings: Settings,
    keep_states: bool = False,
) -> Trajectory:
    """`integrate`, differentiable in forward and reverse mode (once).

    Derivatives are with respect to every floating-point number in `y0`, `args`,
    `segments.control` and `segments.duration`, of every output of every step, of times
    and step lengths, and of the final state.
    """
    args, fixed_args = eqx.partition(args, eqx.is_inexact_array)
    control, fixed_control = eqx.partition(segments.control, eqx.is_inexact_array)
    inputs = _Inputs(y0, args, control, segments.duration)
    static = _Static(
        fixed_args, fixed_control, segments.stops, segments.count, settings
    )
    outputs, trajectory = _solve(system, keep_states, inputs, static)
    record = trajectory.record._replace(
        t=outputs.t, h=outputs.h, outputs=outputs.outputs
    )
    return trajectory._replace(record=record, y=outputs.y, t=outputs.t_end)


def _solve_impl(system, keep_states, inputs: _Inputs, static: _Static):
    args = eqx.combine(inputs.args, static.args)
    control = eqx.combine(inputs.control, static.control)
    segments = Segments(control, inputs.duration, static.stops, static.count)
    done = integrate(system, inputs.y, args, segments, static.settings, keep_states)
    r = done.record
    return _Outputs(r.t, r.h, r.outputs, done.y, done.t), done


_solve = jax.custom_jvp(_solve_impl, nondiff_argnums=(0, 1))


def _solve_jvp(system, keep_states, primals, tangents):
    inputs, static = primals
    outputs, done = _solve_impl(system, True, inputs, static)
    # Only what is perturbed is differentiated: a fit of a few scalars must not pay for
    # every table of the cell.
    moves = jax.tree.map(
        lambda t: not isinstance(t, SymbolicZero),
        tangents[0],
        is_leaf=lambda t: isinstance(t, SymbolicZero),
    )
    moving, fixed = eqx.partition(inputs, moves)
    tangent = eqx.filter(tangents[0], moves)
    residuals = _no_second_derivative((moving, fixed, done))
    tangent = _Sweep(system, static, *residuals)(tangent)
    if not keep_states:
        empty = jnp.zeros((done.record.y.shape[0], 0), done.y.dtype)
        done = done._replace(record=done.record._replace(y=empty))
    still = jax.tree.map(_zero_tangent, done)
    return (outputs, done), (tangent, still)


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


class _Sweep:
    """The linear map from tangents of the inputs to tangents of the outputs."""

    def __init__(
        self,
        system: AbstractSystem,
        static: _Static,
        moving: _Inputs,
        fixed: _Inputs,
        done: Trajectory,
    ):
        self.system, self.static = system, static
        self.moving, self.fixed = moving, fixed
        self.record: Record = done.record
        self.y_shape = done.y
        self.n_steps = done.n_steps

    def __call__(self, tangent: _Inputs) -> _Outputs:
        # x = L b with L unit lower triangular: the public way to give a linear map its
        # own transpose that also batches. The matvec is never called. One flat vector,
        # because inputs that are not perturbed have tangents of another kind.
        flat, unflatten_in = ravel_pytree(tangent)
        empty, unflatten_out = ravel_pytree(self._no_tangent())
        n = flat.shape[0]

        def forward(_, b):
            out, _ = ravel_pytree(self.forward(unflatten_in(b[:n])))
            return jnp.concatenate([b[:n], b[n:] + out])

        def backward(_, b):
            back, _ = ravel_pytree(self.backward(unflatten_out(b[n:])))
            return jnp.concatenate([b[:n] + back, b[n:]])

        x = jax.lax.custom_linear_solve(
            lambda b: b, jnp.concatenate([flat, empty]), forward, backward
        )
        return unflatten_out(x[n:])

    def _no_tangent(self) -> _Outputs:
        r = self.record
        zero = jnp.zeros_like(r.t[0])
        outputs = _Outputs(r.t, r.h, r.outputs, self.y_shape, zero)
        return jax.tree.map(jnp.zeros_like, outputs)

    def replay(self, n: Array, y: Array, t: Array, moving: _Inputs):
        """Step `n` of the record as a differentiable function of what it hangs on."""
        rec = row(self.record, n)
        settings, system = self.static.settings, self.system
        _, args, control, duration = eqx.combine(moving, self.fixed)
        args = eqx.combine(args, self.static.args)
        control = row(eqx.combine(control, self.static.control), rec.segment)

        y = jnp.where(rec.fresh, system.begin(y), y)
        y = jax.lax.cond(
            rec.settled,
            lambda y: settle(system, rec.tau, y, args, control),
            lambda y: y,
            y,
        )
        end = duration[rec.segment]
        h = rec.h + jnp.where(rec.ended, end - jax.lax.stop_gradient(end), 0.0)
        h = jnp.where(jnp.isfinite(h), h, rec.h)

        def advance(h, y, args, control):
            step = rosenbrock_step(
                settings.tableau, system, rec.tau, y, h, args, control
            )
            outputs = step_outputs(system, rec.tau, y, h, step, args, control)
            return step.y, outputs

        y_end, outputs = advance(h, y, args, control)

        def to_event(y_end, outputs, h):
            fixed = jax.lax.stop_gradient((y, args, control))

            def by_h(h):
                y_end, outputs = advance(h, *fixed)
                distance = system.events(rec.tau + h, y_end, *fixed[1:])
                return y_end, outputs, distance[rec.event]

            slopes = jax.jvp(by_h, (rec.h,), (jnp.ones_like(rec.h),))[1]
            slopes = jax.lax.stop_gradient(slopes)
            distance = system.events(rec.tau + h, y_end, args, control)[rec.event]
            change = -(distance - jax.lax.stop_gradient(distance)) / slopes[2]
            return y_end + change * slopes[0], outputs + change * slopes[1], h + change

        y_end, outputs, h = jax.lax.cond(
            rec.event >= 0, to_event, lambda *a: a, y_end, outputs, h
        )
        return y_end, t + h, h, outputs

    def forward(self, tangent: _Inputs) -> _Outputs:
        """Tangents along the record."""
        record = self.record

        def body(carry):
            n, y_dot, t_dot, out = carry
            primal = (record.y[n], record.t[n], self.moving)
            _, (y_new, t_new, h_dot, outputs_dot) = jax.jvp(
                lambda *a: self.replay(n, *a), primal, (y_dot, t_dot, tangent)
            )
            out = out._replace(
                t=out.t.at[n].set(t_dot),
                h=out.h.at[n].set(h_dot),
                outputs=out.outputs.at[n].set(outputs_dot),
            )
            return n + 1, y_new, t_new, out

        out = self._no_tangent()
        y_dot = out.y if tangent.y is None else tangent.y
        carry = (jnp.asarray(0), y_dot, out.t_end, out)
        _, y_dot, t_dot, out = jax.lax.while_loop(
            lambda c: c[0] < self.n_steps, body, carry
        )
        return out._replace(y=y_dot, t_end=t_dot)

    def backward(self, cotangent: _Outputs) -> _Inputs:
        """Cotangents against the record."""
        record = self.record

        def body(carry):
            n, y_bar, t_bar, total = carry
            primal = (record.y[n], record.t[n], self.moving)
            _, pullback = jax.vjp(lambda *a: self.replay(n, *a), *primal)
            y_bar, t_bar, more = pullback(
                (y_bar, t_bar, cotangent.h[n], cotangent.outputs[n])
            )
            return n - 1, y_bar, t_bar + cotangent.t[n], _add(total, more)

        zeros = jax.tree.map(jnp.zeros_like, self.moving)
        carry = (self.n_steps - 1, cotangent.y, cotangent.t_end, zeros)
        _, y_bar, _, total = jax.lax.while_loop(lambda c: c[0] >= 0, body, carry)
        return total if total.y is None else total._replace(y=y_bar)


def _add(a, b):
    return jax.tree.map(jnp.add, a, b)
