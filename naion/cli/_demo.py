"""`naion demo`."""

import argparse
from pathlib import Path

from .._files import writable_folder
from ..demo import demo
from ._said import aloud


def options(p: argparse.ArgumentParser) -> None:
    """Where to write, and from which data."""
    p.add_argument("--out", type=Path, default=Path("out"))
    p.add_argument(
        "--full",
        action="store_true",
        help="use the full data files: the folder NAION_DATA, else ../shared/data",
    )


def command(arguments: argparse.Namespace) -> int:
    """Fit, predict and report."""
    demo(
        writable_folder(arguments.out),
        arguments.full,
        aloud,
    )
    return 0
