"""naion's own category of Python warning, at the line of whoever called naion."""

import contextlib
import functools
import importlib.util
import os
import sys
import warnings
from types import FrameType


class Caution(UserWarning):
    """naion's own category of Python warning.

    Silence it with `warnings.simplefilter("ignore", naion.Caution)`, or turn it into an
    error with "error".
    """


_said: set[str] = set()


def caution(text: str) -> None:
    """Warn of `text`, at the line outside of naion that led here.

    (`skip_file_prefixes` of `warnings.warn` does this from Python 3.12 on.)
    """
    frame = _outside(sys._getframe(1))
    module = frame.f_globals
    warnings.warn_explicit(
        text,
        Caution,
        frame.f_code.co_filename,
        frame.f_lineno,
        module.get("__name__"),
        module.setdefault("__warningregistry__", {}),
    )


def caution_once(text: str) -> None:
    """Warn of `text`, once in a process: what it speaks of is met in every program."""
    if text not in _said:
        _said.add(text)
        caution(text)


def _outside(frame: FrameType) -> FrameType:
    """The nearest frame that is a user's; the outermost where there is none."""
    while frame.f_back is not None and _is_own(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


@functools.lru_cache(maxsize=4096)
def _is_own(file: str) -> bool:
    """Whether a file is of naion, or of what stands between it and its users."""
    return file.startswith(_own_files())


@functools.cache
def _own_files() -> tuple[str, ...]:
    own = [os.path.dirname(os.path.abspath(__file__)) + os.sep]
    for name in ("naion", "jax", "equinox"):
        found = importlib.util.find_spec(name)
        if found is not None and found.origin is not None:
            own.append(os.path.dirname(found.origin) + os.sep)
    return (*own, contextlib.__file__)
