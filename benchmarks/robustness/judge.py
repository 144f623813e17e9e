"""Verdicts: what a user sees of a wrong input, and whether it helps."""

import contextlib
import io
import re
import signal
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import naion as na
from naion.cli import main

VERDICTS = ("clear", "unclear", "traceback", "hang", "silent")
"""Only the first is right."""

NAION = Path(na.__file__).parent

INTERNAL = 5
"""Exit status of naion for an exception that it did not expect."""


class TimeUp(BaseException):
    """The time of a case is over; no `except Exception` stops it."""


@dataclass(frozen=True)
class Case:
    """A wrong input, and what is right to say of it.

    Attributes:
        door: where it enters: an entry of the command line, or a part of the library.
        name: what is wrong.
        act: arguments of `naion`, or a function of the library; it may return what is
            judged by `right`.
        place: pattern of the file, row, field or argument.
        given: pattern of what was given.
        expected: pattern of a unit, a range, choices or a remedy.
        files: written into the folder where it happens, by name.
        answer: "refused", "caution" (it is done, and a caution says what to know),
            or "done" (the right answer is a value: `right` looks at it).
        statuses: right exit statuses.
        right: whether what `act` returned is right, for the library.
        seconds: time limit.
        whole: also what takes long is done; see `shortcuts`.
    """

    door: str
    name: str
    act: tuple[str, ...] | Callable[[], Any]
    place: str = ""
    given: str = ""
    expected: str = ""
    files: dict[str, str | bytes] | None = None
    answer: str = "refused"
    statuses: tuple[int, ...] = (2,)
    right: Callable[[Any], bool] | None = None
    seconds: float = 60.0
    whole: bool = False


@dataclass(frozen=True)
class Verdict:
    """What came of a case: one of `VERDICTS`, why, and what was said."""

    verdict: str
    why: str
    said: str


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise `TimeUp` in the main thread when the time is over."""

    def stop(signum, frame) -> None:
        raise TimeUp

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def judged(
    case: Case, folder: Path, by: Callable[[Case], Verdict] | None = None
) -> Verdict:
    """Do what a case says in an empty folder, and judge it, usually by what it says."""
    for name, content in (case.files or {}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = content.encode() if isinstance(content, str) else content
        path.write_bytes(raw)
    with contextlib.chdir(folder):
        if by is not None:
            return by(case)
        if isinstance(case.act, tuple):
            return of_command(case, *command(case.act, case.seconds))
        return of_call(case, case.act)


def command(argv: tuple[str, ...], seconds: float) -> tuple[int | str, str, str]:
    """Exit status, stdout and stderr of `naion`; a text says what escaped instead."""
    out, err = io.StringIO(), io.StringIO()
    status: int | str
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            with limited(seconds):
                status = main(argv)
        except TimeUp:
            status = "hang"
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 2
        except BaseException as error:
            status = "".join(traceback.format_exception(error)[-3:])
    return status, out.getvalue(), err.getvalue()


def of_command(case: Case, status: int | str, out: str, err: str) -> Verdict:
    """The verdict on an exit status and what was printed."""
    said = _usage_left_out(err)
    if status == "hang":
        return Verdict("hang", f"no answer in {case.seconds:g} s", said)
    if isinstance(status, str):
        return Verdict("traceback", "an exception escaped", status)
    if status == INTERNAL or "Traceback (most recent call last)" in err:
        return Verdict("traceback", f"exit status {status}", said)
    if case.answer == "refused" and status not in case.statuses:
        return Verdict("silent", f"exit status {status}", said or out)
    if case.answer != "refused" and status not in case.statuses:
        return Verdict("unclear", f"exit status {status}", said or out)
    if case.answer == "caution" and "caution" not in err:
        return Verdict("silent", f"no caution, exit status {status}", said or out)
    return _worded(case, said + out if case.answer == "done" else said)


def of_call(case: Case, act: Callable[[], Any]) -> Verdict:
    """The verdict on a call of the library."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            with limited(case.seconds):
                found = act()
        except TimeUp:
            return Verdict("hang", f"no answer in {case.seconds:g} s", "")
        except Exception as error:
            if case.answer != "refused" or not _is_worded(error):
                last = traceback.format_exception_only(error)[-1].strip()
                return Verdict("traceback", _where(error), last)
            said = error.args[0] if isinstance(error, KeyError) else error
            return _worded(case, str(said))
    cautions = [str(w.message) for w in heard if issubclass(w.category, na.Caution)]
    said = " ".join(cautions)
    if case.answer == "refused" or (case.answer == "caution" and not cautions):
        return Verdict("silent", "accepted without a word", f"{found!r:.200} {said}")
    if case.right is not None and not case.right(found):
        return Verdict("silent", "accepted, and the value is wrong", f"{found!r:.200}")
    return _worded(case, said)


def _worded(case: Case, said: str) -> Verdict:
    parts = {"place": case.place, "given": case.given, "expected": case.expected}
    missing = [k for k, p in parts.items() if not re.search(p, said, re.IGNORECASE)]
    if missing:
        why = ", ".join(f"no {k} ({parts[k]})" for k in missing)
        return Verdict("unclear", why, said)
    return Verdict("clear", "", said)


def _is_worded(error: Exception) -> bool:
    """Whether an exception is naion's own: of a usual kind, raised there, a sentence."""
    if isinstance(error, OSError) and error.filename is not None:
        return True
    usual = ValueError | KeyError | TypeError | RuntimeError | OSError | ImportError
    if not isinstance(error, usual) or " " not in str(error):
        return False
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and Path(frames[-1].filename).is_relative_to(NAION)


def _where(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} from {Path(last.filename).name}:{last.lineno}"


def _usage_left_out(err: str) -> str:
    """What argparse prints before its error names every option: it is no answer."""
    at = err.find(": error: ")
    return err[err.rfind("\n", 0, at) + 1 :] if at >= 0 else err
