"""The result of a simulation."""

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

from .._pictures import checked_axes
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
    """The solution of a simulated protocol.

    Times, voltages and other outputs are given at the start and at the ends of the solver's
    steps, (n_steps + 1,); `at` gives them at any time in between, as accurately.

    Attributes:
        record: outputs of every accepted step; without rows if steps were not kept.
        final: state at the end, as a flat vector, (n,).
        t_end: time at the end [s].
        end: outputs at the end, scalars.
        least, greatest: least and greatest value of each output at the ends of steps.
        outcome: a `Result`, as an integer array.
        n_steps: number of accepted steps.
        n_rejected: number of rejected steps.
        cycle: number of the cycle of every row of the protocol, (n_segment,); -1 for
            padding.
        of_cycles: sums and extremes of the cycles, if they were kept instead of steps.
        equations: the equations that were solved.
        cautions: warnings about the numbers, such as a temperature beyond the data.
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

    def __repr__(self) -> str:
        return _frames.in_short(self)

    def _repr_html_(self) -> str:
        """Text for notebooks, with a figure of voltage and current if steps were kept."""
        return _frames.in_html(self)

    def plot(self, axes: Any = None) -> Any:
        """Voltage, current, temperature and plating margin against time.

        `naion.plot.overview` shows several solutions in one figure.

        Args:
            axes: four axes of Matplotlib; none: new ones.

        Returns:
            the axes.

        Raises:
            TypeError: for anything but axes.
            ValueError: when the steps were not kept, or for the wrong number of axes.
        """
        return overview(
            {"": self}, new_axes() if axes is None else checked_axes(axes, 4)
        )

    @property
    def result(self) -> Result:
        """How the simulation ended; for a single solution outside of `jit`."""
        return Result(int(self.outcome))

    def recorded(self, output: int | slice) -> Array:
        """Outputs at the start of every step and at the end, (n_steps + 1, ...).

        Inside `jit` the record has unused rows, which repeat the end; outside they are cut
        off.

        Args:
            output: columns of the record; see `Output`.
        """
        start, end = (self._steps.outputs[:, k, output] for k in (0, 1))
        last = jnp.maximum(self.n_steps - 1, 0)
        used = jnp.arange(start.shape[0]) < self.n_steps
        used = used.reshape(-1, *(1,) * (start.ndim - 1))
        points = jnp.where(used, start, end[last])
        return self._cut(jnp.concatenate([points, end[last][None]]))

    @property
    def _steps(self) -> Record:
        """The record of steps.

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
        """Temperatures of the layers, (n_steps + 1, layers) [K]; one without a stack."""
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

        The minimum of phi_s - phi_e - j R_film over the electrode; below zero the metal can
        plate. In a half cell, the minimum over the working electrode.
        """
        return self.recorded(Output.PLATING_MARGIN)

    @property
    def negative_potential(self) -> Array:
        """Potential of the negative electrode against a reference electrode [V].

        phi_s at the current collector minus phi_e at the reference electrode, which is of
        the metal (Na/Na+) and in the middle of the separator, or where
        `cell.separator.reference` says.
        """
        return self.recorded(Output.NEGATIVE_POTENTIAL)

    @property
    def positive_potential(self) -> Array:
        """Potential of the positive electrode against the same reference electrode [V].

        Its difference to `negative_potential` is the voltage plus the drop at the contact
        resistance.
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
            after: whether to give values after the jump at times where the current jumps.

        Returns:
            outputs, each in the shape of `t`; NaN before the start and after the end.
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
        """Voltage at which a charge has been discharged, for a single discharge.

        Args:
            charge: charges discharged since the start, of any shape [A.h].

        Returns:
            voltage in the shape of `charge` [V]; NaN beyond the discharged capacity.
        """
        r = self._steps
        q = 3600.0 * jnp.asarray(charge, r.t.dtype)
        t = time_at_charge(r, self.n_steps, q)
        return self.at(t).voltage

    @property
    def states(self) -> State:
        """Fields at the start of every step, (n_steps, ...); needs `keep_states=True`.

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
        """Losses of voltage at the start of every step and at the end.

        Needs `keep_states=True`. With `ThroughStack` the mean over the layers.

        Args:
            cell: the cell that was simulated.

        Returns:
            contributions that add up to the voltage, each (n_steps + 1,) [V].

        Raises:
            ValueError: when the simulation did not keep its states.
        """
        end = self.equations.fields(self.final, self.end.temperature)
        states = jax.tree.map(
            lambda steps, last: jnp.concatenate([steps, last[None]]), self.states, end
        )
        return _losses(self.equations, states, cell)

    @property
    def cycles(self) -> "pd.DataFrame":
        """Capacities, energies, efficiencies and extremes, one row for each cycle.

        An efficiency is the discharge over the charge before it, NaN where there was none.
        Where a cycle begins with its discharge, that is the charge of the cycle before.
        """
        sums = self.of_cycles
        if sums is None:
            sums = cycles_of(self._steps, int(self.n_steps), np.asarray(self.cycle))
        return table(sums)

    @property
    def skipped(self) -> dict[int, str]:
        """Steps of the protocol that ended as they began: the reason, by row."""
        return _frames.skipped(self)

    def to_pandas(self) -> "pd.DataFrame":
        """A table of all outputs at the ends of the steps, with protocol step and cycle."""
        return _frames.to_pandas(self)

    def to_xarray(self, cell: Cell | None = None) -> "xr.Dataset":
        """A data set of outputs, and of fields if they were kept, with units as attributes.

        Args:
            cell: the cell that was simulated; adds positions [m] and fields in SI.
        """
        return _frames.to_xarray(self, cell)

    def save(self, path: Path | str) -> None:
        """Write the whole solution to one file, which `load` reads."""
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
        """A quantity by its name in naion, see `keys`, or in PyBaMM.

        Outputs are at the start and the ends of the solver's steps, (n_steps + 1,), fields
        at their starts, (n_steps, ...).

        Raises:
            KeyError: for an unknown name, with the nearest known ones.
            ValueError: for a quantity that was not kept.
        """
        found = variable(name, known(self.equations))
        return np.asarray(found.function(self))

    def keys(self) -> list[str]:
        """Names of all quantities that this solution has."""
        return [v.name for v in variables_of(self)]

    def search(self, text: str) -> list[str]:
        """Names of quantities whose name in naion or in PyBaMM contains a text."""
        return matching(text, variables_of(self))


@functools.partial(jax.jit, static_argnums=0)
def _losses(equations: Equations, states: State, cell: Cell) -> Losses:
    n = equations.nodes
    grid = equations.model.discretise(cell if n == 1 else cell.layer(n))
    if n == 1:
        return jax.vmap(lambda s: losses(equations, s, grid))(states)
    each = jax.vmap(jax.vmap(lambda s: losses(equations, s, grid)))(states)
    return jax.tree.map(lambda a: jnp.mean(a, axis=1), each)
