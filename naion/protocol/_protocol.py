"""Steps and the protocol they make."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool, Float, Int

from ._control import Mode

UNLIMITED = 1e9
"""Stands for 'no cut-off' in arrays: finite, so that its derivatives are too."""


@dataclass(frozen=True)
class Step:
    """One step of a protocol. Currents, powers and rates are positive on discharge.

    Attributes:
        mode: what is held.
        value: set point [A, V, W, ohm], or a C-rate when `in_c_rate`.
        slope: its rate of change [unit.s-1].
        in_c_rate: `value` (and `slope`) are multiples of the nominal capacity.
        duration: longest time [s].
        lower_voltage: ends a discharge [V]; none: the cell's own limit ends everything.
        upper_voltage: ends a charge [V]; likewise.
        current_below: ends the step when the current has fallen to this [A].
        c_rate_below: the same as a C-rate.
        capacity: ends the step after this much charge either way [A.h].
        temperature_below: ends the step [K].
        temperature_above: ends the step [K].
        temperature: of the cell, or its surroundings [K]; none: that of the simulation.
        temperature_slope: its rate of change [K.s-1].
    """

    mode: Mode
    value: float = 0.0
    slope: float = 0.0
    in_c_rate: bool = False
    duration: float = math.inf
    lower_voltage: float | None = None
    upper_voltage: float | None = None
    current_below: float | None = None
    c_rate_below: float | None = None
    capacity: float | None = None
    temperature_below: float | None = None
    temperature_above: float | None = None
    temperature: float | None = None
    temperature_slope: float = 0.0

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, float) and math.isnan(value):
                raise ValueError(f"Step.{field.name} is NaN.")
        if self.duration <= 0.0:
            raise ValueError(f"Step.duration must be positive, got {self.duration} s.")
        ends = (
            self.lower_voltage,
            self.upper_voltage,
            self.current_below,
            self.c_rate_below,
            self.capacity,
            self.temperature_below,
            self.temperature_above,
        )
        still = self.mode == Mode.VOLTAGE or (self.value == 0.0 and self.slope == 0.0)
        if still and math.isinf(self.duration) and all(e is None for e in ends):
            raise ValueError(
                "This step would never end: a rest or a hold needs a duration or a "
                "cut-off, for example 'Rest for 1 hour' or 'Hold at 4.1 V until C/20'."
            )


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
    cycle: Int[Array, " n"]
    count: Int[Array, ""]

    def __init__(self, steps: "str | Step | Sequence[str | Step]", cycles: int = 1):
        """Steps, as objects or experiment strings, repeated `cycles` times.

        Raises:
            ValueError: for an unreadable string, or no steps at all.
        """
        from ._grammar import parse_step

        steps = [steps] if isinstance(steps, str | Step) else list(steps)
        if not steps or cycles < 1:
            raise ValueError(
                f"A protocol needs at least one step and one cycle, got {len(steps)} "
                f"step(s) and {cycles} cycle(s)."
            )
        once = [parse_step(s) if isinstance(s, str) else s for s in steps]
        rows = once * cycles

        def column(name: str, default: float) -> Array:
            values = [getattr(r, name) for r in rows]
            return jnp.asarray([default if v is None else v for v in values], float)

        self.mode = jnp.asarray([int(r.mode) for r in rows])
        self.in_c_rate = jnp.asarray([r.in_c_rate for r in rows])
        self.value = column("value", 0.0)
        self.slope = column("slope", 0.0)
        self.duration = jnp.minimum(column("duration", UNLIMITED), UNLIMITED)
        self.lower_voltage = column("lower_voltage", math.nan)
        self.upper_voltage = column("upper_voltage", math.nan)
        self.current_below = column("current_below", -UNLIMITED)
        self.c_rate_below = column("c_rate_below", -UNLIMITED)
        self.capacity = column("capacity", UNLIMITED)
        self.temperature_below = column("temperature_below", -UNLIMITED)
        self.temperature_above = column("temperature_above", UNLIMITED)
        self.temperature = column("temperature", math.nan)
        self.temperature_slope = column("temperature_slope", 0.0)
        self.cycle = jnp.asarray(np.repeat(np.arange(cycles), len(once)))
        self.count = jnp.asarray(len(rows))

    @property
    def n_joined(self) -> int:
        """Steps that go on where the one before ends, as in a profile; 0 if traced."""
        if (
            any(isinstance(a, Tracer) for a in jax.tree.leaves(self))
            or self.value.ndim > 1
        ):
            return 0
        mode, value, T = map(np.asarray, (self.mode, self.value, self.temperature))
        ends = value + np.asarray(self.slope) * np.asarray(self.duration)
        T_ends = T + np.asarray(self.temperature_slope) * np.asarray(self.duration)
        same = np.isclose(value[1:], ends[:-1], rtol=1e-12) & (mode[1:] == mode[:-1])
        warm = np.isclose(T[1:], T_ends[:-1], rtol=1e-12, equal_nan=True)
        return int(np.sum(same & warm))

    def padded(self, n: int) -> "Protocol":
        """The same protocol in `n` rows, so that protocols of unlike length share a program.

        Raises:
            ValueError: if it has more than `n` steps.
        """
        if n < self.n_steps:
            raise ValueError(f"Cannot pad {self.n_steps} steps to {n}.")
        rows = np.minimum(np.arange(n), self.n_steps - 1)
        *columns, count = jax.tree.leaves(self)
        traced = any(isinstance(a, Tracer) for a in columns)
        columns = [(a if traced else np.asarray(a))[..., rows] for a in columns]
        return jax.tree.unflatten(jax.tree.structure(self), [*columns, count])

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

        Args:
            time: seconds, not decreasing, (n,).
            value: set point at those times, discharge positive, (n,).
            mode: what `value` is.
            temperature: of the cell or its surroundings at those times, (n,) [K].
            lower_voltage: ends the profile; none: the cell's limit does.
            upper_voltage: likewise.

        Raises:
            ValueError: naming the row, for times that decrease, NaNs, or fewer than two
                rows.
        """
        t, v = np.asarray(time, float), np.asarray(value, float)
        T = None if temperature is None else np.asarray(temperature, float)
        for name, column in (("value", v), ("temperature", T)):
            if column is not None and column.shape != t.shape:
                raise ValueError(
                    f"Profile: {t.size} times but {column.size} of {name}."
                )
        if t.ndim != 1 or t.size < 2:
            raise ValueError(f"A profile needs at least two rows, got {t.size}.")
        for i in range(t.size):
            row = [t[i], v[i]] + ([] if T is None else [T[i]])
            if not np.all(np.isfinite(row)):
                raise ValueError(f"Profile row {i + 1} is not finite: {row}.")
            if i and t[i] < t[i - 1]:
                raise ValueError(
                    f"Profile row {i + 1}: time {t[i]:g} s is before the previous "
                    f"row's {t[i - 1]:g} s. Sort the rows."
                )
        steps = []
        for i in np.flatnonzero(np.diff(t) > 0.0):
            dt = float(t[i + 1] - t[i])
            steps.append(
                Step(
                    mode=mode,
                    value=float(v[i]),
                    slope=float(v[i + 1] - v[i]) / dt,
                    duration=dt,
                    lower_voltage=lower_voltage,
                    upper_voltage=upper_voltage,
                    temperature=None if T is None else float(T[i]),
                    temperature_slope=0.0 if T is None else float(T[i + 1] - T[i]) / dt,
                )
            )
        return cls(steps)

    @property
    def n_steps(self) -> int:
        """Number of rows: steps, cycles counted, and padding."""
        return self.mode.shape[-1]


def goes_on(p: Protocol) -> Array:
    """Whether each row goes on where the one before ends, without a jump, (n,)."""
    ends = p.value + p.slope * p.duration
    T_ends = p.temperature + p.temperature_slope * p.duration

    def same(a, b):
        return jnp.isclose(a[1:], b[:-1], rtol=1e-12, atol=0.0, equal_nan=True)

    alike = (p.mode[1:] == p.mode[:-1]) & (p.in_c_rate[1:] == p.in_c_rate[:-1])
    joined = alike & same(p.value, ends) & same(p.temperature, T_ends)
    return jnp.concatenate([jnp.zeros(1, bool), joined])
