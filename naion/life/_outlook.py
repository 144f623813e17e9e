"""What is left of a cell after years of a regular use, with an interval."""

from dataclasses import dataclass

import numpy as np

from .._constants import NINETY, ZERO_CELSIUS
from .._takes import takes
from ._law import (
    CALENDAR,
    CALENDAR_ENERGY,
    ENDS,
    EXPONENTS,
    YEAR,
    Law,
    fit_law,
    share_of_ends,
)

WIDER = 3.0
"""By which an interval is widened where the law extrapolates (assumed)."""

PARTIAL = 2.0
"""By how much the loss of a partial window may be off, either way, with 90 %: the source of
the rows prints a loss a cycle that is half of loss over cycles there."""

WARMEST, COLDEST = 40.0, 25.0
DRAWS = 4000


@dataclass(frozen=True)
class Use:
    """A regular use of a cell.

    Attributes:
        temperature: [degC].
        window: in state of charge, lower end first [-].
        rate: of charge and discharge [C].
        per_day: cycles a day; sets the time that cycles take.
        voltage: limits of the cell [V].
        layered_oxide: whether the positive electrode is one, as in the rows.
        ends: width of both ends in state of charge [-]; see `naion.life.ends_of`.

    Raises:
        ValueError: for numbers that are none of a use.
    """

    temperature: float = 25.0
    window: tuple[float, float] = (0.0, 1.0)
    rate: float = 1.0
    per_day: float = 1.0
    voltage: tuple[float, float] = (1.5, 3.8)
    layered_oxide: bool = True
    ends: tuple[float, float] = ENDS

    def __post_init__(self):
        if isinstance(self.window, str) or np.shape(self.window) != (2,):
            raise ValueError(
                f"window {self.window!r:.60}: expected two states of charge, (0.1, 0.9)."
            )
        share_of_ends(*self.window, self.ends)
        low, high = self.voltage
        if not low < high:
            raise ValueError(
                f"voltage {low:g} to {high:g} V: expected the lower limit first."
            )
        if not -60.0 <= self.temperature <= 100.0:
            raise ValueError(
                f"temperature {self.temperature:g} degC: expected -60 to 100, in Celsius."
            )
        if not 0.0 < self.rate <= 20.0:
            raise ValueError(f"rate {self.rate:g} C: expected above 0, at most 20.")
        if not 0.0 < self.per_day <= 200.0:
            raise ValueError(
                f"{self.per_day:g} cycles a day: expected above 0, at most 200."
            )

    @property
    def depth(self) -> float:
        """Of a cycle [-]."""
        return self.window[1] - self.window[0]

    @property
    def extrapolates(self) -> tuple[str, ...]:
        """What of it lies beyond the rows, in words."""
        found = []
        if not COLDEST <= self.temperature <= WARMEST:
            cold = "; plating in the cold is not in the law" * (
                self.temperature < COLDEST
            )
            found.append(f"{self.temperature:g} degC, measured 25 to 40 degC{cold}")
        low, high = self.voltage
        if low < 1.5 - 1e-6 or high > 3.8 + 1e-6:
            found.append(f"{low:g} to {high:g} V, measured 1.5 to 3.8 V")
        if not self.layered_oxide:
            found.append("another chemistry than layered oxide: no rows are public")
        if self.rate > 2.0:
            found.append(f"{self.rate:g}C, measured 1C and 2C")
        return tuple(found)


