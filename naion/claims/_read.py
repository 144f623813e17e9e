"""Claims and products from TOML files."""

import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import equinox as eqx
import numpy as np

from .._file_models import checked
from .._files import read_toml
from ..cost import LITHIUM, PriceList
from ..cost import load as load_prices
from ..design import load as load_design
from ..design import sourced
from ..parameters import Cell, Sourced, leaf
from ._audited import audited_cell
from ._claims import FITTED, Audited, Claim, Reading, Requirement
from ._product import Product, Variation
from ._questions import QUESTIONS
from ._schema import ClaimsFile, ClaimTable, Factor, ProductTable, Readings

Products = Mapping[str, ProductTable]


def read_claims(file: Path | str | None) -> tuple[Claim, ...]:
    """See `naion.claims.load`."""
    data, name = _data(file)
    return tuple(
        _claim(f"{name}: claim {key}", key, entry, data.product)
        for key, entry in data.claim.items()
    )


def read_products(audited: Audited, file: Path | str | None) -> dict[str, Product]:
    """See `naion.claims.products`."""
    data, name = _data(file)
    return {
        key: _product(Path(name), key, entry, data, audited)
        for key, entry in data.product.items()
    }


def read_reading(product: str, entry: Mapping[str, Any]) -> Reading:
    """See `naion.claims.reading`."""
    named = {"text": str(entry.get("question"))} | dict(entry)
    given = checked(Readings, {"reading": [named]}, "claims.reading")
    # A question that needs no product is asked of "".
    products = {product: ProductTable(design=product)} if product else {}
    return _reading("reading", given.reading[0], product, products)


def _data(file: Path | str | None) -> tuple[ClaimsFile, str]:
    """What a file says, with the products and variations that ship, and its name."""
    shipped = resources.files("naion.claims").joinpath("claims.toml").read_text("utf-8")
    own = checked(ClaimsFile, tomllib.loads(shipped), "claims.toml")
    if file is None:
        return own, "claims.toml"
    data = checked(ClaimsFile, read_toml(file), file)
    together = {
        "product": own.product | data.product,
        "variation": own.variation | data.variation,
    }
    return data.model_copy(update=together), str(file)


def _product(
    file: Path, name: str, entry: ProductTable, data: ClaimsFile, audited: Audited
) -> Product:
    here = f"{file}: product {name}"
    own_file = None if entry.designs is None else file.parent / entry.designs
    blueprint = None
    try:
        cell, known, fitted = (
            audited if entry.materials == FITTED else audited_cell(entry.materials)
        )
        if entry.design is not None:
            blueprint = load_design(entry.design, own_file)
            known = known.of_materials
    except (KeyError, ValueError, FileNotFoundError) as error:
        raise ValueError(f"{here}: {error.args[0]}") from None
    variations = ()
    if entry.variation is not None:
        if entry.variation not in data.variation:
            raise ValueError(
                f"{here}: variation = {entry.variation!r}; known are "
                f"{', '.join(data.variation)}."
            )
        factors = data.variation[entry.variation].items()
        variations = tuple(
            _variation(f"{file}: variation {k}", cell, k, f) for k, f in factors
        )
    return Product(
        name,
        entry.materials,
        cell,
        known,
        fitted,
        variations,
        blueprint,
        entry.temperatures,
    )


def _variation(here: str, cell: Cell, name: str, factor: Factor) -> Variation:
    for path in factor.paths:
        try:
            number_there = np.shape(leaf(cell, path)) == ()
        except (KeyError, TypeError) as error:
            raise ValueError(f"{here}: {error.args[0]}") from None
        if not number_there or isinstance(leaf(cell, path), eqx.Module):
            raise ValueError(f"{here}: {path} is not a single number of the cell.")
    return Variation(sourced(here, name, factor), tuple(factor.paths))


def _claim(here: str, name: str, entry: ClaimTable, products: Products) -> Claim:
    made = tuple(_reading(here, r, entry.about, products) for r in entry.reading)
    texts = entry.model_dump(exclude={"about", "reading"})
    return Claim(name, **texts, readings=made)


def _reading(where: str, entry: Any, about: str | None, products: Products) -> Reading:
    """A reading from its table, which is that of its question."""
    question = QUESTIONS[entry.question]
    where = f"{where}: {entry.text!r}"
    product, other = entry.about or about or "", entry.beside or ""
    asked = [p for p in (product, other) if p]
    if question.simulates and not product or not all(p in products for p in asked):
        raise ValueError(
            f"{where}: about {', '.join(asked) or 'nothing'}; products are "
            f"{', '.join(sorted(products))}."
        )
    if question.of_two != bool(other):
        raise ValueError(
            f"{where}: {entry.question} is asked of "
            f"{'two products' if question.of_two else 'one'}; beside = {other!r}."
        )
    if question.of_design and any(products[p].design is None for p in asked):
        raise ValueError(
            f"{where}: {entry.question} asks for a design; {product} has none."
        )
    given = {name: getattr(entry, name) for name in question.numbers}
    uncertain = [
        sourced(where, name, x)
        for name, x in given.items()
        if not isinstance(x, float | int)
    ]
    numbers = given | {c.name: c.median for c in uncertain}
    for c in uncertain:
        if c.range is not None:
            del numbers[c.name]
    conditions = tuple(c for c in uncertain if c.range is not None)
    prices = _prices(where, entry.prices) if question.of_prices else None
    if prices is not None:
        numbers, conditions = _with_prices(prices, numbers, conditions)
    for r in entry.require:
        missing = [k for k in question.needs.get(r.of, ()) if k in numbers]
        missing = [k for k in missing if np.isnan(numbers[k])]
        if missing:
            raise ValueError(f"{where}: {r.of} needs {', '.join(missing)}: give them.")
    return Reading(
        entry.text,
        entry.question,
        product,
        other,
        entry.heat,
        numbers,
        conditions,
        tuple(_requirement(r, question.quantities) for r in entry.require),
        prices,
    )


def _prices(where: str, name: str) -> PriceList:
    try:
        return load_prices(name)
    except KeyError as error:
        raise ValueError(f"{where}: {error.args[0]}") from None


def _with_prices(
    prices: PriceList, numbers: dict[str, float], conditions: tuple[Sourced, ...]
) -> tuple[dict[str, float], tuple[Sourced, ...]]:
    """A reading's own numbers beside those of a list, whose uncertain ones are drawn."""
    own = {k: x for k, x in numbers.items() if k != LITHIUM or not np.isnan(x)}
    drawn = {s.name for s in prices.uncertain}
    # A reading may say that lithium's price is uncertain; a list does not.
    given = {*drawn, *(c.name for c in conditions)}
    listed = {n: x for n, x in prices.likeliest.items() if n not in given}
    return listed | own, (*conditions, *prices.uncertain)


def _requirement(entry: Any, quantities: tuple[tuple[str, str], ...]) -> Requirement:
    at_least = entry.at_least is not None
    bound = entry.at_least if at_least else entry.at_most
    names = [name for name, _ in quantities]
    return Requirement(names.index(entry.of), bound, at_least)
