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
    before = rows_of(folder / "claims.csv")
    found = na.claims.audit(
        claims, products, folder=folder / "finished", progress=print
    )
    about = "Fitted materials are those of the TU Berlin 18650 that ships with naion."
    about = f"{about} {circumstances()}"
    na.claims.write(found, folder, about, products, docs="../../../docs")
    keep_shown(folder / "claims.csv")
    write_changes(folder, before)


def rows_of(table: Path) -> list[dict[str, str]]:
    """Answers of an audit's table."""
    if not table.is_file():
        return []
    with table.open(encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


def write_changes(folder: Path, before: list[dict[str, str]]) -> None:
    """Write which answers have another verdict than those of the audit before."""
    was = {(r["claim"], r["reading"]): r for r in before}
    lines = [
        *("# Verdicts that moved", ""),
        *("Against the audit before; why is in the CHANGELOG, under Numerics.", ""),
        *(circumstances(), ""),
        *("| claim | reading | before | now |", "| --- | --- | --- | --- |"),
    ]
    for now in rows_of(folder / "claims.csv"):
        then = was.get((now["claim"], now["reading"]))
        if then is not None and then["verdict"] != now["verdict"]:
            cells = now["claim"], now["reading"], *map(_in_short, (then, now))
            lines.append(f"| {' | '.join(cells)} |")
    text = "\n".join(lines) + "\n"
    (folder / "changes.md").write_text(text, encoding="utf-8")


def _in_short(row: dict[str, str]) -> str:
    low, median, high, odds = (
        float(row[k]) for k in ("low", "median", "high", "probability")
    )
    interval = f"{median:.4g} ({low:.4g} to {high:.4g}) {row['unit']}"
    return f"{row['verdict']}: {interval}, {odds:.2f}"


def keep_shown(table: Path) -> None:
    """Write the rows of an audit's table that the demo shows."""
    rows = [r for r in rows_of(table) if r["claim"].startswith(SHOWN)]
    with KEPT.open("w", encoding="utf-8", newline="") as f:
        kept = csv.DictWriter(
            f, KEPT_COLUMNS, extrasaction="ignore", lineterminator="\n"
        )
        kept.writeheader()
        kept.writerows(rows)
