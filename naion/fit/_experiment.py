"""Measurements and the simulated test that they belong to."""

import enum
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._takes import takes
from ..protocol import KELVIN, Mode, Protocol, Step
from ._measured import (
    LABELS,
    LARGEST_SIGMA,
    MOST_VOLTS,
    above_zero,
    check_sigma,
    check_volts,
    column,
    lowest_for,
    measured,
    room_for,
)


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
    NEGATIVE_POTENTIAL = 4
    """Of the negative electrode against a reference electrode, at time b [V]."""
    POSITIVE_POTENTIAL = 5
    """Of the positive electrode against a reference electrode, at time b [V]."""
    IMPEDANCE_REAL = 6
    """Real part of the impedance at the frequency b [ohm]."""
    IMPEDANCE_IMAGINARY = 7
    """Imaginary part of the impedance at the frequency b [ohm]."""


IN_TIME = (
    *(Kind.VOLTAGE, Kind.MEAN_VOLTAGE, Kind.RESISTANCE, Kind.TEMPERATURE),
    *(Kind.NEGATIVE_POTENTIAL, Kind.POSITIVE_POTENTIAL),
)
"""What a simulation gives, in the order of their numbers."""


IN_VOLTS = (
    *(Kind.VOLTAGE, Kind.MEAN_VOLTAGE, Kind.NEGATIVE_POTENTIAL),
    Kind.POSITIVE_POTENTIAL,
)


@dataclass(frozen=True)
class Observations:
    """Measured numbers of one kind: voltages, resistances, temperatures, impedances.

    Attributes:
        kind: what they are.
        a: times [s]; unused for voltages and impedances.
        b: times [s], of impedances frequencies [Hz].
        value: measured [V, ohm or K].
        sigma: standard deviation used as weight, in the same unit.
        label: for tables and figures.
        x: abscissa for figures.
        axis: what the abscissa is.

    Raises:
        ValueError: for columns of unlike length, times or values that are not finite,
            frequencies or uncertainties that are not above zero, or other units.
    """

    kind: Kind
    a: np.ndarray
    b: np.ndarray
    value: np.ndarray
    sigma: np.ndarray
    label: str
    x: np.ndarray
    axis: str = "Discharged [A.h]"

    def __post_init__(self):
        columns = [
            np.shape(c) for c in (self.a, self.b, self.value, self.sigma, self.x)
        ]
        if len(set(columns)) != 1 or len(columns[0]) != 1:
            counts = ", ".join(str(int(np.prod(c))) for c in columns)
            raise ValueError(
                f"{self.label}: times a and b, values, uncertainties and abscissae are "
                f"{counts}; expected as many of each."
            )
        if not (np.all(np.isfinite(self.a)) and np.all(np.isfinite(self.b))):
            raise ValueError(f"{self.label}: a time is not finite.")
        if self.kind not in IN_TIME and np.any(np.asarray(self.b) <= 0.0):
            raise ValueError(
                f"{self.label}: a frequency is {np.min(self.b):g} Hz; expected more than "
                "zero."
            )
        sigma = np.asarray(self.sigma)
        if not np.all((sigma > 0.0) & np.isfinite(sigma)):
            raise ValueError(
                f"{self.label}: uncertainties must be finite and above zero, got "
                f"{float(np.min(sigma)):g}."
            )
        if not np.all(np.isfinite(self.value)):
            raise ValueError(f"{self.label}: a value is not finite.")
        if self.kind in IN_VOLTS and sigma.size and np.min(sigma) > LARGEST_SIGMA:
            raise ValueError(
                f"{self.label}: sigma = {np.min(sigma):g} V; expected at most "
                f"{LARGEST_SIGMA:g} V. Is it in millivolt? 10 mV is 0.01."
            )
        outside = KELVIN.outside(np.asarray(self.value))
        if self.kind is Kind.TEMPERATURE and np.any(outside):
            worst = np.asarray(self.value)[outside].flat[0]
            raise KELVIN.fault(self.label, worst)


