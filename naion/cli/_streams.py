"""Standard output and standard error that are full, closed, or read by nobody."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import IO, Any

OUTPUT = "standard output"


class _Named:
    """A stream whose failures say which stream it is."""

    def __init__(self, stream: IO[str]):
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with _named():
            return self._stream.write(text)

    def flush(self) -> None:
        with _named():
            self._stream.flush()


@contextlib.contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), OUTPUT) from None


@contextlib.contextmanager
def named_streams() -> Iterator[None]:
    """Standard output whose failures name it; a standard error, if only to nowhere.

    Raises:
        OSError: where standard output is closed: before any work is done.
    """
    with contextlib.ExitStack() as stack:
        if sys.stderr is None:
            nowhere = stack.enter_context(open(os.devnull, "w"))
            stack.enter_context(contextlib.redirect_stderr(nowhere))
        if sys.stdout is None:
            said = "closed; send what is not wanted to /dev/null"
            raise OSError(9, said, OUTPUT)
        stack.enter_context(contextlib.redirect_stdout(_Named(sys.stdout)))  # type: ignore[type-var]
        yield


def say(text: str) -> None:
    """A line on standard error, if anybody can read it: a status says the rest."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def let_go() -> None:
    """Send what else comes to nowhere, so that Python ends without a word of its own."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, AttributeError):
            with contextlib.suppress(OSError, AttributeError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
