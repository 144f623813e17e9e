"""Claims in files: who said what, and every way in which it can be read."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from .._files import read_toml
from ..design import Input, read_input
from ..design import load as load_design
from ..io import read_cell
from ..parameters import Cell, available, load_set
from ..predict import Uncertainty, uncertainty_of_set
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
    conditions: tuple[Input, ...]
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
        _claim(name, key, table, products) for key, table in data["claim"].items()
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
    for key, table in tables.items():
        found[key] = _product(name, key, table, data, audited)
    return found


def audited_cell(name: str) -> tuple[Cell, Uncertainty, bool]:
    """A cell by set name or file, with what is known of it.

    Raises:
        ValueError: for a file without a fit.
    """
    if name in available():
        known = uncertainty_of_set(found := load_set(name))
        return found.cell, known, False
    cell, extra = read_cell(name)
    if "fit" not in extra:
        raise ValueError(
            f"{name} carries no fit: an audit needs a cell.json written by `naion fit` "
            "or `naion demo`, or the name of a set."
        )
    return cell, Uncertainty.from_json(extra["fit"]), True


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
    if not data.get("claim"):
        raise ValueError(f"{file}: no claims; write them as [claim.NAME].")
    # Products and variations that ship can be used by name.
    for key in ("product", "variation"):
        data[key] = own[key] | data.get(key, {})
    data["folder"] = str(Path(file).parent)
    return data, str(file)


def _products(data: Mapping[str, Any]) -> Mapping[str, Any]:
    return data.get("product", {})


def _product(file: str, name: str, table: Mapping[str, Any], data, audited) -> Product:
    known = {"materials", "design", "designs", "variation", "temperatures"}
    if unknown := sorted(set(table) - known):
        raise ValueError(
            f"{file}: product {name}: {', '.join(unknown)} unknown; known are "
            f"{', '.join(sorted(known))}."
        )
    materials = table.get("materials", FITTED)
    own = audited if materials == FITTED else audited_cell(materials)
    cell, known_of, fitted = own
    own_file = table.get("designs")
    if own_file is not None:
        own_file = Path(data.get("folder", ".")) / own_file
    blueprint = None
    if "design" in table:
        blueprint = load_design(table["design"], own_file)
        cell, known_of = _without_design(cell, known_of)
    variations = ()
    if "variation" in table:
        entries = data["variation"].get(table["variation"])
        if entries is None:
            raise ValueError(
                f"{file}: product {name}: no variation {table['variation']!r}; there "
                f"are {', '.join(data['variation'])}."
            )
        variations = tuple(_variation(file, k, e) for k, e in entries.items())
    low, high = table.get("temperatures", (25.0, 25.0))
    return Product(name, cell, known_of, fitted, variations, blueprint, (low, high))


DESIGNED = ("thickness", "porosity", "active_fraction", "c_max", "efficiency", "area")
DESIGNED = (*DESIGNED, "charged", "published", "mass", "cooling", "nominal_capacity")
"""Last words of numbers that a design replaces."""


def _without_design(cell: Cell, known: Uncertainty) -> tuple[Cell, Uncertainty]:
    """What is known of the materials alone: the rest is the design's to say."""
    from ..fit import Subject
    from ..fit._free import sizes

    keep, free, start = [], [], 0
    for f, n in zip(known.free, sizes(known.free, Subject(cell, [0.0])), strict=True):
        words = f.name.replace("_efficiency", ".efficiency").split(".")
        if not any(w in DESIGNED for w in words):
            keep += range(start, start + n)
            free.append(f)
        start += n
    C = known.covariance[keep][:, keep]
    return cell, Uncertainty(tuple(free), known.z[keep], C, known.discrepancy)


def _variation(file: str, name: str, entry: Mapping[str, Any]) -> Variation:
    paths = tuple(entry.get("paths", ()))
    if not paths:
        raise ValueError(f"{file}: variation {name}: give `paths` in the cell.")
    rest = {k: v for k, v in entry.items() if k != "paths"}
    made = read_input(file, name, rest)
    return Variation(made, paths)