@dataclass(frozen=True)
class Experiment:
    """One simulated test and what was measured in it, or an impedance spectrum.

    Attributes:
        name: for tables and figures.
        protocol: what was done; with a spectrum, a rest.
        temperature: of the cell [K].
        observations: what was measured.
        group: index into what a `Specimen` has for each group.
        discharged: charge taken out before the test began [A.h].
        capacity: measured discharge capacity, for the capacity error [A.h].
        since: row of the protocol from whose beginning times count. What was done before
            takes as long as the model needs.
        note: what of the measured data is compared and what is not, for reports.

    Raises:
        ValueError: for a temperature that is not in kelvin, a charge or a count that is
            none, or impedances beside what is measured in time.
    """

    name: str
    protocol: Protocol
    temperature: float
    observations: tuple[Observations, ...]
    group: int = 0
    discharged: float = 0.0
    capacity: float | None = None
    since: int = 0
    note: str = ""

    def __post_init__(self):
        T = column(self.name, "temperature", self.temperature)
        if np.ndim(T) or np.any(KELVIN.outside(T)):
            raise KELVIN.fault(f"{self.name}: temperature", T.flat[0])
        if not math.isfinite(self.discharged):
            raise ValueError(f"{self.name}: discharged = {self.discharged:g} A.h.")
        if self.capacity is not None:
            above_zero(self.name, capacity=self.capacity)
        rows = self.protocol.n_steps
        for what, n in (("group", self.group), ("since", self.since)):
            whole = isinstance(n, int | np.integer) and not isinstance(n, bool)
            if not whole or n < 0 or what == "since" and n >= rows:
                top = f", below {rows}" if what == "since" else ""
                raise ValueError(
                    f"{self.name}: {what} = {n!r}; expected a whole number from 0{top}."
                )
        in_time = {o.kind in IN_TIME for o in self.observations}
        if len(in_time) > 1:
            raise ValueError(
                f"{self.name}: impedances and what is measured in time; make two tests of "
                "them."
            )

    @property
    def is_spectrum(self) -> bool:
        """Whether impedances were measured, at rest, and nothing in time."""
        return any(o.kind not in IN_TIME for o in self.observations)

    @property
    def n_observations(self) -> int:
        """Numbers measured."""
        return sum(len(o.value) for o in self.observations)


COMPARED = 400
"""Voltages of a measured profile that are compared at most; all of its current flows."""

AROUND_JUMP = 4
"""Rows that are compared around a jump of the current: one before it, the rest behind."""

PULSED = -1.0
"""So low a pulse may go: half cells begin it at some hundredths of a volt [V]."""

