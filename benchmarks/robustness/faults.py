"""Faults of the machine, each in a process of its own: homes, compilers, kills, forks."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from .good import SET, SWEEP
from .judge import Case, Verdict, of_command

NAION = (sys.executable, "-m", "naion.cli")
RUN = ("run", SET, "--protocol", "Discharge at 1C for 20 s", "--out", "o.csv")

FORK = """
import os, naion as na
na.enable_x64()
cell = na.parameters.load("nfm_hc_18650")
def go():
    model = na.DFN(na.Mesh(3, 2, 3, 6))
    na.simulate(cell, "Discharge at 1C for 20 s", model=model)
go()
child = os.fork()
if child == 0:
    try:
        go()
    except Exception as error:
        print("child:", error, flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""

SINGLE = """
import naion as na
try:
    na.parameters.load("nfm_hc_18650")
except RuntimeError as error:
    print(error)
"""


class Fault(NamedTuple):
    """What is broken before a command runs, and what is right to say.

    Attributes:
        case: with `argv` of the command, or of Python.
        before: breaks something in the folder, and returns changes of the environment.
        python: `argv` is code for Python.
        stop: a signal that ends it after so many seconds.
    """

    case: Case
    before: Callable[[Path], dict[str, str]] = lambda folder: {}
    python: bool = False
    stop: tuple[int, float] | None = None


def judged(fault: Fault, folder: Path) -> Verdict:
    """Break, run and judge."""
    case = fault.case
    assert isinstance(case.act, tuple)
    for name, content in (case.files or {}).items():
        raw = content.encode() if isinstance(content, str) else content
        (folder / name).write_bytes(raw)
    changed = fault.before(folder)
    command = (sys.executable, "-c") if fault.python else NAION
    # A second process's words are read from a file: a pipe would wait for its children.
    with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
        process = subprocess.Popen(
            [*command, *case.act],
            cwd=folder,
            env=_environment(folder, changed),
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        status: int | str
        try:
            if fault.stop is not None:
                time.sleep(fault.stop[1])
                process.send_signal(fault.stop[0])
            status = process.wait(case.seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            status = "hang"
    said = [(folder / name).read_text(errors="replace") for name in ("out", "err")]
    if isinstance(status, int) and status < 0:
        return Verdict("traceback", f"killed by signal {-status}", said[1])
    return of_command(case, status, *said)


def _environment(folder: Path, changed: dict[str, str]) -> dict[str, str]:
    roots = [str(Path(p).resolve()) for p in sys.path if p]
    own = {"PYTHONPATH": os.pathsep.join(roots), "HOME": str(folder / "home")}
    return {**os.environ, **own, **changed}


def _in_a_file(folder: Path) -> dict[str, str]:
    (folder / "home").write_text("")
    return {}


def _with_library(change: Callable[[bytes], bytes]) -> Callable[[Path], dict[str, str]]:
    """A home whose compiled kernels are there, but not as they were."""

    def before(folder: Path) -> dict[str, str]:
        (folder / "home").mkdir()
        command = [*NAION, *RUN]
        environment = _environment(folder, {})
        subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, timeout=300
        )
        for library in (folder / "home").rglob("*.so"):
            content = library.read_bytes()
            library.unlink()
            library.write_bytes(change(content))
        return {}

    return before


def _finished_sweep(damage: Callable[[Path], None]) -> Callable[[Path], dict[str, str]]:
    """A sweep that is finished, and then damaged."""

    def before(folder: Path) -> dict[str, str]:
        command = [*NAION, "sweep", "s.toml", "--out", "swept"]
        environment = _environment(folder, {})
        subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, timeout=300
        )
        damage(folder / "swept" / "finished")
        return {}

    return before


def _part_cut(finished: Path) -> None:
    part = next(finished.glob("*.part"))
    part.write_bytes(part.read_bytes()[:200])


def _about_broken(finished: Path) -> None:
    (finished / "run.json").write_text("{")


def _of_another_run(finished: Path) -> None:
    about = json.loads((finished / "run.json").read_text())
    (finished / "run.json").write_text(json.dumps({**about, "lanes": 3}))
    for part in finished.glob("*.part"):
        part.unlink()


def _case(
    name: str,
    argv: tuple[str, ...],
    place: str = "",
    given: str = "",
    expected: str = "",
    statuses: tuple[int, ...] = (0,),
    files: dict[str, str | bytes] | None = None,
    answer: str = "done",
) -> Case:
    parts = place, given, expected
    return Case("faults", name, argv, *parts, files, answer, statuses, seconds=300.0)


def faults() -> list[Fault]:
    """All of them."""
    sweep = ("sweep", "s.toml", "--out", "swept")
    files: dict[str, str | bytes] = {"s.toml": SWEEP}
    again = "completed|wrote"
    return [
        Fault(
            _case("HOME is a device", ("sets",), SET), lambda f: {"HOME": "/dev/null"}
        ),
        Fault(_case("HOME is a file", RUN, "completed", "home"), _in_a_file),
        Fault(_case("no HOME", ("sets",), SET), lambda f: {"HOME": ""}),
        Fault(
            _case("a compiler that fails", RUN, "completed", "compil|c\\+\\+|CXX"),
            lambda f: {"CXX": "/bin/false"},
        ),
        Fault(
            _case("no such compiler", RUN, "completed"),
            lambda f: {"CXX": "/nowhere/c++"},
        ),
        Fault(
            _case("NAION_KERNELS=banana", RUN, "NAION_KERNELS", "banana", "off", (2,)),
            lambda f: {"NAION_KERNELS": "banana"},
        ),
        Fault(
            _case("a library that was cut", RUN, "completed"),
            _with_library(lambda content: content[:1000]),
        ),
        Fault(
            _case("an empty library", RUN, "completed"),
            _with_library(lambda content: b""),
        ),
        Fault(
            _case("a library that is text", RUN, "completed"),
            _with_library(lambda content: b"hello"),
        ),
        Fault(
            _case(
                "a part of a sweep is cut",
                sweep,
                "part",
                "damaged",
                "again",
                files=files,
            ),
            _finished_sweep(_part_cut),
        ),
        Fault(
            _case("run.json of a sweep is broken", sweep, again, files=files),
            _finished_sweep(_about_broken),
        ),
        Fault(
            _case(
                "a folder of another sweep",
                sweep,
                "swept",
                "lanes",
                "another|delete",
                (2,),
                files,
            ),
            _finished_sweep(_of_another_run),
        ),
        Fault(
            _case(
                "Ctrl-C",
                (
                    "run",
                    SET,
                    "--protocol",
                    "Discharge at C/2 for 30 min",
                    "Charge at C/2 until 4.0 V",
                    "--cycles",
                    "100000",
                    "--out",
                    "o.csv",
                ),
                "stopped",
                statuses=(130,),
            ),
            stop=(signal.SIGINT, 20.0),
        ),
        Fault(_case("fork after use", (FORK,), "child", "fork", "spawn"), python=True),
        Fault(
            _case("float64 is off", (SINGLE,), "float64|x64", "", "enable_x64"),
            python=True,
        ),
    ]
