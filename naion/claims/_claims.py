"""Claims in files: who said what, and every way in which it can be read."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from ..fit import Uncertainty, uncertainty_of_set
from ..io import read_cell
from ..parameters import Cell, Sourced, is_set, load_set
from ._product import Product
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
    """

    text: str
    question: str
    product: str
    other: str
    heat: str
    numbers: Mapping[str, float]
    conditions: tuple[Sourced, ...]
    requirements: tuple[Requirement, ...]

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


def load(file: Path | str | None = None) -> tuple[Claim, ...]:
    """Claims of a TOML file, or those that ship (`naion/claims/claims.toml`).

    Raises:
        ValueError: for a file that cannot be understood, naming file, table and key, what
            is there and what was expected.
    """
    from ._read import read_claims

    return read_claims(file)


def products(
    audited: Audited | None, file: Path | str | None = None
) -> dict[str, Product]:
    """The products of a file's claims, and those that ship, by name.

    Args:
        audited: a cell, what is known of it, and whether it was fitted: the materials of
            products that ask for "fitted" ones; none: those that ship.
        file: as for `load`.

    Raises:
        ValueError: as `load`, and for materials or a design that there are not.
    """
    from ._read import read_products

    return read_products(shipped_cell() if audited is None else audited, file)


def reading(product: str, **entry: Any) -> Reading:
    """A reading without a file: `question`, its numbers, and `require`.

    Args:
        product: what is asked, by name.
        entry: as in a file; `text` may be left out.

    Raises:
        ValueError: for what cannot be understood, with what is allowed.
    """
    from ._read import read_reading

    return read_reading(product, entry)


def schema() -> str:
    """JSON Schema of files of claims."""
    from .._file_models import json_schema
    from ._schema import ClaimsFile

    return json_schema(ClaimsFile)


def audited_cell(name: str) -> Audited:
    """A cell by set name or file, with what is known of it.

    Raises:
        ValueError: for a file without a fit.
    """
    if is_set(name):
        known = uncertainty_of_set(found := load_set(name))
        return found.cell, known, False
    cell, extra = read_cell(name)
    if "fit" not in extra:
        raise ValueError(
            f"{name} carries no fit: an audit needs a cell.json written by `naion fit` "
            "or `naion demo`, or a set."
        )
    return cell, Uncertainty.read(name, extra["fit"], cell), True


def shipped_cell() -> Audited:
    """The TU Berlin 18650 as `make study` fitted it."""
    with resources.as_file(resources.files("naion.claims") / "tuberlin.json") as path:
        return audited_cell(str(path))


def chosen(claims: tuple[Claim, ...], names: list[str]) -> tuple[Claim, ...]:
    """Claims whose names are given, or begin with what is given; all if none is.

    Raises:
        KeyError: for a name of no claim.
    """
    if not names:
        return claims
    for name in names:
        if not any(c.name.startswith(name) for c in claims):
            known = ", ".join(c.name for c in claims)
            raise KeyError(f"No claim {name!r}. There are: {known}.")
    return tuple(c for c in claims if c.name.startswith(tuple(names)))
