"""What all TOML files of the command line share: texts, numbers, tables and their errors."""

import difflib
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .._files import read_toml
from ..mesh import Mesh

__all__ = [
    "beside",
    "celsius",
    "count",
    "mesh_of",
    "number",
    "numbers",
    "one_of",
    "only",
    "read_toml",
    "tables",
    "text",
    "within",
]

FINEST = 400
"""Volumes of a region, or shells, at most. Errors of the mesh fall with the square of the
counts and are below those of any measurement at a tenth of this; time and memory grow."""

MOST_SHELLS = 20_000
"""Shells of all particles together at most: twenty times the usual mesh."""


def beside(file: Path, name: str) -> str:
    """A cell named in a TOML file: a set, or a file relative to the TOML file."""
    path = file.parent / name
    return str(path) if path.is_file() else name


def only(entry: dict[str, Any], known: Iterable[str], where: str) -> None:
    """No other keys than these.

    Raises:
        ValueError: naming unknown keys, and the nearest known ones.
    """
    known = sorted(known)
    unknown = sorted(set(entry) - set(known))
    if unknown:
        near = difflib.get_close_matches(unknown[0], known, n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        raise ValueError(
            f"{where}: unknown key {', '.join(unknown)}; known are "
            f"{', '.join(known)}.{meant}"
        )


def tables(file_text: dict[str, Any], key: str, file: Path) -> list[dict[str, Any]]:
    """The tables `[[key]]` of a file; none: an empty list.

    Raises:
        ValueError: for anything else under that name.
    """
    found = file_text.get(key, [])
    if isinstance(found, list) and all(isinstance(entry, dict) for entry in found):
        return found
    raise ValueError(
        f"{file}: expected tables [[{key}]], with double brackets, got "
        f"{f'one table [{key}]' if isinstance(found, dict) else f'{key} = {found!r}'}."
    )


def one_of(value: Any, known: Iterable[str], where: str) -> str:
    """One of some words.

    Raises:
        ValueError: for anything else, naming the nearest.
    """
    known = list(known)
    if isinstance(value, str) and value in known:
        return value
    near = difflib.get_close_matches(str(value), known, n=1)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"{where} = {value!r}; known are {', '.join(known)}.{meant}")


def text(value: Any, where: str) -> str:
    """A text that is not empty.

    Raises:
        ValueError: for anything else.
    """
    if not isinstance(value, str) or not value:
        raise ValueError(f"{where}: expected a text, got {value!r}.")
    return value


def number(value: Any, where: str) -> float:
    """A finite number.

    Raises:
        ValueError: for anything else.
    """
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            given = float(value)
            if math.isfinite(given):
                return given
    except OverflowError:
        raise ValueError(f"{where}: the number is too large.") from None
    raise ValueError(f"{where}: expected a number, got {value!r}.")


def within(value: Any, low: float, high: float, where: str, why: str = "") -> float:
    """A number from `low` to `high`.

    Raises:
        ValueError: for anything else.
    """
    given = number(value, where)
    if not low <= given <= high:
        raise ValueError(f"{where}: {given:g}; expected {low:g} to {high:g}{why}.")
    return given


def numbers(value: Any, where: str) -> list[float]:
    """A list of finite numbers, of one at least.

    Raises:
        ValueError: for anything else.
    """
    if not isinstance(value, list) or not value:
        raise ValueError(f"{where}: expected a list of numbers, got {value!r}.")
    return [number(v, f"{where}, number {i + 1}") for i, v in enumerate(value)]


def count(value: Any, where: str) -> int:
    """A whole number above zero.

    Raises:
        ValueError: for anything else.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{where}: expected a whole number above 0, got {value!r}.")
    return value


def celsius(value: Any, where: str) -> float:
    """A temperature of a cell in degC.

    Raises:
        ValueError: for anything else, such as one in kelvin.
    """
    given = number(value, where)
    if not -100.0 < given < 150.0:
        raise ValueError(
            f"{where}: {given:g} is not a temperature in degC between -100 and 150. Is "
            "it in kelvin?"
        )
    return given


def mesh_of(file_text: dict[str, Any], file: Path) -> Mesh:
    """The mesh that a file asks for, or the usual one.

    Raises:
        ValueError: for what is not four counts, or a mesh finer than any use.
    """
    if "mesh" not in file_text:
        return Mesh()
    counts = file_text["mesh"]
    if not isinstance(counts, list) or len(counts) != 4:
        raise ValueError(
            f"{file}: mesh = {counts!r}; expected [n_neg, n_sep, n_pos, n_r]."
        )
    for n in counts:
        if count(n, f"{file}, mesh") > FINEST:
            raise ValueError(
                f"{file}, mesh: {n} is more than {FINEST}; the errors of a mesh are below "
                "those of any measurement at a tenth of this."
            )
    shells = (counts[0] + counts[2]) * counts[3]
    if shells > MOST_SHELLS:
        raise ValueError(
            f"{file}, mesh: (n_neg + n_pos) n_r is {shells}; more than {MOST_SHELLS} take "
            "hours and gigabytes for digits that no measurement has."
        )
    try:
        return Mesh(*counts)
    except ValueError as error:
        raise ValueError(f"{file}, mesh: {error}") from None
