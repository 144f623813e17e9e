"""Adaptive integration through segments and events.

One flat loop attempts one thing an iteration, whatever the lane is doing: initialising the
algebraic unknowns of a new segment, stepping, locating an event. Under `vmap` the
lanes so go in lock-step without waiting for each other's segments.
"""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from ._event_location import MAX_LOCATING, Locating, dense_root, locate, not_locating
from ._initialisation import MAX_ATTEMPTS, Attempt, initialising, judge, most_damping
from ._rosenbrock import RODAS5P, StepResult, Tableau, apply, stepping
from ._system import AbstractSystem, Status

EVENT_TOLERANCE = 1e-9
"""An event counts as met within this scaled distance."""

MANY_REJECTED = 4
"""Attempts in a row that must fail before algebraic unknowns are solved for anew."""

VERY_SHORT = 1e-4
"""Steps as short as this come from uninitialised algebraic unknowns [s]."""

SHORTEST = 1e-9
"""A solve that would need shorter steps has failed [s]."""

LAST_TERM = 27.0 / 256.0
"""Most that the last coefficient of the dense output adds inside a step."""

INSIDE = 3.0
"""What it may add, in tolerances: an end can be right where the way there is not, as on
a steep ramp of current through zero."""

MAX_INSIDE = 2
"""Attempts in a row that may fail by what is inside the step alone."""

AT_ONCE = 1e-6
"""Length of the step that ends at an event which initialisation has moved behind us [s]."""


class Settings(eqx.Module):
    """How to integrate.

    Attributes:
        rtol: tolerance of the local error, in the system's scaled norm.
        first_step: first step of a segment [s].
        max_steps: most accepted steps; a number, which no shape depends on.
        room: rows of the record; a call that fills it ends there, with the status
            RUNNING, and the next can go on from `Trajectory.where`.
        recording: whether to keep a record; without, nothing ends for want of room.
        tableau: the method.
        native: run lane by lane as native code; see `naion_kernels.lanes`.
    """

    rtol: Array
    first_step: Array
    max_steps: Array
    room: int = eqx.field(static=True)
    recording: bool = eqx.field(static=True, default=True)
    tableau: Tableau = eqx.field(static=True, default=RODAS5P)
    native: bool = eqx.field(static=True, default=False)


class Segments(NamedTuple):
    """What is imposed, one row a segment.

    Attributes:
        control: pytree of arrays with a leading axis of n_segment.
        duration: longest time of each segment, may be infinite, (n_segment,) [s].
        stops: whether an event ends everything rather than the segment,
            (n_segment, n_event).
        joined: whether a segment begins where the one before ends if that takes its
            whole time: nothing jumps, and nothing is to be initialised, (n_segment,).
        count: how many of the rows are segments; the rest is padding.
    """

    control: Any
    duration: Array
    stops: Array
    joined: Array
    count: Array


class Record(NamedTuple):
    """Every accepted step; rows from `n_steps` on are unused.

    Attributes:
        t: time at the start of the step [s].
        tau: time since the segment began [s].
        h: length [s].
        segment: index of the segment.
        fresh: the step is the first of its segment.
        initialised: algebraic unknowns were solved for anew before the step.
        ended: the step ends at the segment's duration.
        event: index of the event it ends at, or -1.
        skipped: no step: the event had been met before the segment began. A row of no
            length, with the outputs there.
        outputs: outputs at the start, at the end, and of the dense output,
            (room, 2 + p, n_out).
        y: state at the start of the step, (room, n), or (room, 0).
    """

    t: Array
    tau: Array
    h: Array
    segment: Array
    fresh: Array
    initialised: Array
    ended: Array
    event: Array
    skipped: Array
    outputs: Array
    y: Array


class Where(NamedTuple):
    """Where an integration is; all that it needs to go on.

    Attributes:
        y, t, tau, segment: state, time, time in the segment, and the segment.
        h: length to try.
        entering: the segment's beginning is still to be applied to `y`.
        fresh: no step of the segment has been accepted yet.
        initialising: what to attempt is initialisation, not a step.
        damping: of initialisation.
        tried: attempts at initialisation so far.
        initialised: `y` was initialised at this time.
        rejected: steps rejected in a row.
        locating: on an event; see `Locating`.
    """

    y: Array
    t: Array
    tau: Array
    segment: Array
    h: Array
    entering: Array
    fresh: Array
    initialising: Array
    damping: Array
    tried: Array
    initialised: Array
    rejected: Array
    locating: Locating


