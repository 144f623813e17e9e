"""The command line: naion run / predict / fit / sets / doctor / demo."""

from ._main import main

__all__ = ["main"]
