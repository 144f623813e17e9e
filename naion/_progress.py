"""Progress of long work: a line of text now and then, for whoever waits."""

from collections.abc import Callable

Progress = Callable[[str], None]
"""Called with a line of text."""


def silent(text: str) -> None:
    """Says nothing."""
