"""Files that are kept from one process to the next, in a folder of this user alone.

Each ends with a hash of its name and content. It is read only if that is right and if
nobody else could have written it: not one that was cut off or is empty, nor another one
under its name.
"""

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
import time
from pathlib import Path

from .._folders import cache_folder, is_open, is_own

MOST_BYTES = 256 * 2**20
"""How much is kept, beyond what was used in the last `KEPT_FOR` [bytes]."""

KEPT_FOR = 30 * 86400.0
"""A file that was used this recently is not removed: another machine that shares the
folder may be running it [s]."""

LEFT_FOR = 86400.0
"""After this time, what is half-built has been left by a process that ended [s]."""

HALF_BUILT = "naion-lane-"

_NAME = re.compile(r"[0-9a-f]{32}\.(so|known)")


def folder() -> Path:
    """Where files are kept: `NAION_KERNEL_CACHE` or ~/.cache/naion/kernels.

    Raises:
        OSError: with the reason, if there is no such folder that is safe.
    """
    variable = "NAION_KERNEL_CACHE"
    return cache_folder("kernels", os.environ.get(variable), variable)


def read(name: str) -> tuple[Path, bytes] | None:
    """Where a file is kept, and its content, if it is there and as it should be."""
    try:
        path = folder() / name
        with path.open("rb") as file:
            found, content = os.fstat(file.fileno()), file.read()
    except OSError:
        return None
    size = hashlib.sha256().digest_size
    content, end = content[:-size], content[-size:]
    if not is_own(found) or is_open(found) or end != _hash(name, content):
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # the time of its last use
    return path, content


def write(name: str, content: bytes) -> Path:
    """Keep a file. Moved into place, so that nobody meets half of it.

    Raises:
        OSError: with the reason, if it cannot be kept.
    """
    where, part = folder(), None
    path = where / name
    try:
        handle, part = tempfile.mkstemp(prefix=HALF_BUILT, dir=where)
        with os.fdopen(handle, "wb") as file:
            os.chmod(part, 0o600)
            file.write(content + _hash(name, content))
        os.replace(part, path)
    except OSError as problem:
        if part:
            Path(part).unlink(missing_ok=True)
        reason = problem.strerror or problem
        raise OSError(f"{where} cannot be written to: {reason}") from None
    return path


def _hash(name: str, content: bytes) -> bytes:
    return hashlib.sha256(name.encode() + content).digest()


def tidy() -> None:
    """Remove what was left half-built, and files that are old and too many.

    Raises:
        OSError: with the reason, if there is no folder that is safe.
    """
    where, now = folder(), time.time()
    for place in (where, Path(tempfile.gettempdir())):
        for half in place.glob(f"{HALF_BUILT}*"):
            with contextlib.suppress(OSError):  # others tidy, too, or it is not ours
                if now - half.lstat().st_mtime > LEFT_FOR:
                    half.unlink() if half.is_file() else shutil.rmtree(half)
    used = []
    for path in filter(lambda p: _NAME.fullmatch(p.name), where.iterdir()):
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