def _claim(
    file: str, name: str, table: Mapping[str, Any], products: Mapping[str, Any]
) -> Claim:
    words = ("maker", "product", "said", "date", "source", "leaves_out")
    missing = [w for w in words if w not in table]
    if missing or not table.get("reading"):
        what = ", ".join(missing) or "at least one [[claim.NAME.reading]]"
        raise ValueError(f"{file}: claim {name}: give {what}.")
    unknown = sorted(set(table) - {*words, "reading", "about", "note"})
    if unknown:
        raise ValueError(f"{file}: claim {name}: {', '.join(unknown)} unknown.")
    about = table.get("about", "")
    readings = tuple(
        _reading(f"{file}: claim {name}", r, about, products) for r in table["reading"]
    )
    texts = {w: str(table[w]) for w in words}
    return Claim(name, **texts, note=table.get("note", ""), readings=readings)


def _reading(
    where: str, table: Mapping[str, Any], about: str, products: Mapping[str, Any]
) -> Reading:
    table = dict(table)
    kind, text = table.pop("question", None), table.pop("text", None)
    if kind not in QUESTIONS or text is None:
        raise ValueError(
            f"{where}: question = {kind!r}, text = {text!r}; expected a text, and one of "
            f"{', '.join(QUESTIONS)}."
        )
    question = QUESTIONS[kind]
    where = f"{where}: {text!r}"
    product, other = table.pop("about", about), table.pop("beside", "")
    asked = {product, other} - {""}
    if question.simulates and not product or not asked <= set(products):
        raise ValueError(
            f"{where}: about {', '.join(sorted(asked)) or 'nothing'}; products are "
            f"{', '.join(sorted(products))}."
        )
    if question.of_two != bool(other):
        raise ValueError(
            f"{where}: {kind} is asked of {'two products' if question.of_two else 'one'}; "
            f"beside = {other!r}."
        )
    if question.of_design and not all("design" in products[p] for p in asked):
        raise ValueError(f"{where}: {kind} asks for a design; {product} has none.")
    heat = table.pop("heat", "isothermal")
    if heat not in ("isothermal", "lumped"):
        raise ValueError(f"{where}: heat = {heat!r}; expected isothermal or lumped.")
    requirements = tuple(
        _requirement(where, r, question) for r in table.pop("require", ())
    )
    if not requirements:
        raise ValueError(f"{where}: give at least one `require`.")
    unknown = sorted(set(table) - set(question.numbers))
    numbers = {k: v for k, v in question.numbers.items() if v is not None}
    missing = sorted(set(question.numbers) - set(numbers) - set(table))
    if unknown or missing:
        raise ValueError(
            f"{where}: unknown numbers: {', '.join(unknown) or 'none'}; missing: "
            f"{', '.join(missing) or 'none'}; a question of {kind!r} has "
            f"{', '.join(question.numbers)}."
        )
    fixed = {k: float(v) for k, v in table.items() if not isinstance(v, Mapping)}
    conditions = tuple(
        read_input(where, k, v) for k, v in table.items() if isinstance(v, Mapping)
    )
    certain = [c for c in conditions if c.range is None]
    fixed |= {c.name: c.value for c in certain}
    conditions = tuple(c for c in conditions if c.range is not None)
    return Reading(
        text, kind, product, other, heat, numbers | fixed, conditions, requirements
    )


def reading(product: str, **table: Any) -> Reading:
    """A reading without a file: `question`, its numbers, and `require`.

    Args:
        product: what is asked, by name.
        table: as in a file; `text` may be left out.

    Raises:
        ValueError: for what cannot be understood, with what is allowed.
    """
    named = {"text": table.get("question", "")} | table
    return _reading("reading", named, product, {product: {"design": ""}})


def _requirement(where: str, entry: Mapping[str, Any], question: Question):
    names = [name for name, _ in question.quantities]
    bounds = {k: v for k, v in entry.items() if k in ("at_least", "at_most")}
    if entry.get("of") not in names or len(bounds) != 1 or len(entry) != 2:
        raise ValueError(
            f"{where}: require = {dict(entry)}; expected `of` one of {names}, and "
            "either `at_least` or `at_most`."
        )
    ((word, bound),) = bounds.items()
    return Requirement(names.index(entry["of"]), float(bound), word == "at_least")


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
