"""Compiled libraries: open while they are used, and kept from one process to the next.

A library that is kept ends with a hash of its name and content. It is loaded only if that
is right and if nobody else could have written it. Anything else is made anew: a library
that was cut off or is empty, another one under its name, one that this machine cannot load.
"""

import contextlib
import ctypes
import hashlib
import os
import re
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path

from .._folders import cache_folder, is_open, is_own, nothing_kept

MOST_BYTES = 256 * 2**20
"""How much is kept, beyond what was used in the last `KEPT_FOR` [bytes]."""

KEPT_FOR = 30 * 86400.0
"""A library that was used this recently is not removed: another machine that shares the
folder may be running it [s]."""

LEFT_FOR = 86400.0
"""After this time, what is half-built has been left by a process that ended [s]."""

_LIBRARY = re.compile(r"[0-9a-f]{32}\.so")
_HALF_BUILT = "naion-lane-"

_loaded: weakref.WeakValueDictionary[str, ctypes.CDLL] = weakref.WeakValueDictionary()
_locks: dict[str, threading.Lock] = {}


def folder() -> Path:
    """Where libraries are kept: `NAION_KERNEL_CACHE` or ~/.cache/naion/kernels.

    Raises:
        OSError: with the reason, if there is no such folder that is safe.
    """
    variable = "NAION_KERNEL_CACHE"
    return cache_folder("kernels", os.environ.get(variable), variable)


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
            found = _loaded[key] = _kept(key) or _made(key, make)
        return found


def _kept(key: str) -> ctypes.CDLL | None:
    """The library that is kept, if it is there and as it should be."""
    try:
        path = folder() / f"{key}.so"
        with path.open("rb") as file:
            found, content = os.fstat(file.fileno()), file.read()
        if not is_own(found) or is_open(found) or not _is_whole(key, content):
            return None
        loaded = _open(path)
    except OSError:
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # the time of its last use
    return loaded


def _made(key: str, make: Callable[[Path], None]) -> ctypes.CDLL:
    with tempfile.TemporaryDirectory(
        prefix=_HALF_BUILT, ignore_cleanup_errors=True
    ) as aside:
        made = Path(aside) / f"{key}.so"
        make(made)
        try:
            where = folder()
            loaded = _open(_keep(where, key, made.read_bytes()))
            _tidy(where)
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


def _hash(key: str, content: bytes) -> bytes:
    return hashlib.sha256(key.encode() + content).digest()


def _is_whole(key: str, content: bytes) -> bool:
    size = hashlib.sha256().digest_size
    return content[-size:] == _hash(key, content[:-size])


def _keep(where: Path, key: str, content: bytes) -> Path:
    """Write a library. Moved into place, so that nobody meets half of it."""
    path, part = where / f"{key}.so", None
    try:
        handle, part = tempfile.mkstemp(prefix=_HALF_BUILT, dir=where)
        with os.fdopen(handle, "wb") as file:
            os.chmod(part, 0o600)
            file.write(content + _hash(key, content))
        os.replace(part, path)
    except OSError as problem:
        if part:
            Path(part).unlink(missing_ok=True)
        reason = problem.strerror or problem
        raise OSError(f"{where} cannot be written to: {reason}") from None
    return path


def _tidy(where: Path) -> None:
    """Remove what was left half-built, and libraries that are old and too many."""
    now = time.time()
    for place in (where, Path(tempfile.gettempdir())):
        for half in place.glob(f"{_HALF_BUILT}*"):
            with contextlib.suppress(OSError):  # others tidy, too, or it is not ours
                if now - half.lstat().st_mtime > LEFT_FOR:
                    half.unlink() if half.is_file() else shutil.rmtree(half)
    used = []
    for path in filter(lambda p: _LIBRARY.fullmatch(p.name), where.iterdir()):
        with contextlib.suppress(OSError):
            found = path.stat()
            used.append((found.st_mtime, found.st_size, path))
    total = sum(size for _, size, _ in used)
    for last, size, path in sorted(used):
        if total <= MOST_BYTES or now - last < KEPT_FOR:
            break
        with contextlib.suppress(OSError):
            path.unlink()
        total -= size
