"""A year as representative days times their weight, and a month in full beside it."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from .._progress import Progress, silent
from .._takes import takes
from ..models import DFN
from ..parameters import Cell
from ._catalogue import load
from ._duty import Duty
from ._served import Ready, Served, efficiency_of, ready, serve
from ._vehicle import ZERO

DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""Of the months."""


class Climate(NamedTuple):
    """Temperatures of a place.

    Attributes:
        title: in words.
        months: means of the months, (12,) [degC].
        spread: standard deviation of daily means around that of their month [K].
        source: of these numbers.
    """

    title: str
    months: tuple[float, ...]
    spread: float
    source: str

    def days(self, month: int) -> np.ndarray:
        """Daily means of a month, from 1, in an order that mixes warm and cold [degC].

        Evenly spaced quantiles of a normal distribution, so that a month has its mean and
        spread without chance; their order is that of a fixed shuffle.

        Raises:
            ValueError: for a month that is none.
        """
        from scipy.stats import norm

        if month not in range(1, 13):
            raise ValueError(f"month={month!r}: expected 1 to 12.")
        if len(self.months) != 12:
            raise ValueError(
                f"Climate {self.title!r} has {len(self.months)} means of months; expected "
                "12 [degC]."
            )
        n = DAYS[month - 1]
        sorted_ = norm.ppf((np.arange(n) + 0.5) / n)
        away = np.random.RandomState(month).permutation(sorted_)
        return self.months[month - 1] + self.spread * away

    def all_days(self) -> np.ndarray:
        """Of the year, (365,) [degC]."""
        return np.concatenate([self.days(m) for m in range(1, 13)])


_ASSUMED = (
    "assumed: round numbers of the class of climate (not a record of a station); spread of "
    "daily means assumed 4 K"
)

CLIMATES = {
    "harbin": Climate(
        "Harbin, cold continental",
        (-18.0, -13.0, -3.0, 7.0, 15.0, 21.0, 23.0, 21.0, 15.0, 6.0, -6.0, -15.0),
        4.0,
        _ASSUMED,
    ),
    "berlin": Climate(
        "Berlin, temperate",
        (1.0, 2.0, 5.0, 10.0, 14.0, 18.0, 20.0, 19.0, 15.0, 10.0, 5.0, 2.0),
        4.0,
        _ASSUMED,
    ),
    "guangzhou": Climate(
        "Guangzhou, subtropical",
        (14.0, 15.0, 18.0, 22.0, 26.0, 28.0, 29.0, 29.0, 27.0, 25.0, 20.0, 15.0),
        3.0,
        _ASSUMED.replace("4 K", "3 K"),
    ),
}
"""Climates that ship with naion, all assumed."""


class Days(NamedTuple):
    """Representative days.

    Attributes:
        temperature: of each [degC].
        weight: days that each stands for.
    """

    temperature: np.ndarray
    weight: np.ndarray


def representative(temperatures: Sequence[float] | np.ndarray, count: int) -> Days:
    """Days in `count` groups of neighbouring temperatures, each at its mean.

    Groups of equal numbers of days; what is left over goes to the first.

    Raises:
        ValueError: for a count that is none.
    """
    T = np.sort(np.asarray(temperatures, float))
    if not np.all(np.isfinite(T)):
        raise ValueError("temperatures: one is not finite; expected degC of every day.")
    if not 1 <= count <= len(T):
        raise ValueError(
            f"count={count!r}: expected 1 to {len(T)} representative days."
        )
    groups = np.array_split(T, count)
    return Days(
        np.array([g.mean() for g in groups]), np.array([float(len(g)) for g in groups])
    )


SETTLING = 2
"""Days before a representative one, for the state of charge to settle."""

SUMS = ("asked", "given", "offered", "taken", "from_store")
"""What adds up over days, of `Served` [J]."""


class Total(NamedTuple):
    """Sums and extremes of many days.

    Attributes:
        days: how many.
        asked, given, offered, taken, from_store: see `Served` [J].
        peak_temperature: [K].
        margin: lowest plating margin [V].
        time_missed: [s].
        failed: simulations that failed, and are in no sum.
    """

    days: float
    asked: float
    given: float
    offered: float
    taken: float
    from_store: float
    peak_temperature: float
    margin: float
    time_missed: float
    failed: int

    @property
    def efficiency(self) -> float:
        """Of the cells; see `Served.efficiency` [-]."""
        return efficiency_of(self.given, self.taken, self.from_store)

    @property
    def missed(self) -> float:
        """Share of the energy asked for that was not delivered [-]."""
        return 1.0 - self.given / self.asked