APART = {
    "voltage": Kind.VOLTAGE,
    "negative": Kind.NEGATIVE_POTENTIAL,
    "positive": Kind.POSITIVE_POTENTIAL,
}
"""What a three-electrode cell is measured in."""


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
    """A constant-current discharge from the charged state.

    Args:
        charge: discharged so far, increasing [A.h].
        voltage: terminal voltage there [V]; none: it is not compared.
        current: discharge current [A].
        temperature: [K].
        sigma: uncertainty of the voltages, and of the potentials [V].
        sigma_charge: uncertainty of charge as a fraction of the whole; weighs down
            points on steep parts of the curve, where a shift in charge looks like a
            large error in voltage.
        capacity: measured capacity to the cut-off; none: the last charge.
        note: see `Experiment`.
        negative, positive: potentials of the electrodes there, against a reference
            electrode [V]; none: they are not compared.

    Raises:
        ValueError: for decreasing charge, NaNs or a current that is not positive.
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
def measured_profile(
    name: str,
    time: Any,
    current: Any,
    voltage: Any,
    temperature: float,
    *,
    sigma: float = 0.01,
    discharged: float = 0.0,
    most: int = COMPARED,
    among: Any = None,
    group: int = 0,
    note: str = "",
    negative: Any = None,
    positive: Any = None,
) -> Experiment:
    """A measured voltage under a measured current, all of which flows in the simulation.

    Where there are more rows than `most`, the voltages that are compared are those around
    jumps of the current, up to half of them, and evenly spaced others; the experiment's
    note says how many. The first row is where the simulation starts, and is not compared.

    Args:
        time: of each row, not decreasing; two rows at one time are a jump [s].
        current: positive on discharge, linear between rows [A].
        voltage: terminal voltage [V]; none: it is not compared.
        temperature: [K].
        sigma: uncertainty of the voltages, and of the potentials [V].
        discharged: charge taken out before the first row [A.h].
        most: voltages to compare.
        among: rows of which voltages may be compared, True for each; none: all.
        group: index into what a `Specimen` has for each group.
        note: what else to say of the data.
        negative, positive: potentials of the electrodes against a reference electrode [V];
            none: they are not compared.

    Raises:
        ValueError: for unequal lengths, fewer than three times, NaNs, or times that
            decrease.
    """
    check_sigma(name, sigma)
    if isinstance(most, bool) or not isinstance(most, int) or most < 2:
        raise ValueError(f"{name}: most = {most!r}; expected two voltages or more.")
    t = np.asarray(time)
    if t.dtype.kind not in "mM":
        t = column(name, "times", time)
    t, flowing = np.asarray(t, float), column(name, "currents", current)
    if t.shape != flowing.shape or t.ndim != 1:
        raise ValueError(
            f"{name}: {t.size} times and {flowing.size} currents; expected as many of each."
        )
    seen = measured(name, "times", t, voltage, negative, positive)
    bad = np.flatnonzero(~np.isfinite(t + flowing))
    if bad.size:
        raise ValueError(f"{name}: row {bad[0] + 1} is not finite.")
    if np.any(np.diff(t) < 0.0):
        k = int(np.argmax(np.diff(t) < 0.0)) + 1
        raise ValueError(
            f"{name}: row {k + 1} is at {t[k]:g} s, before the row above. Sort the rows."
        )
    t = t - t[:1]
    if among is None:
        use = compared(t, flowing, most)
    else:
        rows = np.flatnonzero(np.diff(t, prepend=t[:1]) > 0.0)
        if np.shape(among) != t.shape:
            raise ValueError(
                f"{name}: among is of {np.size(among)} rows; expected all {t.size}."
            )
        rows = rows[np.asarray(among, bool)[rows]]
        use = rows[_evenly(len(rows), most)]
    if use.size < 2:
        raise ValueError(
            f"{name}: needs rows at three or more times, got {t.size} rows."
        )
    spread = np.full(len(use), sigma)
    at, hours = t[use], t[use] / 3600.0
    own = tuple(
        Observations(APART[k], at, at, V[use], spread, LABELS[k], hours, "Time [h]")
        for k, V in seen.items()
    )
    said = f"{len(use)} of {len(t)} measured voltages are compared; all current flows"
    if list(seen) != ["voltage"]:
        said = said.replace("voltages", f"rows ({', '.join(LABELS[k] for k in seen)})")
    return Experiment(
        name,
        Protocol.profile(t, flowing, **room_for(voltage)),
        temperature,
        own,
        group,
        discharged,
        note=f"{said}; {note}" if note else said,
    )


STILL = 1e-3
"""Below this share of the largest current, none flows."""


def compared(t: np.ndarray, current: np.ndarray, most: int = COMPARED) -> np.ndarray:
    """Rows of a measured profile whose voltages are compared; see `measured_profile`.

    Args:
        t: times, not decreasing, (n,) [s].
        current: (n,) [A].
        most: rows.

    Returns:
        indices of rows, increasing. The second of two rows at one time is not among them:
        at a jump the simulation has the voltage before it.
    """
    rows = np.flatnonzero(np.diff(t) > 0.0) + 1
    if rows.size <= most:
        return rows
    change = np.abs(np.diff(current))
    jumps = np.flatnonzero(change > 0.05 * np.max(np.abs(current))) + 1
    jumps = jumps[_evenly(len(jumps), most // (2 * AROUND_JUMP))]
    first = np.searchsorted(rows, jumps)
    around = first[:, None] + np.arange(-1, AROUND_JUMP - 1)
    places = np.unique(np.clip(around, 0, rows.size - 1))
    others = np.setdiff1d(np.arange(rows.size), places)
    rest = others[_evenly(len(others), most - len(places))]
    return rows[np.union1d(places, rest)]


def _evenly(n: int, most: int) -> np.ndarray:
    """At most so many of n places, evenly spaced, the last one included."""
    if n <= most:
        return np.arange(n)
    return np.round(np.linspace(n / most - 1.0, n - 1.0, most)).astype(int)


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
        group: index into what a `Specimen` has for each group.

    Raises:
        ValueError: for segments that are not whole, rising numbers, unequal lengths, NaNs,
            or a duration, rest, current or uncertainty that is not above zero.
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
    """A discharge pulse from rest.

    Args:
        current: [A].
        times: after the start of the pulse [s].
        resistance: (rest voltage - voltage at the time) / current [ohm].
        temperature: [K].
        discharged: charge taken out before [A.h].
        relative_sigma: uncertainty of the resistances.

    Raises:
        ValueError: for times and resistances of unequal lengths or not above zero, or a
            current that is zero.
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
