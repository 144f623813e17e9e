"""Claims in files: who said what, and every way in which it can be read."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import equinox as eqx
import numpy as np

from .._entries import number, one_of, only, pair, table, text
from .._files import read_toml
from ..design import load as load_design
from ..design import read_input
from ..fit import Uncertainty, uncertainty_of_set
from ..io import read_cell
from ..parameters import Cell, Sourced, is_set, leaf, load_set
from ._product import Product, Variation
from ._questions import QUESTIONS, Question

FITTED = "fitted"
"""Materials of a product that are those of the audited cell."""


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


def load(file: Path | str | None = None) -> tuple[Claim, ...]:
    """Claims of a TOML file, or those that ship (`naion/claims/claims.toml`).

    Raises:
        ValueError: for a file that cannot be understood, with what is allowed.
    """
    data, name = _data(file)
    products = _products(data)
    return tuple(
        _claim(name, key, entry, products) for key, entry in data["claim"].items()
    )


def products(
    audited: tuple[Cell, Uncertainty, bool] | None, file: Path | str | None = None
) -> dict[str, Product]:
    """The products of a file's claims, and those that ship, by name.

    Args:
        audited: a cell, what is known of it, and whether it was fitted: the materials of
            products that ask for "fitted" ones.
        file: as for `load`.
    """
    data, name = _data(file)
    found, tables = {}, _products(data)
    if audited is None:
        audited = shipped_cell()
    for key, entry in tables.items():
        found[key] = _product(name, key, entry, data, audited)
    return found


def audited_cell(name: str) -> tuple[Cell, Uncertainty, bool]:
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


def shipped_cell() -> tuple[Cell, Uncertainty, bool]:
    """The TU Berlin 18650 as `make study` fitted it."""
    with resources.as_file(resources.files("naion.claims") / "tuberlin.json") as path:
        return audited_cell(str(path))


def _data(file: Path | str | None) -> tuple[dict[str, Any], str]:
    shipped = resources.files("naion.claims").joinpath("claims.toml").read_text("utf-8")
    own = tomllib.loads(shipped)
    if file is None:
        return own, "claims.toml"
    data = read_toml(file)
    claims = table(data.get("claim", {}), f"{file}: claim", "tables [claim.NAME]")
    if not claims:
        raise ValueError(f"{file}: no claims; write them as [claim.NAME].")
    # Products and variations that ship can be used by name.
    for key in ("claim", "product", "variation"):
        form = f"a table [{key}.NAME]"
        given = table(data.get(key, {}), f"{file}: {key}", form)
        for name, entry in given.items():
            table(entry, f"{file}: {key} {name}", form)
        data[key] = given if key == "claim" else {**own[key], **given}
    data["folder"] = str(Path(file).parent)
    return data, str(file)


def _products(data: Mapping[str, Any]) -> Mapping[str, Any]:
    return data.get("product", {})


def _product(
    file: str,
    name: str,
    entry: Mapping[str, Any],
    data: Mapping[str, Any],
    audited: Any,
) -> Product:
    here = f"{file}: product {name}"
    only(entry, ("materials", "design", "designs", "variation", "temperatures"), here)
    materials = text(entry.get("materials", FITTED), f"{here}: materials")
    own_file = entry.get("designs")
    if own_file is not None:
        given = text(own_file, f"{here}: designs")
        own_file = Path(data.get("folder", ".")) / given
    blueprint = None
    try:
        cell, known, fitted = (
            audited if materials == FITTED else audited_cell(materials)
        )
        if "design" in entry:
            design = text(entry["design"], f"{here}: design")
            blueprint = load_design(design, own_file)
            known = _without_design(known)
    except (KeyError, ValueError, FileNotFoundError) as error:
        said = str(error.args[0])
        raise ValueError(said if here in said else f"{here}: {said}") from None
    variations = ()
    if "variation" in entry:
        which = one_of(entry["variation"], data["variation"], f"{here}: variation")
        factors = data["variation"][which].items()
        variations = tuple(_variation(file, cell, k, e) for k, e in factors)
    T = pair(entry.get("temperatures", (25.0, 25.0)), f"{here}: temperatures")
    return Product(name, cell, known, fitted, variations, blueprint, T)


def _without_design(known: Uncertainty) -> Uncertainty:
    """What is known of the materials alone: the rest is the design's to say."""
    vector, keep = known.vector.part(not own for own in known.vector.of_design)
    C = known.covariance[np.ix_(keep, keep)]
    return replace(known, vector=vector, z=known.z[keep], covariance=C)


def _variation(file: str, cell: Cell, name: str, entry: Any) -> Variation:
    here = f"{file}: variation {name}"
    rest = dict(table(entry, here, "an input with paths in the cell"))
    paths = rest.pop("paths", None)
    if not isinstance(paths, list) or not paths:
        raise ValueError(f"{here}: give `paths` in the cell, a list; got {paths!r}.")
    for path in paths:
        try:
            number_there = np.shape(leaf(cell, text(path, f"{here}: paths"))) == ()
        except (KeyError, TypeError) as error:
            raise ValueError(f"{here}: {error.args[0]}") from None
        if not number_there or isinstance(leaf(cell, path), eqx.Module):
            raise ValueError(f"{here}: {path} is not a single number of the cell.")
    return Variation(read_input(file, name, rest), tuple(paths))


