"""`naion claims`: audit public claims with a cell's materials."""

import argparse

from ..claims import (
    audit,
    audited_cell,
    chosen,
    load,
    products,
    write,
)


def claims(arguments: argparse.Namespace) -> int:
    """Audit; writes the report and says how it went."""
    picked = chosen(load(arguments.claims), arguments.claim)
    own = None if arguments.cell is None else audited_cell(arguments.cell)
    of = products(own, arguments.claims)
    # Known before the work, not after it.
    arguments.out.mkdir(parents=True, exist_ok=True)

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
