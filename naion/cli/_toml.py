"""What all TOML files of the command line share."""

import math
import tomllib
from pathlib import Path
from typing import Any

from ..mesh import Mesh


def read_toml(file: Path) -> dict[str, Any]:
    """A TOML file.

    Raises:
        ValueError: when there is none, or when it is not TOML.
    """
    if not file.is_file():
        raise ValueError(f"{file}: no such file.")
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file} is not TOML: {error}") from None


def beside(file: Path, name: str) -> str:
    """A cell named in a TOML file: a set, or a file relative to the TOML file."""
    path = file.parent / name
    return str(path) if path.is_file() else name


def only(entry: dict[str, Any], known: set[str], where: str) -> None:
    unknown = set(entry) - known
    if unknown:
        raise ValueError(
            f"{where}: unknown key {', '.join(sorted(unknown))}; known are "
            f"{', '.join(sorted(known))}."
        )


def number(value: Any, where: str) -> float:
    """A finite number.

    Raises:
        ValueError: for anything else.
    """
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not math.isfinite(value):
        raise ValueError(f"{where}: expected a number, got {value!r}.")
    return float(value)


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


def mesh_of(text: dict[str, Any], file: Path) -> Mesh:
    """The mesh that a file asks for, or the usual one."""
    if "mesh" not in text:
        return Mesh()
    counts = text["mesh"]
    if not isinstance(counts, list) or len(counts) != 4:
        raise ValueError(
            f"{file}: mesh = {counts!r}; expected [n_neg, n_sep, n_pos, n_r]."
        )
    return Mesh(*(count(n, f"{file}, mesh") for n in counts))
