"""Designs from TOML files."""

import dataclasses
import functools as ft
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from .._file_models import checked
from .._files import read_toml
from ..parameters import Sourced
from ._blueprint import HOUSINGS, NAMES, Blueprint, sourced
from ._schema import Designs, Like, Number, Words

Said = tuple[dict[str, Any], dict[str, Number]]
"""What a design says in words, and its numbers by name."""


def read_tables(file: Path | str | None) -> dict[str, Said]:
    """The designs of a file, or those that ship, each with what it takes over.

    Raises:
        ValueError: naming file, table and key, what is there and what was expected.
    """
    shipped = resources.files("naion.design").joinpath("designs.toml")
    data = tomllib.loads(shipped.read_text("utf-8"))
    name_of_file = "designs.toml" if file is None else str(file)
    own = data if file is None else read_toml(file)
    # What ships can be taken over by name.
    known = {name: _said(data, name, "designs.toml") for name in data}
    known |= {name: _said(own, name, name_of_file) for name in own}
    return {name: _with_likeness(name_of_file, known, name) for name in own}


def _said(data: Mapping[str, Any], name: str, file: str) -> Said:
    """What one design of a file says; its numbers in the order of the file."""
    table = checked(Designs, {name: data[name]}, file).root[name]
    words = table.model_dump(include=set(Like.model_fields), exclude_unset=True)
    names = [key for key in _flat(data[name]) if key in NAMES]
    return words, {key: ft.reduce(getattr, key.split("."), table) for key in names}


def read(
    name: str, words: Mapping[str, Any], numbers: Mapping[str, Number]
) -> Blueprint:
    """A design from what its table says.

    Raises:
        ValueError: for numbers that are missing, or that no such cell has.
    """
    known = Words(**words)
    inputs = {key: sourced(name, key, entry) for key, entry in numbers.items()}
    of_housing = {f.name for f in dataclasses.fields(HOUSINGS[known.format])}
    foreign = [
        key
        for key in inputs
        if key.startswith("housing.") and key[8:] not in of_housing
    ]
    if foreign:
        raise ValueError(
            f"{name}: a {known.format} has no {', '.join(foreign)}; it has "
            f"{', '.join(sorted(of_housing))}."
        )
    missing = [n for n in _needed(known.format, inputs) if n not in inputs]
    if missing:
        raise ValueError(f"{name}: give {', '.join(missing)} too.")
    found = Blueprint(name, inputs=inputs, **dict(known))
    stack = found.design().stack
    for side in ("positive", "negative"):
        porosity = float(getattr(stack, side).porosity)
        if not 0.0 < porosity < 1.0:
            raise ValueError(
                f"{name}: the {side} coat would be {100.0 * porosity:.0f} % pores: "
                f"{side}.density must be below that of what it is made of."
            )
    return found


def _needed(housing: str, inputs: Mapping[str, Sourced]) -> list[str]:
    size = ["diameter"] if housing == "cylinder" else ["width", "depth"]
    needed = [n for n in NAMES[:10] if n != "negative.loading"]
    needed += ["positive.first_charge", "negative.efficiency"]
    needed += [n for n in NAMES if n.endswith("thickness") or n.startswith("separator")]
    needed += ["overhang", "overfill", "electrolyte_density", "utilisation"]
    needed += [f"housing.{n}" for n in (*size, "height", "fittings")]
    if "n_to_p" not in inputs:
        needed.append("negative.loading")
    if "housing.filling" not in inputs:
        needed.append("area")
    return needed


def _flat(table: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Tables in tables as one, with dotted names."""
    found: dict[str, Any] = {}
    for key, entry in table.items():
        if isinstance(entry, Mapping) and "value" not in entry:
            found |= _flat(entry, f"{above}{key}.")
        else:
            found[above + key] = entry
    return found


def _with_likeness(
    file: str, known: Mapping[str, Said], name: str, to: tuple[str, ...] = ()
) -> Said:
    """What a design says, with what it takes over from the one it is `like`.

    Args:
        file: for messages.
        known: what designs say, by name.
        name: of the design.
        to: designs that are like it, so that no two are like each other.
    """
    words, numbers = dict(known[name][0]), known[name][1]
    like = words.pop("like", None)
    if like is None:
        return words, numbers
    if like in (name, *to) or like not in known:
        others = ", ".join(key for key in known if key not in (name, *to))
        raise ValueError(
            f"{file}: {name}: like = {like!r}; expected another of {others}."
        )
    base_words, base = _with_likeness(file, known, like, (name, *to))
    base = dict(base)
    if words.get("format", base_words.get("format")) != base_words.get("format"):
        base = {k: x for k, x in base.items() if not k.startswith("housing.")}
    # One says how much negative there is, or how much area: not both.
    for one, other in (("n_to_p", "negative.loading"), ("area", "housing.filling")):
        if one in numbers:
            base.pop(other, None)
        elif other in numbers:
            base.pop(one, None)
    return base_words | words, base | numbers
