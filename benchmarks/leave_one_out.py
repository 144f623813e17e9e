"""Each measured rate and temperature predicted from the others, beside a naive baseline.

    python -m benchmarks leave_one_out [nvpf hakadi tuberlin]

The baseline knows no physics: at equal charge, voltages of neighbouring rates are
interpolated in current; overvoltages of neighbouring temperatures as an Arrhenius law. At
the ends both are extrapolated. Intervals of 90 %: the model's from the covariance of its
parameters and the errors of the fit (what belongs to a test alone scatters as in the
other tests); the baseline's from its own errors in the other tests left out. Inside: share
of the points; score: width plus 20 times what lies outside, mean over the points (Gneiting
and Raftery, J. Am. Stat. Assoc. 102 (2007) 359), smaller is better.
"""

import sys

import numpy as np

from benchmarks.harness import FAST, write
from benchmarks.left_out import Interval, Row
from benchmarks.studies import STUDIES, Study

HEADER = [
    *("left out", "of", "fitted when it is in, mV", "predicted, mV", "all points, mV"),
    *("baseline, mV", "inside, %", "width, mV", "score, mV"),
    *("baseline inside, %", "width, mV", "score, mV"),
]


def table(rows: list[Row]) -> list[list[str]]:
    """All rows, and all voltages together."""
    found, ours, theirs = [], [], []
    for row in rows:
        kind = "resistance, %" if row.label == "resistance" else row.label
        line = [row.test, kind, row.error(row.fitted), row.error(row.predicted)]
        line += [row.unmasked, row.error(row.baseline)]
        if row.label == "resistance":
            found.append([*line, *["-"] * 6])
            continue
        ours.append((row.off(row.predicted), 1.645 * row.sd[row.used]))
        others = [
            o.off(o.baseline)
            for o in rows
            if o.label == row.label and o.test != row.test and o.baseline is not None
        ]
        base = ["-"] * 3
        if row.baseline is not None and others:
            e = row.off(row.baseline)
            half = 1.645 * np.sqrt(np.mean(np.concatenate(others) ** 2))
            theirs.append((e, np.full(e.shape, half)))
            base = Interval.of(*theirs[-1]).texts
        found.append([*line, *row.interval.texts, *base])
    both = [
        Interval.of(*map(np.concatenate, zip(*pairs, strict=True))).texts
        if pairs
        else ["-"] * 3
        for pairs in (ours, theirs)
    ]
    return [*found, ["all", "voltages", "", "", "", "", *both[0], *both[1]]]


def predicted(study: Study) -> list[Row]:
    """Every condition from a fit to the others, in the shipped way."""
    everything = study.fit(study.shipped, study.conditions)
    rows = []
    for left in study.conditions[: 1 if FAST else None]:
        rest = tuple(c for c in study.conditions if c != left)
        fit = study.fit(study.shipped, rest)
        rows += study.predicted(everything.problem, fit, left, everything)
    return rows


def main() -> None:
    """Leave out every condition of the cells named, or of all."""
    for name in sys.argv[1:] or list(STUDIES):
        write(
            f"leave_one_out_{name}",
            f"Predicted from the other conditions: {name}",
            HEADER,
            table(predicted(STUDIES[name]())),
            "Voltage RMSE above 2 V and over the first 98 %, and over all points; "
            "resistances in per cent of the measured one. "
            + (__doc__ or "").split("\n\n")[-1].replace("\n", " "),
        )
