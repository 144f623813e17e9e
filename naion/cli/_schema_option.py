"""The option `--schema` of commands that read a file."""

import argparse
from collections.abc import Callable
from typing import Any


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
