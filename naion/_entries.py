"""Entries of TOML files: texts, numbers, tables, and what is said where they are not so."""

import difflib
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def only(entry: Mapping[str, Any], known: Iterable[str], where: str) -> None:
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


def table(value: Any, where: str, form: str) -> Mapping[str, Any]:
    """A table.

    Raises:
        ValueError: for anything else, with the `form` that is expected.
    """
    if isinstance(value, Mapping):
        return value
    raise ValueError(f"{where} = {_shown(value)}; expected {form}.")


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
            raise ValueError(f"{where}: expected a finite number, got {value}.")
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


def pair(value: Any, where: str) -> tuple[float, float]:
    """Two finite numbers.

    Raises:
        ValueError: for anything else.
    """
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError(
            f"{where}: {_shown(value)}; expected two numbers, lowest and highest."
        )
    low, high = (number(v, f"{where}, number {i + 1}") for i, v in enumerate(value))
    return low, high


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


def _shown(value: Any) -> str:
    said = repr(value)
    return said if len(said) <= 80 else said[:77] + "..."
