"""Files that are written whole or not at all."""

import contextlib
import os
from pathlib import Path


def write_whole(path: Path | str, content: bytes | str) -> None:
    """Write a file; a full disk, Ctrl-C or a kill leaves the one before as it was.

    Args:
        path: in a folder that there is.
        content: text is written as UTF-8.

    Raises:
        OSError: naming the file that could not be written.
    """
    path = Path(path)
    data = content.encode() if isinstance(content, str) else content
    part = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with part.open("wb") as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
        os.replace(part, path)
    except BaseException as error:
        # Its folder may be a file, which is said below.
        with contextlib.suppress(OSError):
            part.unlink()
        if isinstance(error, OSError):
            said = f"cannot write: {error.strerror}"
            raise OSError(error.errno, said, str(path)) from None
        raise
