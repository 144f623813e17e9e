"""Compare the costs of several designs at one list of prices, with all uncertainties."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._takes import takes
from ..design import Blueprint
from ..parameters import QUALITIES, Sourced
from ._at_once import at_once
from ._bill import Bill, bill
from ._checks import check_lithium
from ._cost import Cost, cost, footprint
from ._least_change import MOST_SHARE, NEGLIGIBLE, Change, nearest
from ._prices import LITHIUM, PriceList

DRAWS = 4000
"""Draws of all that is uncertain: enough for a probability of one half to within a
percentage point."""

ALIKE = 0.25
"""Share of its lithium by which a cell must differ from another for a price of lithium at
which both cost the same."""


@dataclass(frozen=True)
class Study:
    """Costs of several designs at one place and time, with common random draws.

    What two designs share is drawn once for both: every price, yield and share of the
    list, and every number that one design takes over from another. The difference of two
    costs is therefore no more uncertain than it has to be.

    Attributes:
        designs: designs with unique names, d of them.
        prices: list of prices.
        lithium: price of lithium carbonate [USD/kg].
        drawn: draws as standard deviations of `numbers` from their medians, (n, k).
        numbers: the k uncertain numbers, each with the names of the designs that have it;
            none for numbers of the price list.
    """

    designs: tuple[Blueprint, ...]
    prices: PriceList
    lithium: float
    drawn: np.ndarray
    numbers: tuple[tuple[Sourced, tuple[str, ...]], ...]
    _functions: dict[str, Callable] = field(default_factory=dict, compare=False)

    def bills(self, u: Array) -> tuple[Bill, ...]:
        """Contents of a kWh of each design.

        Args:
            u: standard deviations of `numbers` from their medians, (k,); so in the
                methods below.
        """
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
        """Numbers of the price list at a vector, and a price of carbonate [USD/kg]."""
        x = at_once([s for s, _ in self.numbers], u)
        own = {
            s.name.replace(".", "__"): x[k]
            for k, (s, of) in enumerate(self.numbers)
            if not of
        }
        return self.prices.values(**own, **{LITHIUM: lithium})

    def costs_at(self, u: Array, lithium: Array | float) -> tuple[Cost, ...]:
        """Cost of each design; differentiable in both arguments."""
        v = self.values(u, lithium)
        return tuple(cost(b, self.prices, v) for b in self.bills(u))

    def totals_at(self, u: Array, lithium: Array | float) -> Array:
        """Total cost of each design, (d,) [USD/kWh]."""
        return jnp.stack([c.total for c in self.costs_at(u, lithium)])

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the designs."""
        return tuple(b.name for b in self.designs)

    @property
    def lines(self) -> tuple[np.ndarray, np.ndarray]:
        """Cost at a price of carbonate of zero, and its slope in that price, (n, d) each.

        The cost is linear in the price of carbonate. The slope is the carbonate in a kWh,
        with yields and overhead on it [USD.kWh-1 for each USD.kg-1].
        """
        return self._once("lines", self._lines)

    def _lines(self) -> tuple[np.ndarray, np.ndarray]:
        # Costs are linear in the price: two points determine them.
        prices = jnp.array([0.0, 1.0])
        of_prices = jax.vmap(self.totals_at, (None, 0))
        both = jax.jit(jax.vmap(of_prices, (0, None)))(jnp.asarray(self.drawn), prices)
        found = np.asarray(both)
        return found[:, 0], found[:, 1] - found[:, 0]

    def _once(self, name: str, compute: Callable) -> Any:
        """A result, or a compiled function, that is computed at its first use."""
        if name not in self._functions:
            self._functions[name] = compute()
        return self._functions[name]

    def costs(self, lithium: float | None = None) -> np.ndarray:
        """Cost of each design in every draw, (n, d) [USD/kWh]; all medians in the first."""
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
            probabilities, as shares of the draws, with the shape of `lithium`.
        """
        i, j = self._index(own), self._index(other)
        base, slope = (a[:, i] - a[:, j] for a in self.lines)
        at = np.asarray(self.lithium if lithium is None else lithium, float)
        check_lithium(at)
        return np.mean(base + slope * at[..., None] < 0.0, axis=-1)

    def break_evens(self, own: str, other: str) -> np.ndarray:
        """Price of carbonate at which both cost the same, in every draw [USD/kg], (n,).

        NaN where both contain the same lithium to within a quarter: then its price does
        not decide. Negative where one design is cheaper at any price.
        """
        i, j = self._index(own), self._index(other)
        base, slope = (a[:, i] - a[:, j] for a in self.lines)
        apart = np.abs(slope) > ALIKE * np.max(self.lines[1][:, [i, j]], axis=1)
        return np.where(apart, -base / np.where(apart, slope, 1.0), np.nan)

    def break_even_at(self, u: Array, own: str, other: str) -> Array:
        """The same at one vector; differentiable by the implicit function theorem.

        dp*/dtheta = -(d(C_own - C_other)/dtheta) / (d(C_own - C_other)/dp) at p*.
        """
        i, j = self._index(own), self._index(other)

        def apart(u: Array, p: Array) -> Array:
            totals = self.totals_at(u, p)
            return totals[i] - totals[j]

        return _root(apart, u)

    def elasticities(self, own: str, other: str) -> dict[str, float]:
        """Change of the break-even price for one percent more of each number [%].

        At the medians; the largest first, by name. Numbers of the designs are included.
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
        """All numbers at a vector, and the derivative of each by its own entry, (k,) each."""

        def at(u: Array) -> Array:
            return at_once([s for s, _ in self.numbers], u)

        compiled = self._once(
            "numbers", lambda: jax.jit(lambda u: jax.jvp(at, (u,), (jnp.ones_like(u),)))
        )
        values, slopes = compiled(jnp.asarray(u))
        return np.asarray(values), np.asarray(slopes)

    def shares(self, own: str, other: str) -> tuple[tuple[str, str, str, float], ...]:
        """Shares of the numbers in the variance of the break-even price.

        To first order at the medians. The shares add up to one.

        Returns:
            name, quality in words, source and share of each number, the largest first.
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
        """The least change of numbers with which `own` costs at most `share` of `other`.

        It answers what would have to be true: the point nearest to the medians, in
        standard deviations, at which the ratio of both costs is reached.

        Args:
            own, other: names of designs.
            share: 0.8 for a fifth cheaper.

        Raises:
            ValueError: for a share of zero or less, or in percent.
        """
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
        there, found = nearest(at, [s for s, _ in self.numbers], share)
        values, _ = self._numbers_at(there)
        rows = zip(self._labels, self.numbers, there, values, strict=True)
        parts = [
            (abs(u), (name, s.median, float(x), s.unit))
            for name, (s, _), u, x in rows
            if abs(u) > NEGLIGIBLE
        ]
        parts.sort(key=lambda e: -e[0])
        reaches = found <= share * (1.0 + 1e-4)
        distance = float(np.linalg.norm(there))
        return Change(distance, tuple(p for _, p in parts), reaches, found)

    def footprints(self) -> dict[str, dict[str, float]]:
        """Footprint of each design, at the medians and without losses; see `footprint`."""
        u = jnp.zeros(len(self.numbers))
        v = self.values(u, self.lithium)
        return {
            name: {k: float(x) for k, x in footprint(b, v).items()}
            for name, b in zip(self.names, self.bills(u), strict=True)
        }

    def parts(self, name: str) -> dict[str, float]:
        """Parts of a design's cost, at the medians [USD/kWh]."""
        u = jnp.zeros(len(self.numbers))
        found = self.costs_at(u, self.lithium)[self._index(name)]
        return {k: float(x) for k, x in vars(found).items()}

    def _index(self, name: str) -> int:
        if name not in self.names:
            raise KeyError(
                f"No design {name!r} in this study. There are: {', '.join(self.names)}."
            )
        return self.names.index(name)


def _root(function: Callable[[Array, Array], Array], u: Array) -> Array:
    """The p at which a function of u and p, linear in p, is zero; differentiable by u."""

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
        designs: designs, such as from `naion.design.load`.
        prices: price list, such as from `load`.
        lithium: price of lithium carbonate without tax [USD/kg]; none: the list's.
        draws: number of draws; in the first all numbers are at their medians.
        seed: seed of the draws.
        of_designs: whether numbers of the designs are drawn, too; otherwise they stay at
            their medians.

    Raises:
        TypeError: for what is not a design, or not a price list.
        ValueError: for fewer than two draws, two designs of one name, a design whose
            materials or mean voltage are not given or have no price, or a price of
            lithium that is not possible.
    """
    if not isinstance(draws, int) or draws < 2:
        raise ValueError(
            f"draws={draws!r}: an interval needs at least two, better {DRAWS}."
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
