"""All cases, judged; words choose some by their door or name."""

import contextlib
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..harness import FAST, write
from . import (
    asked,
    bpx,
    cells,
    faults,
    fitting,
    judge,
    library,
    many,
    mutations,
    profiles,
    running,
    shortcuts,
    steps,
    units,
)
from .judge import VERDICTS, Case, Verdict

Judged = tuple[Case, Verdict]


def corpus() -> list[Case]:
    """All cases that need no process of their own."""
    modules = steps, running, profiles, cells, bpx, fitting, many, asked, units
    return [case for module in (*modules, library) for case in module.cases()]


def verdicts(words: list[str]) -> Iterator[Judged]:
    """Every case in a folder of its own, those that the words choose."""

    def chosen(case: Case) -> bool:
        name = f"{case.door}: {case.name}"
        return not words or any(word in name for word in words)

    for case in filter(chosen, corpus()):
        short = contextlib.nullcontext() if case.whole else shortcuts.taken()
        with tempfile.TemporaryDirectory() as folder, short:
            yield case, judge.judged(case, Path(folder))
    for case in filter(chosen, mutations.cases(5 if FAST else mutations.EACH)):
        with tempfile.TemporaryDirectory() as folder, shortcuts.taken():
            yield case, judge.judged(case, Path(folder), mutations.verdict)
    for fault in faults.faults():
        if chosen(fault.case):
            with tempfile.TemporaryDirectory() as folder:
                yield fault.case, faults.judged(fault, Path(folder))


def main() -> int:
    """Judge, print, and write the table; status 1 where something is not clear."""
    words = sys.argv[1:]
    # Shells take it from what they start behind themselves, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    counts: dict[str, dict[str, int]] = {}
    wrong: list[Judged] = []
    for case, found in verdicts(words):
        of_door = counts.setdefault(case.door, dict.fromkeys(VERDICTS, 0))
        of_door[found.verdict] += 1
        if found.verdict != "clear":
            wrong.append((case, found))
            print(_line(case, found), flush=True)
    total = {v: sum(c[v] for c in counts.values()) for v in VERDICTS}
    rows = [[door, *(str(n) for n in c.values())] for door, c in counts.items()]
    rows.append(["all", *map(str, total.values())])
    if words:
        print(", ".join(f"{n} {v}" for v, n in total.items()))
    else:
        write(
            "robustness",
            "Bad inputs and faults",
            ["door", *VERDICTS],
            rows,
            _notes(counts),
            "\n".join(["Not clear:", "", *(_line(*w) for w in wrong)] if wrong else []),
        )
    return 1 if wrong else 0


def _line(case: Case, found: Verdict) -> str:
    said = " ".join(found.said.split())[:400]
    return f"- {found.verdict}: {case.door}: {case.name}: {found.why}: `{said}`"


def _notes(counts: dict[str, dict[str, int]]) -> str:
    mutants = sum(
        sum(c.values()) for d, c in counts.items() if d.startswith("mutations")
    )
    others = sum(sum(c.values()) for c in counts.values()) - mutants
    return (
        f"{others} bad inputs and faults, and {mutants} seeded mutations of good files "
        f"(seed {mutations.SEED}). Clear: refused with the right exit status or kind of "
        "exception and a message that names the place, what was given and what is "
        "expected; or done, with the caution or the value that is right. A mutation is "
        "clear if it is accepted, or refused with the name of its file. Fits, sweeps, "
        "audits and the demo are stopped where their long work would begin, but for one "
        "fit. `python -m benchmarks robustness`."
    )