def beginning(y0: Array, first_step: Array | float) -> Where:
    """The beginning of the first segment, from the state `y0`, (n,)."""
    zero, count = jnp.zeros((), y0.dtype), jnp.zeros((), int)
    yes = jnp.ones((), bool)
    return Where(
        y=y0,
        t=zero,
        tau=zero,
        segment=count,
        h=jnp.asarray(first_step, y0.dtype),
        entering=yes,
        fresh=yes,
        initialising=yes,
        damping=jnp.ones_like(zero),
        tried=count,
        initialised=~yes,
        rejected=count,
        locating=not_locating(zero),
    )


class Trajectory(NamedTuple):
    """A solve: its record and how it ended.

    Attributes:
        record: see `Record`; with no rows if none was asked for.
        where: where it ended.
        end: outputs at the end of the last accepted step, (n_out,); NaN without one.
        extremes: least and greatest of the outputs at both ends of all steps, (2, n_out);
            infinities without one.
        status: a `Status`; RUNNING if the record is full.
        event: event that ended it, or -1.
        n_steps: accepted steps, and segments that were over at once.
        n_rejected: attempted steps that were not accepted.
    """

    record: Record
    where: Where
    end: Array
    extremes: Array
    status: Array
    event: Array
    n_steps: Array
    n_rejected: Array

    @property
    def y(self) -> Array:
        """State at the end, (n,)."""
        return self.where.y

    @property
    def t(self) -> Array:
        """Time at the end [s]."""
        return self.where.t


def integrate(
    system: AbstractSystem,
    where: Where,
    args: Any,
    segments: Segments,
    settings: Settings,
    keep_states: bool = False,
) -> Trajectory:
    """Integrate from `where` through the segments that are left.

    Not differentiable itself: see `differentiate.solve`.

    Args:
        keep_states: record the state at the start of every step.
    """

    def goes_on(c: Trajectory) -> Array:
        running = c.status == Status.RUNNING
        return running & (c.n_steps < settings.room) if settings.recording else running

    return jax.lax.while_loop(
        goes_on,
        lambda c: _advance(system, args, segments, settings, c),
        not_begun(system, where, args, segments, settings, keep_states),
    )


def row(tree: Any, i: Array | int) -> Any:
    """Row `i` of every array of a pytree."""
    return jax.tree.map(lambda a: a[i], tree)


def step_outputs(
    system: AbstractSystem,
    tau: Array,
    y: Array,
    h: Array,
    step: StepResult,
    args,
    control,
) -> Array:
    """Outputs at both ends of a step and of its dense output, (2 + p, n_out)."""
    start = system.outputs(tau, y, args, control)

    def at_end(y):
        return system.outputs(tau + h, y, args, control)

    end = at_end(step.y)
    inner = [jax.jvp(at_end, (step.y,), (k,))[1] for k in step.dense]
    return jnp.stack([start, end, *inner])


def not_begun(
    system: AbstractSystem,
    where: Where,
    args: Any,
    segments: Segments,
    settings: Settings,
    keep_states: bool,
) -> Trajectory:
    """What `integrate` starts from: arrays like those that it returns."""
    y, dtype = where.y, where.y.dtype
    n = settings.room if settings.recording else 0
    out = system.outputs(where.tau, y, args, row(segments.control, 0))
    n_dense = settings.tableau.dense.shape[0]
    # Strongly typed: what a loop converts it copies, whole, in every iteration.
    record = Record(
        t=jnp.zeros(n, dtype),
        tau=jnp.zeros(n, dtype),
        h=jnp.zeros(n, dtype),
        segment=jnp.zeros(n, int),
        fresh=jnp.zeros(n, bool),
        initialised=jnp.zeros(n, bool),
        ended=jnp.zeros(n, bool),
        event=jnp.full(n, -1, int),
        skipped=jnp.zeros(n, bool),
        outputs=jnp.zeros((n, 2 + n_dense, out.shape[0]), out.dtype),
        y=jnp.zeros((n, y.shape[0] if keep_states else 0), dtype),
    )
    nothing = jnp.full_like(out, jnp.nan)
    count = jnp.zeros((), int)
    return Trajectory(
        record=record,
        where=where,
        end=nothing,
        extremes=jnp.stack([jnp.full_like(out, jnp.inf), jnp.full_like(out, -jnp.inf)]),
        status=jnp.full((), int(Status.RUNNING), int),
        event=jnp.full((), -1, int),
        n_steps=count,
        n_rejected=count,
    )