@takes
def year(
    cell: Cell | Ready,
    name: str,
    climate: Climate,
    count: int = 6,
    *,
    model: DFN | None = None,
    progress: Progress = silent,
) -> Total:
    """A year of a duty as representative days times their weight.

    Args:
        cell: parameters.
        name: of the duty, served once a day.
        climate: where.
        count: representative days.
        model, progress: see `compare`.
    """
    return of_days(
        cell, name, representative(climate.all_days(), count), model, progress
    )


@takes
def of_days(
    cell: Cell | Ready,
    name: str,
    days: Days,
    model: DFN | None = None,
    progress: Progress = silent,
) -> Total:
    """Representative days, each the last of `SETTLING` more like it.

    So a day begins with the charge that days of its kind leave, as in `in_full`.
    """
    own = cell if isinstance(cell, Ready) else ready(cell, model)
    served = []
    for T, weight in zip(days.temperature, days.weight, strict=True):
        duty = load(name, T + ZERO)
        one = serve(own, duty)
        for _ in range(SETTLING):
            if np.isfinite(one.final_soc):
                soc = float(np.clip(one.final_soc, 0.0, 1.0))
                one = serve(own, topped_up(duty, soc))
        served.append((weight, one))
        progress(f"{name}, {weight:g} days at {T:+.1f} degC: {one.result.name.lower()}")
    return total(served)


@takes
def in_full(
    cell: Cell | Ready,
    name: str,
    temperatures: Sequence[float] | np.ndarray,
    *,
    model: DFN | None = None,
    progress: Progress = silent,
    charged: Callable[[Duty, float], Duty] | None = None,
) -> Total:
    """Every day at its own temperature, each begun with the charge that the last one left.

    Between days the battery rests for the remainder of its 24 h: it begins in equilibrium,
    at the temperature of the day.

    Args:
        cell: parameters.
        name: of the duty.
        temperatures: of the days [degC].
        model, progress: see `compare`.
        charged: a duty and the state of charge that it begins with, to another duty; none:
            a day's last charge is made longer or shorter so that it ends at the duty's own
            start, as a charger does.
    """
    own = cell if isinstance(cell, Ready) else ready(cell, model)
    tops_up = topped_up if charged is None else charged
    served, soc = [], None
    for k, T in enumerate(temperatures):
        duty = load(name, float(T) + ZERO)
        begun = duty.start if soc is None else soc
        duty = tops_up(duty, begun)
        one = serve(own, duty)
        served.append((1.0, one))
        if np.isfinite(one.final_soc):
            soc = float(np.clip(one.final_soc, 0.0, 1.0))
        progress(f"{name}, day {k + 1} of {len(temperatures)}, {T:+.1f} degC")
    return total(served)


def topped_up(duty: Duty, soc: float) -> Duty:
    """A duty that begins at another state of charge, its last charge made to bring it back.

    Only the length of the last interval changes, and only where that is a charge.
    """
    time = np.array(duty.time)
    if duty.power[-1] < 0.0:
        more = (duty.start - soc) * duty.energy / -duty.power[-1]
        time[-1] = max(time[-2] + 1.0, time[-1] + more)
    return dataclasses.replace(duty, time=time, start=soc)


def total(served: Sequence[tuple[float, Served]]) -> Total:
    """Sums of days with their weights; days that failed are counted, not summed."""
    good = [(w, s) for w, s in served if np.isfinite(s.given)]
    sums = {name: sum(w * getattr(s, name) for w, s in good) for name in SUMS}
    return Total(
        days=sum(w for w, _ in good),
        **sums,
        peak_temperature=max((s.peak_temperature for _, s in good), default=np.nan),
        margin=min((s.margin for _, s in good), default=np.nan),
        time_missed=sum(w * s.time_missed for w, s in good),
        failed=len(served) - len(good),
    )
