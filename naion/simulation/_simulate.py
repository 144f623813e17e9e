"""Simulate a protocol on a cell."""

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.lax import stop_gradient
from jax.typing import ArrayLike
from jaxtyping import Array

from naion_kernels import lanes

from .._precision import require_x64
from .._results import Result
from ..models import DFN, ThroughStack
from ..parameters import Cell, Stoichiometry, stoichiometry_at_soc
from ..protocol import Mode, Protocol, Step
from ..solvers import Segments, Settings, Status, Trajectory, solve
from ._solution import Solution
from ._stack_system import StackSystem
from ._system import CellSystem, Event, Output, segments_of

DEFAULT_RTOL = 5e-4
FIRST_STEP = 1.0
COLDEST = 150.0
"""Temperatures below this are taken for degrees Celsius [K]."""


Start = str | float | Array | Stoichiometry


def simulate(
    cell: Cell,
    protocol: Protocol | str | Step | Sequence[str | Step],
    *,
    model: DFN | None = None,
    start: Start = "charged",
    temperature: ArrayLike | None = None,
    rtol: float | Array = DEFAULT_RTOL,
    max_steps: int | None = None,
    keep_states: bool = False,
    throw: bool = True,
) -> Solution:
    """Simulate a protocol on a cell. Compiled once for each mesh and number of steps.

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
        max_steps: most accepted steps.
        keep_states: keep all fields at every step.
        throw: raise on a numerical failure. A physical end (cut-off, salt depleted,
            surface empty or full, power infeasible) never raises.

    Returns:
        the solution, with its outcome.

    Raises:
        RuntimeError: when float64 is off, or on a numerical failure with `throw`.
        ValueError: for an unreadable protocol or start, or a temperature in Celsius.
    """
    require_x64()
    model = DFN() if model is None else model
    temperature = in_kelvin(cell, temperature)
    if not isinstance(protocol, Protocol):
        protocol = Protocol(protocol)
    if max_steps is None:
        max_steps = usual_steps(protocol)
    solution = _simulate(
        _strong(cell),
        protocol,
        None if isinstance(start, str) else _strong(start),
        temperature,
        jnp.asarray(rtol, float),
        start if isinstance(start, str) else None,
        model,
        max_steps,
        keep_states,
        lanes.enabled(),
    )
    concrete = not isinstance(solution.outcome, Tracer)
    if throw and concrete and jnp.ndim(solution.outcome) == 0:
        result = solution.result
        if not result.is_physical:
            raise RuntimeError(
                f"{result.explanation} (after {float(stop_gradient(solution.t_end)):.6g} s, "
                f"{int(solution.n_steps)} steps)"
            )
    return solution


def in_kelvin(cell: Any, temperature: ArrayLike | None) -> Array:
    """The temperature [K], or the cell's or the pack's own if none is given.

    Raises:
        ValueError: for a temperature that must be in Celsius.
    """
    if temperature is None:
        return cell.temperature
    if not isinstance(temperature, Tracer) and np.any(
        np.asarray(temperature) < COLDEST
    ):
        raise ValueError(
            f"temperature={temperature} K: no cell works below {COLDEST:g} K. "
            "Temperatures are in kelvin: 25 degC is 298.15."
        )
    return jnp.asarray(temperature, float)


