"""A duty: the power of a battery against time, scaled to one cell."""

from dataclasses import dataclass, field

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._takes import takes
from ..parameters import (
    Cell,
    Sourced,
    electrode_capacities,
    open_circuit_voltage,
    require_full_cell,
    stoichiometries_at_limits,
)
from ..parameters import Stoichiometry as Sto
from ..protocol import Mode, Protocol
from ._vehicle import in_kelvin

ROWS = 4096
"""Of every protocol of a duty, so that all duties of a cell share one program."""

WINDOW = 0.5
"""Lowest voltage of a cell in service over its highest [-].

No power is lost to it: at a given state more current gives more power only above half of
the open-circuit voltage, if resistances do not rise with current; and inverters take a
range of about two in voltage. Sodium cells to 1.5 V or below give their last few per cent
of charge under it.
"""

FASTEST = 1000.0
"""No battery is emptied so often in an hour; a power that does was meant in other units."""

POINTS = 201
"""Of the open-circuit voltage, between empty and full."""


@dataclass(frozen=True)
class Duty:
    """What a battery is asked for, constant in every interval.

    Attributes:
        name: in the catalogue.
        title: in words.
        time: ends of the intervals, from 0, (n + 1,) [s].
        power: of the whole battery, positive out of it, (n,) [W].
        energy: rated, of the whole battery [J].
        start: state of charge at the beginning [-].
        temperature: of the battery at the beginning, and of what is around it [K].
        around: of what is around it in every interval, (n,) [K]; none: `temperature`.
        distance: driven [m]; none: nothing drives.
        numbers: that made it, with their sources.
        sources: of cycles, with their licences.

    Raises:
        ValueError: for columns that do not fit or are no numbers, times that do not
            increase, a start that is no state of charge, a temperature in Celsius, or
            powers that no battery of that energy has.
    """

    name: str
    title: str
    time: np.ndarray
    power: np.ndarray
    energy: float
    start: float
    temperature: float
    around: np.ndarray | None = None
    distance: float | None = None
    numbers: tuple[Sourced, ...] = field(default=(), repr=False)
    sources: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self):
        n = np.shape(self.power)
        fits = np.shape(self.time) == (n[0] + 1,) if len(n) == 1 else False
        if not fits or (self.around is not None and np.shape(self.around) != n):
            raise ValueError(
                f"Duty {self.name!r}: power of shape {n} needs one more time, got "
                f"{np.shape(self.time)}, and as many temperatures around, if any."
            )
        for what in ("time", "power", "around"):
            if getattr(self, what) is not None:
                object.__setattr__(self, what, self._column(what))
        if self.time[0] != 0.0 or np.any(np.diff(self.time) <= 0.0):
            raise ValueError(f"Duty {self.name!r}: times must increase, from 0.")
        in_kelvin(f"Duty {self.name!r}: temperature", self.temperature)
        if self.around is not None:
            for T in (np.min(self.around), np.max(self.around)):
                in_kelvin(f"Duty {self.name!r}: around", float(T))
        if not self.energy > 0.0 or not 0.0 <= self.start <= 1.0:
            raise ValueError(
                f"Duty {self.name!r}: energy {self.energy:g} J and start {self.start:g}; "
                "expected an energy above 0 and a state of charge from 0 to 1."
            )

        most = float(np.max(np.abs(self.power))) * 3600.0 / self.energy
        if most > FASTEST:
            raise ValueError(
                f"Duty {self.name!r}: {np.max(np.abs(self.power)):g} W of a battery of "
                f"{self.energy:g} J empty it {most:.3g} times an hour; expected at most "
                f"{FASTEST:g}. Is the energy in kWh? 1 kWh is 3.6e6 J."
            )

    def _column(self, what: str) -> np.ndarray:
        try:
            found = np.asarray(getattr(self, what), float)
        except (TypeError, ValueError):
            found = np.full(np.shape(getattr(self, what)), np.nan)
        if not np.all(np.isfinite(found)):
            k = int(np.argmin(np.isfinite(found)))
            raise ValueError(
                f"Duty {self.name!r}: {what} {k + 1} is {getattr(self, what)[k]!r:.40}; "
                "expected finite numbers."
            )
        return found

    @property
    def asked(self) -> tuple[float, float]:
        """Energy asked for, and energy offered for charging, whole battery [J]."""
        each = self.power * np.diff(self.time)
        return float(np.sum(each[each > 0.0])), float(-np.sum(each[each < 0.0]))

    @property
    def rates(self) -> dict[str, float]:
        """Greatest discharge, charge and root of the mean square, over the rated energy
        [1/h]."""
        rate, h = self.power * 3600.0 / self.energy, np.diff(self.time)
        rms = np.sqrt(np.sum(rate**2 * h) / np.sum(h))
        return {"out": rate.max(), "in": -rate.min(), "rms": float(rms)}

    def cells(self, cell: Cell) -> float:
        """How many of a cell the battery has, by rated energy."""
        require_full_cell(cell, "A duty")
        return self.energy / float(rated_energy(cell))

    def protocol(self, cell: Cell) -> Protocol:
        """For one cell: its share of the power, within limits of voltage; one row each
        interval, or stretch of equal ones."""
        low, high = limits(cell)
        ends = np.repeat(self.time, 2)[1:-1]
        around = self.around
        T = np.full(len(self.power), self.temperature) if around is None else around
        return Protocol.profile(
            ends,
            np.repeat(self.power / self.cells(cell), 2),
            mode=Mode.POWER_WITHIN_LIMITS,
            temperature=np.repeat(T, 2),
            lower_voltage=low,
            upper_voltage=high,
        )


@takes
def limits(cell: Cell) -> tuple[float, float]:
    """Voltages between which a cell serves; see `WINDOW` [V]."""
    high = float(cell.limits.upper_voltage)
    return max(float(cell.limits.lower_voltage), WINDOW * high), high


@takes
def full_charge(cell: Cell) -> Array:
    """Between the equilibrium states of both voltage limits [C]."""
    empty, full = stoichiometries_at_limits(cell)
    Q_n, _ = electrode_capacities(cell)
    return 3600.0 * (full.negative - empty.negative) * Q_n


@takes
def stored_energy(cell: Cell) -> Array:
    """What leaves a cell from states of charge down to 0, infinitely slowly, (POINTS,) [J].

    The integral of the open-circuit voltage over charge at the cell's own temperature.
    """
    empty, full = stoichiometries_at_limits(cell)
    soc = jnp.linspace(0.0, 1.0, POINTS)

    def voltage(x: Array) -> Array:
        sto = Sto(
            empty.negative + x * (full.negative - empty.negative),
            empty.positive + x * (full.positive - empty.positive),
        )
        return open_circuit_voltage(cell, sto, cell.temperature)

    U = jnp.stack([voltage(x) for x in soc]) if cell_is_blended(cell) else voltage(soc)
    steps = 0.5 * (U[1:] + U[:-1]) * full_charge(cell) / (POINTS - 1)
    return jnp.concatenate([jnp.zeros(1), jnp.cumsum(steps)])


def cell_is_blended(cell: Cell) -> bool:
    """Whether an electrode has several materials, whose balance is found state by state."""
    return bool(cell.negative.others or cell.positive.others)


@takes
def rated_energy(cell: Cell) -> Array:
    """Of a cell, from full to empty [J]: that of its open-circuit voltage."""
    return stored_energy(cell)[-1]
