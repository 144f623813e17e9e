"""Simulate a protocol on a pack."""

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.typing import ArrayLike
from jaxtyping import Array

from naion_kernels import lanes

from .._precision import require_x64
from .._results import Result
from ..models import DFN
from ..parameters import Stoichiometry
from ..protocol import Protocol, Step
from ..simulation import (
    Solution,
    in_kelvin,
    outcome_of,
    segments_of,
    start_state,
    usual_steps,
)
from ..simulation._simulate import DEFAULT_RTOL, FIRST_STEP
from ..solvers import Settings, Status, solve
from ._pack import Pack
from ._system import PER_CELL, PackSystem


class PackSolution(Solution):
    """A simulated pack: as a `Solution`, with what each cell did.

    Voltage, current, capacity and energy are the pack's, its temperature the mean and its
    plating margin the least of the cells.

    Attributes:
        order: place of every cell in the record.
    """

    order: tuple[int, ...]

    def cells(self, what: str) -> Array:
        """Of every cell, at the ends of the steps, (n, cells) in the order given.

        Args:
            what: "voltage" [V], "current" [A], "temperature" [K], "charge" [C] or
                "plating_margin" [V].

        Raises:
            ValueError: for another word.
        """
        if what not in PER_CELL:
            raise ValueError(f"{what!r}: expected one of {', '.join(PER_CELL)}.")
        n = len(self.order)
        start = 6 + n * PER_CELL.index(what)
        return self._points(slice(start, start + n))[:, np.array(self.order)]


def simulate(
    pack: Pack,
    protocol: Protocol | str | Step | Sequence[str | Step],
    *,
    model: DFN | None = None,
    start: Any = "charged",
    temperature: ArrayLike | None = None,
    rtol: float | Array = DEFAULT_RTOL,
    max_steps: int | None = None,
    throw: bool = True,
) -> PackSolution:
    """Simulate a protocol on a pack. Compiled once for each wiring, mesh and step count.

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
        max_steps: most accepted steps.
        throw: raise on a numerical failure.

    Raises:
        RuntimeError: when float64 is off, or on a numerical failure with `throw`.
        ValueError: for heat between cells that have no heat balance.
    """
    require_x64()
    model = DFN() if model is None else model
    if model.nodes > 1 or (
        pack.exchange is not None and not model.layout.has_temperature
    ):
        raise ValueError(
            f"A pack {'with' if pack.exchange is not None else 'without'} heat between "
            f"its cells cannot have the heat balance {model.thermal}: use "
            f"`DFN(thermal=Lumped())`{'' if pack.exchange is not None else ' or none'}."
        )
    if not isinstance(protocol, Protocol):
        protocol = Protocol(protocol)
    T = pack.temperature if temperature is None else in_kelvin(pack, temperature)
    named = start if isinstance(start, str) else None
    given = None
    if named is None:
        given = jnp.broadcast_to(jnp.asarray(start, float), (pack.wiring.n_cells,))
    done = _simulate(
        pack,
        protocol,
        given,
        T,
        jnp.asarray(rtol, float),
        named,
        model,
        usual_steps(protocol) if max_steps is None else max_steps,
        lanes.enabled(),
    )
    concrete = not isinstance(done.outcome, Tracer)
    single = concrete and jnp.ndim(done.outcome) == 0
    if throw and single and not done.result.is_physical:
        raise RuntimeError(f"{done.result.explanation} (after {float(done.t_end):g} s)")
    return done


@functools.partial(jax.jit, static_argnums=range(5, 9))
def _simulate(
    pack: Pack,
    protocol: Protocol,
    start: Array | None,
    temperature: Array,
    rtol: Array,
    named: str | None,
    model: DFN,
    max_steps: int,
    native: bool,
) -> PackSolution:
    segments = segments_of(protocol, pack, temperature)
    # What a cell's own limit ends is everything.
    always = jnp.ones((*segments.stops.shape[:-1], 2), segments.stops.dtype)
    stops = jnp.concatenate([segments.stops, always], axis=-1)
    segments = segments._replace(stops=stops)
    models = tuple(model.for_cell(cells) for cells in pack.cells)
    system = PackSystem(models, pack.wiring)
    args = system.lay_out(pack)
    sto = _start(pack, named, start)
    y0 = system.equilibrium(args, sto, segments.control.control.temperature[0])
    settings = Settings(rtol, jnp.asarray(FIRST_STEP), max_steps, native=native)
    done = solve(system, y0, args, segments, settings, False)
    salt, surface, inside = [], [], []
    cells, _ = system.split(jax.lax.stop_gradient(done.y))
    for kind, y, of, s in zip(system.kinds, cells, pack.cells, sto, strict=True):
        fields = jax.vmap(lambda y, k=kind: k.model.fields(y, jnp.zeros(())))(y)
        salt.append(jnp.min(fields.c_e * of.electrolyte.concentration[:, None]))
        surface.append(fields.sto[..., -1, :].ravel())
        inside += [s.negative, s.positive]
    begun = jnp.concatenate(inside)
    outcome = jnp.where(
        jnp.all((begun > 0.0) & (begun < 1.0)),
        outcome_of(done, segments, jnp.concatenate(surface), jnp.min(jnp.stack(salt))),
        int(Result.START_OUT_OF_REACH),
    )
    last = done.record.outputs[jnp.maximum(done.n_steps - 1, 0), 1]
    nothing = (done.status == Status.START_FAILED) & (done.n_steps == 0)
    last = jnp.where(nothing, jnp.nan, last)
    return PackSolution(
        done.record,
        done.y,
        done.t,
        tuple(last[k] for k in range(6)),
        outcome,
        done.n_steps,
        done.n_rejected,
        protocol.cycle,
        models[0],
        pack.wiring.order,
    )


def _start(
    pack: Pack, named: str | None, soc: Array | None
) -> tuple[Stoichiometry, ...]:
    found, begin = [], 0
    if soc is not None:
        by_chemistry = jnp.zeros_like(soc)
        by_chemistry = by_chemistry.at[np.array(pack.wiring.order)].set(soc)
    for cells, n in zip(pack.cells, pack.wiring.counts, strict=True):
        if named is not None:
            found.append(jax.vmap(lambda c: start_state(c, named))(cells))
        else:
            own = by_chemistry[begin : begin + n]
            found.append(jax.vmap(start_state)(cells, own))
        begin += n
    return tuple(found)
