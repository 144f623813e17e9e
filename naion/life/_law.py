"""An empirical law of capacity fade by cycling and by time, for layered oxide cells.

    q = k w(window) c(C) exp(-E/R (1/T - 1/T_0)) N^z
        + k_cal exp(-E_cal/R (1/T - 1/T_0)) g(SOC) sqrt(t)

N are equivalent full cycles, T_0 = 298.15 K. `w` weighs the ends of the window: it is one
for the full one, and 1 - ends for one without them. `c` is one up to 1C and rises linearly
to `rate_factor` at 2C. Four numbers are fitted to three rows and one prior, see `fit_law`;
those of the calendar term are assumed: no sodium cell has published any.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .._constants import NINETY, ZERO_CELSIUS, R
from .._takes import takes
from ._rows import Row, rows

T_0 = 298.15
YEAR = 365.25
"""[days]."""

ENDS = 0.10, 0.10
"""Shares of the full window's charge below its lower threshold (2.0 V) and above its
upper one (3.7 V): assumed, as no curve of the cell of the rows is public. For another
cell see `naion.life.ends_of`."""

ROW_SPREAD = 0.2
"""Standard deviation of the logarithm of a row's loss (assumed: three cells a row, whose
spread is not public)."""

RATE_FACTOR = 1.0, 1.4
"""Of 2C over 1C, with 90 %: the rows say 1.4, their source's abstract no influence."""

EXPONENTS = 0.8, 0.9, 1.0
"""Of the equivalent full cycles: end points cannot tell them apart."""

CALENDAR = 0.005, 0.03
"""k_cal with 90 %, a square root of a year (assumed)."""

CALENDAR_ENERGY = 30e3, 60e3
"""[J.mol-1], with 90 % (assumed)."""


@dataclass(frozen=True)
class Law:
    """The numbers of the law; each may be an array of draws.

    Attributes:
        rate: k, share of the capacity lost for a full cycle to the power `exponent`, at
            25 degC, 1C, full window [-].
        energy: E [J.mol-1].
        ends: share of the full window's fade that its ends cause [-].
        rate_factor: fade at 2C over that at 1C [-].
        exponent: z [-].
        calendar: k_cal, at 25 degC and 50 % SOC [yr-1/2].
        calendar_energy: E_cal [J.mol-1].
    """

    rate: ArrayLike
    energy: ArrayLike
    ends: ArrayLike
    rate_factor: ArrayLike
    exponent: ArrayLike = 1.0
    calendar: ArrayLike = float(np.sqrt(CALENDAR[0] * CALENDAR[1]))
    calendar_energy: ArrayLike = 45e3

    def of_rate(self, C: ArrayLike) -> np.ndarray:
        """c(C): one up to 1C, linear beyond [-]."""
        return 1.0 + (np.asarray(self.rate_factor) - 1.0) * np.maximum(
            np.asarray(C) - 1.0, 0.0
        )

    def of_window(self, share: ArrayLike) -> np.ndarray:
        """w: `share` is that of a window's charge in the ends, over the full window's."""
        ends = np.asarray(self.ends)
        return 1.0 - ends + ends * np.asarray(share)

    def speed(self, T: ArrayLike, C: ArrayLike, share: ArrayLike) -> np.ndarray:
        """Loss for a full cycle to the power of the exponent [-].

        Args:
            T: [K].
            C: rate [1/h].
            share: see `of_window`.
        """
        warm = arrhenius(self.energy, T)
        return np.asarray(self.rate) * warm * self.of_rate(C) * self.of_window(share)

    def cycling(
        self, full_cycles: ArrayLike, T: ArrayLike, C: ArrayLike, share: ArrayLike
    ) -> np.ndarray:
        """Share of the capacity lost by cycling [-]."""
        within("full_cycles", full_cycles, 0.0, np.inf, "of them")
        N = np.asarray(full_cycles, float)
        return self.speed(T, C, share) * N ** np.asarray(self.exponent)

    def resting(self, years: ArrayLike, T: ArrayLike, soc: ArrayLike) -> np.ndarray:
        """Share of the capacity lost by time [-]; soc: mean state of charge [-]."""
        within("soc", soc, 0.0, 1.0, "of charge; 80 % is 0.8")
        within("years", years, 0.0, np.inf, "of them")
        by_soc = 0.7 + (np.asarray(soc) - 0.2)
        warm = arrhenius(self.calendar_energy, T)
        return np.asarray(self.calendar) * warm * by_soc * np.sqrt(np.asarray(years))


def arrhenius(energy: ArrayLike, T: ArrayLike) -> np.ndarray:
    """exp(-E/R (1/T - 1/298.15 K)) [-].

    Raises:
        ValueError: for a temperature in degrees Celsius.
    """
    within("T", T, 200.0, 400.0, "K; 25 degC is 298.15")
    return np.exp(-np.asarray(energy) / R * (1.0 / np.asarray(T) - 1.0 / T_0))


