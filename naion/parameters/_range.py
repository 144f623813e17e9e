"""Ranges of numbers, and relations between them, which fields of a cell declare."""

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np


class Range(NamedTuple):
    """An interval in which a number must lie.

    Attributes:
        low, high: ends of the interval.
        ends: whether each end belongs to it.
        unit: unit of the number.
    """

    low: float = -math.inf
    high: float = math.inf
    ends: tuple[bool, bool] = (False, False)
    unit: str = ""

    @property
    def is_sign(self) -> bool:
        """Whether the range only says that numbers are positive, or not negative."""
        return self.low == 0.0 and self.high == math.inf

    @property
    def strict(self) -> tuple[float, float]:
        """Ends of the open interval that holds the same floating-point numbers."""
        tiny = float(np.finfo(float).tiny)
        (low, high), (with_low, with_high) = self[:2], self.ends
        return (
            low - max(tiny, abs(low) * 1e-15) if with_low else low,
            high + max(tiny, abs(high) * 1e-15) if with_high else high,
        )

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if self.ends == (True, True) and math.isfinite(self.high - self.low):
            return f"{self.low:g} to {self.high:g}{unit}"
        words = []
        if math.isfinite(self.low):
            words.append(f"{'at least' if self.ends[0] else 'more than'} {self.low:g}")
        if math.isfinite(self.high):
            words.append(f"{'at most' if self.ends[1] else 'less than'} {self.high:g}")
        return " and ".join(words) + unit if words else "a finite number"


class Over(NamedTuple):
    """The range of a property's values.

    Attributes:
        range: range of the values; if it only says a sign, also of the property's scale.
        where: compositions at which it holds: all stoichiometries, salt from a tenth to
            twice the initial concentration, or the initial concentration alone.
    """

    range: Range
    where: Literal["stoichiometry", "salt", "initial salt"] = "stoichiometry"


class Term(NamedTuple):
    """A number, or some entries of an array, times a factor.

    Attributes:
        value: a number or an array of any shape.
        factor: the factor, such as -1 for a number that is subtracted.
        which: which entries of the flattened array.
    """

    value: Any
    factor: float = 1.0
    which: slice = slice(None)


class Rule(NamedTuple):
    """A relation between numbers of one part, declared at one of its fields.

    Attributes:
        text: the sum in words, for messages.
        terms: function of the part that gives the terms of the sum.
        range: range of the sum.
    """

    text: str
    terms: Callable[[Any], tuple[Term, ...]]
    range: Range


def above_zero(unit: str = "", below: float = math.inf) -> Range:
    """The range of numbers above zero and below an end."""
    return Range(0.0, below, unit=unit)


def from_zero(unit: str = "") -> Range:
    """The range of numbers from zero on."""
    return Range(0.0, ends=(True, False), unit=unit)


def between(low: float, high: float, unit: str = "") -> Range:
    """The range from one end to the other, both included."""
    return Range(low, high, (True, True), unit)


FINITE = Range()
FRACTION = Range(0.0, 1.0)
SHARE = between(0.0, 1.0)
LENGTH = above_zero("m", 0.1)
EFFICIENCY = Range(0.0, 1.0, (False, True))
TEMPERATURE = between(150.0, 450.0, "K")
VOLTAGE = between(-10.0, 20.0, "V")
AT_MOST_ONE = Range(high=1.0 + 1e-9, ends=(False, True))
