"""What answers rest on: products, their materials and designs, and what was asked."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ..fit import Tested
from ..parameters import QUALITIES, Sourced, available, load_set
from ..report import Link, Report, TextTable, Words
from ._answer import Answer, Audit
from ._claims import FITTED, Claim
from ._product import Product
from ._questions import QUESTIONS
from ._words import asks, numbers_of

MOST_INPUTS = 3
"""Of an answer, that are named: those with the largest shares of the variance."""


def anchor(claim: Claim) -> str:
    """Of a claim's section."""
    return _place("claim", claim.name)


def _place(kind: str, name: str) -> str:
    """The anchor of what has a name; users' names may have spaces in them."""
    return re.sub(r"[^\w.-]+", "-", f"{kind}-{name}")


def _link(kind: str, name: str, text: str = "") -> Link:
    return Link(text or name, f"#{_place(kind, name)}")


def with_links(answer: Answer) -> Words:
    """A reading, with links to what its answer rests on: sections of `add_evidence`."""
    r = answer.reading
    links = [_link("question", r.question)]
    links += [_link("product", p) for p in (r.product, r.other) if p]
    return [f"{r.text} (", *_listed(links), ")"]


def inputs_table(a: Audit) -> TextTable:
    """What the answers to a claim depend on most, with how it is known and from where."""
    found: dict[str, tuple[str, str, float]] = {}
    for answer in a.answers:
        for name, kind, source, share in answer.shares[:MOST_INPUTS]:
            most = max(share, found[name][2]) if name in found else share
            found[name] = kind, source, most
    header = ["input", "share of the variance, at most", "how it is known", "from"]
    rows = [
        [name, f"{100.0 * share:.0f} %", kind, source]
        for name, (kind, source, share) in found.items()
    ]
    return TextTable(header, rows)


def add_evidence(
    report: Report,
    audits: Sequence[Audit],
    products: Mapping[str, Product],
    docs: str | None = None,
) -> None:
    """Add what answers lead to: a section for every product, material and question.

    Args:
        report: in which the answers are.
        audits: these answers.
        products: they are about, by name.
        docs: where the pages of the documentation lie from the report's folder; none:
            the commands that print them are named alone.
    """
    answers = [answer for a in audits for answer in a.answers]
    named = (p for x in answers for p in (x.reading.product, x.reading.other) if p)
    used = [products[name] for name in dict.fromkeys(named)]
    report.heading("What the answers rest on", "evidence")
    report.paragraph(
        "Every answer is a simulation of a product: a design, filled with the materials of "
        "a cell. Below are these and the questions, each with what prints it in full. How "
        "well such cells are predicted: ",
        _page("validation", "", docs),
        ".",
    )
    for k, p in enumerate(used):
        same = (q for q in used[:k] if q.variations == p.variations)
        _add_product(report, p, next(same, None))
    for p in {p.materials: p for p in used}.values():
        _add_materials(report, p, docs)
    for name in dict.fromkeys(x.reading.question for x in answers):
        _add_question(report, name, docs)


def _add_product(report: Report, p: Product, like: Product | None) -> None:
    """Add a product whose materials vary as those of another that is there, or of none."""
    report.heading(f"Product {p.name}", _place("product", p.name), inner=True)
    words: list[str | Link] = [
        "Materials: ",
        _link("materials", p.materials, _called(p)),
        ", whose data are from {:g} to {:g} degC. ".format(*p.temperatures),
    ]
    if p.blueprint is None:
        words.append("The cell as it is, in no other design.")
    else:
        b = p.blueprint
        words.append(
            f"Design: {b.title}; {_counts(b.inputs.values())} (naion designs {b.name})."
        )
    report.paragraph(*words)
    if p.variations and like is not None:
        report.paragraph(
            "Its materials may differ from these by the same factors as those of ",
            _link("product", like.name),
            ".",
        )
    elif p.variations:
        report.paragraph("Its materials may differ from these by factors:")
        rows = [
            [v.input.name, f"{v.input.value:g}", _between(v.input), v.input.source]
            for v in p.variations
        ]
        report.add(TextTable(["factor", "value", "range", "from"], rows))


