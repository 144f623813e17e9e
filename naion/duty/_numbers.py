"""Sourced numbers of vehicles and systems, from TOML tables, in SI."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._files import read_toml
from ..parameters import Sourced

LEVEL = 0.9
"""Probability that a number lies in its range."""

FACTORS = {"kW": ("W", 1e3), "kWh": ("J", 3.6e6), "kg/m3": ("kg.m-3", 1.0)}
FACTORS |= {"h": ("s", 3600.0), "min": ("s", 60.0), "Ah": ("C", 3600.0)}
"""Units of the files, and what they are in SI."""

Numbers = Mapping[str, Sourced]


@functools.cache
def tables(file: str) -> dict[str, dict[str, Any]]:
    """All tables of a file of this package; numbers are `Sourced`, in SI."""
    data = read_toml(Path(__file__).with_name(file))
    return {
        of: {
            name: _sourced(f"{of}.{name}", given) if isinstance(given, dict) else given
            for name, given in table.items()
        }
        for of, table in data.items()
    }


def _sourced(name: str, given: Mapping[str, Any]) -> Sourced:
    unit, factor = FACTORS.get(given["unit"], (given["unit"], 1.0))
    low_high = given.get("range")
    ends = None if low_high is None else tuple(factor * x for x in low_high)
    return Sourced(
        name,
        factor * given["value"],
        unit,
        given["quality"],
        given["source"],
        range=ends,
        level=None if ends is None else LEVEL,
    )


def numbers_of(table: Mapping[str, Any]) -> tuple[Sourced, ...]:
    """The numbers of a table, without its texts."""
    return tuple(x for x in table.values() if isinstance(x, Sourced))
