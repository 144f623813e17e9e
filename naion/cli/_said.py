"""What the command line says of cautions, of wrong input and of its own mistakes."""

import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .._cautions import Caution


def aloud(text: str) -> None:
    """Print a line of progress at once, also into a pipe."""
    print(text, flush=True)


@contextmanager
def cautions_as_lines() -> Iterator[None]:
    """Print naion's cautions as lines on stderr, each text once; leave other warnings be."""
    seen: set[str] = set()
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(message, category, filename, lineno, file=None, line=None) -> None:
            if not issubclass(category, Caution):
                usual(message, category, filename, lineno, file, line)
            elif str(message) not in seen:
                seen.add(str(message))
                print(f"naion: caution: {message}", file=sys.stderr, flush=True)

        warnings.simplefilter("always", Caution)
        warnings.showwarning = show
        yield


def complaint(error: Exception) -> str | None:
    """What is wrong with the input, if that is what an error says; else none."""
    if isinstance(error, KeyError):
        # A sentence is naion's; a bare key is a look-up that should not have failed.
        text = str(error.args[0]) if error.args else ""
        return text if " " in text else None
    if isinstance(error, UnicodeError):
        return None
    if isinstance(error, OSError):
        where = "" if error.filename is None else f"{error.filename}: "
        return f"{where}{error.strerror or error}"
    # What an extra would bring is for the user to install.
    missing = isinstance(error, ImportError) and "pip install 'naion[" in str(error)
    return str(error) if missing or isinstance(error, ValueError) else None


def crash(error: Exception) -> str:
    """One line on an internal error; its traceback goes to a file, if one can be written."""
    said = " ".join(str(error).split())
    text = f"internal error, {type(error).__name__}: {said[:200]}"
    whole = "".join(traceback.format_exception(error))
    for folder in (".", tempfile.gettempdir):
        try:
            where = folder if isinstance(folder, str) else folder()
            with tempfile.NamedTemporaryFile(
                "w",
                encoding="utf-8",
                errors="backslashreplace",
                dir=where,
                prefix="naion-error-",
                suffix=".txt",
                delete=False,
            ) as f:
                f.write(whole)
            return f"{text}. Please report it with {Path(f.name).resolve()}"
        except OSError:
            continue
    return f"{text}. No folder could be written to, so that its traceback is lost."
