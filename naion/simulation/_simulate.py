"""Simulate a protocol on a cell."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.typing import ArrayLike
from jaxtyping import Array

from naion_kernels import lanes

from .._cautions import caution
from .._precision import require_x64
from .._progress import Progress, silent
from .._results import Result
from ..models import DFN, Equations, ThroughStack
from ..parameters import (
    Cell,
    Start,
    Stoichiometry,
    cautions,
    check,
    check_start,
    possible,
    start_of,
)
from ..protocol import KELVIN, Protocol, Step
from ..solvers import (
    AbstractSystem,
    Segments,
    Settings,
    Trajectory,
    Where,
    beginning,
    solve,
)
from ._outcome import outcome_of
from ._outputs import Output, outputs_in
from ._parts import Going, Program, S, in_parts, in_windows
from ._proof import is_power_infeasible
from ._solution import Solution
from ._stack_system import StackSystem
from ._system import CellSystem, segments_of

DEFAULT_RTOL = 5e-4
FIRST_STEP = 1.0
LEAST_ROOM = 512
"""Rows of a record: more than most steps of a protocol take, and cheap to clear."""

WINDOW = 4096
"""Rows of a long protocol that a part sees: more than it can take steps."""

ROOMY = 8
"""Rows of a protocol: up to so many share a program."""

Keep = Literal["steps", "cycles", "end"]


def simulate(
    cell: Cell,
    protocol: Protocol | str | Step | Sequence[str | Step],
    *,
    model: DFN | None = None,
    start: Start = "charged",
    temperature: ArrayLike | None = None,
    rtol: ArrayLike = DEFAULT_RTOL,
    max_steps: int | None = None,
    keep: Keep = "steps",
    keep_states: bool = False,
    throw: bool = True,
    progress: Progress = silent,
) -> Solution:
    """Simulate a protocol on a cell. Compiled once for each mesh.

    Differentiable in both modes with respect to every number in `cell`, `protocol`,
    `start` and `temperature`; batched by `jax.vmap`.

    Args:
        cell: parameters.
        protocol: a `Protocol`, or experiment strings.
        model: equations and mesh; the default is an isothermal DFN.
        start: "charged" (the state a fit found, else SOC 1), "discharged" (SOC 0),
            "published", a state of charge, or stoichiometries. At rest.
        temperature: of the cell (isothermal) or of it and its surroundings at the
            start (lumped) [K]; none: the cell's own.
        rtol: local error allowed in each step, in volts and in stoichiometry.
        max_steps: most accepted steps, a safety net that no ordinary run meets; none:
            20,000 and 2,000 for each step of the protocol. Inside `jit`, `vmap` and
            derivatives also the room for their record, which cannot grow there: none:
            several times what a protocol usually takes.
        keep: "steps" keeps the outputs of every step of the solver, "cycles" what
            `Solution.cycles` needs (outside `jit`, `vmap` and derivatives only), "end"
            how it ended, with no memory for the way there.
        keep_states: with "steps", keep all fields at every step too.
        throw: raise on a numerical failure. A physical end (cut-off, salt depleted,
            surface empty or full, power infeasible) never raises.
        progress: called with a line of text every two seconds of a long simulation, such
            as `print`; not with "end", nor inside `jit`, `vmap` and derivatives.

    Returns:
        the solution, with its outcome.

    Raises:
        RuntimeError: when float64 is off, or on a numerical failure with `throw`.
        ValueError: for an unreadable protocol or start, a temperature in Celsius, or
            numbers of a cell that are not possible.
    """
    require_x64()
    model = DFN() if model is None else model
    check_types(cell, model)
    temperature = in_kelvin(cell, temperature)
    if not isinstance(protocol, Protocol):
        protocol = Protocol(protocol)
    rtol = tolerance(rtol)
    # Stoichiometries out of reach are an outcome of their own where nothing is to raise.
    if throw or not isinstance(start, Stoichiometry):
        check_start(start)
    known = None if isinstance(start, str) else _strong(start)
    # Each look at all numbers of a cell takes as long as two steps of the solver.
    leaves, structure = jax.tree.flatten(cell)
    cell = _strong(cell, leaves)
    traced = is_traced((leaves, protocol, known, temperature, rtol))
    check_keep(keep, keep_states, traced)
    limits = limits_of(protocol, max_steps, traced)
    options = Options(
        start if isinstance(start, str) else None,
        model,
        limits.room,
        keep != "end",
        keep_states,
        lanes.enabled(),
    )
    if traced:
        in_rows = protocol.padded(rows_of(protocol.n_steps))
        inputs = cell, in_rows, known, temperature, rtol
        return _program(*inputs, jnp.asarray(limits.most), None, options)[0]

    def program(protocol: Protocol, most: ArrayLike, going: Going):
        inputs = cell, protocol, known, temperature, rtol
        return _program(*inputs, most, going, options)

    try:
        first, high = _first(model, cell, structure), float(cell.limits.upper_voltage)
        solution = whole(program, protocol, first, limits.most, keep, high, progress)
    except (AttributeError, IndexError, TypeError, ValueError):
        # What JAX cannot make sense of is named, if it is a part of the cell.
        check(cell)
        raise
    return ended(solution, (cell,), throw)


def whole(
    program: Program[S],
    protocol: Protocol,
    first: Where,
    most: int,
    keep: Keep,
    highest: float,
    progress: Progress,
) -> S:
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
        protocol = protocol.padded(rows_of(protocol.n_steps))
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


def check_types(cell: Any, model: Any) -> None:
    """Refuse what is no cell and no model, before JAX is asked to make sense of it.

    Raises:
        TypeError: with what was given, and where to get one.
        ValueError: for many cells that are stacked.
    """
    if not isinstance(cell, Cell):
        raise TypeError(
            f"cell={str(cell)[:60]!r} is a {type(cell).__name__}: expected a `Cell`, such "
            'as `naion.parameters.load("nfm_hc_18650")` or `naion.io.read_cell(file)[0]`.'
        )
    if not isinstance(model, DFN):
        raise TypeError(
            f"model={str(model)[:60]!r} is a {type(model).__name__}: expected a `DFN`, "
            "such as `naion.DFN(thermal=naion.Lumped())`."
        )
    if np.ndim(cell.area):
        raise ValueError(
            f"This cell has numbers of shape {np.shape(cell.area)}: many cells are "
            "simulated by `naion.batch.simulate`, or `jax.vmap`."
        )


class _Limits(NamedTuple):
    """Most accepted steps, and rows for their record in one call of a program."""

    most: int
    room: int


def limits_of(protocol: Protocol, max_steps: int | None, traced: bool) -> _Limits:
    """What `max_steps` means; see `simulate`.

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


