"""`naion claims`: audit public claims with a cell's materials."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .._files import writable_folder
from ..claims import (
    DRAWS,
    QUESTIONS,
    Audit,
    audit,
    audited_cell,
    chosen,
    in_words,
    load,
    products,
    schema,
    write,
)
from ._file_options import schema_option
from ._said import aloud

MOST_DRAWS = 100_000
"""Probabilities to a tenth of a percentage point; more is time only."""


def options(p: argparse.ArgumentParser) -> None:
    """Which claims, of which cell."""
    p.add_argument("--cell", help="a fitted cell.json, or a set; none: the shipped fit")
    p.add_argument(
        "--claim", action="append", default=[], help="name, or its beginning; none: all"
    )
    p.add_argument("--claims", type=Path, help="a TOML file with claims of your own")
    p.add_argument("--draws", type=int, default=DRAWS)
    p.add_argument("--out", type=Path, required=True, help="folder to write")
    schema_option(p, schema)
    p.add_argument(
        "--questions",
        action=_Printed,
        nargs="?",
        metavar="QUESTION",
        help="print what readings may ask, or one question, with an example, and end",
    )


class _Printed(argparse.Action):
    """As `--help`: nothing else has to be given."""

    def __call__(self, parser: Any, space: Any, given: Any, option: Any = None) -> None:
        if given is not None and given not in QUESTIONS:
            parser.error(f"--questions {given}: there are {', '.join(QUESTIONS)}")
        names = QUESTIONS if given is None else [given]
        print("\n\n".join(in_words(name) for name in names))
        parser.exit()


def command(arguments: argparse.Namespace) -> int:
    """Audit; writes the report after every claim and says how it went.

    Answers are kept below the folder: the same again goes on where it was stopped.
    """
    if not 2 <= arguments.draws <= MOST_DRAWS:
        raise ValueError(
            f"--draws {arguments.draws}: expected 2 to {MOST_DRAWS:,}; the usual {DRAWS} "
            "give a probability to within 4 percentage points."
        )
    began = time.perf_counter()

    def say(text: str) -> None:
        aloud(f"[{time.perf_counter() - began:5.0f} s] " + text)

    say("reading the claims, and what is known of the cells that they are about")
    picked = chosen(load(arguments.claims), arguments.claim)
    own = None if arguments.cell is None else audited_cell(arguments.cell)
    of = products(own, arguments.claims)
    # Known before the work, not after it.
    writable_folder(arguments.out)
    folder = arguments.out / "finished"
    n = sum(len(c.readings) for c in picked)
    say(f"{len(picked)} claims with {n} readings; each answer is kept in {folder}")
    name = (
        "the TU Berlin 18650 that ships with naion" if own is None else arguments.cell
    )

    def report(found: Sequence[Audit]) -> None:
        left = len(picked) - len(found)
        rest = f" {left} more claims are not answered yet." if left else ""
        about = f"Fitted materials are those of {name}.{rest}"
        write(found, arguments.out, about, of)

    found = audit(
        picked, of, draws=arguments.draws, folder=folder, progress=say, done=report
    )
    report(found)
    for a in found:
        for answer in a.answers:
            odds = f"{answer.verdict:5s} {answer.probability:.2f}"
            print(f"{odds}  {a.claim.name}: {answer.reading.text}")
    print(f"wrote {arguments.out / 'report.html'}")
    return 0
