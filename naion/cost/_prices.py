"""Price lists: numbers with ranges, dates and sources, of a place and a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from ..parameters import Sourced

LITHIUM = "lithium_carbonate"
"""Name of the price of lithium carbonate [USD/kg], in lists and among values."""

VAT = 1.13
"""One, and the value-added tax of China: quotes in CNY have it."""

Values = Mapping[str, Array]


@dataclass(frozen=True)
class Quoted:
    """What lithium carbonate cost.

    Attributes:
        date: year and month.
        price: [CNY/t], with value-added tax.
        exchange: [CNY/USD].
        quality: a key of `naion.parameters.QUALITIES`.
        source: of the quote.
    """

    date: str
    price: float
    exchange: float
    quality: str
    source: str

    @property
    def usd(self) -> float:
        """Price without tax [USD/kg]."""
        return self.price / (1e3 * VAT * self.exchange)


@dataclass(frozen=True)
class PriceList:
    """What materials and work cost in a place, at a time.

    Names are `price.ITEM`, `making.ITEM`, `yields.ITEM`, `share.ITEM` and
    `lithium_carbonate`.

    Attributes:
        name: in its file.
        title: one line.
        date: for which it holds.
        numbers: by name; ranges are triangular.
        dates: of the sources, by name.
        carbonate: price of lithium carbonate [USD/kg] at which a price held, by name; of
            what is not here, zero.
    """

    name: str
    title: str
    date: str
    numbers: Mapping[str, Sourced]
    dates: Mapping[str, str]
    carbonate: Mapping[str, float]

    @property
    def uncertain(self) -> tuple[Sourced, ...]:
        """What is drawn: all that has a range, but for the price of lithium carbonate.

        That one is asked over, not believed.
        """
        found = self.numbers.items()
        return tuple(s for n, s in found if s.range is not None and n != LITHIUM)

    @property
    def likeliest(self) -> dict[str, float]:
        """All values as they are listed."""
        return {name: float(s.value) for name, s in self.numbers.items()}

    def values(self, **given: Any) -> dict[str, Array]:
        """Medians of all numbers, and lithium's price as listed; some replaced.

        Args:
            given: by name with `__` for a dot; may be traced.

        Raises:
            ValueError: for a name that the list does not have.
        """
        own = {name.replace("__", "."): x for name, x in given.items()}
        unknown = sorted(set(own) - set(self.numbers))
        if unknown:
            raise ValueError(
                f"{self.name}: no number named {', '.join(unknown)}. Known are: "
                f"{', '.join(self.numbers)}."
            )
        medians = {name: s.median for name, s in self.numbers.items()}
        medians[LITHIUM] = float(self.numbers[LITHIUM].value)
        return {name: jnp.asarray(x, float) for name, x in (medians | own).items()}

    def drawn(self, u: Values) -> dict[str, Array]:
        """Numbers as many standard deviations from their medians."""
        return {name: self.numbers[name].at(x) for name, x in u.items()}

    def per(self, item: str) -> str:
        """Of what an item has a price: "kg", "m2" or "L"."""
        return self.numbers[f"price.{item}"].unit.removeprefix("USD/")
