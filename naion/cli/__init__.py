"""The command line: see `COMMANDS`."""

from ._main import main

__all__ = ["main"]
