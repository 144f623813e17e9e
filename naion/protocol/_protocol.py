"""The protocol of a simulation: its steps as arrays."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from types import NoneType
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool, Float, Int

from ._control import Mode
from ._items import read_items, whole_cycles
from ._profile import EQUAL, profile_rows
from ._step import Step

UNLIMITED = 1e9
"""Stands for no cut-off in arrays; it is finite, so that derivatives are finite, too."""

_NONE = {
    "value": 0.0,
    "slope": 0.0,
    "duration": UNLIMITED,
    "lower_voltage": math.nan,
    "upper_voltage": math.nan,
    "current_below": -UNLIMITED,
    "c_rate_below": -UNLIMITED,
    "capacity": UNLIMITED,
    "temperature_below": -UNLIMITED,
    "temperature_above": UNLIMITED,
    "temperature": math.nan,
    "temperature_slope": 0.0,
}
"""Columns of floats, and the value that stands for a field that a step does not have."""


class Protocol(eqx.Module):
    """A sequence of steps as arrays, with one row for each step; see `Step`.

    It is a pytree: every number can be batched and differentiated, and changing a number
    does not recompile. A compiled program only fixes the number of rows.

    Attributes:
        mode: `Mode` of each step.
        value: set point, positive on discharge [A, V, W, ohm, or C-rate].
        slope: rate of change of the set point [unit.s-1].
        in_c_rate: whether value and slope are multiples of the nominal capacity.
        duration: longest time of the step [s].
        lower_voltage: voltage that ends a discharge [V]; NaN for the cell's own limit.
        upper_voltage: voltage that ends a charge [V]; NaN for the cell's own limit.
        current_below: current that ends the step when it has fallen to it [A].
        c_rate_below: the same as a C-rate [1/h].
        capacity: charge that ends the step [A.h].
        temperature_below: temperature that ends the step when the cell cools to it [K].
        temperature_above: temperature that ends the step when the cell warms to it [K].
        temperature: temperature of the cell or its surroundings [K]; NaN for that of the
            simulation.
        temperature_slope: rate of change of the temperature [K.s-1].
        ends_all: whether the voltages given here end the whole protocol, not just the row.
        cycle: number of the cycle of each row, counted from 0; -1 for padding.
        count: number of rows that are steps; the others are padding, see `padded`.
    """

    mode: Int[Array, " n"]
    value: Float[Array, " n"]
    slope: Float[Array, " n"]
    in_c_rate: Bool[Array, " n"]
    duration: Float[Array, " n"]
    lower_voltage: Float[Array, " n"]
    upper_voltage: Float[Array, " n"]
    current_below: Float[Array, " n"]
    c_rate_below: Float[Array, " n"]
    capacity: Float[Array, " n"]
    temperature_below: Float[Array, " n"]
    temperature_above: Float[Array, " n"]
    temperature: Float[Array, " n"]
    temperature_slope: Float[Array, " n"]
    ends_all: Bool[Array, " n"]
    cycle: Int[Array, " n"]
    count: Int[Array, ""]

    def __init__(self, steps: "Steps", cycles: int = 1):
        """Make a protocol of steps or experiment strings, repeated `cycles` times.

        A tuple or list among the steps is a cycle, as in PyBaMM: `[("Discharge at 1C",
        "Charge at 1C until 4 V")] * 2` are two cycles. Neighbouring steps outside of tuples
        form a cycle together.

        Raises:
            ValueError: naming the item, for what is not a step or cannot be read; for no
                steps at all, or a number of cycles that is not a positive whole number.
        """
        once, cycle = read_items(steps)
        n_cycles = cycle[-1] + 1 if cycle else 0
        cycles = whole_cycles(cycles, len(once))
        # Equal strings were read as one `Step`: its columns are made once, and looked up.
        distinct = list({id(s): s for s in once}.values())
        place = {id(s): i for i, s in enumerate(distinct)}
        rows = np.tile([place[id(s)] for s in once], cycles)
        columns = {k: column[rows] for k, column in _columns(distinct).items()}
        turn = n_cycles * np.repeat(np.arange(cycles), len(once))
        self._fill(columns, turn + np.tile(cycle, cycles))

    def _fill(
        self, columns: dict[str, Any], cycle: np.ndarray, ends_all: bool = False
    ) -> None:
        n = cycle.size
        columns = columns | {"ends_all": np.full(n, ends_all), "cycle": cycle}
        columns = columns | {"count": np.asarray(n)}
        known = not _traced(columns)
        # Not `jnp.asarray` where all is known: it compiles a program for every length.
        columns = jax.device_put(columns) if known else columns
        for name, column in columns.items():
            object.__setattr__(self, name, column if known else jnp.asarray(column))

    @property
    def n_joined(self) -> int:
        """Number of steps that continue where the one before ends, as in a profile.

        0 where JAX traces the protocol, or it holds many.
        """
        if _traced(self) or self.value.ndim > 1:
            return 0
        return int(np.sum(goes_on(self)))

    def padded(self, n: int) -> "Protocol":
        """The protocol in `n` rows, so that protocols of different lengths share a program.

        Raises:
            ValueError: if it has more than `n` steps.
        """
        if n < self.n_steps:
            raise ValueError(f"Cannot pad {self.n_steps} steps to {n}.")
        if n == self.n_steps:
            return self
        (*columns, count), structure = jax.tree.flatten(self)
        rows = np.minimum(np.arange(n), self.n_steps - 1)
        traced = _traced(columns)
        where = jnp.where if traced else np.where
        if traced:
            columns = [column[..., rows] for column in columns]
        else:
            # Converted in one call: one for each column would take most of the time.
            columns = [np.asarray(c).take(rows, -1) for c in columns]
        # The last column is `cycle`, which tells steps from padding.
        last: Any = where(np.arange(n) < self.n_steps, columns[-1], -1)
        columns[-1] = last
        columns = columns if traced else jax.device_put(columns)
        return jax.tree.unflatten(structure, [*columns, count])

    def rows(self, first: int, n: int) -> "Protocol":
        """`n` rows from row `first` on. Its `count` is that of all steps that are left."""
        (*columns, count), structure = jax.tree.flatten(self)
        rows = np.minimum(np.arange(first, first + n), self.n_steps - 1)
        columns = jax.device_put([np.asarray(c).take(rows, -1) for c in columns])
        return jax.tree.unflatten(structure, [*columns, count - first])

    @classmethod
    def profile(
        cls,
        time: Any,
        value: Any,
        *,
        mode: Mode = Mode.CURRENT,
        temperature: Any = None,
        lower_voltage: float | None = None,
        upper_voltage: float | None = None,
    ) -> "Protocol":
        """A measured profile, linear between its rows.

        Two rows at one time are a jump; times closer than 1e-6 s count as equal.
        Consecutive stretches that are constant, or have the same slope, become one row of
        the protocol, to within 1e-12 of the largest value.

        Args:
            time: times that do not decrease, (n,): seconds, or dates, times of day or time
                differences of Python, NumPy or pandas. They count from the first.
            value: set point at these times, positive on discharge, (n,).
            mode: which quantity `value` is.
            temperature: temperature of the cell or its surroundings at these times, (n,),
                or one number [K]; none: that of the simulation.
            lower_voltage: voltage at which a discharge ends the whole protocol [V]; none:
                the cell's own limit.
            upper_voltage: voltage at which a charge ends the whole protocol [V]; none: the
                cell's own limit.

        Raises:
            ValueError: naming the row, for times that decrease, numbers that are not
                finite or outside of their range (such as temperatures in Celsius), or
                fewer than two rows.
        """
        rows = profile_rows(time, value, mode, temperature)
        n = rows["value"].size
        value, slope, duration = (rows[k][0] for k in ("value", "slope", "duration"))
        ends = lower_voltage, upper_voltage
        try:
            step = Step(mode, value, slope, False, duration, *ends)
        except ValueError as error:
            raise ValueError(f"Profile: {error}") from None
        columns = {k: np.repeat(v, n) for k, v in _columns([step]).items()}
        made = object.__new__(cls)
        given = any(V is not None for V in ends)
        made._fill(columns | rows, np.zeros(n, int), ends_all=given)
        return made

    def to_json(self) -> dict[str, Any]:
        """As JSON data: each column as a list, or as one value if all are equal.

        NaN becomes null.
        """

        def plain(column: Array) -> Any:
            values = np.asarray(column)
            every = [None if v != v else v for v in values.ravel().tolist()]
            alike = not values.ndim or len(set(every)) == 1
            return every[0] if alike else every

        columns = {f.name: plain(getattr(self, f.name)) for f in fields(self)}
        return {"n_steps": self.n_steps, **columns}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Protocol":
        """The inverse of `to_json`.

        Raises:
            KeyError, TypeError, ValueError: for anything else.
        """
        like, made = cls(Step(Mode.CURRENT, 1.0, duration=1.0)), object.__new__(cls)
        for f in fields(cls):
            usual = getattr(like, f.name)
            column = np.asarray(data[f.name], usual.dtype)
            shape = (int(data["n_steps"]),) if usual.ndim else ()
            column = jnp.asarray(np.broadcast_to(column, shape))
            object.__setattr__(made, f.name, column)
        return made

    @property
    def n_steps(self) -> int:
        """Number of rows: the steps of all cycles, and padding."""
        return self.mode.shape[-1]


Steps = str | Step | Iterable[str | Step | Sequence[str | Step]]
"""Forms in which `Protocol` and `simulate` take steps."""


def goes_on(protocol: Protocol) -> np.ndarray:
    """Whether each row begins where the row before it ends after its whole duration, (n,).

    Mode, set point and temperature agree there to 1e-12; temperatures that are left to the
    simulation agree if nothing changed them. (A row that a cut-off ends early ends at
    another set point, unless its slope is 0.) False for the first row.
    """

    def column(name):
        return np.asarray(getattr(protocol, name))

    duration, T = column("duration"), column("temperature")
    change = column("temperature_slope") * duration
    unknown = np.isnan(T)
    left = unknown[..., :-1] & unknown[..., 1:] & (change[..., :-1] == 0.0)
    same = left | joins(T, change)[..., 1:]
    same = same & joins(column("value"), column("slope") * duration)[..., 1:]
    for name in ("mode", "in_c_rate"):
        same = same & (column(name)[..., 1:] == column(name)[..., :-1])
    return np.concatenate([np.zeros_like(same[..., :1]), same], axis=-1)


def joins(start: Any, change: Any) -> Any:
    """Whether each row begins at the value at which the one before ends, to 1e-12.

    Args:
        start: values at the start of the rows, an array of NumPy or JAX, (..., n).
        change: changes from start to end of each row, (..., n).

    Returns:
        logical values, False for the first row, (..., n).
    """
    xp = start.__array_namespace__()
    before, end, after = start[..., :-1], (start + change)[..., :-1], start[..., 1:]
    largest = xp.maximum(xp.abs(before), xp.maximum(xp.abs(end), xp.abs(after)))
    met = xp.abs(after - end) <= EQUAL * largest
    return xp.concatenate([xp.zeros_like(met[..., :1]), met], axis=-1)


def _traced(tree: Any) -> bool:
    return any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(tree))


def _columns(steps: list[Step]) -> dict[str, Any]:
    """Columns of steps, one row each: of NumPy, or of JAX where it traces a number."""

    def column(name, default, dtype):
        values = [getattr(s, name) for s in steps]
        types = set(map(type, values))
        if NoneType in types:
            values = [default if v is None else v for v in values]
        if any(issubclass(t, Tracer) for t in types):
            return jnp.stack([jnp.asarray(v, dtype) for v in values])
        return np.asarray(values, dtype)

    columns = {name: column(name, none, float) for name, none in _NONE.items()}
    columns["mode"] = column("mode", 0, int)
    columns["in_c_rate"] = column("in_c_rate", False, bool)
    unlimited = columns["duration"] == math.inf
    where = np.where if isinstance(columns["duration"], np.ndarray) else jnp.where
    columns["duration"] = where(unlimited, UNLIMITED, columns["duration"])
    return columns
