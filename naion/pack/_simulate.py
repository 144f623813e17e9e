"""Simulate a protocol on a pack."""

import functools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.typing import ArrayLike
from jaxtyping import Array

from .._precision import require_x64
from .._progress import Progress, silent
from .._takes import start_is_said
from ..models import DFN, Equations, Isothermal
from ..parameters import Stoichiometry, at_rest, check_start, possible
from ..protocol import Protocol, Step
from ..simulation import Keep, Solution, files, in_kelvin
from ..simulation.driver import (
    DEFAULT_RTOL,
    Going,
    Options,
    Wish,
    drive,
    nowhere,
    run_part,
    solution_of,
)
from ..solvers import Where
from ..systems import (
    LIMITS,
    PER_CELL,
    Members,
    Pack,
    PackSystem,
    Wiring,
    columns_of,
    segments_of,
)


class PackSolution(eqx.Module):
    """A simulated pack: what it did as a whole, and what each cell did.

    Attributes:
        whole: voltage, current, capacity and energy of the pack, the mean temperature and
            the least plating margin of its cells.
        order: place of every cell in the record.
    """

    whole: Solution
    order: tuple[int, ...] = eqx.field(static=True)

    def cells(self, what: str) -> Array:
        """Outputs of every cell at the ends of the steps, (n, cells), in the order given.

        Args:
            what: "voltage" [V], "current" [A], "temperature" [K], "charge" [C] or
                "plating_margin" [V].

        Raises:
            ValueError: for another word.
        """
        if what not in PER_CELL:
            raise ValueError(f"{what!r}: expected one of {', '.join(PER_CELL)}.")
        columns = columns_of(what, len(self.order))
        return self.whole.recorded(columns)[:, np.array(self.order)]

    def save(self, path: Path | str) -> None:
        """Write everything to one file, from which `load` gives the same solution."""
        files.save(self.whole, path, "PackSolution", {"order": self.order})

    @classmethod
    def load(cls, path: Path | str) -> "PackSolution":
        """The solution that `save` wrote.

        Raises:
            ValueError: when the file is not a saved solution, or one of another kind.
        """
        fields, own = files.load(path, "PackSolution")
        return cls(Solution(**fields), own["order"])


@start_is_said
def simulate(
    pack: Pack,
    protocol: Protocol | str | Step | Sequence[str | Step],
    *,
    model: DFN | None = None,
    start: Any = "charged",
    temperature: ArrayLike | None = None,
    rtol: ArrayLike = DEFAULT_RTOL,
    max_steps: int | None = None,
    keep: Keep = "steps",
    throw: bool = True,
    progress: Progress = silent,
) -> PackSolution:
    """Simulate a protocol on a pack. Compiled once for each wiring and mesh.

    A step also ends everything when a cell reaches a voltage limit of its own. C-rates are
    of the pack's nominal capacity, voltages those of the pack. Differentiable in both
    modes with respect to every number; batched by `jax.vmap`.

    Args:
        pack: from `build`.
        protocol: as for `naion.simulate`.
        model: of every cell; the default is an isothermal DFN.
        start: as for `naion.simulate`, of every cell; or an array, (cells,), of states of
            charge in the order in which the cells were given.
        temperature: as for `naion.simulate`.
        rtol: local error allowed in each step, of the worst cell.
        max_steps, keep: as for `naion.simulate`.
        throw: raise on a numerical failure.
        progress: as for `naion.simulate`.

    Raises:
        RuntimeError: when float64 is off, or on a numerical failure with `throw`.
        ValueError: for heat between cells that have no heat balance.
    """
    require_x64()
    if not isinstance(pack, Pack):
        raise TypeError(
            f"Expected a pack, got a {type(pack).__name__}; `naion.pack.build` makes one."
        )
    model = DFN() if model is None else model
    model = DFN(model.mesh, model.thermal or Isothermal())
    if model.nodes > 1 or (
        pack.exchange is not None and isinstance(model.thermal, Isothermal)
    ):
        raise ValueError(
            f"A pack {'with' if pack.exchange is not None else 'without'} heat between "
            f"its cells cannot have the heat balance {model.thermal}: use "
            f"`DFN(thermal=Lumped())`{'' if pack.exchange is not None else ' or none'}."
        )
    T = pack.temperature if temperature is None else in_kelvin(pack, temperature)
    if not isinstance(start, str):
        _check_states(start, pack.wiring.n_cells)
        start = jnp.broadcast_to(jnp.asarray(start, float), (pack.wiring.n_cells,))
    equations = tuple(model.for_cell(cells) for cells in pack.cells)
    wish = Wish(model, rtol, max_steps, keep, False, throw, progress)

    def first(structure: Any) -> Where:
        return _first(equations, pack.wiring)

    whole = drive(_program, pack, protocol, start, T, wish, first)
    return PackSolution(whole, pack.wiring.order)


