"""Measurements and the simulated test that they belong to."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..protocol import Mode, Protocol, Step


class Kind(enum.IntEnum):
    """What is observed, given the times a and b of a simulated test."""

    VOLTAGE = 0
    """Terminal voltage at time b [V]."""
    MEAN_VOLTAGE = 1
    """Mean voltage from a to b, weighted by current [V]."""
    RESISTANCE = 2
    """Voltage at a minus voltage at b over the current at b [ohm]."""
    TEMPERATURE = 3
    """Of the cell at time b [K]."""


@dataclass(frozen=True)
class Observations:
    """Measured numbers of one kind: voltages, resistances or temperatures.

    Attributes:
        kind: what they are.
        a: times [s]; unused for voltages.
        b: times [s].
        value: measured [V, ohm or K].
        sigma: standard deviation used as weight, in the same unit.
        label: for tables and figures.
        x: abscissa for figures, usually charge [A.h].
    """

    kind: Kind
    a: np.ndarray
    b: np.ndarray
    value: np.ndarray
    sigma: np.ndarray
    label: str
    x: np.ndarray


@dataclass(frozen=True)
class Experiment:
    """One simulated test and what was measured in it.

    Attributes:
        name: for tables and figures.
        protocol: what was done.
        temperature: of the cell [K].
        observations: what was measured.
        group: index into what a `Subject` has for each group.
        discharged: charge taken out before the test began [A.h].
        capacity: measured discharge capacity, for the capacity error [A.h].
        since: row of the protocol from whose beginning times count. What was done before
            takes as long as the model needs.
    """

    name: str
    protocol: Protocol
    temperature: float
    observations: tuple[Observations, ...]
    group: int = 0
    discharged: float = 0.0
    capacity: float | None = None
    since: int = 0

    @property
    def n_observations(self) -> int:
        """Numbers measured."""
        return sum(len(o.value) for o in self.observations)


BELOW_ANY_CUT_OFF = 0.3
"""Discharges are fitted to this voltage, so that the model always reaches the data [V]."""


def discharge(
    name: str,
    charge: Any,
    voltage: Any,
    current: float,
    temperature: float,
    *,
    sigma: float = 0.01,
    sigma_charge: float = 0.004,
    capacity: float | None = None,
    group: int = 0,
) -> Experiment:
    """A constant-current discharge from the charged state.

    Args:
        charge: discharged so far, increasing [A.h].
        voltage: terminal voltage there [V].
        current: discharge current [A].
        temperature: [K].
        sigma: uncertainty of the voltages [V].
        sigma_charge: uncertainty of charge as a fraction of the whole; weighs down
            points on steep parts of the curve, where a shift in charge looks like a
            large error in voltage.
        capacity: measured capacity to the cut-off; none: the last charge.

    Raises:
        ValueError: for decreasing charge, NaNs or a current that is not positive.
    """
    q, V = np.asarray(charge, float), np.asarray(voltage, float)
    if not (np.all(np.isfinite(q)) and np.all(np.isfinite(V))):
        raise ValueError(f"{name}: charge or voltage is not finite.")
    if q.size < 3 or np.any(np.diff(q) <= 0.0):
        raise ValueError(f"{name}: needs at least 3 points of increasing charge.")
    if not current > 0.0:
        raise ValueError(
            f"{name}: a discharge needs a positive current, got {current}."
        )
    slope = np.gradient(V, q)
    weight = np.hypot(sigma, slope * sigma_charge * q[-1])
    t = 3600.0 * q / current
    observed = Observations(Kind.VOLTAGE, t, t, V, weight, "voltage", q)
    protocol = Protocol(
        Step(
            Mode.CURRENT,
            current,
            duration=float(t[-1]),
            lower_voltage=BELOW_ANY_CUT_OFF,
        )
    )
    end = float(q[-1]) if capacity is None else capacity
    return Experiment(name, protocol, temperature, (observed,), group, 0.0, end)


def segments(
    name: str,
    segment: Any,
    duration: float,
    rest: float,
    current: float,
    loaded: Any,
    rested: Any,
    temperature: float,
    *,
    sigma: float = 0.01,
    sigma_rested: float | None = None,
    group: int = 0,
) -> Experiment:
    """Discharge in equal segments, each followed by a rest.

    Args:
        segment: index of each measured segment, from 0.
        duration: of a segment [s].
        rest: of a rest [s].
        current: discharge current [A].
        loaded: mean voltage of each segment [V].
        rested: voltage at the end of the rest that follows [V].
        temperature: [K].
        sigma: uncertainty of the voltages under load [V].
        sigma_rested: of the voltages after rests [V]; none: the same.
        group: index into what a `Subject` has for each group.
    """
    k = np.asarray(segment, int)
    pair = [
        Step(Mode.CURRENT, current, duration=duration, lower_voltage=BELOW_ANY_CUT_OFF),
        Step(Mode.CURRENT, 0.0, duration=rest),
    ]
    protocol = Protocol(pair, cycles=int(k.max()) + 1)
    start = k * (duration + rest)
    q = (k + 1) * duration * current / 3600.0
    observations = []
    after = sigma if sigma_rested is None else sigma_rested
    for kind, values, a, b, label, spread in (
        (Kind.MEAN_VOLTAGE, loaded, start, start + duration, "loaded", sigma),
        (Kind.VOLTAGE, rested, start, start + duration + rest, "rested", after),
    ):
        V = np.asarray(values, float)
        weight = np.hypot(spread, np.gradient(V, q) * 0.002 * q[-1])
        observations.append(Observations(kind, a, b, V, weight, label, q))
    return Experiment(name, protocol, temperature, tuple(observations), group)


def pulse(
    name: str,
    current: float,
    times: Any,
    resistance: Any,
    temperature: float,
    discharged: float,
    *,
    relative_sigma: float = 0.03,
    group: int = 0,
) -> Experiment:
    """A discharge pulse from rest.

    Args:
        current: [A].
        times: after the start of the pulse [s].
        resistance: (rest voltage - voltage at the time) / current [ohm].
        temperature: [K].
        discharged: charge taken out before [A.h].
        relative_sigma: uncertainty of the resistances.
    """
    t, R = np.atleast_1d(np.asarray(times, float)), np.atleast_1d(resistance)
    before = 1.0
    protocol = Protocol(
        [
            Step(Mode.CURRENT, 0.0, duration=before),
            Step(
                Mode.CURRENT,
                current,
                duration=float(t.max()),
                lower_voltage=BELOW_ANY_CUT_OFF,
            ),
        ]
    )
    a = np.full(t.shape, before)
    observed = Observations(
        Kind.RESISTANCE, a, before + t, R, relative_sigma * R, "resistance", t
    )
    return Experiment(name, protocol, temperature, (observed,), group, discharged)


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
        group: index into what a `Subject` has for each group.
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
        t, V = np.asarray(part.time, float), np.asarray(part.voltage, float)
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
                Observations(kind, at, at, value, sigma, label, at / 3600.0)
                for kind, value, sigma, label in values
            ]
        lasted = part.step.duration if part.lasted is None else part.lasted
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
