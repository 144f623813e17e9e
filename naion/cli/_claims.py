"""`naion claims`: audit public claims with a cell's materials."""

import argparse

from ..claims import (
    DRAWS,
    audit,
    audited_cell,
    chosen,
    load,
    products,
    write,
)
from ..io._files import writable_folder

MOST_DRAWS = 100_000
"""Probabilities to a tenth of a percentage point; more is time only."""


def claims(arguments: argparse.Namespace) -> int:
    """Audit; writes the report and says how it went."""
    if not 2 <= arguments.draws <= MOST_DRAWS:
        raise ValueError(
            f"--draws {arguments.draws}: expected 2 to {MOST_DRAWS:,}; the usual {DRAWS} "
            "give a probability to within 4 percentage points."
        )
    picked = chosen(load(arguments.claims), arguments.claim)
    own = None if arguments.cell is None else audited_cell(arguments.cell)
    of = products(own, arguments.claims)
    # Known before the work, not after it.
    writable_folder(arguments.out)

    def say(text: str) -> None:
        print(text, flush=True)

    found = audit(picked, of, draws=arguments.draws, progress=say)
    name = (
        "the TU Berlin 18650 that ships with naion" if own is None else arguments.cell
    )
    write(found, arguments.out, f"Fitted materials are those of {name}.")
    for a in found:
        for answer in a.answers:
            odds = f"{answer.verdict:5s} {answer.probability:.2f}"
            print(f"{odds}  {a.claim.name}: {answer.reading.text}")
    print(f"wrote {arguments.out / 'report.html'}")
    return 0
