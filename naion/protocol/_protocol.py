"""Steps as arrays: the protocol of a simulation."""

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
"""Stands for 'no cut-off' in arrays: finite, so that its derivatives are too."""

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
"""Columns of floats, and what stands there for what a step does not have."""


class Protocol(eqx.Module):
    """A sequence of steps as arrays, one row a step.

    A pytree: every number can be batched and differentiated, and changing one does not
    recompile; only the number of steps is fixed in a program.

    Attributes:
        mode: `Mode` of each step.
        value: set point [A, V, W, ohm, or C-rate].
        slope: its rate of change.
        in_c_rate: whether value and slope are multiples of the nominal capacity.
        duration: longest time [s].
        lower_voltage: [V]; NaN for the cell's own limit.
        upper_voltage: [V]; NaN for the cell's own limit.
        current_below: [A].
        c_rate_below: [A / A.h].
        capacity: [A.h].
        temperature_below: [K].
        temperature_above: [K].
        temperature: [K]; NaN for that of the simulation.
        temperature_slope: [K.s-1].
        ends_all: whether voltages given here end everything, and not the row alone.
        cycle: number of the cycle that each row belongs to, from 0.
        count: how many of the rows are steps; the rest is padding, see `padded`.
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
        """Steps, as objects or experiment strings, repeated `cycles` times.

        A tuple or list among the steps is a cycle, as in PyBaMM: `[("Discharge at 1C",
        "Charge at 1C until 4 V")] * 2` are two. Neighbouring steps beside tuples are one.

        Raises:
            ValueError: naming the item that is no step, for an unreadable string, no
                steps at all, or a number of cycles that is none.
        """
        once, cycle = read_items(steps)
        n_cycles = cycle[-1] + 1 if cycle else 0
        cycles = whole_cycles(cycles, len(once))
        # Equal steps are one object where they were one string: a row is looked up.
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
        """Steps that go on where the one before ends, as in a profile; 0 if traced."""
        if _traced(self) or self.value.ndim > 1:
            return 0
        return int(np.sum(goes_on(self)))

    def padded(self, n: int) -> "Protocol":
        """The same protocol in `n` rows, so that protocols of unlike length share a program.

        Raises:
            ValueError: if it has more than `n` steps.
        """
        if n < self.n_steps:
            raise ValueError(f"Cannot pad {self.n_steps} steps to {n}.")
        if n == self.n_steps:
            return self
        (*columns, count), structure = jax.tree.flatten(self)
        rows = np.minimum(np.arange(n), self.n_steps - 1)
        if _traced(columns):
            columns = [column[..., rows] for column in columns]
        else:
            # One call for all columns: JAX takes longer for each than NumPy for all.
            columns = jax.device_put([np.asarray(c).take(rows, -1) for c in columns])
        return jax.tree.unflatten(structure, [*columns, count])

    def rows(self, first: int, n: int) -> "Protocol":
        """`n` rows from one on; `count` is of all that are left, of which `n` may be few."""
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
        """A measured profile: rows joined linearly, two rows at one time are a step.

        Stretches that go on constant or with the same slope are one row of the protocol,
        to 1e-12 of the largest value. Times within 1e-6 s are one time.

        Args:
            time: seconds, not decreasing, (n,); or dates, times of day or time
                differences of Python, NumPy or pandas. Counted from the first.
            value: set point at those times, discharge positive, (n,).
            mode: what `value` is.
            temperature: of the cell or its surroundings at those times, (n,), or one
                number [K].
            lower_voltage: ends everything when the cell discharges to it [V]; none: the
                cell's own limit does.
            upper_voltage: likewise [V].

        Raises:
            ValueError: naming the row, for times that decrease, NaNs, numbers outside of
                what they can be (degrees Celsius among them), or fewer than two rows.
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
        """As JSON data: each column, or its value where that is one; null for NaN."""

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
        """Number of rows: steps, cycles counted, and padding."""
        return self.mode.shape[-1]


Steps = str | Step | Iterable[str | Step | Sequence[str | Step]]
"""What `Protocol` and `simulate` take."""


def goes_on(protocol: Protocol) -> np.ndarray:
    """Whether each row begins where the row before ends if that takes its whole duration.

    Mode, set point and temperature agree at the joint to 1e-12; temperatures left to the
    simulation agree if nothing changed them. A row that a cut-off ends early ends
    elsewhere, unless its slopes are 0. False for the first row, (n,).
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
    """Whether each row begins, to 1e-12, where the one before ends.

    Args:
        start: of the rows, NumPy's or JAX's, (..., n).
        change: from start to end of each, alike.

    Returns:
        False for the first row, (..., n).
    """
    xp = start.__array_namespace__()
    before, end, after = start[..., :-1], (start + change)[..., :-1], start[..., 1:]
    largest = xp.maximum(xp.abs(before), xp.maximum(xp.abs(end), xp.abs(after)))
    met = xp.abs(after - end) <= EQUAL * largest
    return xp.concatenate([xp.zeros_like(met[..., :1]), met], axis=-1)


def _traced(tree: Any) -> bool:
    return any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(tree))


def _columns(steps: list[Step]) -> dict[str, Any]:
    """Columns of the steps, one row each, by NumPy where no number is traced."""

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
