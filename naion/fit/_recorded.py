"""Experiments of several steps, such as a hold, a discharge and a charge."""

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
        time: times since the step began, increasing, (n,) [s]; none measured: empty.
        voltage: voltage at these times, (n,) [V].
        label: name in tables and figures.
        sigma: uncertainty of the voltages [V].
        temperature: cell temperature at these times, (n,) [K]; none: not measured.
        lasted: how long the step took in the measurement [s]; none: its duration.
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

    Where a step ends at a cut-off, its simulation may end earlier or later than the
    measurement did; the steps after it are still compared at the times measured.

    Args:
        name: name of the test, for tables, figures and error messages.
        parts: the steps in order.
        temperature: temperature of the cell, or of its surroundings where the model has a
            heat balance [K].
        sigma_time: uncertainty of the time within a step as a fraction of its length. It
            lowers the weight of points on steep parts of a curve.
        sigma_temperature: uncertainty of measured temperatures [K].
        group: index of the group of tests; a `Specimen` holds calibrations by group.
        discharged: charge taken out of the charged cell before the test began [A.h].
        capacity: measured discharge capacity, to report the error in capacity [A.h].
        since: index of the first part with measurements. The parts before it take as long
            as they do in the simulation.

    Raises:
        ValueError: for times that do not increase, columns of different lengths, numbers
            that are not finite, or a step that a cut-off ends without `lasted`.
    """
    began, observations = 0.0, []
    for i, part in enumerate(parts):
        where = f"{name}, part {i + 1}"
        observations += _observed(where, part, began, sigma_time, sigma_temperature)
        lasted = _lasted(where, part)
        began = 0.0 if i < since else began + lasted
    protocol = Protocol([part.step for part in parts])
    own = tuple(observations)
    about = group, discharged, capacity, since
    return Experiment(name, protocol, temperature, own, *about)


def _observed(
    where: str, part: Part, began: float, sigma_time: float, sigma_temperature: float
) -> list[Observations]:
    """What was measured in one part that began at a time of the test [s].

    Fewer than three points have no slope to weigh them by, and are not compared.
    """
    above_zero(where, sigma=part.sigma)
    t = column(where, "times", part.time)
    V = column(where, "voltages", part.voltage)
    check_volts(where, "voltages", V)
    if t.shape != V.shape or not (np.all(np.isfinite(t)) and np.all(np.isfinite(V))):
        raise ValueError(
            f"{where}: {t.size} times and {V.size} voltages, all to be finite."
        )
    if np.any(np.diff(t) <= 0.0):
        raise ValueError(f"{where}: times must increase.")
    if t.size <= 2:
        return []
    slope = np.gradient(V, t)
    weight = np.hypot(part.sigma, slope * sigma_time * t[-1])
    values = [(Kind.VOLTAGE, V, weight, part.label)]
    if part.temperature is not None:
        T = np.asarray(part.temperature, float)
        spread = np.full(t.shape, sigma_temperature)
        values.append((Kind.TEMPERATURE, T, spread, f"{part.label} temperature"))
    at = began + t
    return [
        Observations(kind, at, at, value, sigma, label, at / 3600.0, "Time [h]")
        for kind, value, sigma, label in values
    ]


def _lasted(where: str, part: Part) -> float:
    """How long a part took [s]."""
    lasted = part.step.duration if part.lasted is None else part.lasted
    if part.lasted is not None:
        above_zero(where, lasted=part.lasted)
    if not np.isfinite(lasted):
        raise ValueError(
            f"{where}: a cut-off ends this step; say how long it took (`lasted`)."
        )
    return lasted