def _advance(system, args, segments, settings, done: Trajectory) -> Trajectory:
    """One attempt at initialisation or at a step, and what follows from it."""
    c = done.where
    control = row(segments.control, c.segment)
    begun = system.begin(c.y)
    guess = system.start_guess(c.tau, begun, args, control)
    begun = jnp.where(c.initialising, guess, begun)
    y = jnp.where(c.entering, begun, c.y)
    before = system.events(c.tau, y, args, control)
    met_before = ~c.initialising & c.initialised & jnp.any(before <= EVENT_TOLERANCE)
    # A segment whose end is already met takes no step.
    over = met_before & c.fresh
    at_once = met_before & ~c.fresh

    locating = c.locating.count > 0
    remaining = segments.duration[c.segment] - c.tau
    h, ends = _fit(jnp.where(at_once, AT_ONCE, c.h), remaining, locating)
    weights = jax.tree.map(
        lambda a, b: jnp.where(c.initialising, a, b),
        initialising(settings.tableau, c.damping),
        stepping(settings.tableau, h),
    )
    trial = apply(weights, system, c.tau, y, args, control)
    initial: Attempt = judge(system, y, trial, c.damping, args)

    ratios = [
        system.error_ratio(error, trial.y, args, control, c.tau + h)
        for error in (trial.error, LAST_TERM * trial.dense[-1] / INSIDE)
    ]
    # Shorter steps do not help with what is too stiff to be resolved inside.
    looks_inside = ~c.initialising & (c.rejected < MAX_INSIDE)
    ratio = jnp.where(looks_inside, jnp.maximum(*ratios), ratios[0]) / settings.rtol
    finite = jnp.isfinite(ratio) & jnp.all(jnp.isfinite(trial.y))
    ratio = jnp.where(finite, ratio, jnp.inf)
    passed = ~c.initialising & ~over & (ratio <= 1.0)
    # What is wrong inside alone, behind a joint, may be algebraic unknowns that the last
    # step left solved to within the tolerance: shorter steps do not help with those.
    only_inside = ~c.initialising & ~c.initialised & c.fresh & ~over & ~passed
    only_inside &= finite & (ratios[0] <= settings.rtol)

    after = system.events(c.tau + h, trial.y, args, control)
    nearest = jnp.argmin(after)
    # A step that crosses an event is tried again, from the same start, until it ends
    # at the event.
    crossed = passed & (after[nearest] < -EVENT_TOLERANCE) & ~at_once
    short = passed & (after[nearest] > EVENT_TOLERANCE) & locating & ~at_once
    met = passed & ~crossed & ((after[nearest] <= EVENT_TOLERANCE) | at_once)
    again = crossed | short
    root = dense_root(system, c.tau, y, h, trial, args, control, crossed)
    bracket, closer = locate(
        c.locating, h, before[nearest], after[nearest], crossed, root
    )

    accepted = passed & ~again
    event = jnp.where(over, jnp.argmin(before), jnp.where(met, nearest, -1))
    has_event = over | (accepted & met)
    ended = accepted & ends & ~met
    leaves = has_event | ended
    stops = has_event & segments.stops[c.segment, event]
    last = c.segment + 1 >= segments.count

    factor = jnp.clip(0.9 * ratio ** (-1.0 / settings.tableau.error_order), 0.1, 6.0)
    h_next = jnp.where(again, closer, h * factor)
    # A step that was cut short by the end of its segment says little about the next.
    h_next = jnp.where(accepted & ends & ~met, jnp.maximum(h_next, c.h), h_next)
    h_next = jnp.where(c.initialising | over | only_inside, c.h, h_next)
    rejected = jnp.where(passed | over | c.initialising, 0, c.rejected + 1)
    # Steps leave the algebraic rows solved to within the tolerance only. Where they bend
    # sharply, that alone can fail or shorten the next step however short it is; and an
    # event may lie within that tolerance of the start of the step. Solve them anew.
    short_of_breath = (rejected == MANY_REJECTED) | (passed & (h_next < VERY_SHORT))
    uninitialised = ~c.initialised & (short_of_breath | again | only_inside)

    adds = accepted | over
    n_steps = done.n_steps + adds
    n_rejected = done.n_rejected + (~adds & ~c.initialising)
    lost = c.initialising & (initial.failed | (c.tried >= MAX_ATTEMPTS))
    status = jnp.select(
        [
            lost,
            stops,
            leaves & last,
            bracket.count > MAX_LOCATING,
            # (An event may be nearer than that; attempts to end there are counted.)
            ~c.initialising & ~leaves & ~again & (h_next < SHORTEST),
            (n_steps >= settings.max_steps) | (n_rejected > 10 * settings.max_steps),
        ],
        [
            int(Status.START_FAILED),
            int(Status.EVENT),
            int(Status.COMPLETED),
            int(Status.EVENT_NOT_MET),
            int(Status.STEP_TOO_SMALL),
            int(Status.STEP_LIMIT),
        ],
        int(Status.RUNNING),
    )
    outputs = step_outputs(system, c.tau, y, h, trial, args, control)
    # A segment that is over at once is a row without length.
    outputs = jnp.where(over, jnp.broadcast_to(outputs[0], outputs.shape), outputs)
    entry = Record(
        t=c.t,
        tau=c.tau,
        h=jnp.where(over, 0.0, h),
        segment=c.segment,
        fresh=c.fresh,
        initialised=c.initialised,
        ended=ended,
        event=jnp.where(has_event, event, -1),
        skipped=over,
        outputs=outputs,
        y=y[: done.record.y.shape[1]],
    )
    record = done.record
    if settings.recording:
        at = jnp.where(adds, done.n_steps, settings.room)
        record = jax.tree.map(
            lambda buffer, value: buffer.at[at].set(value, mode="drop"), record, entry
        )
    least, greatest = done.extremes
    for at_end in outputs[:2]:
        least, greatest = jnp.minimum(least, at_end), jnp.maximum(greatest, at_end)
    extremes = jnp.stack([least, greatest])
    moves_on = leaves & (status == Status.RUNNING)
    jumps = moves_on & ~(ended & segments.joined[c.segment + 1])
    y_next = jnp.where(accepted, trial.y, jnp.where(c.initialising, initial.y, y))
    where = Where(
        y=y_next,
        t=jnp.where(accepted, c.t + h, c.t),
        tau=jnp.where(moves_on, 0.0, jnp.where(accepted, c.tau + h, c.tau)),
        segment=c.segment + moves_on,
        h=jnp.where(jumps, jnp.minimum(settings.first_step, h_next), h_next),
        entering=moves_on,
        fresh=moves_on | (c.fresh & ~accepted),
        initialising=jumps | (c.initialising & ~initial.found) | uninitialised,
        damping=jnp.where(
            c.initialising & ~initial.found,
            jnp.minimum(initial.damping, most_damping(c.tried)),
            1.0,
        ),
        tried=jnp.where(c.initialising & ~initial.found, c.tried + 1, 0),
        initialised=(c.initialised & ~accepted | c.initialising & initial.found)
        & ~moves_on,
        rejected=rejected,
        locating=jax.tree.map(
            lambda new, old, none: jnp.where(
                again & ~uninitialised, new, jnp.where(c.initialising, old, none)
            ),
            bracket,
            c.locating,
            not_locating(c.tau),
        ),
    )
    return Trajectory(
        record=record,
        where=where,
        end=jnp.where(adds, outputs[1], done.end),
        extremes=jnp.where(adds, extremes, done.extremes),
        status=status,
        event=jnp.where(has_event, event, -1),
        n_steps=n_steps,
        n_rejected=n_rejected,
    )


def _fit(h: Array, remaining: Array, exact: Array) -> tuple[Array, Array]:
    """The step to try, and whether it ends the segment; avoids a sliver at the end."""
    ends = (h >= 0.999 * remaining) & ~exact
    halved = jnp.where((2.0 * h > remaining) & ~exact, 0.5 * remaining, h)
    return jnp.where(ends, remaining, halved), ends
