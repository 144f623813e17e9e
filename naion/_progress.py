"""Progress of long work: lines of text, and bars, for whoever waits."""

import logging
import threading
from collections.abc import Callable
from typing import Any

Progress = Callable[[str], None]
"""Called with a line of text, `Counted` where it is known how much there is to do."""

LOGGER = logging.getLogger("naion")
"""Of everything that naion logs: `logging.getLogger("naion").setLevel(logging.INFO)`."""


class Counted(str):
    """A line of text that says how much of something is done."""

    done: float
    total: float

    def __new__(cls, text: str, done: float, total: float) -> "Counted":
        made = super().__new__(cls, text)
        made.done, made.total = float(done), float(total)
        return made

    def __radd__(self, before: str) -> "Counted":
        return Counted(str.__add__(before, self), self.done, self.total)


def silent(text: str) -> None:
    """Says nothing, except to those who listen to the logger "naion"."""
    LOGGER.info("%s", text)


class ProgressBar:
    """A bar on a terminal or in a notebook; nothing where the output is piped.

    `naion.simulate(..., progress=naion.ProgressBar())`. Lines that do not say how much
    there is to do are shown behind the bar.

    Args:
        about: before the bar.
    """

    def __init__(self, about: str = ""):
        self._about = about
        self._bar: Any = None
        self._lock = threading.Lock()

    def __call__(self, text: str) -> None:
        """Show a line of progress."""
        LOGGER.info("%s", text)
        with self._lock:
            if self._bar is None:
                self._bar = _new_bar(self._about)
            if isinstance(text, Counted):
                if text.done < self._bar.n or text.total != self._bar.total:
                    self._bar.reset(total=text.total)
                self._bar.n = min(text.done, text.total)
            self._bar.set_postfix_str(" ".join(text.split()), refresh=False)
            self._bar.refresh()

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the bar away; a next line begins another."""
        with self._lock:
            if self._bar is not None:
                self._bar.close()
            self._bar = None


def _new_bar(about: str) -> Any:
    from tqdm.auto import tqdm

    # None: not where standard error is no terminal.
    form = "{desc}{percentage:3.0f}% |{bar:20}| {elapsed} {postfix}"
    return tqdm(
        desc=f"{about} " if about else None,
        total=1.0,
        bar_format=form,
        disable=None,
        dynamic_ncols=True,
        leave=False,
    )
