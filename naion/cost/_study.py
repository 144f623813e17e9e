"""Several designs at the prices of one list: intervals, and what is cheaper when."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.scipy.stats import norm
from jaxtyping import Array

from .._takes import takes
from ..design import Blueprint
from ..parameters import QUALITIES, Sourced
from ._bill import Bill, bill
from ._cost import Cost, cost, footprint
from ._prices import LITHIUM, PriceList

DRAWS = 4000
"""Of everything uncertain: a probability of one half to within a percentage point."""


NEGLIGIBLE = 0.05
"""Changes below this many standard deviations are not worth naming."""

MOST_LITHIUM = 1000.0
"""[USD/kg]; a price above was meant in other units."""

MOST_SHARE = 10.0
"""Of another's cost; what is more was meant in percent."""

ALIKE = 0.25
"""Of its lithium, by which a cell must differ for a break-even over lithium's price."""


@dataclass(frozen=True)
class Change:
    """The least change of what is believed that makes a design cheaper by so much.

    Attributes:
        distance: in standard deviations of all that is uncertain together.
        parts: name, likeliest value or median, value there and unit, the furthest first.
        reaches: whether it does; else `parts` are those of the nearest found.
        share: cost over that of the other, there.
    """

    distance: float
    parts: tuple[tuple[str, float, float, str], ...]
    reaches: bool
    share: float


