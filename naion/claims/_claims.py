"""Claims in files: who said what, and every way in which it can be read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..cost import PriceList
from ..fit import Uncertainty
from ..parameters import Cell, Sourced
from ._questions import QUESTIONS, Question


@dataclass(frozen=True)
class Requirement:
    """A quantity of a question that must be at least, or at most, a number."""

    quantity: int
    bound: float
    at_least: bool

    @property
    def sign(self) -> float:
        """Of what counts as better."""
        return 1.0 if self.at_least else -1.0

    def margin(self, values: Any) -> Any:
        """How far the quantity is on the right side."""
        return self.sign * (values[..., self.quantity] - self.bound)


@dataclass(frozen=True)
class Reading:
    """One thing that a claim may mean.

    Attributes:
        text: in words.
        question: a key of `QUESTIONS`.
        product: what is asked, by name; `other` beside it, or "".
        heat: "isothermal" or "lumped".
        numbers: of the question.
        conditions: numbers of the question that are themselves uncertain.
        requirements: what must be met; the first is what is reported.
        prices: of questions of cost; what is uncertain in it is among the conditions.
    """

    text: str
    question: str
    product: str
    other: str
    heat: str
    numbers: Mapping[str, float]
    conditions: tuple[Sourced, ...]
    requirements: tuple[Requirement, ...]
    prices: PriceList | None = None

    @property
    def asked(self) -> Question:
        """The question."""
        return QUESTIONS[self.question]


@dataclass(frozen=True)
class Claim:
    """What a maker says.

    Attributes:
        name: in its file.
        maker, product, said, date, source: as published.
        leaves_out: what the claim does not say.
        note: what belongs beside it, or "".
        readings: what it may mean.
    """

    name: str
    maker: str
    product: str
    said: str
    date: str
    source: str
    leaves_out: str
    note: str
    readings: tuple[Reading, ...]


FITTED = "fitted"
"""Materials of a product that are those of the audited cell."""

Audited = tuple[Cell, Uncertainty, bool]
"""A cell, what is known of it, and whether it was fitted."""