@dataclass(frozen=True)
class Outlook:
    """What a law says of a use.

    Attributes:
        use: the use.
        law: its numbers, every one an array of draws.
        factor: on the cycling term, (draws,).
    """

    use: Use
    law: Law
    factor: np.ndarray

    def loss(self, cycles: float, years: float | None = None) -> np.ndarray:
        """Share of the capacity lost in every draw [-], at most 1.

        Args:
            cycles: of the use.
            years: that they take; none: by the cycles a day.

        Raises:
            ValueError: for negative numbers.
        """
        years = cycles / self.use.per_day / YEAR if years is None else years
        if not (cycles >= 0.0 and years >= 0.0):
            raise ValueError(
                f"{cycles:g} cycles in {years:g} years: expected numbers from zero up."
            )
        return np.minimum(self.by_cycling(cycles) + self.by_time(years), 1.0)

    def by_cycling(self, cycles: float | np.ndarray) -> np.ndarray:
        """The cycling term in every draw [-]."""
        u = self.use
        share = share_of_ends(*u.window, u.ends)
        T = u.temperature + ZERO_CELSIUS
        N = u.depth * np.asarray(cycles, float)
        return self.factor * self.law.cycling(N, T, u.rate, share)

    def by_time(self, years: float | np.ndarray) -> np.ndarray:
        """The calendar term in every draw [-]: assumed."""
        T = self.use.temperature + ZERO_CELSIUS
        return self.law.resting(years, T, np.mean(self.use.window))

    def cycles_to(self, left: float) -> np.ndarray:
        """Cycles until a share of the capacity is left, in every draw; at most 1e7.

        Raises:
            ValueError: for a share that is none.
        """
        if not 0.0 < left < 1.0:
            raise ValueError(
                f"left={left:g}: expected a share of the capacity, 0 to 1."
            )
        low, high = np.zeros(DRAWS), np.full(DRAWS, 1e7)
        for _ in range(60):
            middle = 0.5 * (low + high)
            years = middle / self.use.per_day / YEAR
            over = self.by_cycling(middle) + self.by_time(years) > 1.0 - left
            low, high = np.where(over, low, middle), np.where(over, middle, high)
        return 0.5 * (low + high)

    @property
    def rests_on(self) -> tuple[str, ...]:
        """What the numbers come from, in words."""
        found = [
            "three rows of one 1.2 A.h layered oxide / hard carbon 18650, secondary "
            "source: end points only, so linear and N^0.8 are both in the interval",
            "the calendar term, which is assumed: 0.5 to 3 % a square root of a year",
        ]
        if self.use.depth < 1.0:
            found.append(
                "a partial window: the source prints half of what its losses say there; a "
                "factor of two to either side is in the interval"
            )
        if not self.use.layered_oxide:
            found.append(
                "for another positive electrode: no cathode term to three times the oxide's"
                " (assumed)"
            )
        return tuple(found)


@takes
def outlook(use: Use, *, seed: int = 0) -> Outlook:
    """The law's draws for a use: fitted numbers, exponents 0.8 to 1, the assumed calendar.

    Where the use lies beyond the rows, logarithms of the cycling term spread three times as
    wide about their median (assumed).
    """
    rng = np.random.default_rng(seed)
    parts = np.array_split(np.arange(DRAWS), len(EXPONENTS))
    laws = [
        (fit_law(z).drawn(len(p), rng), z)
        for p, z in zip(parts, EXPONENTS, strict=True)
    ]

    def joined(name: str) -> np.ndarray:
        return np.concatenate([np.asarray(getattr(law, name)) for law, _ in laws])

    def lognormal(low: float, high: float) -> np.ndarray:
        middle, sd = np.log([low, high]).mean(), np.log(high / low) / (2 * NINETY)
        return np.exp(middle + sd * rng.standard_normal(DRAWS))

    z = np.concatenate(
        [np.full(len(p), e) for p, e in zip(parts, EXPONENTS, strict=True)]
    )
    law = Law(
        *(joined(name) for name in ("rate", "energy", "ends", "rate_factor")),
        exponent=z,
        calendar=lognormal(*CALENDAR),
        calendar_energy=lognormal(*CALENDAR_ENERGY),
    )
    factor = lognormal(1 / PARTIAL, PARTIAL) if use.depth < 1.0 else np.ones(DRAWS)
    if not use.layered_oxide:
        # From the hard carbon's part alone to three times the whole.
        rest = 1.0 - np.max(fit_law().law.ends)
        factor = factor * np.exp(rng.uniform(np.log(rest), np.log(3.0), DRAWS))
    found = Outlook(use, law, factor)
    if use.extrapolates:
        # At the rows' own number of full cycles, where exponents agree.
        at = np.log(found.by_cycling(1600.0 / use.depth))
        factor = factor * np.exp((WIDER - 1.0) * (at - np.median(at)))
    return Outlook(use, law, factor)