def usual_steps(protocol: Protocol) -> int:
    """Room for several times the steps that a protocol usually takes."""
    joined = protocol.n_joined
    n = protocol.n_steps - joined
    return 200 * (1 + n // 8) + 24 * n + 6 * joined


def _strong(tree):
    """A Python number put into a cell must not compile a second program."""
    leaves = jax.tree.leaves(tree)
    if not any(getattr(a, "weak_type", isinstance(a, float | int)) for a in leaves):
        return tree
    return jax.tree.map(lambda a: jnp.asarray(a, jnp.result_type(a)), tree)


def start_state(cell: Cell, start: Start) -> Stoichiometry:
    """Stoichiometries that a start means; see `simulate`."""
    if isinstance(start, Stoichiometry):
        return start
    if not isinstance(start, str):
        return stoichiometry_at_soc(cell, jnp.asarray(start))
    if start == "charged":
        if cell.charged is not None:
            return cell.charged
        return stoichiometry_at_soc(cell, jnp.asarray(1.0))
    if start == "discharged":
        return stoichiometry_at_soc(cell, jnp.asarray(0.0))
    if start == "published":
        return cell.published
    raise ValueError(
        f"Unknown start {start!r}. Use 'charged', 'discharged', 'published', a state "
        "of charge between 0 and 1, or stoichiometries."
    )


# Not `eqx.filter_jit`, which would add half a millisecond to each call.
@functools.partial(jax.jit, static_argnums=range(5, 10))
def _simulate(
    cell: Cell,
    protocol: Protocol,
    start: Start | None,
    temperature: Array,
    rtol: Array,
    named_start: str | None,
    model: DFN,
    max_steps: int,
    keep_states: bool,
    native: bool,
) -> Solution:
    given = start if named_start is None else named_start
    assert given is not None
    sto = start_state(cell, given)
    segments = segments_of(protocol, cell, temperature)
    model = model.for_cell(cell)
    in_layers = isinstance(model.thermal, ThroughStack)
    system = StackSystem(model) if in_layers else CellSystem(model)
    args: Any = system.lay_out(cell)
    y0 = system.equilibrium(args, sto, segments.control.control.temperature[0])
    settings = Settings(rtol, jnp.asarray(FIRST_STEP), max_steps, native=native)
    done = solve(system, y0, args, segments, settings, keep_states)
    inside = jnp.stack([sto.negative, sto.positive])
    possible = jnp.all((inside > 0.0) & (inside < 1.0))
    outcome = jnp.where(
        possible,
        _outcome(system, done, segments, cell.electrolyte.concentration),
        int(Result.START_OUT_OF_REACH),
    )
    # Nothing was computed where no start was found: say so, and not 0 V.
    nothing = done.status == Status.START_FAILED
    nothing = nothing & (done.n_steps == 0)
    unknown = jnp.asarray([Output.VOLTAGE, Output.CURRENT, Output.PLATING_MARGIN])
    outputs = done.record.outputs
    first = outputs[0, :2, unknown]
    outputs = outputs.at[0, :2, unknown].set(jnp.where(nothing, jnp.nan, first))
    done = done._replace(record=done.record._replace(outputs=outputs))
    last = outputs[jnp.maximum(done.n_steps - 1, 0), 1]
    return Solution(
        done.record,
        done.y,
        done.t,
        tuple(last[output] for output in Output),
        outcome,
        done.n_steps,
        done.n_rejected,
        protocol.cycle,
        model,
    )


def _outcome(
    system: CellSystem | StackSystem,
    done: Trajectory,
    segments: Segments,
    concentration: Array,
) -> Array:
    """The integrator's status in the words of batteries."""
    s = system.model.fields(jax.lax.stop_gradient(done.y), jnp.zeros(()))
    return outcome_of(done, segments, s.sto[..., -1, :], jnp.min(s.c_e) * concentration)


def outcome_of(
    done: Trajectory, segments: Segments, surface: Array, salt: Array
) -> Array:
    """The integrator's status in the words of batteries.

    Args:
        done: the solve.
        segments: what was imposed.
        surface: stoichiometries of all particle surfaces at its end.
        salt: least concentration then [mol.m-3].
    """
    by_event = jnp.select(
        [
            done.event == Event.SURFACE_EMPTY,
            done.event == Event.SURFACE_FULL,
        ],
        [int(Result.SURFACE_EMPTY), int(Result.SURFACE_FULL)],
        int(Result.CUT_OFF),
    )
    mode = segments.control.control.mode[done.segment]
    value = segments.control.control.value[done.segment]
    reasons = Status.START_FAILED, Status.STEP_TOO_SMALL, Status.EVENT_NOT_MET
    stuck = jnp.any(done.status == jnp.asarray([int(r) for r in reasons]))
    # Where a field is at its physical bound, it and not the solver is why it is stuck.
    by_status = jnp.select(
        [
            done.status == Status.COMPLETED,
            done.status == Status.EVENT,
            stuck & (salt < 1.0),
            stuck & (jnp.min(surface) < 1e-3),
            stuck & (jnp.max(surface) > 1.0 - 1e-3),
            stuck & (mode == Mode.POWER) & (value > 0.0),
            done.status == Status.START_FAILED,
            done.status == Status.STEP_TOO_SMALL,
            done.status == Status.EVENT_NOT_MET,
        ],
        [
            int(Result.COMPLETED),
            by_event,
            int(Result.SALT_DEPLETED),
            int(Result.SURFACE_EMPTY),
            int(Result.SURFACE_FULL),
            int(Result.POWER_INFEASIBLE),
            int(Result.START_NOT_FOUND),
            int(Result.STEP_TOO_SMALL),
            int(Result.EVENT_NOT_MET),
        ],
        int(Result.STEP_LIMIT),
    )
    return by_status
