"""naion's own category of Python warning, and saying something once."""

import warnings


class Caution(UserWarning):
    """naion's own category of Python warning.

    Silence it with `warnings.simplefilter("ignore", naion.Caution)`, or turn it into an
    error with "error".
    """


_said: set[str] = set()


def caution_once(text: str) -> None:
    """Warn of `text`, once in a process: what it speaks of is met in every program."""
    if text not in _said:
        _said.add(text)
        warnings.warn(text, Caution, stacklevel=2)