def _claim(
    file: str, name: str, entry: Mapping[str, Any], products: Mapping[str, Any]
) -> Claim:
    here = f"{file}: claim {name}"
    words = ("maker", "product", "said", "date", "source", "leaves_out")
    missing = [w for w in words if w not in entry]
    readings = entry.get("reading")
    if missing or not readings:
        what = ", ".join(missing) or "at least one [[claim.NAME.reading]]"
        raise ValueError(f"{here}: give {what}.")
    only(entry, {*words, "reading", "about", "note"}, here)
    if not isinstance(readings, list):
        raise ValueError(
            f"{here}: reading = {readings!r}; expected tables [[claim.{name}.reading]], "
            "with double brackets."
        )
    about = entry.get("about", "")
    made = tuple(_reading(here, r, about, products) for r in readings)
    texts = {w: str(entry[w]) for w in words}
    note = str(entry.get("note", ""))
    return Claim(name, **texts, note=note, readings=made)


def _reading(
    where: str, given: Any, about: Any, products: Mapping[str, Any]
) -> Reading:
    entry = dict(table(given, f"{where}: reading", "a table"))
    kind, said = entry.pop("question", None), entry.pop("text", None)
    if not isinstance(kind, str) or kind not in QUESTIONS or said is None:
        raise ValueError(
            f"{where}: question = {kind!r}, text = {said!r}; expected a text, and one of "
            f"{', '.join(QUESTIONS)}."
        )
    question = QUESTIONS[kind]
    where = f"{where}: {said!r}"
    product, other = entry.pop("about", about), entry.pop("beside", "")
    asked = [p for p in (product, other) if p != ""]
    known = all(isinstance(p, str) and p in products for p in asked)
    if question.simulates and not product or not known:
        raise ValueError(
            f"{where}: about {', '.join(map(str, asked)) or 'nothing'}; products are "
            f"{', '.join(sorted(products))}."
        )
    if question.of_two != bool(other):
        raise ValueError(
            f"{where}: {kind} is asked of {'two products' if question.of_two else 'one'}; "
            f"beside = {other!r}."
        )
    if question.of_design and not all("design" in products[p] for p in asked):
        raise ValueError(f"{where}: {kind} asks for a design; {product} has none.")
    heat = one_of(
        entry.pop("heat", "isothermal"), ("isothermal", "lumped"), f"{where}: heat"
    )
    required = entry.pop("require", [])
    if not isinstance(required, list):
        required = [required]
    requirements = tuple(_requirement(where, r, question) for r in required)
    if not requirements:
        raise ValueError(f"{where}: give at least one `require`.")
    unknown = sorted(set(entry) - set(question.numbers))
    numbers = {k: v for k, v in question.numbers.items() if v is not None}
    missing = sorted(set(question.numbers) - set(numbers) - set(entry))
    if unknown or missing:
        raise ValueError(
            f"{where}: unknown numbers: {', '.join(unknown) or 'none'}; missing: "
            f"{', '.join(missing) or 'none'}; a question of {kind!r} has "
            f"{', '.join(question.numbers)}."
        )
    plain = {k: v for k, v in entry.items() if not isinstance(v, Mapping)}
    fixed = {k: number(v, f"{where}: {k}") for k, v in plain.items()}
    conditions = tuple(
        read_input(where, k, v) for k, v in entry.items() if isinstance(v, Mapping)
    )
    certain = [c for c in conditions if c.range is None]
    fixed |= {c.name: c.median for c in certain}
    conditions = tuple(c for c in conditions if c.range is not None)
    return Reading(
        str(said), kind, product, other, heat, numbers | fixed, conditions, requirements
    )


def reading(product: str, **entry: Any) -> Reading:
    """A reading without a file: `question`, its numbers, and `require`.

    Args:
        product: what is asked, by name.
        entry: as in a file; `text` may be left out.

    Raises:
        ValueError: for what cannot be understood, with what is allowed.
    """
    named = {"text": entry.get("question", "")} | entry
    return _reading("reading", named, product, {product: {"design": ""}})


def _requirement(where: str, given: Any, question: Question) -> Requirement:
    names = [name for name, _ in question.quantities]
    form = f'{{ of = "{names[0]}", at_least = 1.0 }}, or at_most'
    entry = table(given, f"{where}: require", form)
    bounds = {k: v for k, v in entry.items() if k in ("at_least", "at_most")}
    if entry.get("of") not in names or len(bounds) != 1 or len(entry) != 2:
        raise ValueError(
            f"{where}: require = {dict(entry)}; expected `of` one of {names}, and "
            "either `at_least` or `at_most`."
        )
    ((word, bound),) = bounds.items()
    least = number(bound, f"{where}: require: {word}")
    return Requirement(names.index(entry["of"]), least, word == "at_least")


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
