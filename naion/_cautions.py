"""Cautions: what was asked was done, but the answer rests on less than it seems to."""

import warnings


class Caution(UserWarning):
    """naion's own category of Python warning.

    Silence it with `warnings.simplefilter("ignore", naion.Caution)`, or turn it into an
    error with "error".
    """


def caution(text: str, stacklevel: int = 3) -> None:
    """Warn of `text`, at the line that called the function that calls this one."""
    warnings.warn(text, Caution, stacklevel)
