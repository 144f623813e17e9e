"""A second process, which never outlives the first."""

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

PR_SET_PDEATHSIG = 1
"""Of Linux' prctl(2): the signal that a process gets when its parent ends."""


@contextlib.contextmanager
def beside(function: Callable[..., None], *arguments: Any) -> Iterator[Callable]:
    """Call a function in a second process, which is killed where the block is left.

    Args:
        function: of a module, as it is sent by name; its last argument is a function that
            takes lines of text.
        arguments: of it before that one; they are sent.

    Yields:
        a function of one that takes lines of text: it waits for the end, passes on what
        the other said, and raises what it raised.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(
        target=_called, args=(there, function, arguments), daemon=True
    )
    process.start()
    there.close()

    def wait(say: Callable[[str], None]) -> None:
        try:
            while isinstance(said := here.recv(), str):
                say(said)
        except EOFError:
            process.join()
            raise ChildProcessError(
                f"The second process was ended from outside (status {process.exitcode}; "
                "-9 is mostly a lack of memory). Run the same again: it goes on."
            ) from None
        if said is not None:
            raise said

    try:
        yield wait
    finally:
        process.kill()
        process.join()


def _called(result: Connection, function: Callable, arguments: tuple) -> None:
    end_with_parent()
    # Ctrl-C reaches both; the first process then ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        function(*arguments, result.send)
    except (ValueError, OSError) as error:
        result.send(error)
    except Exception:  # which may hold what cannot be sent
        result.send(RuntimeError(traceback.format_exc()))
    else:
        result.send(None)


def end_with_parent() -> None:
    """End this process at once when the one that started it has ended, even if killed.

    Linux does so itself, also while this process is busy in compiled code. A thread that
    waits for the parent does it elsewhere, and where the parent ended before Linux was
    asked.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = multiprocessing.parent_process()
    assert parent is not None, (
        "only a process that multiprocessing started has a parent"
    )

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
