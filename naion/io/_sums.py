"""Sums of numbers, texts and tables: curves as BPX can say them, and their combinations.

Branches of a hysteresis, and potentials at another temperature, are weighted sums of a
file's entries. Monotone cubics are proportional to their values but not additive, so that
tables stay apart, and two that are proportional to each other are joined again.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..properties import AbstractCurve, Constant, Corrected, Expression, Table

SAME = 1e-12
"""Relative difference up to which two tables are proportional."""


@dataclasses.dataclass(frozen=True)
class Sum:
    """A number, weighted expressions of x, and tables.

    Attributes:
        number: the constant part.
        texts: weights of expressions in the syntax of BPX.
        tables: each with its weight worked in.
    """

    number: float = 0.0
    texts: tuple[tuple[str, float], ...] = ()
    tables: tuple[Table, ...] = ()

    def plus(self, other: "Sum", weight: float = 1.0) -> "Sum":
        """This and `weight` times another."""
        texts = dict(self.texts)
        for text, w in other.texts:
            texts[text] = texts.get(text, 0.0) + weight * w
        tables = self.tables
        for table in other.tables:
            tables = _joined(tables, dataclasses.replace(table, y=weight * table.y))
        return Sum(
            self.number + weight * other.number,
            tuple((text, w) for text, w in texts.items() if w != 0.0),
            tables,
        )

    def curve(self) -> AbstractCurve:
        """The sum as one curve."""
        if not self.tables:
            return Expression(self.text()) if self.texts else _constant(self.number)
        first, *others = self.tables
        if self.texts:
            total: AbstractCurve = Corrected(Expression(self.text()), first)
        else:
            total = dataclasses.replace(first, y=first.y + self.number)
        for table in others:
            total = Corrected(total, table)
        return total

    def text(self) -> str:
        """The number and the expressions, as one expression."""
        terms = [
            text if weight == 1.0 else f"{weight!r} * ({text})"
            for text, weight in self.texts
        ]
        if self.number or not terms:
            terms.append(repr(self.number))
        return " + ".join(terms)

    def entry(self) -> Any:
        """As an entry of a BPX file; none where that takes more than one."""
        if not self.tables:
            return self.text() if self.texts else self.number
        table, *others = self.tables
        if self.texts or others:
            return None
        y = np.asarray(table.y) + self.number
        return {"x": np.asarray(table.x).tolist(), "y": y.tolist()}

    def sampled(self) -> Any:
        """As one entry in any case, if need be by its values at all points of its tables."""
        entry = self.entry()
        if entry is not None:
            return entry
        x = np.unique(np.concatenate([np.asarray(t.x) for t in self.tables]))
        return {"x": x.tolist(), "y": np.asarray(self.curve()(jnp.asarray(x))).tolist()}


def _constant(value: float) -> Constant:
    return Constant(jnp.asarray(value, float))


def _joined(tables: Sequence[Table], new: Table) -> tuple[Table, ...]:
    """Tables and one more, in one with another that it is proportional to."""
    for k, old in enumerate(tables):
        alike = (old.extrapolation, old.x.shape) == (new.extrapolation, new.x.shape)
        if not (alike and np.array_equal(old.x, new.x)):
            continue
        a, b = np.asarray(old.y), np.asarray(new.y)
        at = int(np.argmax(np.abs(a)))
        ratio = b[at] / a[at] if a[at] else 0.0
        if np.allclose(b, ratio * a, rtol=SAME, atol=SAME * np.max(np.abs(b))):
            rest = (*tables[:k], *tables[k + 1 :])
            if abs(1.0 + ratio) < SAME:
                return rest
            return (*rest, dataclasses.replace(old, y=(1.0 + ratio) * old.y))
    return (*tables, new) if np.any(np.asarray(new.y)) else tuple(tables)
