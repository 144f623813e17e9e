"""What the command line says of cautions, of wrong input and of its own mistakes."""

import logging
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .._cautions import Caution, caution
from .._progress import LOGGER, ProgressBar
from ._streams import say


class _Voice:
    """How progress is told: by a bar on a terminal, else by lines."""

    quiet = False
    bar: ProgressBar | None = None


def aloud(text: str) -> None:
    """Tell progress at once, on standard error: in a bar on a terminal, else as lines.

    Standard output holds results alone. `-v` gives lines on terminals too; `-q` nothing.
    """
    if _Voice.bar is not None:
        _Voice.bar(text)
        return
    LOGGER.info("%s", text)
    if not _Voice.quiet:
        say(text)


@contextmanager
def voice(verbose: int = 0, quiet: bool = False) -> Iterator[None]:
    """How much a command says.

    Args:
        verbose: 1: lines of progress also on a terminal; 2: what naion and JAX log.
        quiet: no progress; results, cautions and errors stay.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s"))
    loggers = [LOGGER, logging.getLogger("jax")] if verbose > 1 else []
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG if logger is LOGGER else logging.INFO)
    _Voice.quiet = quiet or verbose > 1
    if sys.stderr.isatty() and not quiet and not verbose:
        _Voice.bar = ProgressBar()
    try:
        yield
    finally:
        if _Voice.bar is not None:
            _Voice.bar.close()
        _Voice.bar, _Voice.quiet = None, False
        for logger, level in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)


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
                say(f"naion: caution: {message}")

        warnings.simplefilter("always", Caution)
        warnings.showwarning = show
        yield


class CautionsOfFiles:
    """Cautions while many files are read, each text once with the files that it is of."""

    def __init__(self) -> None:
        self._said: dict[str, list[Path]] = {}

    @contextmanager
    def of(self, file: Path) -> Iterator[None]:
        """Keep naion's cautions for `say`, while this file is read."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", Caution)
            yield
        for w in caught:
            if issubclass(w.category, Caution):
                text = str(w.message).removeprefix(str(file)).lstrip(": ")
                self._said.setdefault(text, []).append(file)
            else:
                warnings.showwarning(w.message, w.category, w.filename, w.lineno)

    def say(self) -> None:
        """Give them, as cautions."""
        for text, (first, *others) in self._said.items():
            more = f" and {len(others)} more" if others else ""
            caution(f"{first}{more}: {text}")
        self._said.clear()


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
