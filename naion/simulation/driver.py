"""The driver of simulations, shared by cells, stacks of layers and packs.

A simulation calls a compiled program for one part after another. `drive` does everything
around these calls: checks, limits, proofs and cautions. Each kind of system has its own
program.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer, eval_context
from jax.typing import ArrayLike
from jaxtyping import Array

from naion_kernels import lanes

from .._cautions import caution
from .._derived import Derived
from .._progress import Progress
from .._results import Result
from .._traced import is_traced
from ..models import DFN, Equations
from ..parameters import Cell, cautions, check, doubts_of_current
from ..protocol import KELVIN, Mode, Protocol
from ..solvers import (
    AbstractSystem,
    Segments,
    Settings,
    Trajectory,
    Where,
    beginning,
    solve,
)
from ..systems import Output, outputs_in
from ._outcome import STUCK, beyond_laws, outcome_of
from ._parts import Going, Resumable, in_parts, in_windows
from ._proof import is_power_infeasible
from ._solution import Solution

DEFAULT_RTOL = 5e-4
FIRST_STEP = 1.0
LEAST_ROOM = 512
"""Rows of a record in one part: most protocols take fewer steps, and clearing them is
cheap."""

WINDOW = 4096
"""Rows of a long protocol that one part gets; it takes fewer steps than that."""

ROOMY = 8
"""Protocols of up to this many rows share one program."""

Keep = Literal["steps", "cycles", "end"]
"""What a simulation keeps; see `simulate`."""


class Options(NamedTuple):
    """What a program is compiled for, besides shapes; see `simulate` and `Settings`.

    `structure` is the structure of the cell or pack. A program takes its numbers as a flat
    list, since flattening the pytree anew at each call would take as long as two steps of
    the solver.
    """

    structure: Any
    named_start: str | None
    model: DFN
    room: int
    recording: bool
    keep_states: bool
    native: bool


class Wish(NamedTuple):
    """Arguments of a simulation that concern the solver; see `naion.simulate`."""

    model: DFN
    rtol: ArrayLike
    max_steps: int | None
    keep: Keep
    keep_states: bool
    throw: bool
    progress: Progress


def drive(
    program: Callable[..., tuple[Solution, Where]],
    what: Any,
    protocol: Any,
    start: Any,
    temperature: ArrayLike,
    wish: Wish,
    first: Callable[[Any], Where],
) -> Solution:
    """A whole simulation, with its cautions.

    Args:
        program: a part of it, compiled: of the numbers of the cell or pack, rows of the
            protocol, numbers of the start, temperature, rtol, most steps, where to go on,
            and `Options`.
        what: the cell or the pack.
        protocol: what to do, in any form.
        start: a word for a state, or its numbers.
        temperature: [K].
        wish: the rest.
        first: any `Where` of the right shapes, by the structure of `what`.

    Raises:
        RuntimeError: on a numerical failure, if that is wished for.
        ValueError: for an unreadable protocol, tolerance or number of steps.
    """
    if not isinstance(protocol, Protocol):
        protocol = _read(protocol)
    rtol = tolerance(wish.rtol)
    known = None if isinstance(start, str) else _strong(start)
    found = _numbers_of(what)
    traced = found.traced or is_traced((protocol, known, temperature, rtol))
    _check_keep(wish.keep, wish.keep_states, traced)
    limits = _limits_of(protocol, wish.max_steps, traced)
    options = Options(
        found.structure,
        start if isinstance(start, str) else None,
        wish.model,
        limits.room,
        wish.keep != "end",
        wish.keep_states,
        lanes.enabled(),
    )
    if traced:
        in_rows = protocol.padded(_rows_of(protocol.n_steps))
        most = jnp.asarray(limits.most, int)
        args = found.leaves, in_rows, known, temperature, rtol, most, None, options
        return program(*args)[0]

    def part(rows: Protocol, most: ArrayLike, going: Going):
        args = found.leaves, rows, known, temperature, rtol, most, going, options
        return program(*args)

    begun, high = first(found.structure), float(what.limits.upper_voltage)
    # All numbers are known here. If this call happens while JAX traces something else, the
    # simulation is still to be computed at once and not to become part of that trace.
    # `jax.ensure_compile_time_eval` would do that, too, but would compile a small program
    # for every constant of the programs that are traced within: 200 of them, in 10 s.
    with eval_context():
        most, keep = limits.most, wish.keep
        done = _whole(part, protocol, begun, most, keep, high, wish.progress)
        return _ended(done, what, protocol, temperature, wish.throw)


def nowhere(mass: Array | np.ndarray) -> Where:
    """A `Where` of the right shapes, for a system with a mass matrix of this diagonal."""
    state = jax.ShapeDtypeStruct(mass.shape, float)
    shapes = jax.eval_shape(beginning, state, FIRST_STEP)
    return jax.tree.map(lambda a: np.zeros(a.shape, a.dtype), shapes)


class _Numbers(NamedTuple):
    """Leaves and structure of a cell or pack, and whether JAX traces any of its numbers."""

    leaves: list[Any]
    structure: Any
    traced: bool


@Derived
def _numbers_of(what: Any) -> _Numbers:
    leaves, structure = jax.tree.flatten(_strong(what))
    return _Numbers(leaves, structure, is_traced(leaves))


def _read(steps: Any) -> Protocol:
    """A protocol from steps in any form; experiment strings are read only once."""
    steps = (steps,) if isinstance(steps, str) else steps
    if isinstance(steps, list | tuple) and all(isinstance(s, str) for s in steps):
        return _read_sentences(tuple(steps))
    return Protocol(steps)


@functools.lru_cache(maxsize=256)
def _read_sentences(steps: tuple[str, ...]) -> Protocol:
    with jax.ensure_compile_time_eval():
        return Protocol(steps)


def _in_rows(protocol: Protocol) -> Protocol:
    """A protocol in as many rows as its program has."""
    own = _rows_of(protocol.n_steps) == protocol.n_steps
    return protocol if own else _padded(protocol)


@Derived
def _padded(protocol: Protocol) -> Protocol:
    return protocol.padded(_rows_of(protocol.n_steps))


def _whole(
    program: Resumable,
    protocol: Protocol,
    first: Where,
    most: int,
    keep: Keep,
    highest: float,
    progress: Progress,
) -> Solution:
    """All parts of a simulation, and proof of an end that needs one.

    Args:
        program: at most so many steps of a protocol, from where.
        protocol: what to do.
        first, most, keep, progress: see `in_parts`.
        highest: voltage above which nothing is delivered [V].

    Raises:
        TypeError: for a `progress` that cannot be called, before it is needed.
    """
    if not callable(progress):
        raise TypeError(
            f"progress={progress!r}: expected a function of a line of text, such as "
            "`print`."
        )
    long = keep != "end" and protocol.n_steps > WINDOW
    if long:
        part = in_windows(program, protocol, WINDOW)
    else:
        protocol = _in_rows(protocol)
        part = functools.partial(program, protocol)
    n = int(protocol.count)
    solution, where = in_parts(part, first, most, keep, n, progress)
    if long:
        protocol = protocol.rows(int(where.segment), WINDOW)
        where = where._replace(segment=np.zeros_like(where.segment))
    if is_power_infeasible(program, solution, protocol, where, highest):
        proved = jnp.asarray(int(Result.POWER_INFEASIBLE))
        solution = dataclasses.replace(solution, outcome=proved)
    return solution


class _Limits(NamedTuple):
    """Most accepted steps, and rows for their record in one call of a program."""

    most: int
    room: int


def _limits_of(protocol: Protocol, max_steps: int | None, traced: bool) -> _Limits:
    """Limits that follow from `max_steps`; see `simulate`.

    Raises:
        ValueError: unless it is a positive whole number.
    """
    if max_steps is not None:
        whole_number = isinstance(max_steps, int | np.integer)
        if isinstance(max_steps, bool) or not whole_number or max_steps < 1:
            raise ValueError(
                f"max_steps={max_steps!r}: expected a whole number above 0."
            )
        return _Limits(int(max_steps), int(max_steps) if traced else LEAST_ROOM)
    net = 20_000 + 2_000 * protocol.n_steps
    if not traced:
        return _Limits(net, LEAST_ROOM)
    joined = protocol.n_joined
    n = protocol.n_steps - joined
    room, usual = LEAST_ROOM, 200 * (1 + n // 8) + 24 * n + 6 * joined
    while room < usual:
        room *= 2
    return _Limits(net, room)


def _rows_of(n_steps: int) -> int:
    """Few sizes of protocols, so that few programs are compiled."""
    rows = ROOMY
    while rows < n_steps:
        rows *= 8 if rows < 4096 else 2
    return rows


def tolerance(rtol: ArrayLike) -> ArrayLike:
    """`rtol` as an array.

    Raises:
        ValueError: for one that no step can meet, or that means nothing.
    """
    found = numbers("rtol", rtol)
    if not isinstance(rtol, Tracer) and not np.all(
        (np.asarray(rtol) >= TIGHTEST) & (np.asarray(rtol) <= LOOSEST)
    ):
        raise ValueError(
            f"rtol={rtol}: expected {TIGHTEST:g} to {LOOSEST:g}, the local error that a "
            f"step may make, in volts and in stoichiometry; the default is {DEFAULT_RTOL:g}."
        )
    return found


TIGHTEST, LOOSEST = 1e-11, 0.1


def numbers(name: str, given: Any, hint: str = "") -> Array | np.ndarray:
    """An argument as an array: of NumPy, unless it is one of JAX already, which saves a call.

    Raises:
        ValueError: for text and the like.
    """
    try:
        own = isinstance(given, jax.Array) or is_traced(given)
        return jnp.asarray(given, float) if own else np.asarray(given, float)
    except (TypeError, ValueError):
        text = f"{name}={given!r} is not a number: expected numbers. {hint}"
        raise ValueError(text.rstrip()) from None


def _check_keep(keep: str, keep_states: bool, traced: bool) -> None:
    """Raise for a combination of options that is not possible; see `simulate`."""
    if keep not in ("steps", "cycles", "end"):
        raise ValueError(f"keep={keep!r}: expected 'steps', 'cycles' or 'end'.")
    if keep_states and keep != "steps":
        raise ValueError(f"keep_states=True needs keep='steps', not {keep!r}.")
    if traced and keep == "cycles":
        raise ValueError(
            "keep='cycles' adds up outside JAX's transformations: inside `jit`, `vmap` or "
            "a derivative use keep='steps', or keep='end'."
        )


def _ended(
    solution: Solution,
    what: Any,
    protocol: Protocol,
    temperature: ArrayLike,
    throw: bool,
) -> Solution:
    """A finished solution, with its cautions, unless it is a failure to be raised.

    Args:
        solution: of all parts.
        what: the cell or the pack that was simulated; cells of a pack may be stacked.
        protocol: what was to be done.
        temperature: of steps that have none of their own [K].
        throw: raise on a numerical failure.
    """
    cells = (what,) if isinstance(what, Cell) else what.cells
    own = np.asarray(protocol.temperature)[: int(protocol.count)]
    asked = np.where(np.isfinite(own), own, temperature)
    outcome = beyond_laws(solution.outcome, asked)
    if int(outcome) != int(solution.outcome):
        solution = dataclasses.replace(solution, outcome=jnp.asarray(outcome))
    result = solution.result
    if result is Result.IMPOSSIBLE_NUMBER:
        for cell in cells:
            check(cell)
    said: list[str] = []
    coldest = float(solution.least.temperature)
    warmest = float(solution.greatest.temperature)
    if result is Result.BEYOND_LAWS:
        coldest, warmest = float(np.min(asked)), float(np.max(asked))
    if np.isfinite(coldest):
        for cell in cells:
            said += cautions(cell, coldest, warmest)
    if isinstance(what, Cell):
        said += _too_fast(what, solution, protocol)
    for text in dict.fromkeys(said):
        caution(text)
    if throw and not result.is_physical:
        raise RuntimeError(
            f"{result.explanation} (after {float(solution.t_end):.6g} s, "
            f"{int(solution.n_steps)} steps)"
        )
    if not said:
        return solution
    return dataclasses.replace(solution, cautions=tuple(dict.fromkeys(said)))


def _too_fast(cell: Cell, solution: Solution, protocol: Protocol) -> list[str]:
    """A sentence on currents that no cell of this size is asked for."""
    most = max(float(solution.greatest.current), -float(solution.least.current))
    Q = float(cell.nominal_capacity)
    if solution.result in STUCK:
        # What was asked for is not in what was computed.
        of_current = np.asarray(protocol.mode) == Mode.CURRENT
        per = np.where(np.asarray(protocol.in_c_rate), Q, 1.0)
        value = np.where(of_current, np.abs(np.asarray(protocol.value)) * per, 0.0)
        most = max(np.nan_to_num(most), float(np.max(value[: int(protocol.count)])))
    return [doubt[0].upper() + doubt[1:] for doubt in doubts_of_current(most, Q)]


def in_kelvin(cell: Any, temperature: ArrayLike | None) -> ArrayLike:
    """The temperature [K], or the cell's or the pack's own if none is given.

    Raises:
        ValueError: for one at which no cell works, such as one in Celsius.
    """
    if temperature is None:
        return cell.temperature
    found = numbers("temperature", temperature, KELVIN.hint)
    if found.ndim:
        raise ValueError(
            f"temperature has shape {found.shape}: expected one number. Steps take "
            "temperatures of their own, as in 'Rest for 1 hour at 10 degC', profiles a "
            "column."
        )
    if not isinstance(found, Tracer):
        outside = KELVIN.outside(np.asarray(found))
        if np.any(outside):
            raise KELVIN.fault("temperature", np.asarray(found)[outside].flat[0])
    return found


def _strong(tree):
    """Give Python numbers in a cell an array type, so that they do not need a program of
    their own."""
    leaves, structure = jax.tree.flatten(tree)
    weak = [getattr(a, "weak_type", isinstance(a, float | int)) for a in leaves]
    if not any(weak):
        return tree
    pairs = zip(leaves, weak, strict=True)
    strong = [_typed(a) if w else a for a, w in pairs]
    return jax.tree.unflatten(structure, strong)


def _typed(number: Any) -> Any:
    own = isinstance(number, jax.Array)
    return (jnp if own else np).asarray(number, jnp.result_type(number))


def run_part(
    system: AbstractSystem,
    y0: Array,
    sto: Array,
    sane: Array,
    args: Any,
    segments: Segments,
    rtol: Array,
    most: Array,
    going: Going | None,
    options: Options,
) -> tuple[Trajectory, Array]:
    """A part of a solve, and its outcome.

    Args:
        y0: the state at the start, with stoichiometries `sto`.
        sane: whether all numbers of the cell are possible.
        most, going: see `_program`.
    """
    reachable = jnp.all((sto > 0.0) & (sto < 1.0))
    # From a state of NaN the solver ends at once.
    where = beginning(jnp.where(sane & reachable, y0, jnp.nan), FIRST_STEP)
    if going is not None:
        earlier, goes_on = going
        where = jax.tree.map(lambda a, b: jnp.where(goes_on, a, b), earlier, where)
    settings = Settings(
        rtol,
        jnp.asarray(FIRST_STEP),
        most,
        options.room,
        options.recording,
        native=options.native,
    )
    done = solve(system, where, args, segments, settings, options.keep_states)
    outcome = jnp.select(
        [~sane, ~reachable],
        [int(Result.IMPOSSIBLE_NUMBER), int(Result.START_OUT_OF_REACH)],
        outcome_of(done),
    )
    return done, outcome


def solution_of(
    done: Trajectory, outcome: Array, protocol: Protocol, equations: Equations
) -> Solution:
    """The solution of a solve; numbers that were not computed are NaN."""
    nothing = done.n_steps == 0
    passed = jnp.asarray([Output.CHARGE, Output.ENERGY])
    end = done.end.at[passed].set(jnp.where(nothing, 0.0, done.end[passed]))
    record = done.record
    if record.outputs.shape[0]:
        first = record.outputs[0, :2]
        first = jnp.where(nothing, jnp.broadcast_to(end, first.shape), first)
        record = record._replace(outputs=record.outputs.at[0, :2].set(first))
    least, greatest = jnp.where(nothing, jnp.nan, done.extremes)
    return Solution(
        record=record,
        final=done.y,
        t_end=done.t,
        end=outputs_in(end),
        least=outputs_in(least),
        greatest=outputs_in(greatest),
        outcome=outcome,
        n_steps=done.n_steps,
        n_rejected=done.n_rejected,
        cycle=protocol.cycle,
        of_cycles=None,
        equations=equations,
    )
