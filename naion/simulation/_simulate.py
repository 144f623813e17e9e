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
        model: mesh and heat balance; what it leaves open is the cell's own.
        start: "charged" (SOC 1: rest at the upper limit, after a charge), "discharged"
            (SOC 0: at the lower, after a discharge), "published", a state of charge, or
            stoichiometries. At rest.
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
    check_types(cell, model)
    model = _own_model(cell) if model is None else model.of(cell)
    temperature = in_kelvin(cell, temperature)
    # Stoichiometries out of reach are an outcome of their own where nothing is to raise.
    if throw or not isinstance(start, Stoichiometry):
        check_start(start)
    wish = Wish(model, rtol, max_steps, keep, keep_states, throw, progress)

    def first(structure: Any) -> Where:
        return _first(model, cell, structure)

    try:
        return drive(_program, cell, protocol, start, temperature, wish, first)
    except (AttributeError, IndexError, TypeError, ValueError):
        # What JAX cannot make sense of is named, if it is a part of the cell.
        check(cell)
        raise


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
    """The model that a cell chooses."""
    return DFN().of(cell)


def _system_of(equations: Equations) -> CellSystem | PackSystem:
    if not isinstance(equations.thermal, ThroughStack):
        return CellSystem(equations)
    return PackSystem(Members((equations,), in_parallel(equations.nodes)))


def _at_rest(
    equations: Equations, cell: Cell, sto: Stoichiometry, T: Array
) -> tuple[CellSystem | PackSystem, Any, Array]:
    """The system, what its methods take as `args`, and its flat state at rest."""
    system = _system_of(equations)
    if isinstance(system, CellSystem):
        grid = system.discretise(cell)
        return system, grid, system.equilibrium(grid, sto, T)
    n = equations.nodes
    laid = system.discretise(in_layers(cell, n))
    of_layers = jax.tree.map(lambda a: jnp.broadcast_to(a, n), sto)
    return system, laid, system.equilibrium(laid, (of_layers,), T)


def _first(model: DFN, cell: Cell, structure: Any) -> Where:
    """Shapes of where a simulation is; its state is not yet known."""
    key = model, structure
    if key not in _FIRST:
        _FIRST[key] = nowhere(_system_of(model.for_cell(cell)).mass)
    return _FIRST[key]


_FIRST: dict[Any, Where] = {}


# Not `eqx.filter_jit`, which would add half a millisecond to each call.
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
    """A part of a simulation, and where it ended.

    Args:
        numbers: of the cell, which has `options.structure`.
        most: accepted steps in this part.
        going: where to go on, and whether to (else from the start); none: from the start.
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
