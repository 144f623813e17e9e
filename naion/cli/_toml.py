"""What all TOML files of the command line share."""

import tomllib
from pathlib import Path
from typing import Any


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
