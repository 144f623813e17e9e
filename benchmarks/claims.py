"""All claims that ship, answered: the report, and the rows of it that the demo shows.

Answers are kept in `results/claims/finished`: the same again goes on where it was stopped.
"""

import csv
from pathlib import Path

import naion as na
from benchmarks.harness import FAST, RESULTS, circumstances

SHOWN = "naxtra"
"""Beginning of the names of the claims that the demo shows."""

KEPT = Path(na.__file__).parent / "demo" / "naxtra.csv"
KEPT_COLUMNS = (
    *("said", "reading", "claimed", "low", "median", "high", "unit"),
    *("probability", "verdict"),
)


def main() -> None:
    """Audit, write the report, and keep what the demo shows."""
    claims, products = na.claims.load(), na.claims.products(None)
    if FAST:
        few = na.claims.chosen(claims, ["naxtra-range"])
        for audit in na.claims.audit(few, products, draws=2, progress=print):
            print(*(answer.in_short for answer in audit.answers), sep="\n")
        return
    folder = RESULTS / "claims"
    found = na.claims.audit(
        claims, products, folder=folder / "finished", progress=print
    )
    about = "Fitted materials are those of the TU Berlin 18650 that ships with naion."
    na.claims.write(found, folder, f"{about} {circumstances()}")
    keep_shown(folder / "claims.csv")


def keep_shown(table: Path) -> None:
    """Write the rows of an audit's table that the demo shows."""
    with table.open(encoding="utf-8", newline="") as f:
        rows = [r for r in csv.DictReader(f) if r["claim"].startswith(SHOWN)]
    with KEPT.open("w", encoding="utf-8", newline="") as f:
        kept = csv.DictWriter(
            f, KEPT_COLUMNS, extrasaction="ignore", lineterminator="\n"
        )
        kept.writeheader()
        kept.writerows(rows)