def rows_of(n_steps: int) -> int:
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
    """What was given as an array; NumPy's where JAX's would be a call more.

    Raises:
        ValueError: for text and the like.
    """
    try:
        own = isinstance(given, jax.Array) or is_traced(given)
        return jnp.asarray(given, float) if own else np.asarray(given, float)
    except (TypeError, ValueError):
        text = f"{name}={given!r} is not a number: expected numbers. {hint}"
        raise ValueError(text.rstrip()) from None


def is_traced(tree: Any) -> bool:
    """Whether JAX is transforming what is done with these arrays."""
    return any(isinstance(a, Tracer) for a in jax.tree.leaves(tree))


def check_keep(keep: str, keep_states: bool, traced: bool) -> None:
    """Refuse what cannot be kept; see `simulate`."""
    if keep not in ("steps", "cycles", "end"):
        raise ValueError(f"keep={keep!r}: expected 'steps', 'cycles' or 'end'.")
    if keep_states and keep != "steps":
        raise ValueError(f"keep_states=True needs keep='steps', not {keep!r}.")
    if traced and keep == "cycles":
        raise ValueError(
            "keep='cycles' adds up outside JAX's transformations: inside `jit`, `vmap` or "
            "a derivative use keep='steps', or keep='end'."
        )


def ended(solution: S, cells: Sequence[Cell], throw: bool) -> S:
    """A finished solution, with its cautions, unless it is a failure to be raised.

    Args:
        solution: of all parts.
        cells: that were simulated; each may be many that are stacked.
        throw: raise on a numerical failure.
    """
    result = solution.result
    if result is Result.IMPOSSIBLE_NUMBER:
        for cell in cells:
            check(cell)
    said: list[str] = []
    coldest = float(solution.least.temperature)
    warmest = float(solution.greatest.temperature)
    if np.isfinite(coldest):
        for cell in cells:
            said += cautions(cell, coldest, warmest)
    for text in dict.fromkeys(said):
        caution(text, stacklevel=4)
    if throw and not result.is_physical:
        raise RuntimeError(
            f"{result.explanation} (after {float(solution.t_end):.6g} s, "
            f"{int(solution.n_steps)} steps)"
        )
    if not said:
        return solution
    return dataclasses.replace(solution, cautions=tuple(dict.fromkeys(said)))


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


