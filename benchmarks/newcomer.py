"""How long is a newcomer's way to a first plot, a first fit and a first cell of their own?

Everything that is typed in a fresh clone, in a new environment, with an empty home and empty
caches, and how long each command takes. The first plot is the block of docs/start.md. The fit
is of a file as a cycler of no known maker might export it, which is written here: a cell of
other numbers, simulated, with 1 mV of noise, under German labels, in minutes and milliampere,
positive on charge, with decimal commas and semicolons, in Latin-1. A command that fails ends
the script with what it said.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import numpy as np

import naion as na
from benchmarks.harness import FAST, cores, write
from naion.parameters import leaf

ROOT = Path(__file__).parents[1]
SET = "nfm_hc_18650"
TRUTH = {
    "contact_resistance.scale": 1.6,
    "positive.particle.rate_constant.scale": 0.6,
}
"""Of the cell that is measured, where the set has 1."""

MEASURED = (
    "Rest for 10 minutes",
    "Discharge at 1C until 1.5 V",
    "Rest for 30 minutes",
    "Charge at C/2 until 4.0 V",
    "Hold at 4.0 V until C/10",
    "Rest for 10 minutes",
)
EXPORT = "Zelle 7.csv"
READ = (
    '--column time="Zeit [min]" current="Strom [mA]" voltage="Spannung [V]" '
    'temperature="Temp. [°C]" --positive charge'
)


class Command(NamedTuple):
    """What is typed.

    Attributes:
        goal: it leads to.
        typed: in a shell.
        refused: whether naion is to say what is wrong with it, with status 2.
    """

    goal: str
    typed: str
    refused: bool = False


INSTALL = (
    Command("install", "git clone NAION naion && cd naion"),
    Command("install", "python3 -m venv .venv && . .venv/bin/activate"),
    Command("install", "pip install -e ."),
)
COMMANDS = (
    Command("a first plot", "naion --help"),
    Command("a first plot", "naion sets"),
    Command("a first plot", "python first.py"),
    Command(
        "a first plot",
        f'naion run {SET} --protocol "Discharge at 1C until 1.5 V" --out v.csv',
    ),
    Command("a first fit", f'naion data "{EXPORT}"', refused=True),
    Command(
        "a first fit", f'naion data "{EXPORT}" {READ} --cell {SET} --plot record.png'
    ),
    Command("a first fit", f'naion fit --template "{EXPORT}" {READ} --cell {SET}'),
    Command("a first fit", "naion fit FIT.toml --out fitted"),
    Command(
        "a first fit",
        'naion predict fitted/cell.json --protocol "Discharge at 2C until 1.5 V" '
        "--out band.csv",
    ),
    Command("a first own cell", "naion sets --new mine"),
    Command("a first own cell", "naion sets mine.toml"),
    Command(
        "a first own cell",
        'naion run mine.toml --protocol "Discharge at 1C until 1.5 V" --out mine.csv',
    ),
)
LEFT_BEHIND = (
    *("first.png", "v.csv", "record.png", "FIT.toml", "fitted/report.html"),
    *("band.csv", "mine.toml", "mine.csv"),
)
"""Files that are there in the end."""

SHOWN = 90
"""Characters of what a command says last."""


def main() -> int:
    """Walk, and write the table; status 1 where a command failed."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        home, clone = Path(folder) / "home", Path(folder) / "naion"
        home.mkdir()
        environment = _environment(home, clone)
        rows, seconds = [], {}
        for command in (*(() if FAST else INSTALL), *COMMANDS):
            if command is COMMANDS[0]:
                _prepare(clone)
            where = clone if clone.is_dir() else Path(folder)
            began = time.perf_counter()
            status, said = _run(command, where, environment)
            took = time.perf_counter() - began
            if status != (2 if command.refused else 0):
                print(f"{command.typed}: status {status}\n{said}", file=sys.stderr)
                return 1
            seconds.setdefault(command.goal, []).append(took)
            last = (said.strip().splitlines() or [""])[-1].replace("|", "/")
            shown = last if len(last) <= SHOWN else f"{last[: SHOWN - 3]}..."
            typed = command.typed.replace("|", "\\|")
            rows.append([command.goal, f"`{typed}`", f"{took:.1f}", shown])
            print(rows[-1], flush=True)
        missing = [name for name in LEFT_BEHIND if not (clone / name).is_file()]
        found = _found(clone / "fitted" / "cell.json")
    if missing:
        print(f"not written: {', '.join(missing)}", file=sys.stderr)
        return 1
    write(
        "newcomer",
        "A newcomer's way",
        ["to", "typed", "seconds", "said last"],
        rows,
        f"{_summed(seconds)} The cell that was measured has {found}. In a fresh clone, "
        "with a new environment, an empty home and empty caches: each program is compiled "
        "for the first time. Installing fetches packages, and depends on the network; the "
        "clone is of this machine. The file of the fit: "
        f"`{EXPORT}`, see the head of `benchmarks/newcomer.py`. One refusal is part of the "
        "way: naion asks which column is what. When it began, "
        f"{load:.1f} processes were busy beside it, on {cores()} cores.",
    )
    return 0


