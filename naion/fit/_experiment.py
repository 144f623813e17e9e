"""Experiments: what was done to a cell, and what was measured while it was done."""

import enum
import math
from dataclasses import dataclass

import numpy as np

from ..protocol import KELVIN, Protocol
from ._measured import LARGEST_SIGMA, above_zero, column


class Kind(enum.IntEnum):
    """What an observation measures; a and b are its times in the test."""

    VOLTAGE = 0
    """Terminal voltage at time b [V]."""
    MEAN_VOLTAGE = 1
    """Mean voltage from a to b, weighted by current [V]."""
    RESISTANCE = 2
    """Voltage at a minus voltage at b over the current at b [ohm]."""
    TEMPERATURE = 3
    """Cell temperature at time b [K]."""
    NEGATIVE_POTENTIAL = 4
    """Potential of the negative electrode against the reference, at time b [V]."""
    POSITIVE_POTENTIAL = 5
    """Potential of the positive electrode against the reference, at time b [V]."""
    IMPEDANCE_REAL = 6
    """Real part of the impedance at frequency b (a frequency here, not a time) [ohm]."""
    IMPEDANCE_IMAGINARY = 7
    """Imaginary part of the impedance at frequency b [ohm]."""


IN_TIME = (
    *(Kind.VOLTAGE, Kind.MEAN_VOLTAGE, Kind.RESISTANCE, Kind.TEMPERATURE),
    *(Kind.NEGATIVE_POTENTIAL, Kind.POSITIVE_POTENTIAL),
)
"""Kinds that a simulation in time gives, in order of their values."""

IN_VOLTS = (
    *(Kind.VOLTAGE, Kind.MEAN_VOLTAGE, Kind.NEGATIVE_POTENTIAL),
    Kind.POSITIVE_POTENTIAL,
)
"""Kinds whose values and uncertainties are in volt."""


@dataclass(frozen=True)
class Observations:
    """Measured numbers of one kind: voltages, resistances, temperatures or impedances.

    All arrays have the shape (n,).

    Attributes:
        kind: the quantity, and how it follows from the times a and b.
        a: first times, of mean voltages and resistances alone [s].
        b: times [s]; for impedances frequencies [Hz].
        value: measured values [V, ohm or K].
        sigma: standard deviations, by which a fit weighs residuals, in the unit of `value`.
        label: name in tables and figures.
        x: abscissa in figures.
        axis: label of the abscissa.

    Raises:
        ValueError: for arrays of different lengths, times or values that are not finite,
            frequencies or uncertainties that are not positive, or numbers that are
            evidently in another unit.
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
    """A test that is simulated, with what was measured in it, or an impedance spectrum.

    Attributes:
        name: name in tables and figures.
        protocol: what was done to the cell; for a spectrum, a rest.
        temperature: temperature of the cell [K].
        observations: what was measured.
        group: index of the group of tests; a `Specimen` holds calibrations by group.
        discharged: charge taken out of the charged cell before the test began [A.h].
        capacity: measured discharge capacity, to report the error in capacity [A.h].
        since: row of the protocol at whose beginning the times of the observations are
            zero. The rows before it take as long as they do in the simulation.
        note: which of the measured data are compared and which are not, for reports.

    Raises:
        ValueError: for a temperature that is not in kelvin, a charge that is not finite, a
            group or row that is not a whole number, or impedances together with
            quantities measured in time.
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
        """Whether this is an impedance spectrum, measured at rest, and not a test in time."""
        return any(o.kind not in IN_TIME for o in self.observations)

    @property
    def n_observations(self) -> int:
        """Number of measured values."""
        return sum(len(o.value) for o in self.observations)


APART = {
    "voltage": Kind.VOLTAGE,
    "negative": Kind.NEGATIVE_POTENTIAL,
    "positive": Kind.POSITIVE_POTENTIAL,
}
"""Kind of each curve that a three-electrode cell gives, by its name in arguments."""
