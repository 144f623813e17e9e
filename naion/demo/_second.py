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
def beside(
    function: Callable[..., None], *arguments: Any, say: Callable[[str], None]
) -> Iterator[Callable[[], None]]:
    """Call a function in a second process, which is killed where the block is left.

    Args:
        function: of a module, as it is sent by name; its last argument is a function that
            takes lines of text.
        arguments: of it before that one; they are sent.
        say: told those lines, in a thread, as they come.

    Yields:
        a function that waits for the end, and raises what the other raised.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(
        target=_called, args=(there, function, arguments), daemon=True
    )
    process.start()
    there.close()
    ends: list[Exception | None] = []

    def listen() -> None:
        with contextlib.suppress(EOFError):
            while isinstance(said := here.recv(), str):
                say(said)
            ends.append(said)

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()

    def wait() -> None:
        listener.join()
        process.join()
        if not ends:
            raise ChildProcessError(
                f"The second process was ended from outside (status {process.exitcode}; "
                "-9 is mostly a lack of memory). Run the same again: it goes on."
            )
        if ends[0] is not None:
            raise ends[0]

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
