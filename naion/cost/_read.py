"""Price lists from TOML files."""

import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import numpy as np

from .._file_models import checked
from .._files import read_toml
from ..parameters import Sourced
from ._materials import materials
from ._prices import LITHIUM, PriceList, Quoted
from ._schema import Entry, Lists, ListTable, Quotes

NEEDED = {
    "making": ("area", "energy", "cell", "cell_exponent", "overhead"),
    "yields": ("active", "foil", "separator", "electrolyte", "cell"),
    "share": ("salt", "lithium_loss", "positive_binder", "negative_binder"),
    "price": (
        *("aluminium_foil", "copper_foil", "separator", "positive_binder"),
        *("negative_binder", "carbon_black"),
    ),
}
"""Entries that every list has, or takes over."""

UNITS = {
    "making.area": ("USD/m2",),
    "making.coat": ("USD/kg",),
    "making.energy": ("USD/kWh",),
    "making.cell": ("USD/cell",),
    "making.cell_exponent": ("-",),
    "making.overhead": ("-",),
    "price.separator": ("USD/m2",),
    "price.aluminium_foil": ("USD/kg", "USD/m2"),
    "price.copper_foil": ("USD/kg", "USD/m2"),
    "price.electrolyte_li": ("USD/kg", "USD/L"),
    "price.electrolyte_na": ("USD/kg", "USD/L"),
    LITHIUM: ("USD/kg",),
}
"""In which a number may be given; other prices are by the kilogram."""

MOST = {"USD/kg": 1000.0, "USD/L": 1000.0, "USD/m2": 1000.0, "kg/kg": 2.0, "-": 2.0}
"""Above which a number of a list was meant in other units."""

OTHERS = (
    *("electrolyte_li", "electrolyte_na", "aluminium_can", "steel_can", "laminate"),
)


def read_tables(file: Path | str | None) -> dict[str, dict[str, ListTable]]:
    """Lists of a file, or those that ship, each as the chain of what it is like.

    The chain begins with the list itself.

    Raises:
        ValueError: naming file, table and key, what is there and what was expected.
    """
    shipped = resources.files("naion.cost").joinpath("prices.toml").read_text("utf-8")
    known = checked(Lists, tomllib.loads(shipped), "prices.toml").root
    name_of_file = "prices.toml" if file is None else str(file)
    own = known if file is None else checked(Lists, read_toml(file), name_of_file).root
    known = {**known, **own}
    return {name: _chain(name_of_file, known, name) for name in own}


def _chain(
    file: str, known: Mapping[str, ListTable], name: str
) -> dict[str, ListTable]:
    chain = {name: known[name]}
    while (like := known[name].like) is not None:
        if like in chain or like not in known:
            others = ", ".join(key for key in known if key not in chain)
            raise ValueError(
                f"{file}: {name}: like = {like!r}; expected another of {others}."
            )
        chain[like] = known[like]
        name = like
    return chain


def read_list(name: str, chain: Mapping[str, ListTable], file: str) -> PriceList:
    """A price list from its table and those that it is like.

    Raises:
        ValueError: for what is missing, unknown, or not in a unit of its kind.
    """
    where = f"{file}: {name}"
    entries: dict[str, Entry] = {}
    for table in reversed(list(chain.values())):
        entries |= _flat(table)
    parts = {n for m in materials().values() for n in (m.name, *m.made_from)}
    items = {*parts, *NEEDED["price"], *OTHERS}
    known = {f"price.{i}" for i in items} | {LITHIUM, "making.coat"}
    known |= {f"{g}.{i}" for g, names in NEEDED.items() for i in names}
    for key in entries:
        if key not in known:
            raise ValueError(
                f"{where}: unknown entry {key}; known are {', '.join(sorted(known))}."
            )
    needed = [LITHIUM, *(f"{g}.{i}" for g, names in NEEDED.items() for i in names)]
    missing = [key for key in needed if key not in entries]
    if missing:
        raise ValueError(
            f"{where}: give {', '.join(missing)} too, or be `like` a list that does."
        )
    numbers = {key: _sourced(where, key, entry) for key, entry in entries.items()}
    dates = {key: entry.date for key, entry in entries.items()}
    carbonate = {
        key: entry.carbonate
        for key, entry in entries.items()
        if entry.carbonate is not None
    }
    first = chain[name]
    return PriceList(name, first.title, first.date, numbers, dates, carbonate)


def read_quotes() -> tuple[Quoted, ...]:
    """See `naion.cost.lithium_quotes`."""
    text = resources.files("naion.cost").joinpath("lithium.toml").read_text("utf-8")
    found = checked(Quotes, tomllib.loads(text), "lithium.toml").quote
    return tuple(Quoted(**dict(q)) for q in found)


def _flat(table: ListTable) -> dict[str, Entry]:
    groups = (
        ("price", table.price),
        ("making", table.making),
        ("yields", table.yields),
        ("share", table.share),
    )
    found = {f"{g}.{i}": entry for g, group in groups for i, entry in group.items()}
    if table.lithium_carbonate is not None:
        found[LITHIUM] = table.lithium_carbonate
    return found


def _sourced(where: str, key: str, entry: Entry) -> Sourced:
    usual = {"price": ("USD/kg",), "share": ("kg/kg", "-")}
    units = UNITS.get(key, usual.get(key.partition(".")[0], ("-",)))
    if entry.unit not in units:
        raise ValueError(
            f"{where}: {key} in {entry.unit}; expected {' or '.join(units)}."
        )
    top = entry.value if entry.range is None else entry.range[1]
    low = entry.value if entry.range is None else entry.range[0]
    if key.startswith("yields.") and not 0.0 < low <= top <= 1.0:
        raise ValueError(f"{where}: {key}: expected yields above 0, of at most 1.")
    if low < 0.0:
        raise ValueError(f"{where}: {key}: expected a range of at least 0.")
    most = MOST.get(entry.unit, np.inf)
    if max(top, entry.carbonate or 0.0) > most:
        raise ValueError(
            f"{where}: {key}: {max(top, entry.carbonate or 0.0):g} {entry.unit}; expected "
            f"at most {most:g}. Is it by the tonne, in another currency, or in percent?"
        )
    words = "triangular" if entry.range is not None else None
    level = None if entry.range is None else 0.9
    given = key, entry.value, entry.unit, entry.quality, entry.source
    try:
        return Sourced(*given, range=entry.range, level=level, distribution=words)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
