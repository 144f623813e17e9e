"""Experiments at constant current: discharges, segments with rests, single pulses."""

from typing import Any

import numpy as np

from .._takes import takes
from ..protocol import Mode, Protocol, Step
from ._experiment import APART, Experiment, Kind, Observations
from ._measured import (
    LABELS,
    MOST_VOLTS,
    above_zero,
    check_sigma,
    check_volts,
    column,
    lowest_for,
    measured,
)

PULSED = -1.0
"""Voltage at which a simulated pulse ends: far below zero, as a half cell may start a pulse
at some hundredths of a volt [V]."""


@takes
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
    note: str = "",
    negative: Any = None,
    positive: Any = None,
) -> Experiment:
    """A discharge at constant current from the charged state.

    Args:
        name: name of the test, for tables, figures and error messages.
        charge: charge discharged so far, increasing, (n,) [A.h].
        voltage: terminal voltage at these charges, (n,) [V]; none: it is not compared.
        current: discharge current [A].
        temperature: temperature of the cell [K].
        sigma: uncertainty of the voltages and the potentials [V].
        sigma_charge: uncertainty of the charge as a fraction of the last one. It lowers
            the weight of points on steep parts of the curve, where a small shift in charge
            looks like a large error in voltage.
        capacity: measured capacity to the cut-off [A.h]; none: the last charge.
        group: index of the group of tests; a `Specimen` holds calibrations by group.
        note: see `Experiment`.
        negative, positive: potentials of the electrodes at these charges, against a
            reference electrode, (n,) [V]; none: they are not compared.

    Raises:
        ValueError: for fewer than three charges, charges that do not increase, numbers
            that are not finite, or a current that is not positive.
    """
    check_sigma(name, sigma)
    if sigma_charge != 0.0:
        above_zero(name, 1.0, sigma_charge=sigma_charge)
    q = column(name, "charges", charge)
    seen = measured(name, "charges", q, voltage, negative, positive)
    if not np.all(np.isfinite(q)):
        raise ValueError(f"{name}: charge or voltage is not finite.")
    if q.size < 3 or np.any(np.diff(q) <= 0.0):
        raise ValueError(f"{name}: needs at least 3 points of increasing charge.")
    if isinstance(current, str) or not current > 0.0:
        raise ValueError(
            f"{name}: a discharge needs a positive current, got {current!r}."
        )
    t = 3600.0 * q / current
    own = []
    for key, V in seen.items():
        weight = np.hypot(sigma, np.gradient(V, q) * sigma_charge * q[-1])
        own.append(Observations(APART[key], t, t, V, weight, LABELS[key], q))
    protocol = Protocol(
        Step(
            Mode.CURRENT,
            current,
            duration=float(t[-1]),
            lower_voltage=lowest_for(voltage),
        )
    )
    end = float(q[-1]) if capacity is None else capacity
    about = group, 0.0, end
    return Experiment(name, protocol, temperature, tuple(own), *about, note=note)


