"""One step of a protocol."""

import math
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from . import _checks
from ._checks import SET_POINT, number, require_mode
from ._control import Mode

_RANGES = {
    "slope": _checks.FINITE,
    "duration": _checks.DURATION,
    "lower_voltage": _checks.VOLTAGE,
    "upper_voltage": _checks.VOLTAGE,
    "current_below": _checks.CURRENT,
    "c_rate_below": _checks.C_RATE,
    "capacity": _checks.CAPACITY,
    "temperature_below": _checks.KELVIN,
    "temperature_above": _checks.KELVIN,
    "temperature": _checks.KELVIN,
    "temperature_slope": _checks.FINITE,
}

_FIRST_MET = {
    "duration": min,
    "lower_voltage": max,
    "upper_voltage": min,
    "current_below": max,
    "c_rate_below": max,
    "capacity": min,
    "temperature_below": max,
    "temperature_above": min,
}


def add_condition(step: dict[str, Any], name: str, value: float) -> None:
    """Add a condition that ends a step to its fields.

    Of two conditions of one kind, the one that is met first counts: a discharge until 3 V
    or 2 V ends at 3 V.
    """
    step[name] = _FIRST_MET[name](step.get(name, value), value)


@dataclass(frozen=True)
class Step:
    """One step of a protocol. Currents, powers and rates are positive on discharge.

    Numbers may be of Python, NumPy or JAX. They are checked, unless JAX traces them.

    Attributes:
        mode: which quantity is imposed.
        value: set point [A, V, W, ohm], or a C-rate with `in_c_rate`.
        slope: rate of change of the set point [unit.s-1].
        in_c_rate: whether `value` and `slope` are multiples of the nominal capacity.
        duration: longest time of the step [s].
        lower_voltage: voltage that ends a discharge step [V]; none: the cell's own limit,
            which ends the whole protocol. With `Mode.POWER_WITHIN_LIMITS` it ends nothing
            and is held, at less power.
        upper_voltage: voltage that ends a charge step; otherwise the same [V].
        current_below: ends the step when the current has fallen to it [A].
        c_rate_below: the same as a C-rate [1/h].
        capacity: ends the step when this charge has passed in either direction [A.h].
        temperature_below: ends the step when the cell has cooled to it [K].
        temperature_above: ends the step when the cell has warmed to it [K].
        temperature: temperature of the cell, or of its surroundings where the model has a
            heat balance [K]; none: that of the simulation.
        temperature_slope: rate of change of that temperature [K.s-1].

    Raises:
        ValueError: naming the field, for a number outside of its range, conditions that
            contradict each other or cannot end this step, or a step that never ends.
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
        require_mode("Step.mode", self.mode)
        object.__setattr__(self, "in_c_rate", _truth(self.in_c_rate))
        allowed = _checks.FINITE if _traced(self.mode) else SET_POINT[self.mode]
        other = not _traced(self.mode) and self.mode != Mode.CURRENT
        if self.in_c_rate is True and other:
            raise ValueError(
                f"Step.in_c_rate is for Mode.CURRENT, not for {self.mode!r}."
            )
        if self.in_c_rate is True:
            allowed = allowed._replace(unit="C")
        for name, range_ in {"value": allowed, **_RANGES}.items():
            given = getattr(self, name)
            if given is not None or getattr(Step, name) is not None:
                checked = number(f"Step.{name}", given, range_)
                object.__setattr__(self, name, checked)
        self._check_ramp("value", "slope", allowed)
        self._check_ramp("temperature", "temperature_slope", _checks.KELVIN)
        self._check_order("lower_voltage", "upper_voltage", "V")
        self._check_order("temperature_below", "temperature_above", "K")
        self._check_conditions()

    def _check_ramp(self, name: str, slope: str, allowed: _checks.Range) -> None:
        """Check that a ramp also ends within the range."""
        start, rate = getattr(self, name), getattr(self, slope)
        if _traced(start, rate, self.duration) or start is None or rate == 0.0:
            return
        if math.isfinite(self.duration):
            end = start + rate * self.duration
            # A ramp to zero misses it by rounding, which may be on the wrong side.
            end = 0.0 if abs(end) < 1e-12 * abs(start) else end
            where = f"The end of Step.{name} ({slope} {rate:g} for {self.duration:g} s)"
            number(where, end, allowed)

    def _check_order(self, low: str, high: str, unit: str) -> None:
        a, b = getattr(self, low), getattr(self, high)
        if a is None or b is None or _traced(a, b) or a < b:
            return
        raise ValueError(
            f"Step.{low} = {a:g} {unit} must be less than Step.{high} = {b:g} {unit}."
        )

    def _check_conditions(self) -> None:
        """Raise for conditions that cannot end this step, and for a step that never ends."""
        if _traced(self.mode, self.value, self.slope):
            return
        held = self.mode == Mode.VOLTAGE
        constant = self.mode == Mode.CURRENT and self.slope == 0.0
        rest = not held and self.value == 0.0 and self.slope == 0.0
        useless: dict[str, str] = {}
        if held:
            why = "a step that holds the voltage does not end at a voltage"
            useless = dict.fromkeys(("lower_voltage", "upper_voltage"), why)
        if constant or rest:
            why = (
                "a constant current does not fall; this condition is for a hold, as in "
                "'Hold at 4.1 V until C/20'"
            )
            useless = dict.fromkeys(("current_below", "c_rate_below"), why)
        if rest:
            useless["capacity"] = "no charge passes in a rest"
        for name, why in useless.items():
            if getattr(self, name) is not None:
                raise ValueError(f"Step.{name}: {why}.")
        ends = ["current_below", "c_rate_below", "capacity"]
        ends += ["temperature_below", "temperature_above"]
        nothing = all(getattr(self, name) is None for name in ends)
        endless = not _traced(self.duration) and math.isinf(self.duration)
        if self.mode == Mode.POWER_WITHIN_LIMITS and endless and nothing:
            raise ValueError(
                "Step: a power within limits goes on with less power at a limit, so that "
                "it needs a duration or a cut-off, for example `duration=10.0`."
            )
        if (held or rest) and endless and nothing:
            raise ValueError(
                "This step would never end: a rest or a hold needs a duration or a "
                "cut-off, for example 'Rest for 1 hour' or 'Hold at 4.1 V until C/20'."
            )


def _traced(*values: Any) -> bool:
    return any(isinstance(v, Tracer) for v in values)


def _truth(value: Any) -> Any:
    if _traced(value) or type(value) is bool:
        return value
    array = isinstance(value, np.ndarray | np.bool_ | jax.Array)
    if array and np.shape(value) == () and np.asarray(value).dtype == bool:
        return bool(value)
    raise ValueError(
        f"Step.in_c_rate = {_checks.shortened(value)}: expected True or False."
    )