def _environment(home: Path, clone: Path) -> dict[str, str]:
    """Of a new user in the new environment; pip finds its packages as it does here."""
    kept = ("PIP_", "SSL_", "HTTP_", "HTTPS_", "NO_PROXY", "XDG_CONFIG_DIRS")
    own = {k: v for k, v in os.environ.items() if k.upper().startswith(kept)}
    here = Path(sys.executable).parent
    elsewhere = [p for p in os.environ["PATH"].split(os.pathsep) if Path(p) != here]
    first = [str(clone / ".venv" / "bin")]
    if FAST:
        # Installing is left out: what is here is used.
        first = [str(here)]
        own["PYTHONPATH"] = os.pathsep.join(str(ROOT / p) for p in (".", "kernels"))
        clone.mkdir()
    path = os.pathsep.join([*first, str(Path(sys.base_prefix) / "bin"), *elsewhere])
    return own | {"HOME": str(home), "PATH": path, "LANG": "C.UTF-8"}


def _run(command: Command, where: Path, environment: dict[str, str]) -> tuple[int, str]:
    """The exit status of a command, and all that it said."""
    typed = command.typed.replace("NAION", f"'{ROOT.as_uri()}'")
    done = subprocess.run(
        ["bash", "-c", typed],
        cwd=where,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


def _prepare(clone: Path) -> None:
    """The script of the start page, and the measured file."""
    page = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
    found = re.search(r"## A first simulation\n.*?```python\n(.*?)```", page, re.DOTALL)
    assert found is not None
    (clone / "first.py").write_text(found[1], encoding="utf-8")
    (clone / EXPORT).write_text(measured(), encoding="latin-1")


def measured() -> str:
    """The text of the cycler's file."""
    cell = na.load(SET)
    values = [np.asarray(value) for value in TRUTH.values()]
    cell = eqx.tree_at(lambda c: [leaf(c, path) for path in TRUTH], cell, values)
    sol = na.simulate(cell, list(MEASURED))
    t = np.arange(0.0, float(sol.t_end), 20.0)
    seen = sol.at(t)
    noise = 1e-3 * np.random.default_rng(7).standard_normal(len(t))
    columns = t / 60.0, -1e3 * seen.current, seen.voltage + noise
    rows = [
        ";".join(f"{x:.5f}" for x in row) + ";25,0"
        for row in zip(*map(np.asarray, columns), strict=True)
    ]
    head = "Zelle 7\nZeit [min];Strom [mA];Spannung [V];Temp. [°C]\n"
    return head + "\n".join(rows).replace(".", ",") + "\n"


def _found(file: Path) -> str:
    """What the fit found of the numbers that the measured cell has otherwise."""
    numbers = json.loads(file.read_text(encoding="utf-8"))["parameters"]
    by_name = {r["name"]: r for r in numbers}
    said = []
    for name, true in TRUTH.items():
        r = by_name[name]
        between = f"{r['value']:.3g} ({r['low']:.3g} to {r['high']:.3g})"
        said.append(f"`{name}` {true:g}, and the fit finds {between}")
    return "; ".join(said)


def _summed(seconds: dict[str, list[float]]) -> str:
    """How many commands and seconds each goal takes."""
    each = [
        f"{len(of)} commands and {sum(of):.0f} s to {goal}"
        for goal, of in seconds.items()
    ]
    every = [s for of in seconds.values() for s in of]
    total = f"{len(every)} commands and {sum(every):.0f} s in all"
    return f"{'; '.join(each)}; {total}."
