"""Cautions: what was asked was done, but the answer rests on less than it seems to."""

import naion_kernels
from naion_kernels import Caution as Caution


def caution(text: str, stacklevel: int = 0) -> None:
    """Warn of `text`, at the line outside of naion that led here.

    Args:
        text: what to say.
        stacklevel: ignored; the line is found without it.
    """
    naion_kernels.caution(text)