def within(name: str, given: ArrayLike, low: float, high: float, words: str) -> None:
    """Refuse numbers outside of what they can be.

    Raises:
        ValueError: with what was given and what is expected.
    """
    x = np.asarray(given, float)
    if not np.all((x >= low) & (x <= high)):
        raise ValueError(
            f"{name}={given!r:.60}: expected {low:g} to {high:g} {words}.".replace(
                " .", "."
            )
        )


def share_of_ends(low: float, high: float, ends: tuple[float, float] = ENDS) -> float:
    """Share of a window's charge in the ends, over that of the full window [-].

    Args:
        low, high: the window, in state of charge [-].
        ends: width of both ends, in state of charge [-].

    Raises:
        ValueError: for a window that is none.
    """
    if not 0.0 <= low < high <= 1.0:
        raise ValueError(
            f"window {low:g} to {high:g}: expected two states of charge from 0 to 1, the "
            "lower one first, such as 0.1,0.9."
        )
    within("ends", ends, 0.0, 1.0, "of charge")
    inside = max(0.0, ends[0] - low) - max(0.0, ends[0] - high)
    inside += max(0.0, high - (1.0 - ends[1])) - max(0.0, low - (1.0 - ends[1]))
    full = ends[0] + ends[1]
    return inside / (high - low) / full if full > 0.0 else 1.0


@dataclass(frozen=True)
class Fitted:
    """A law fitted to rows.

    Attributes:
        law: the best numbers.
        root: of the covariance of (log rate, energy, log(1 - ends), log rate_factor),
            which is root root^T, (4, 4).
        exponent: z, given.
    """

    law: Law
    root: np.ndarray
    exponent: float

    def drawn(self, n: int, rng: np.random.Generator) -> Law:
        """n draws of the four numbers (a normal approximation)."""
        x = _vector(self.law) + rng.standard_normal((n, 4)) @ self.root.T
        return _law(x.T, self.exponent)


@takes
def predicted(law: Law, row: Row) -> float:
    """Loss of a row by the law's cycling term [%]; windows are taken as centred (A)."""
    low, high = 0.5 - 0.5 * row.depth, 0.5 + 0.5 * row.depth
    T, share = row.temperature + ZERO_CELSIUS, share_of_ends(low, high)
    return 100.0 * float(law.cycling(row.full_cycles, T, row.rate, share))


@takes
def naive(row: Row) -> float:
    """Loss of a row if every equivalent full cycle cost what 1C at 25 degC does [%]."""
    base = rows()[0]
    return base.loss * row.full_cycles / base.full_cycles


def fit_law(exponent: float = 1.0) -> Fitted:
    """The law through the rows to be fitted: both of 1C, and 80 % depth at 25 degC.

    Least squares of log losses. Those rows cannot tell the factor of the C-rate from the
    weight of the ends, as the one with another window has the other rate too: the factor
    keeps its prior, `RATE_FACTOR`. The calendar term is not fitted (it is not
    identifiable): it comes on top, which counts what the rows hold of it twice.

    Args:
        exponent: z, 0.8 to 1.

    Raises:
        ValueError: for another exponent.
    """
    from scipy.optimize import least_squares

    if not 0.5 <= exponent <= 1.0:
        raise ValueError(f"exponent={exponent}: expected 0.5 to 1, the usual 0.8 to 1.")
    used = [r for r in rows() if r.use == "fit"]
    middle = np.log(RATE_FACTOR).mean()
    sd = np.diff(np.log(RATE_FACTOR))[0] / (2.0 * NINETY)

    def residuals(x: np.ndarray) -> np.ndarray:
        law = _law(x * SCALES, exponent)
        off = [np.log(predicted(law, r) / r.loss) / ROW_SPREAD for r in used]
        return np.array([*off, (np.log(law.rate_factor) - middle) / sd])

    start = np.array([np.log(5e-5), 30e3, np.log(0.2), middle]) / SCALES
    done = least_squares(residuals, start, xtol=1e-12, ftol=1e-12, gtol=1e-12)
    # As many residuals as numbers: the Jacobian's inverse is a root of the covariance.
    root = SCALES[:, None] * np.linalg.inv(done.jac)
    return Fitted(_law(done.x * SCALES, exponent), root, exponent)


SCALES = np.array([1.0, 1e4, 1.0, 0.1])


def _law(x: np.ndarray, exponent: float) -> Law:
    log_rate, energy, log_rest, log_factor = x
    rest = np.exp(np.minimum(log_rest, 0.0))
    found = Law(np.exp(log_rate), energy, 1.0 - rest, np.exp(log_factor), exponent)
    return found


def _vector(law: Law) -> np.ndarray:
    logs = np.log(law.rate), law.energy, np.log1p(-np.asarray(law.ends))
    return np.array([*logs, np.log(law.rate_factor)], float)
