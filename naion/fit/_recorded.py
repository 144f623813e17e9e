"""Tests of several steps, such as a hold, a discharge and a charge."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._takes import takes
from ..protocol import Protocol, Step
from ._experiment import Experiment, Kind, Observations
from ._measured import above_zero, check_volts, column


@dataclass(frozen=True)
class Part:
    """One step of a recorded test, and what was measured in it.

    Attributes:
        step: what was done.
        time: since the step began, increasing [s]; may be empty.
        voltage: measured there [V].
        label: for tables and figures.
        sigma: uncertainty of the voltages [V].
        temperature: of the cell, measured at the same times [K], if it was.
        lasted: how long the step took [s]; none: its duration.
    """

    step: Step
    time: Any = ()
    voltage: Any = ()
    label: str = "voltage"
    sigma: float = 0.01
    temperature: Any = None
    lasted: float | None = None


@takes
def recorded(
    name: str,
    parts: Sequence[Part],
    temperature: float,
    *,
    sigma_time: float = 0.004,
    sigma_temperature: float = 0.5,
    group: int = 0,
    discharged: float = 0.0,
    capacity: float | None = None,
    since: int = 0,
) -> Experiment:
    """A test of several steps, such as a hold, a discharge and a charge.

    Args:
        parts: the steps in order. Where a step that a cut-off ends is simulated to end
            earlier or later than it did, what follows is compared at the times measured.
        temperature: of the cell, or of its surroundings with a heat balance [K].
        sigma_time: uncertainty of the time within a step as a fraction of it; weighs
            down points on steep parts of a curve.
        sigma_temperature: uncertainty of measured temperatures [K].
        group: index into what a `Specimen` has for each group.
        discharged: charge taken out before the test began [A.h].
        capacity: measured discharge capacity, for the capacity error [A.h].
        since: part that the first measured number is of. What was done before it takes as
            long as the model needs.

    Raises:
        ValueError: for decreasing times, unequal lengths, NaNs, or a step that ends by
            a cut-off without a note of how long it took.
    """
    began, observations = 0.0, []
    for i, part in enumerate(parts):
        where = f"{name}, part {i + 1}"
        above_zero(where, sigma=part.sigma)
        t, V = (
            column(where, "times", part.time),
            column(where, "voltages", part.voltage),
        )
        check_volts(where, "voltages", V)
        if t.shape != V.shape or not (
            np.all(np.isfinite(t)) and np.all(np.isfinite(V))
        ):
            raise ValueError(
                f"{where}: {t.size} times and {V.size} voltages, all to be finite."
            )
        if np.any(np.diff(t) <= 0.0):
            raise ValueError(f"{where}: times must increase.")
        if t.size > 2:
            slope = np.gradient(V, t)
            weight = np.hypot(part.sigma, slope * sigma_time * t[-1])
            at = began + t
            values = [(Kind.VOLTAGE, V, weight, part.label)]
            if part.temperature is not None:
                T = np.asarray(part.temperature, float)
                spread = np.full(t.shape, sigma_temperature)
                values.append(
                    (Kind.TEMPERATURE, T, spread, f"{part.label} temperature")
                )
            observations += [
                Observations(kind, at, at, value, sigma, label, at / 3600.0, "Time [h]")
                for kind, value, sigma, label in values
            ]
        lasted = part.step.duration if part.lasted is None else part.lasted
        if part.lasted is not None:
            above_zero(where, lasted=part.lasted)
        if not np.isfinite(lasted):
            raise ValueError(
                f"{where}: a cut-off ends this step; say how long it took (`lasted`)."
            )
        began += lasted
        if i < since:
            began = 0.0
    protocol = Protocol([part.step for part in parts])
    own = tuple(observations)
    about = group, discharged, capacity, since
    return Experiment(name, protocol, temperature, own, *about)
