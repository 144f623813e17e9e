"""An audit as report.html and report.md, claims.csv, claims.json and figures."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .._files import write_whole
from .._takes import takes
from ..io import write_csv
from ..parameters import QUALITIES
from ..report import Figure, Link, Report, TextTable, Words
from ._answer import Answer, Audit, Change
from ._evidence import MOST_INPUTS, add_evidence, anchor, inputs_table, with_links
from ._product import Product

HEADER = (
    ("claim", "maker", "product", "said", "reading", "quantity", "unit", "claimed")
    + ("low", "median", "high", "probability", "verdict", "failed_draws")
    + ("depends_on_most", "would_have_to_be_true", "outside_the_data")
)
"""Columns of claims.csv, one row a reading."""


@takes
def write(
    audits: Sequence[Audit],
    folder: Path | str,
    about: str,
    products: Mapping[str, Product] | None = None,
    *,
    docs: str | None = None,
) -> None:
    """Write an audit below a folder.

    Args:
        audits: from `audit`.
        folder: for report.html, report.md, figures/, claims.csv and claims.json.
        about: a sentence on the cell whose materials were used.
        products: that were asked; answers then lead to what they rest on.
        docs: where pages of the documentation lie from the folder, for links to them;
            none: the commands that print them are named.
    """
    folder = Path(folder)
    report = Report("naion: public claims about sodium-ion cells")
    report.paragraph(
        f"{about} Claims are makers' statements. Every reading is simulated with draws of "
        "all that is uncertain; an interval holds 90 % of them, and a probability is the "
        "share of draws in which the reading holds: of what is assumed here, not of what "
        "a maker knows. Holds: at least 0.9. Fails: at most 0.1."
    )
    report.add(
        TextTable(["claim", "readings", "hold", "open", "fail"], _counts(audits))
    )
    add_to(report, audits, products, docs=docs)
    report.write(folder)
    rows = [_row(a, answer) for a in audits for answer in a.answers]
    write_csv(folder / "claims.csv", HEADER, rows)
    text = json.dumps([_as_json(a) for a in audits], separators=(",", ":"))
    write_whole(folder / "claims.json", text + "\n")


@takes
def add_to(
    report: Report,
    audits: Sequence[Audit],
    products: Mapping[str, Product] | None = None,
    *,
    docs: str | None = None,
) -> None:
    """Add a section for every claim to a report, and for all that its answers rest on.

    Args:
        report: to add to.
        audits: from `audit`.
        products, docs: as of `write`.
    """
    for a in audits:
        c = a.claim
        report.heading(f"{c.maker}, {c.product}: {c.said}", anchor(c))
        report.paragraph(
            f"Said {c.date} ({c.source}). Left out: {c.leaves_out}. {c.note}".strip()
        )
        header = ["reading", "claimed", "predicted (90 %)", "probability", "verdict"]
        rows = [_table_row(answer) for answer in a.answers]
        if products is not None:
            pairs = zip(rows, a.answers, strict=True)
            rows = [[with_links(answer), *row[1:]] for row, answer in pairs]
        report.add(TextTable(header, rows))
        report.add(
            TextTable(
                ["reading", "depends most on", "would have to be true"],
                [
                    [answer.reading.text, hangs_on(answer), in_words(answer)]
                    for answer in a.answers
                ],
            )
        )
        if outside := sorted({x.outside for x in a.answers if x.outside}):
            report.paragraph("Beyond the data: " + "; ".join(outside) + ".")
        report.paragraph("Rests on: " + rests_on(a) + ". Those that matter most:")
        report.add(inputs_table(a))
        report.add(Figure(c.name, _figure(a), "Predictions over what is claimed."))
    if products is not None:
        add_evidence(report, audits, products, docs)


def claimed(answer: Answer) -> list[str]:
    """What each requirement asks for."""
    found = []
    for r in answer.reading.requirements:
        name, unit = answer.reading.asked.quantities[r.quantity]
        sign = ">=" if r.at_least else "<="
        found.append(f"{name} {sign} {r.bound:g} {unit}")
    return found


def _table_row(answer: Answer) -> list[Words]:
    predicted = []
    for r in answer.reading.requirements:
        _, unit = answer.reading.asked.quantities[r.quantity]
        low, middle, high = answer.interval[:, r.quantity]
        predicted.append(f"{middle:.4g} ({low:.4g} to {high:.4g}) {unit}")
    failed = f" ({answer.failed} draws failed)" if answer.failed else ""
    return [
        answer.reading.text,
        "; ".join(claimed(answer)),
        "; ".join(predicted),
        f"{answer.probability:.2f}{failed}",
        answer.verdict,
    ]


def hangs_on(answer: Answer) -> str:
    """The three inputs that matter most, with their shares of the variance."""
    if not answer.shares:
        return "no slope: the quantity does not change at the median"
    return ", ".join(
        f"{name} {100 * share:.0f} % ({kind})"
        for name, kind, _, share in answer.shares[:MOST_INPUTS]
    )


def in_words(answer: Answer) -> str:
    """The least change, as a sentence."""
    change = answer.change
    if change is None:
        return "not found: the question has no slope at the median"
    most = "; ".join(f"{name} {words}" for name, words, _ in change.parts[:4])
    held = _holds_at_median(answer)
    if not change.reaches:
        best = _best(answer, change)
        if held:
            return f"holds at the median, and within all physical bounds ({best})"
        return f"none within physical bounds does; the nearest found has {best}: {most}"
    if held:
        return f"holds at the median; fails {change.distance:.1f} sd away: {most}"
    return f"{change.distance:.1f} sd: {most}"


def _best(answer: Answer, change: Change) -> str:
    parts = []
    for r in answer.reading.requirements:
        name, unit = answer.reading.asked.quantities[r.quantity]
        parts.append(f"{name} {change.best[r.quantity]:.4g} {unit}")
    return ", ".join(parts)


def _holds_at_median(answer: Answer) -> bool:
    margins = [r.margin(answer.median) for r in answer.reading.requirements]
    return bool(np.all(np.array(margins) >= 0.0))


def rests_on(a: Audit) -> str:
    """How many inputs are known in which way, over all readings."""
    kinds: dict[str, set[str]] = {word: set() for word in QUALITIES.values()}
    for answer in a.answers:
        for name, kind, _, _ in answer.shares:
            kinds[kind].add(name)
    return ", ".join(
        f"{len(names)} {kind} inputs" for kind, names in kinds.items() if names
    )


def _counts(audits: Sequence[Audit]) -> list[list[Words]]:
    rows: list[list[Words]] = []
    for a in audits:
        verdicts = [answer.verdict for answer in a.answers]
        counts = [str(verdicts.count(v)) for v in ("holds", "open", "fails")]
        name = f"{a.claim.maker}, {a.claim.product}: {a.claim.said}"
        to_it = Link(name, f"#{anchor(a.claim)}")
        rows.append([to_it, str(len(verdicts)), *counts])
    return rows


def _row(a: Audit, answer: Answer) -> list[str]:
    r = answer.reading.requirements[0]
    name, unit = answer.reading.asked.quantities[r.quantity]
    low, middle, high = answer.interval[:, r.quantity]
    c = a.claim
    return [
        *(c.name, c.maker, c.product, c.said, answer.reading.text, name, unit),
        "; ".join(claimed(answer)),
        *(f"{x:.6g}" for x in (low, middle, high, answer.probability)),
        *(answer.verdict, str(answer.failed), hangs_on(answer), in_words(answer)),
        answer.outside,
    ]


def _as_json(a: Audit) -> dict[str, Any]:
    c = a.claim
    words = ("name", "maker", "product", "said", "date", "source", "leaves_out", "note")
    return {w: getattr(c, w) for w in words} | {
        "readings": [_answer_as_json(answer) for answer in a.answers]
    }


def _answer_as_json(answer: Answer) -> dict[str, Any]:
    r, change = answer.reading, answer.change
    quantities = [
        {
            "name": name,
            "unit": unit,
            "interval_5_50_95": [
                float(x) if np.isfinite(x) else None for x in answer.interval[:, k]
            ],
        }
        for k, (name, unit) in enumerate(r.asked.quantities)
    ]
    return {
        "text": r.text,
        "question": r.question,
        "product": r.product,
        "heat": r.heat,
        "numbers": dict(r.numbers),
        "claimed": claimed(answer),
        "required": r.requirements[0].quantity,
        "quantities": quantities,
        "probability": answer.probability,
        "verdict": answer.verdict,
        "failed_draws": answer.failed,
        "outside_the_data": answer.outside,
        "inputs": [
            {"name": n, "kind": kind, "source": source, "share_of_variance": share}
            for n, kind, source, share in answer.shares
        ],
        "would_have_to_be_true": in_words(answer),
        "least_change": None
        if change is None
        else {
            "standard_deviations": change.distance,
            "reaches": change.reaches,
            "parts": [
                {"name": n, "change": words, "standard_deviations": d}
                for n, words, d in change.parts
            ],
        },
    }


def _figure(a: Audit):
    from matplotlib.figure import Figure as Canvas

    n = len(a.answers)
    canvas = Canvas(figsize=(7.5, 1.2 + 0.32 * n), layout="constrained")
    axes = canvas.add_subplot()
    for i, answer in enumerate(a.answers):
        r = answer.reading.requirements[0]
        low, middle, high = 100.0 * answer.interval[:, r.quantity] / r.bound
        axes.plot([low, high], [i, i], color="C0", linewidth=3.0, alpha=0.5)
        axes.plot([middle], [i], "o", color="C0")
    axes.axvline(100.0, color="k", linestyle="--", linewidth=1.0)
    axes.set_yticks(range(n), [x.reading.text[:60] for x in a.answers], fontsize=7)
    axes.set_ylim(n - 0.5, -0.5)
    axes.set_xlabel("predicted / claimed [%]")
    return canvas
