"""The options of commands that read files: TOML, and measured ones."""

import argparse
import glob
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ._keys import as_text, key_tables


def file_options(
    p: argparse.ArgumentParser,
    about: str | None,
    schema: Callable[[], str],
    topic: str | None = None,
    *,
    out: str = "folder to write",
    required: bool = True,
) -> None:
    """Add a TOML file, `--out` and `--schema` to a command.

    Args:
        p: of the command.
        about: what its help shows, line by line.
        schema: gives the JSON Schema of its files.
        topic: of `naion docs`; help then ends with all keys of the file.
        out: what `--out` is.
        required: whether the command does nothing without a file and `--out`.
    """
    p.description = about
    if topic is not None:
        keys = as_text(key_tables(schema()))
        p.epilog = f"All keys (naion docs {topic}):\n\n{keys}".replace("%", "%%")
    p.formatter_class = argparse.RawDescriptionHelpFormatter
    p.add_argument("file", type=Path, nargs=None if required else "?", help="TOML file")
    p.add_argument("--out", type=Path, required=required, help=out)
    schema_option(p, schema)


def schema_option(p: argparse.ArgumentParser, schema: Callable[[], str]) -> None:
    """Add `--schema`, which prints the JSON Schema of a command's file and ends, as
    `--help` does: nothing else has to be given."""

    class Printed(argparse.Action):
        def __call__(self, parser: Any, *rest: Any) -> None:
            print(schema())
            parser.exit()

    p.add_argument(
        "--schema", action=Printed, nargs=0, help="print the JSON Schema of such files"
    )


def reading_options(p: argparse._ActionsContainer, spectra: bool = True) -> None:
    """Add how measured files are to be read.

    Args:
        p: of the command.
        spectra: whether they may be impedance.
    """
    p.add_argument("--format", help="whose labels the file has; else it is found out")
    pairs = {"nargs": "+", "default": [], "metavar": "QUANTITY=..."}
    p.add_argument("--column", help='such as current="I_cell"', **pairs)
    p.add_argument("--unit", help="such as current=mA time=clock", **pairs)
    p.add_argument(
        "--positive", help="a positive current is a charge, discharge or state"
    )
    if spectra:
        p.add_argument(
            "--imaginary",
            choices=("Im", "-Im"),
            help="of impedance, what the imaginary column holds: --imaginary=-Im",
        )
    p.add_argument("--sheet", help="of a spreadsheet, by name")


def reading_of(arguments: argparse.Namespace) -> dict:
    """Arguments of `read_data` or `read_spectra`, those that are given.

    Raises:
        ValueError: for a pair without an equals sign.
    """
    given = {
        "format": arguments.format,
        "columns": _pairs(arguments.column, "--column"),
        "units": _pairs(arguments.unit, "--unit"),
        "positive": arguments.positive,
        "imaginary": getattr(arguments, "imaginary", None),
        "sheet": arguments.sheet,
    }
    return {key: value for key, value in given.items() if value}


def refuse_reading(reading: dict) -> None:
    """Raise for options of `reading_of` where no measured file is read.

    Raises:
        ValueError: naming the first.
    """
    names = {"columns": "column", "units": "unit"}
    key = next(iter(reading))
    raise ValueError(
        f"--{names.get(key, key)} says how a --profile is read, and none is given."
    )


def _pairs(texts: list[str], option: str) -> dict[str, str]:
    pairs = {}
    for text in texts:
        quantity, equals, value = text.partition("=")
        if not equals or not value:
            raise ValueError(
                f'{option} {text}: expected a pair such as current="I / mA".'
            )
        if quantity.strip() in pairs:
            raise ValueError(
                f"{option} {text}: {quantity.strip()} is given twice, "
                f"{pairs[quantity.strip()]!r} before; expected it once."
            )
        pairs[quantity.strip()] = value.strip()
    return pairs


def files_named(given: Sequence[Path]) -> list[Path]:
    """The files that are named, with those that a pattern such as "cells/*.txt" matches.

    A shell puts them in its place; in quotes, and in Windows, it does not.

    Raises:
        ValueError: for a file that there is not, or a pattern that matches none.
    """
    found: list[Path] = []
    for path in given:
        if path.exists() or not re.search(r"[*?\[]", str(path)):
            if not path.is_file():
                there = "is not a file" if path.exists() else "no such file"
                raise ValueError(f"{path}: {there}.")
            found.append(path)
            continue
        matched = sorted(Path(p) for p in glob.glob(str(path), recursive=True))
        matched = [p for p in matched if p.is_file()]
        if not matched:
            raise ValueError(f"{path}: no file matches this pattern.")
        found += matched
    return found