@takes
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
    """A discharge in equal segments, each followed by a rest (GITT).

    Args:
        name: name of the test, for tables, figures and error messages.
        segment: index of each measured segment, counted from 0, (n,).
        duration: duration of a segment [s].
        rest: duration of a rest [s].
        current: discharge current [A].
        loaded: mean voltage of each segment under load, (n,) [V].
        rested: voltage at the end of the rest after each segment, (n,) [V].
        temperature: temperature of the cell [K].
        sigma: uncertainty of the voltages under load [V].
        sigma_rested: uncertainty of the voltages after rests [V]; none: `sigma`.
        group: index of the group of tests; a `Specimen` holds calibrations by group.

    Raises:
        ValueError: for segments that are not increasing whole numbers, columns of
            different lengths, numbers that are not finite, or a duration, rest, current or
            uncertainty that is not positive.
    """
    after = sigma if sigma_rested is None else sigma_rested
    above_zero(
        name,
        duration=duration,
        rest=rest,
        current=current,
        sigma=sigma,
        sigma_rested=after,
    )
    given = column(name, "segments", segment)
    if given.size < 2 or np.any(given != np.round(given)) or given[0] < 0:
        raise ValueError(
            f"{name}: segments are two or more whole numbers from 0, got {segment!r}."
        )
    if np.any(np.diff(given) <= 0.0):
        raise ValueError(f"{name}: segments must rise.")
    for what, values in (("loaded", loaded), ("rested", rested)):
        volts = column(name, f"{what} voltages", values)
        if volts.shape != given.shape or not np.all(np.isfinite(volts)):
            raise ValueError(
                f"{name}: {np.size(volts)} {what} voltages for {given.size} segments; "
                "expected as many, all finite."
            )
        check_volts(name, f"{what} voltages", volts)
    k = given.astype(int)
    lowest = lowest_for(loaded)
    pair = [
        Step(Mode.CURRENT, current, duration=duration, lower_voltage=lowest),
        Step(Mode.CURRENT, 0.0, duration=rest),
    ]
    protocol = Protocol(pair, cycles=int(k.max()) + 1)
    start = k * (duration + rest)
    q = (k + 1) * duration * current / 3600.0
    observations = []
    for kind, values, a, b, label, spread in (
        (Kind.MEAN_VOLTAGE, loaded, start, start + duration, "loaded", sigma),
        (Kind.VOLTAGE, rested, start, start + duration + rest, "rested", after),
    ):
        V = np.asarray(values, float)
        weight = np.hypot(spread, np.gradient(V, q) * 0.002 * q[-1])
        observations.append(Observations(kind, a, b, V, weight, label, q))
    return Experiment(name, protocol, temperature, tuple(observations), group)


@takes
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
    """A current pulse from rest, measured as resistances.

    Args:
        name: name of the test, for tables, figures and error messages.
        current: positive on discharge [A].
        times: times after the start of the pulse, (n,) or one number [s].
        resistance: (voltage at rest - voltage at the time) / current, (n,) or one number
            [ohm].
        temperature: temperature of the cell [K].
        discharged: charge taken out of the charged cell before the pulse [A.h].
        relative_sigma: uncertainty of a resistance as a fraction of it.
        group: index of the group of tests; a `Specimen` holds calibrations by group.

    Raises:
        ValueError: for times and resistances that are not equally many or not positive,
            or a current of zero.
    """
    above_zero(name, 1.0, relative_sigma=relative_sigma)
    above_zero(name, current=abs(column(name, "current", current)))
    t = np.atleast_1d(column(name, "times", times))
    R = np.atleast_1d(column(name, "resistances", resistance))
    if t.shape != R.shape or t.ndim != 1 or t.size == 0:
        raise ValueError(
            f"{name}: {t.size} times and {R.size} resistances; expected as many of each."
        )
    for what, values in (("times", t), ("resistances", R)):
        if not np.all(np.isfinite(values) & (values > 0.0)):
            raise ValueError(f"{name}: {what} must be finite and above zero.")
    most = float(np.max(R) * abs(current))
    if most > MOST_VOLTS:
        raise ValueError(
            f"{name}: {np.max(R):g} ohm at {abs(current):g} A are {most:.4g} V, more than "
            "any cell has: are the resistances in milliohm, or the current in mA? Expected "
            "ohms and amperes."
        )
    before = 1.0
    protocol = Protocol(
        [
            Step(Mode.CURRENT, 0.0, duration=before),
            Step(
                Mode.CURRENT,
                current,
                duration=float(t.max()),
                lower_voltage=PULSED,
            ),
        ]
    )
    a = np.full(t.shape, before)
    observed = Observations(
        Kind.RESISTANCE,
        a,
        before + t,
        R,
        relative_sigma * R,
        "resistance",
        t,
        "Time after the start of the pulse [s]",
    )
    return Experiment(name, protocol, temperature, (observed,), group, discharged)