def _add_materials(report: Report, p: Product, docs: str | None) -> None:
    at = _place("materials", p.materials)
    report.heading(f"Materials: {_called(p)}", at, inner=True)
    if p.fitted:
        tests = ", ".join(map(_test, p.known.tests)) or "which its file does not name"
        report.paragraph(
            f"Fitted to {len(p.known.tests)} tests: {tests}. In voltage the fit is "
            f"{1e3 * p.known.discrepancy:.0f} mV (root mean square) from them. What it "
            "found, within two standard deviations:"
        )
        report.add(TextTable(["number", "value", "range"], _fitted_rows(p)))
    elif p.materials in available():
        one = load_set(p.materials)
        report.paragraph(
            f"{one.title}. Cite: {one.citation}. {_counts(one.provenance)}; what is "
            "assumed is drawn within its range. Every number with its source: ",
            _page("sets", one.name, docs, f"naion sets {one.name}"),
            ".",
        )
    else:
        report.paragraph(
            f"Not fitted: {len(p.known.vector.free)} of its numbers are drawn from their "
            "ranges, all others are taken as they are."
        )


def _add_question(report: Report, name: str, docs: str | None) -> None:
    asked = QUESTIONS[name]
    gives = ", ".join(f"{what} [{unit}]" for what, unit in asked.quantities)
    report.heading(f"Question {name}", _place("question", name), inner=True)
    report.paragraph(
        f"{asks(name)} Gives: {gives}. All about it: ",
        _page("questions", name, docs, f"naion claims --questions {name}"),
        ".",
    )
    rows = [[number, text] for number, text in numbers_of(name)]
    if rows:
        report.add(TextTable(["number", "what it is"], rows))


def _called(p: Product) -> str:
    if p.materials == FITTED:
        return "the fitted cell" if p.fitted else "the cell that was asked for"
    return p.materials


def _test(test: Tested) -> str:
    n = test.experiment.n_observations
    return f"{test.name} ({n} number{'s' if n > 1 else ''})"


def _fitted_rows(p: Product) -> list[list[str]]:
    """Numbers of the fit by name; those of a curve share a row."""
    of: dict[str, list[Sourced]] = {}
    for number in p.numbers[: len(p.known.z)]:
        of.setdefault(number.name, []).append(number)
    rows = []
    for name, numbers in of.items():
        if len(numbers) > 1:
            ends = [x for n in numbers for x in n.range or ()]
            value, between = f"curve of {len(numbers)} numbers", (min(ends), max(ends))
        else:
            value, between = f"{numbers[0].value:.4g}", numbers[0].range
        low, high = between or (np.nan, np.nan)
        rows.append([name, value, f"{low:.4g} to {high:.4g}"])
    return rows


def _between(number: Sourced) -> str:
    return "" if number.range is None else "{:g} to {:g}".format(*number.range)


def _counts(numbers: Iterable[Sourced]) -> str:
    """How many numbers are known in which way."""
    counts = Counter(QUALITIES[n.quality] for n in numbers)
    each = [f"{counts[word]} {word}" for word in QUALITIES.values() if counts[word]]
    return f"its numbers: {', '.join(each)}"


def _page(page: str, place: str, docs: str | None, command: str = "") -> str | Link:
    """A page of the documentation, or the command that prints the same offline."""
    said = command or f"naion docs {page}"
    if docs is None:
        return said
    return Link(said, f"{docs}/{page}.md{f'#{place}' if place else ''}")


def _listed(links: Sequence[Link]) -> list[str | Link]:
    """With commas between them."""
    words: list[str | Link] = []
    for k, link in enumerate(links):
        words += [", ", link] if k else [link]
    return words