def _strong(tree, leaves: Sequence[Any] | None = None):
    """A Python number put into a cell must not compile a second program."""
    leaves = jax.tree.leaves(tree) if leaves is None else leaves
    weak = [getattr(a, "weak_type", isinstance(a, float | int)) for a in leaves]
    if not any(weak):
        return tree
    pairs = zip(leaves, weak, strict=True)
    strong = [_typed(a) if w else a for a, w in pairs]
    return jax.tree.unflatten(jax.tree.structure(tree), strong)


def _typed(number: Any) -> Any:
    own = isinstance(number, jax.Array)
    return (jnp if own else np).asarray(number, jnp.result_type(number))


class Options(NamedTuple):
    """What a program is compiled for, besides shapes; see `simulate` and `Settings`."""

    named_start: str | None
    model: DFN
    room: int
    recording: bool
    keep_states: bool
    native: bool


def _system_of(equations: Equations) -> CellSystem | StackSystem:
    in_layers = isinstance(equations.thermal, ThroughStack)
    return StackSystem(equations) if in_layers else CellSystem(equations)


def _first(model: DFN, cell: Cell, structure: Any) -> Where:
    """Shapes of where a simulation is; its state is not yet known."""
    key = model, structure
    if key not in _FIRST:
        mass = _system_of(model.for_cell(cell)).mass
        _FIRST[key] = beginning(jnp.zeros(mass.shape), FIRST_STEP)
    return _FIRST[key]


_FIRST: dict[Any, Where] = {}


# Not `eqx.filter_jit`, which would add half a millisecond to each call.
@functools.partial(jax.jit, static_argnums=7)
def _program(
    cell: Cell,
    protocol: Protocol,
    start: Start | None,
    temperature: Array,
    rtol: Array,
    most: Array,
    going: Going | None,
    options: Options,
) -> tuple[Solution, Where]:
    """A part of a simulation, and where it ended.

    Args:
        most: accepted steps in this part.
        going: where to go on, and whether to (else from the start); none: from the start.
    """
    given = start if options.named_start is None else options.named_start
    assert given is not None
    sto = start_of(cell, given)
    segments = segments_of(protocol, cell, temperature)
    equations = options.model.for_cell(cell)
    system = _system_of(equations)
    args: Any = system.lay_out(cell)
    y0 = system.equilibrium(args, sto, segments.control.control.temperature[0])
    sto = jnp.stack([sto.negative, sto.positive])
    sane = possible(cell)
    done, outcome = run_part(
        system, y0, sto, sane, args, segments, rtol, most, going, options
    )
    where = jax.lax.stop_gradient(done.where)
    return solution_of(done, outcome, protocol, equations), where


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
    # From nowhere nothing is computed.
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
    """A solve as a solution; what was not computed is NaN."""
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