@dataclass(frozen=True)
class Study:
    """Designs at one place and time, with all that is uncertain drawn once for all.

    What two designs share is one number: every price, yield and share of the list, and
    what one design takes over from the other. So a difference is as narrow as it is.

    Attributes:
        designs: with unique names.
        prices: the list.
        lithium: price of lithium carbonate [USD/kg].
        drawn: (n, k) standard deviations of `numbers` from their medians.
        numbers: what is drawn, with the designs that have it; none: prices.
    """

    designs: tuple[Blueprint, ...]
    prices: PriceList
    lithium: float
    drawn: np.ndarray
    numbers: tuple[tuple[Sourced, tuple[str, ...]], ...]
    _functions: dict[str, Callable] = field(default_factory=dict, compare=False)

    def bills(self, u: Array) -> tuple[Bill, ...]:
        """What is in a kWh of each design, at a vector of `numbers`."""
        x = at_once([s for s, _ in self.numbers], u)
        found = []
        for b in self.designs:
            own = {
                s.name.replace(".", "__"): x[k]
                for k, (s, of) in enumerate(self.numbers)
                if b.name in of
            }
            found.append(bill(b.design(**own)))
        return tuple(found)

    def values(self, u: Array, lithium: Array | float) -> dict[str, Array]:
        """Numbers of the list at a vector of `numbers`."""
        x = at_once([s for s, _ in self.numbers], u)
        own = {
            s.name.replace(".", "__"): x[k]
            for k, (s, of) in enumerate(self.numbers)
            if not of
        }
        return self.prices.values(**own, **{LITHIUM: lithium})

    def costs_at(self, u: Array, lithium: Array | float) -> tuple[Cost, ...]:
        """Of each design; differentiable in both."""
        v = self.values(u, lithium)
        return tuple(cost(b, self.prices, v) for b in self.bills(u))

    def totals_at(self, u: Array, lithium: Array | float) -> Array:
        """[USD/kWh] of each design, (d,)."""
        return jnp.stack([c.total for c in self.costs_at(u, lithium)])

    @property
    def names(self) -> tuple[str, ...]:
        """Of the designs."""
        return tuple(b.name for b in self.designs)

    @property
    def lines(self) -> tuple[np.ndarray, np.ndarray]:
        """Cost without lithium's price (n, d), and kg of carbonate in it (n, d).

        A cost is a line over the price of carbonate: this is all that is known of it. The
        kilograms have yields and overhead on them [USD.kWh-1 for each USD.kg-1].
        """
        return self._once("lines", self._lines)

    def _lines(self) -> tuple[np.ndarray, np.ndarray]:
        # A cost is a line over the price: two points are all of it.
        prices = jnp.array([0.0, 1.0])
        of_prices = jax.vmap(self.totals_at, (None, 0))
        both = jax.jit(jax.vmap(of_prices, (0, None)))(jnp.asarray(self.drawn), prices)
        found = np.asarray(both)
        return found[:, 0], found[:, 1] - found[:, 0]

    def _once(self, name: str, compute: Callable) -> Any:
        if name not in self._functions:
            self._functions[name] = compute()
        return self._functions[name]

    def costs(self, lithium: float | None = None) -> np.ndarray:
        """In every draw [USD/kWh], (n, d); the first draw is that of all medians."""
        base, slope = self.lines
        at = self.lithium if lithium is None else lithium
        check_lithium(at)
        return base + slope * at

    def cheaper(self, own: str, other: str, lithium: Any = None) -> np.ndarray:
        """Probability that one design is cheaper than another, at prices of carbonate.

        Args:
            own, other: names of designs.
            lithium: prices [USD/kg], (m,) or (); none: that of the study.

        Returns:
            Shares of the draws, with the shape of `lithium`.
        """
        i, j = self._index(own), self._index(other)
        base, slope = (a[:, i] - a[:, j] for a in self.lines)
        at = np.asarray(self.lithium if lithium is None else lithium, float)
        check_lithium(at)
        return np.mean(base + slope * at[..., None] < 0.0, axis=-1)

    def break_evens(self, own: str, other: str) -> np.ndarray:
        """Price of carbonate at which both cost the same, in every draw [USD/kg], (n,).

        NaN where both hold the same lithium, to a quarter: then it is not lithium that
        decides. Below zero: one is cheaper at any price.
        """
        i, j = self._index(own), self._index(other)
        base, slope = (a[:, i] - a[:, j] for a in self.lines)
        apart = np.abs(slope) > ALIKE * np.max(self.lines[1][:, [i, j]], axis=1)
        return np.where(apart, -base / np.where(apart, slope, 1.0), np.nan)

    def break_even_at(self, u: Array, own: str, other: str) -> Array:
        """The same at one vector, by the implicit function theorem; differentiable.

        dp*/dtheta = -(d(C_own - C_other)/dtheta) / (d(C_own - C_other)/dp) at p*.
        """
        i, j = self._index(own), self._index(other)

        def apart(u: Array, p: Array) -> Array:
            totals = self.totals_at(u, p)
            return totals[i] - totals[j]

        return _root(apart, u)

    def elasticities(self, own: str, other: str) -> dict[str, float]:
        """Change of the break-even [%] for one more percent of each number, at medians.

        The largest first; numbers of designs among them.
        """
        p, slope = self._break_even_and_slope(own, other)
        x, turned = self._numbers_at(np.zeros(len(self.numbers)))
        found = dict(zip(self._labels, slope / turned * x / p, strict=True))
        found = {name: float(e) for name, e in found.items()}
        return dict(sorted(found.items(), key=lambda e: -abs(e[1])))

    @property
    def _labels(self) -> tuple[str, ...]:
        return tuple(
            s.name if not of else f"{s.name} of {' and '.join(of)}"
            for s, of in self.numbers
        )

    def _numbers_at(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """All numbers at a vector, and the slope of each in its own entry."""

        def at(u: Array) -> Array:
            return at_once([s for s, _ in self.numbers], u)

        compiled = self._once(
            "numbers", lambda: jax.jit(lambda u: jax.jvp(at, (u,), (jnp.ones_like(u),)))
        )
        values, slopes = compiled(jnp.asarray(u))
        return np.asarray(values), np.asarray(slopes)

    def shares(self, own: str, other: str) -> tuple[tuple[str, str, str, float], ...]:
        """Name, quality in words, source and share of the break-even's variance.

        To first order at the medians; the largest first, and they add up to one.
        """
        _, slope = self._break_even_and_slope(own, other)
        squares = slope**2 / np.sum(slope**2)
        rows = [
            (name, QUALITIES[s.quality], s.source, float(part))
            for name, (s, _), part in zip(
                self._labels, self.numbers, squares, strict=True
            )
        ]
        return tuple(sorted(rows, key=lambda row: -row[-1]))

    def _break_even_and_slope(self, own: str, other: str) -> tuple[float, np.ndarray]:
        def compute() -> tuple[float, np.ndarray]:
            at = jax.jit(
                jax.value_and_grad(lambda u: self.break_even_at(u, own, other))
            )
            p, slope = at(jnp.zeros(len(self.numbers)))
            return float(p), np.asarray(slope)

        return self._once(f"break-even {own} {other}", compute)

    def least_change(self, own: str, other: str, share: float) -> Change:
        """What would have to be true for `own` to cost at most `share` of `other`.

        The point nearest to the medians, in standard deviations, at which it does, with
        exact gradients (the design point of first-order reliability analysis).

        Args:
            own, other: names of designs.
            share: 0.8 for a fifth cheaper.

        Raises:
            ValueError: for a share of zero or less, or in percent.
        """
        from scipy import optimize

        if not 0.0 < share <= MOST_SHARE:
            raise ValueError(
                f"share = {share!r}: expected a number above zero, at most "
                f"{MOST_SHARE:g}; 80 % is 0.8."
            )
        i, j = self._index(own), self._index(other)

        def ratio(u: Array) -> Array:
            totals = self.totals_at(u, self.lithium)
            return totals[i] / totals[j]

        at = self._once(
            f"ratio {own} {other}", lambda: jax.jit(jax.value_and_grad(ratio))
        )
        reach = np.clip(np.array([s.reach for s, _ in self.numbers]), -3.0, 3.0)
        done = optimize.minimize(
            lambda u: (0.5 * float(u @ u), u),
            np.zeros(len(self.numbers)),
            jac=True,
            method="SLSQP",
            bounds=reach,
            constraints={
                "type": "ineq",
                "fun": lambda u: share - float(at(u)[0]),
                "jac": lambda u: -np.asarray(at(u)[1]),
            },
            options={"maxiter": 200, "ftol": 1e-8},
        )
        found = float(at(done.x)[0])
        values, _ = self._numbers_at(done.x)
        rows = zip(self._labels, self.numbers, done.x, values, strict=True)
        parts = [
            (abs(u), (name, s.median, float(x), s.unit))
            for name, (s, _), u, x in rows
            if abs(u) > NEGLIGIBLE
        ]
        parts.sort(key=lambda e: -e[0])
        reaches = found <= share * (1.0 + 1e-4)
        distance = float(np.linalg.norm(done.x))
        return Change(distance, tuple(p for _, p in parts), reaches, found)

    def footprints(self) -> dict[str, dict[str, float]]:
        """Of each design, at the medians and without losses; see `footprint`."""
        u = jnp.zeros(len(self.numbers))
        v = self.values(u, self.lithium)
        return {
            name: {k: float(x) for k, x in footprint(b, v).items()}
            for name, b in zip(self.names, self.bills(u), strict=True)
        }

    def parts(self, name: str) -> dict[str, float]:
        """What a design's cost is made of, at the medians [USD/kWh]."""
        u = jnp.zeros(len(self.numbers))
        found = self.costs_at(u, self.lithium)[self._index(name)]
        return {k: float(x) for k, x in vars(found).items()}

    def _index(self, name: str) -> int:
        if name not in self.names:
            raise KeyError(
                f"No design {name!r} in this study. There are: {', '.join(self.names)}."
            )
        return self.names.index(name)


def at_once(numbers: Sequence[Sourced], u: Array) -> Array:
    """`Sourced.at` of many numbers, (n,), as a few operations on vectors.

    A program of one at a time takes most of its seconds to compile.
    """
    clipped = jnp.clip(u, *np.array([s.reach for s in numbers]).reshape(-1, 2).T)
    median = np.array([s.median for s in numbers])
    away = np.array([s.sd for s in numbers]) * clipped
    is_log = np.array([s.is_log for s in numbers], bool)
    triangular = np.array([s.is_triangular for s in numbers], bool)
    usual = jnp.where(
        is_log, median * jnp.exp(jnp.where(is_log, away, 0.0)), median + away
    )
    ends = [(*(s.range or (0.0, 0.0)), float(s.value)) for s in numbers]
    low, high, most = np.array(ends).reshape(-1, 3).T
    width = np.where(high > low, high - low, 1.0)
    p = norm.cdf(clipped)
    below = p < (most - low) / width
    # Each root is taken where it is real, so that slopes stay finite.
    rising = jnp.sqrt(jnp.where(below, p * width * (most - low), 1.0))
    falling = jnp.sqrt(jnp.where(below, 1.0, (1.0 - p) * width * (high - most)))
    between = jnp.where(below, low + rising, high - falling)
    return jnp.where(triangular, between, usual)


def _root(function: Callable[[Array, Array], Array], u: Array) -> Array:
    """Where a function of u and p, linear in p, is zero; with the slope of that in u."""

    @jax.custom_jvp
    def solve(u: Array) -> Array:
        at_zero, slope = jax.value_and_grad(function, 1)(u, jnp.zeros(()))
        return -at_zero / slope

    @solve.defjvp
    def _(primal: tuple[Array], tangent: tuple[Array]) -> tuple[Array, Array]:
        (u,), (du,) = primal, tangent
        p = solve(u)
        of_u, of_p = jax.grad(function, (0, 1))(u, p)
        return p, -(of_u @ du) / of_p

    return solve(u)


def check_blueprints(designs: Sequence[Any]) -> None:
    """Refuse what is no design.

    Raises:
        TypeError: saying what it is.
    """
    for b in designs:
        if not isinstance(b, Blueprint):
            raise TypeError(
                f"{b!r:.60} is a {type(b).__name__}: expected designs, such as "
                '`naion.design.load("nfm_prismatic")`.'
            )


def check_lithium(price: Any) -> None:
    """Refuse what is no price of lithium carbonate [USD/kg], as far as it is known.

    Raises:
        ValueError: with the unit that is expected.
    """
    if isinstance(price, Tracer):
        return
    found = np.asarray(price, float)
    if not np.all((found >= 0.0) & (found <= MOST_LITHIUM)):
        raise ValueError(
            f"lithium={price!r:.60}: expected USD/kg of carbonate without tax, 0 to "
            f"{MOST_LITHIUM:g}. Is it in CNY/t? 100,000 CNY/t with tax are about 12.8 "
            "USD/kg."
        )


@takes
def study(
    designs: Sequence[Blueprint],
    prices: PriceList,
    *,
    lithium: float | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    of_designs: bool = True,
) -> Study:
    """Compare designs at the prices of one list.

    Args:
        designs: from `naion.design.load`.
        prices: from `load`.
        lithium: price of lithium carbonate without tax [USD/kg]; none: the list's.
        draws: of everything uncertain; the first is that of all medians.
        seed: of the draws.
        of_designs: whether the designs' own ranges are drawn too; else their medians.

    Raises:
        TypeError: for what are no designs, or no price list.
        ValueError: for fewer than two draws, designs of one name, a design whose
            materials or mean voltage are not given or have no price, or a price of
            lithium that is not one.
    """
    if not isinstance(draws, int) or draws < 2:
        raise ValueError(
            f"draws={draws!r}: an interval needs at least two, better {DRAWS}."
        )
    check_blueprints(designs)
    if not isinstance(prices, PriceList):
        raise TypeError(
            f"prices={prices!r:.60} is a {type(prices).__name__}: expected a price list, "
            'such as `naion.cost.load("china_2026_06")`.'
        )
    price = prices.numbers[LITHIUM].value if lithium is None else lithium
    check_lithium(price)
    names = [b.name for b in designs]
    if len(set(names)) < len(names) or not names:
        raise ValueError(
            f"designs {', '.join(names)}: expected some, each of them once."
        )
    whose: dict[Sourced, tuple[str, ...]] = {s: () for s in prices.uncertain}
    if of_designs:
        for b in designs:
            for s in b.uncertain:
                whose[s] = (*whose.get(s, ()), b.name)
    numbers = tuple(whose.items())
    drawn = np.random.default_rng(seed).standard_normal((draws, len(numbers)))
    drawn[0] = 0.0
    found = Study(tuple(designs), prices, float(price), drawn, numbers)
    for b in designs:
        try:
            cost(bill(b.design()), prices)
        except ValueError as error:
            raise ValueError(f"{b.name}: {error}") from None
    return found


def interval(values: Any) -> tuple[float, float, float]:
    """5, 50 and 95 % of some draws; NaN where there are none. Costs may be infinite."""
    known = np.asarray(values, float)
    known = known[~np.isnan(known)]
    if known.size == 0:
        return float("nan"), float("nan"), float("nan")
    # Nothing is interpolated between infinities.
    how = "linear" if np.isfinite(known).all() else "nearest"
    ends = np.percentile(known, [5.0, 50.0, 95.0], method=how)
    low, middle, high = (float(x) for x in ends)
    return low, middle, high


@takes
def per_delivered(costs: np.ndarray, shares: Mapping[str, Any], names: Sequence[str]):
    """Costs for a kWh that is delivered, where a charge gives only a share of it.

    Args:
        costs: [USD/kWh], (n, d).
        shares: what of its energy each design delivers, () or (n,), by name.
        names: of the d designs.

    Returns:
        [USD for each kWh delivered], (n, d); NaN for designs without a share, infinite
        where nothing is delivered.

    Raises:
        ValueError: for a share that is below 0 or above 1.2.
    """
    columns = []
    for k, name in enumerate(names):
        share = np.asarray(shares.get(name, np.nan), float)
        if np.any((share < 0.0) | (share > 1.2)):
            raise ValueError(
                f"share of {name}: {share!r:.60}; expected what is delivered over what is "
                "at 25 degC, 0 to 1.2."
            )
        with np.errstate(divide="ignore"):
            columns.append(costs[:, k] / share)
    return np.stack(columns, axis=1)