def _check_states(start: Any, n: int) -> None:
    """Whether something is a state of charge, or one for each cell.

    Raises:
        ValueError: naming what is expected.
    """
    if isinstance(start, Stoichiometry):
        raise ValueError(
            "start: cells of a pack start at states of charge from 0 to 1, not at "
            "stoichiometries."
        )
    if np.ndim(start) == 0:
        return check_start(start)
    if np.shape(start) != (n,):
        raise ValueError(
            f"start has shape {np.shape(start)}: expected one state of charge, or one "
            f"for each of the {n} cells."
        )
    if not isinstance(start, Tracer):
        for soc in np.asarray(start):
            check_start(float(soc))


@functools.cache
def _first(equations: tuple[Equations, ...], wiring: Wiring) -> Where:
    """Shapes of where a simulation is; its state is not yet known."""
    return nowhere(Members(equations, wiring).mass)


@functools.partial(jax.jit, static_argnums=7)
def _program(
    numbers: list[Any],
    protocol: Protocol,
    start: Array | None,
    temperature: Array,
    rtol: Array,
    most: Array,
    going: Going | None,
    options: Options,
) -> tuple[Solution, Where]:
    """A part of a simulation, and where it ended; see `naion.simulation`."""
    pack: Pack = jax.tree.unflatten(options.structure, numbers)
    segments = segments_of(protocol, pack, temperature, LIMITS)
    equations = tuple(options.model.for_cell(cells) for cells in pack.cells)
    system = PackSystem(Members(equations, pack.wiring))
    pack, sto = _at_rest(pack, options.named_start, start)
    args = system.discretise(pack)
    y0 = system.equilibrium(args, sto, segments.control.control.temperature[0])
    sto = jnp.concatenate([jnp.append(s.negative, s.positive) for s in sto])
    sane = jnp.all(jnp.concatenate([jax.vmap(possible)(cells) for cells in pack.cells]))
    done, outcome = run_part(
        system, y0, sto, sane, args, segments, rtol, most, going, options
    )
    where = jax.lax.stop_gradient(done.where)
    return solution_of(done, outcome, protocol, equations[0]), where


def _at_rest(
    pack: Pack, named: str | None, soc: Array | None
) -> tuple[Pack, tuple[Stoichiometry, ...]]:
    found, begin = [], 0
    if soc is not None:
        by_chemistry = jnp.zeros_like(soc)
        by_chemistry = by_chemistry.at[np.array(pack.wiring.order)].set(soc)
    for cells, n in zip(pack.cells, pack.wiring.counts, strict=True):
        if named is not None:
            found.append(jax.vmap(lambda c: at_rest(c, named))(cells))
        else:
            own = by_chemistry[begin : begin + n]
            found.append(jax.vmap(at_rest)(cells, own))
        begin += n
    cells, sto = zip(*found, strict=True)
    return replace(pack, cells=cells), sto
