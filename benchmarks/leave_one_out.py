"""Each measured rate and temperature predicted from the others, beside a naive baseline.

    python -m benchmarks leave_one_out [nvpf hakadi tuberlin hina]

The baseline knows no physics: at equal charge, voltages of neighbouring rates are
interpolated in current; overvoltages of neighbouring temperatures as an Arrhenius law;
resistances of neighbouring states of charge linearly in charge. At the ends all are
extrapolated. Intervals of 90 %: the model's from the covariance of its parameters and the
errors of the fit (what belongs to a test alone scatters as in the other tests); the
baseline's from its own errors under the other conditions left out. Inside: share of the
points; score: width plus 20 times what lies outside, mean over the points (Gneiting and
Raftery, J. Am. Stat. Assoc. 102 (2007) 359), smaller is better.
"""

import sys
from dataclasses import replace

import numpy as np

from benchmarks.harness import FAST, write
from benchmarks.left_out import Interval, Row
from benchmarks.studies import STUDIES, Study

HEADER = [
    *("left out", "of", "fitted when it is in, mV", "predicted, mV", "all points, mV"),
    *("baseline, mV", "inside, %", "width, mV", "score, mV"),
    *("baseline inside, %", "baseline width, mV", "baseline score, mV"),
]
"""Of columns; those of resistances are in per cent."""


def table(rows: list[Row]) -> list[list[str]]:
    """All rows, and all voltages and resistances together."""
    lines = [line(row, _baseline_half(row, rows)) for row in rows]
    for what, is_resistance in (("voltages", False), ("resistances, %", True)):
        for of, is_in in (("all", True), ("all in no fit", False)):
            own = [
                r
                for r in rows
                if r.is_resistance == is_resistance and bool(r.condition) == is_in
            ]
            if own:
                lines.append([of, what, *together(own, rows)])
    return lines


def line(row: Row, half: float | None) -> list[str]:
    """Of one row, and of the interval around its baseline if that has one."""
    kind = "resistance, %" if row.is_resistance else row.label
    found = [row.test, kind, row.error(row.fitted), row.error(row.predicted)]
    found += [row.unmasked, row.error(row.baseline), *row.interval.texts]
    if half is None or row.baseline is None:
        return [*found, *["-"] * 3]
    e = row.off(row.baseline)
    return [*found, *Interval.of(e, np.full(e.shape, half), row.unit).texts]


def together(own: list[Row], rows: list[Row]) -> list[str]:
    """Cells of the line of some rows: mean sizes of errors of resistances, intervals."""

    def sizes(models: list[np.ndarray | None]) -> str:
        off = [row.off(m) for row, m in zip(own, models, strict=True) if m is not None]
        if not off or not own[0].is_resistance:
            return ""
        every = 100.0 * np.abs(np.concatenate(off))
        return f"{every.mean():.1f}, most {every.max():.1f}"

    errors = [sizes([getattr(r, k) for r in own]) for k in ("fitted", "predicted")]
    errors += ["", sizes([r.baseline for r in own])]
    ours = [(r.off(r.predicted), r.half) for r in own]
    theirs = []
    for row in own:
        half = _baseline_half(row, rows)
        if half is not None and row.baseline is not None:
            e = row.off(row.baseline)
            theirs.append((e, np.full(e.shape, half)))
    return errors + [
        text
        for pairs in (ours, theirs)
        for text in (
            Interval.of(
                *map(np.concatenate, zip(*pairs, strict=True)), own[0].unit
            ).texts
            if pairs
            else ["-"] * 3
        )
    ]


def _baseline_half(row: Row, rows: list[Row]) -> float | None:
    """Half the width of its interval, from its errors under the other conditions."""
    others = [
        o.off(o.baseline)
        for o in rows
        if o.label == row.label
        and o.condition not in ("", row.condition)
        and o.baseline is not None
    ]
    if not others:
        return None
    return 1.645 * float(np.sqrt(np.mean(np.concatenate(others) ** 2)))


def predicted(study: Study) -> list[Row]:
    """Every condition from a fit to the others, in the shipped way."""
    everything = study.fit(study.shipped, study.conditions)
    rows = []
    for left in study.conditions[: 1 if FAST else None]:
        rest = tuple(c for c in study.conditions if c != left)
        fit = study.fit(study.shipped, rest)
        found = study.predicted(everything.problem, fit, left, everything)
        rows += [replace(row, condition=left) for row in found]
    return rows + study.elsewhere(everything)


def main() -> None:
    """Leave out every condition of the cells named, or of all."""
    for name in sys.argv[1:] or list(STUDIES):
        study = STUDIES[name]()
        notes = (
            "Voltage RMSE above 2 V and over the first 98 %, and over all points; "
            "resistances in per cent of the measured one. ",
            f"{study.about} " if study.about else "",
            (__doc__ or "").split("\n\n")[-1].replace("\n", " ").strip(),
        )
        write(
            f"leave_one_out_{name}",
            f"Predicted from the other conditions: {name}",
            HEADER,
            table(predicted(study)),
            "".join(notes),
        )
