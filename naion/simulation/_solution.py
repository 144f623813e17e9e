"""What a simulation returns."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int

from .._results import Result
from ..models import DFN, Equations, Losses, State, losses
from ..parameters import Cell
from ..solvers import Record
from ..systems import Output, Outputs, columns_of
from . import _frames, files
from ._cycles import Cycles, cycles_of, table
from ._dense import beginning_of, outputs_at, time_at_charge
from ._overview import new_axes, overview
from ._variables import known, matching, variable, variables_of

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


class Solution(eqx.Module):
    """A simulated protocol.

    Times, voltages and so on are given at the ends of the solver's steps; `at` gives
    them anywhere in between, at the accuracy of the solve.

    Attributes:
        record: every accepted step; no rows if they were not kept.
        final: state at the end, flat.
        t_end: time at the end [s].
        end: the recorded outputs at the end, scalars.
        least, greatest: of each of the recorded outputs, at the ends of the steps.
        outcome: a `Result`, as an integer array.
        n_steps: accepted steps.
        n_rejected: rejected attempts.
        cycle: number of the cycle of every row of the protocol.
        of_cycles: sums and extremes of the cycles, if those were kept and not the steps.
        equations: that were solved: those of the model for the cell.
        cautions: what a reader of the numbers should know.
    """

    record: Record
    final: Float[Array, " n"]
    t_end: Float[Array, ""]
    end: Outputs
    least: Outputs
    greatest: Outputs
    outcome: Int[Array, ""]
    n_steps: Int[Array, ""]
    n_rejected: Int[Array, ""]
    cycle: Int[Array, " n_segment"]
    of_cycles: Cycles | None
    equations: Equations = eqx.field(static=True)
    cautions: tuple[str, ...] = eqx.field(static=True, default=())

    @property
    def model(self) -> DFN:
        """The model that was solved."""
        return self.equations.model

    def __str__(self) -> str:
        return _frames.in_words(self)

    def _repr_html_(self) -> str:
        """For notebooks: the words, and voltage and current where steps were kept."""
        return _frames.in_html(self)

    def plot(self, axes: Any = None) -> Any:
        """Voltage, current, temperature and plating margin against time.

        `naion.plot.overview` shows several solutions in one figure.

        Args:
            axes: four; none: new ones.

        Returns:
            the axes; in a notebook `.flat[0].figure` shows them.

        Raises:
            ValueError: when the steps were not kept, or for the wrong number of axes.
        """
        if axes is not None and np.size(axes) != 4:
            raise ValueError(f"This figure needs 4 axes, got {np.size(axes)}.")
        return overview({"": self}, new_axes() if axes is None else axes)

    @property
    def result(self) -> Result:
        """How the simulation ended; for one simulation, outside `jit`."""
        return Result(int(self.outcome))

    def recorded(self, output: int | slice) -> Array:
        """Columns of the record at the start of every step and at the end.

        Inside `jit` unused rows repeat the end; outside they are cut off.
        """
        start, end = (self._steps.outputs[:, k, output] for k in (0, 1))
        last = jnp.maximum(self.n_steps - 1, 0)
        used = jnp.arange(start.shape[0]) < self.n_steps
        used = used.reshape(-1, *(1,) * (start.ndim - 1))
        points = jnp.where(used, start, end[last])
        return self._cut(jnp.concatenate([points, end[last][None]]))

    @property
    def _steps(self) -> Record:
        """The record.

        Raises:
            ValueError: when the steps were not kept.
        """
        if self.record.t.shape[-1] == 0:
            raise ValueError(
                "This solution has no steps: it kept its "
                f"{'end' if self.of_cycles is None else 'cycles'} only. Simulate with "
                "keep='steps'."
            )
        return self.record

    def _cut(self, points: Array) -> Array:
        if isinstance(self.n_steps, Tracer):
            return points
        return points[: int(self.n_steps) + 1]

    @property
    def t(self) -> Array:
        """Time [s]."""
        t = self._steps.t
        used = jnp.arange(t.shape[0]) < self.n_steps
        points = jnp.append(jnp.where(used, t, self.t_end), self.t_end)
        return self._cut(points)

    @property
    def voltage(self) -> Array:
        """Terminal voltage [V]."""
        return self.recorded(Output.VOLTAGE)

    @property
    def current(self) -> Array:
        """Cell current, positive on discharge [A]."""
        return self.recorded(Output.CURRENT)

    @property
    def temperature(self) -> Array:
        """Cell temperature, the mean of its layers [K]."""
        return self.recorded(Output.TEMPERATURE)

    @property
    def layer_temperature(self) -> Array:
        """Temperatures of the layers, (n, layers), one but for `ThroughStack` [K]."""
        if self.model.nodes == 1:
            return self.temperature[:, None]
        return self.recorded(columns_of("temperature", self.model.nodes))

    @property
    def discharged(self) -> Array:
        """Charge discharged since the start [A.h]."""
        return self.recorded(Output.CHARGE) / 3600.0

    @property
    def discharge_energy(self) -> Array:
        """Energy delivered since the start [W.h]."""
        return self.recorded(Output.ENERGY) / 3600.0

    @property
    def plating_margin(self) -> Array:
        """Lowest potential of the negative electrode's surface against the metal [V].

        phi_s - phi_e - j R_film, lowest over the electrode; below zero it can plate. In a
        half cell that of the working electrode.
        """
        return self.recorded(Output.PLATING_MARGIN)

    @property
    def negative_potential(self) -> Array:
        """Of the negative electrode against a reference electrode in the separator [V].

        phi_s at the collector minus phi_e at the reference, which is of the metal (Na/Na+)
        and in the middle, or where `cell.separator.reference` says.
        """
        return self.recorded(Output.NEGATIVE_POTENTIAL)

    @property
    def positive_potential(self) -> Array:
        """Of the positive electrode against the same reference [V].

        Less `negative_potential` it is the voltage without the contacts' part.
        """
        return self.recorded(Output.POSITIVE_POTENTIAL)

    @property
    def capacity(self) -> Array:
        """Net charge discharged over the whole protocol [A.h]."""
        return self.end[Output.CHARGE] / 3600.0

    @property
    def energy(self) -> Array:
        """Net energy delivered over the whole protocol [W.h]."""
        return self.end.energy / 3600.0

    def at(self, t: ArrayLike, after: Array | bool = False) -> Outputs:
        """Outputs at given times: `solution.at(3600.0).voltage`.

        Args:
            t: times since the start, of any shape [s].
            after: at a time where the current jumps, give the value after the jump.

        Returns:
            each of the shape of `t`; NaN before the start and after the end.
        """
        r = self._steps
        try:
            t = jnp.asarray(t, r.t.dtype)
        except (TypeError, ValueError):
            raise ValueError(
                f"t={t!r}: expected times since the start, numbers in seconds."
            ) from None
        return outputs_at(r, self.n_steps, t, jnp.asarray(after))

    def began(self, row: ArrayLike) -> Array:
        """Time at which a row of the protocol began [s]; NaN if it was not reached."""
        return beginning_of(self._steps, self.n_steps, jnp.asarray(row))

    def voltage_at_charge(self, charge: ArrayLike) -> Array:
        """Voltage when a charge has been discharged, for a single discharge.

        Args:
            charge: [A.h], of any shape.

        Returns:
            voltage [V]; NaN beyond the discharged capacity.
        """
        r = self._steps
        q = 3600.0 * jnp.asarray(charge, r.t.dtype)
        t = time_at_charge(r, self.n_steps, q)
        return self.at(t).voltage

    @property
    def states(self) -> State:
        """Fields at the start of every step, stacked; needs `keep_states=True`.

        With `ThroughStack` the second axis is that of the layers.

        Raises:
            ValueError: when the simulation did not keep its states.
        """
        if self._steps.y.shape[-1] == 0:
            raise ValueError(
                "This solution has no fields. Simulate with `keep_states=True`."
            )
        temperature = self.record.outputs[:, 0, Output.TEMPERATURE]
        states = jax.vmap(self.equations.fields)(self.record.y, temperature)
        if isinstance(self.n_steps, Tracer):
            return states
        return jax.tree.map(lambda a: a[: int(self.n_steps)], states)

    def losses(self, cell: Cell) -> Losses:
        """Where the voltage goes, at the start of every step; needs `keep_states=True`.

        With `ThroughStack` a mean over the layers.

        Args:
            cell: that was simulated.

        Returns:
            contributions that add up to the voltage there, each (n_steps,) [V].

        Raises:
            ValueError: when the simulation did not keep its states.
        """
        return _losses(self.equations, self.states, cell)

    @property
    def cycles(self) -> "pd.DataFrame":
        """Capacities, energies, efficiencies and extremes of every cycle, one row each.

        An efficiency is what the discharge gave over what the charge before it took; NaN
        where there was no charge before. A cycle that begins with its discharge is
        compared with the charge of the cycle before.
        """
        sums = self.of_cycles
        if sums is None:
            sums = cycles_of(self._steps, int(self.n_steps), np.asarray(self.cycle))
        return table(sums)

    @property
    def skipped(self) -> dict[int, str]:
        """Steps of the protocol that were over at once, by their row, with the reason."""
        return _frames.skipped(self)

    def to_pandas(self) -> "pd.DataFrame":
        """Every named output at the ends of the steps, with protocol step and cycle."""
        return _frames.to_pandas(self)

    def to_xarray(self, cell: Cell | None = None) -> "xr.Dataset":
        """Outputs, and fields if they were kept, with units as attributes.

        Args:
            cell: that was simulated; gives fields their positions [m] and units.
        """
        return _frames.to_xarray(self, cell)

    def save(self, path: Path | str) -> None:
        """Write everything to one file, from which `load` gives the same solution."""
        files.save(self, path)

    @classmethod
    def load(cls, path: Path | str) -> "Solution":
        """The solution that `save` wrote.

        Raises:
            ValueError: when the file is not a saved solution, or one of another kind.
        """
        fields, _ = files.load(path)
        return cls(**fields)

    def __getitem__(self, name: str) -> np.ndarray:
        """A quantity by its name, or by PyBaMM's: see `keys`.

        Outputs are given at the ends of the solver's steps, fields at their starts.

        Raises:
            KeyError: for an unknown name, with the nearest known ones.
            ValueError: for what this solution did not keep.
        """
        found = variable(name, known(self.equations))
        return np.asarray(found.function(self))

    def keys(self) -> list[str]:
        """Names of all that this solution has."""
        return [v.name for v in variables_of(self)]

    def search(self, text: str) -> list[str]:
        """Names that contain a text, in naion's or in PyBaMM's words."""
        return matching(text, variables_of(self))


@functools.partial(jax.jit, static_argnums=0)
def _losses(equations: Equations, states: State, cell: Cell) -> Losses:
    n = equations.nodes
    grid = equations.model.discretise(cell if n == 1 else cell.layer(n))
    if n == 1:
        return jax.vmap(lambda s: losses(equations, s, grid))(states)
    each = jax.vmap(jax.vmap(lambda s: losses(equations, s, grid)))(states)
    return jax.tree.map(lambda a: jnp.mean(a, axis=1), each)
