"""Simulate a protocol on a cell."""

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array

from .._derived import Derived
from .._precision import require_x64
from .._progress import Progress, silent
from .._takes import start_is_said
from ..models import DFN, Equations, ThroughStack
from ..parameters import (
    Cell,
    Start,
    Stoichiometry,
    at_rest,
    check,
    check_start,
    possible,
)
from ..protocol import Protocol, Step
from ..solvers import Where
from ..systems import (
    LIMITS,
    CellSystem,
    Members,
    PackSystem,
    in_layers,
    in_parallel,
    segments_of,
)
from ._parts import Going
from ._solution import Solution
from .driver import (
    DEFAULT_RTOL,
    Keep,
    Options,
    Wish,
    drive,
    in_kelvin,
    nowhere,
    run_part,
    solution_of,
)


@start_is_said
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
    """Simulate a protocol on a cell.

    Compiled once for each mesh and structure of cell; other numbers use the same program.
    Differentiable in forward and reverse mode with respect to every number in `cell`,
    `protocol`, `start` and `temperature`; batched by `jax.vmap`.

    Args:
        cell: the cell.
        protocol: a `Protocol`, a `Step`, an experiment string, or a list of these.
        model: mesh and heat balance; what it leaves open is taken from the cell.
        start: state of rest at the beginning: "charged" (SOC 1, at the upper voltage limit
            after a charge), "discharged" (SOC 0, at the lower limit after a discharge),
            "published", a state of charge from 0 to 1, or stoichiometries.
        temperature: temperature of the cell where the model is isothermal; with a heat
            balance, that of its surroundings and of the cell at the start [K]. None: the
            cell's own.
        rtol: local error allowed in each step of the solver, in volts and in stoichiometry.
        max_steps: most accepted steps; a safety net that ordinary simulations do not meet.
            None: 20,000, and 2,000 more for each step of the protocol. Inside `jit`,
            `vmap` and derivatives it also sets the memory for the record of steps, which
            cannot grow there; none then means several times the usual number of steps.
        keep: "steps" keeps the outputs of every step of the solver, "cycles" only what
            `Solution.cycles` needs (not inside `jit`, `vmap` and derivatives), "end" only
            the end, with no memory for the way there.
        keep_states: with "steps", also keep all fields at every step.
        throw: raise on a numerical failure. A physical end (cut-off, salt depleted,
            surface empty or full, power infeasible) never raises.
        progress: called with a line of text every two seconds of a long simulation, such
            as `print`; not with "end", nor inside `jit`, `vmap` and derivatives.

    Returns:
        the solution, with its outcome.

    Raises:
        RuntimeError: when float64 is off, or on a numerical failure with `throw`.
        TypeError: for what is not a cell, or not a model.
        ValueError: for an unreadable protocol or start, a temperature in Celsius, or a
            cell with impossible numbers.
    """
    require_x64()
    check_types(cell, model)
    model = _own_model(cell) if model is None else model.of(cell)
    temperature = in_kelvin(cell, temperature)
    # Without `throw`, impossible stoichiometries give the outcome START_OUT_OF_REACH.
    if throw or not isinstance(start, Stoichiometry):
        check_start(start)
    wish = Wish(model, rtol, max_steps, keep, keep_states, throw, progress)

    def first(structure: Any) -> Where:
        return _first(model, cell, structure)

    try:
        return drive(_program, cell, protocol, start, temperature, wish, first)
    except (AttributeError, IndexError, TypeError, ValueError):
        # If a part of the cell confused JAX, `check` names it in a clearer error.
        check(cell)
        raise


def check_types(cell: Any, model: Any) -> None:
    """Raise for what is not a cell or not a model, with a clearer error than JAX would give.

    Raises:
        TypeError: with what was given, and where to get one.
        ValueError: for stacked cells.
    """
    if not isinstance(cell, Cell):
        raise TypeError(
            f"cell={str(cell)[:60]!r} is a {type(cell).__name__}: expected a `Cell`, such "
            'as `naion.parameters.load("nfm_hc_18650")` or `naion.io.read_cell(file)[0]`.'
        )
    if not isinstance(model, DFN | None):
        raise TypeError(
            f"model={str(model)[:60]!r} is a {type(model).__name__}: expected a `DFN`, "
            "such as `naion.DFN(thermal=naion.Lumped())`."
        )
    if np.ndim(cell.area):
        raise ValueError(
            f"This cell has numbers of shape {np.shape(cell.area)}: many cells are "
            "simulated by `naion.batch.simulate`, or `jax.vmap`."
        )


@Derived
def _own_model(cell: Cell) -> DFN:
    """The model of a cell's own defaults."""
    return DFN().of(cell)


def _system_of(equations: Equations) -> CellSystem | PackSystem:
    if not isinstance(equations.thermal, ThroughStack):
        return CellSystem(equations)
    return PackSystem(Members((equations,), in_parallel(equations.nodes)))


def _at_rest(
    equations: Equations, cell: Cell, sto: Stoichiometry, T: Array
) -> tuple[CellSystem | PackSystem, Any, Array]:
    """The system to solve, the `args` that its methods take, and its flat state at rest."""
    system = _system_of(equations)
    if isinstance(system, CellSystem):
        grid = system.discretise(cell)
        return system, grid, system.equilibrium(grid, sto, T)
    n = equations.nodes
    laid = system.discretise(in_layers(cell, n))
    of_layers = jax.tree.map(lambda a: jnp.broadcast_to(a, n), sto)
    return system, laid, system.equilibrium(laid, (of_layers,), T)


def _first(model: DFN, cell: Cell, structure: Any) -> Where:
    """A `Where` of the right shapes, for a first part; its values are not read."""
    key = model, structure
    if key not in _FIRST:
        _FIRST[key] = nowhere(_system_of(model.for_cell(cell)).mass)
    return _FIRST[key]


_FIRST: dict[Any, Where] = {}


# `jax.jit` and not `eqx.filter_jit`, which takes half a millisecond more for each call.
@functools.partial(jax.jit, static_argnums=7)
def _program(
    numbers: list[Any],
    protocol: Protocol,
    start: Start | None,
    temperature: Array,
    rtol: Array,
    most: Array,
    going: Going | None,
    options: Options,
) -> tuple[Solution, Where]:
    """One part of a simulation, and where it ended.

    Args:
        numbers: leaves of the cell, whose structure is `options.structure`.
        protocol, start, temperature, rtol: see `simulate`; a start that is a name is in
            `options`.
        most: most accepted steps of this part.
        going: where to continue, and whether to; none: begin at the start.
        options: what the program is compiled for.
    """
    given = start if options.named_start is None else options.named_start
    assert given is not None
    cell: Cell = jax.tree.unflatten(options.structure, numbers)
    cell, sto = at_rest(cell, given)
    equations = options.model.for_cell(cell)
    layered = isinstance(equations.thermal, ThroughStack)
    segments = segments_of(protocol, cell, temperature, LIMITS if layered else 0)
    T = segments.control.control.temperature[0]
    system, args, y0 = _at_rest(equations, cell, sto, T)
    sto = jnp.stack([sto.negative, sto.positive])
    sane = possible(cell)
    done, outcome = run_part(
        system, y0, sto, sane, args, segments, rtol, most, going, options
    )
    where = jax.lax.stop_gradient(done.where)
    return solution_of(done, outcome, protocol, equations), where
