"""Compiled libraries: open while they are used, and kept from one process to the next.

One that was damaged, or that this machine cannot load, is made anew.
"""

import ctypes
import tempfile
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

from .._folders import nothing_kept
from . import _kept

_loaded: weakref.WeakValueDictionary[str, ctypes.CDLL] = weakref.WeakValueDictionary()
_locks: dict[str, threading.Lock] = {}


def library(key: str, make: Callable[[Path], None]) -> ctypes.CDLL:
    """The library of a key, 32 hexadecimal digits; closed when nothing refers to it.

    Args:
        key: stands for everything that the library depends on.
        make: called if none is kept; writes the library to a path in a folder of its own,
            which may hold other files and is removed afterwards.
    """
    with _locks.setdefault(key, threading.Lock()):
        found = _loaded.get(key)
        if found is None:
            found = _loaded[key] = _from_before(key) or _made(key, make)
        return found


def _from_before(key: str) -> ctypes.CDLL | None:
    """The library that is kept, if it is there and can be loaded."""
    found = _kept.read(f"{key}.so")
    try:
        return _open(found[0]) if found else None
    except OSError:
        return None


def _made(key: str, make: Callable[[Path], None]) -> ctypes.CDLL:
    with tempfile.TemporaryDirectory(
        prefix=_kept.HALF_BUILT, ignore_cleanup_errors=True
    ) as aside:
        made = Path(aside) / f"{key}.so"
        make(made)
        try:
            loaded = _open(_kept.write(made.name, made.read_bytes()))
            _kept.tidy()
            return loaded
        except OSError as problem:
            nothing_kept(problem)
        # Mapped into memory, it outlives its file.
        return _open(made)


def _open(path: Path) -> ctypes.CDLL:
    """A library that is closed with the object.

    Raises:
        OSError: if this machine cannot load it.
    """
    opened = ctypes.CDLL(str(path))
    close = ctypes.CDLL(None).dlclose
    close.argtypes = [ctypes.c_void_p]
    closing = weakref.finalize(opened, close, opened._handle)
    closing.atexit = False
    return opened
