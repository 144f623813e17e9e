"""Cautions: what was asked was done, but the answer rests on less than it seems to."""

import warnings

from naion_kernels import Caution as Caution


def caution(text: str, stacklevel: int = 3) -> None:
    """Warn of `text`, at the line that called the function that calls this one."""
    warnings.warn(text, Caution, stacklevel)
