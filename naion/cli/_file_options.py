"""The options of commands that read a file."""

import argparse
from collections.abc import Callable
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
