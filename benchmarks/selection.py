"""Which freedoms of a fit improve what it predicts, and what choosing them costs.

    python -m benchmarks selection [nvpf hakadi tuberlin hina hina_all]

A ladder of fits, each with one freedom more. Every condition is predicted from the others;
a rung is taken if its mean interval score is better than that of the rung that stands by
more than the standard error of the differences. Plain: chosen by the same predictions that
are shown. Nested: for every condition chosen from the others alone, by leaving out one of
them in turn. Interval score: see `leave_one_out`.
"""

import functools
import sys
import time

import numpy as np

from benchmarks.harness import FAST, write
from benchmarks.left_out import Interval
from benchmarks.studies import STUDIES
from benchmarks.study import Conditions, Study
from naion.fit import Fit


class Ladder:
    """Fits of a study to some of its conditions, and what they predict of the others."""

    def __init__(self, study: Study):
        self.study = study
        self.rungs = tuple(study.ladder)[: 2 if FAST else None]
        self.fit = functools.cache(self._fit)
        self.scored = functools.cache(self._scored)
        self.whole = functools.cache(lambda rung: study.ladder[rung](study.conditions))

    def _fit(self, rung: str, conditions: Conditions) -> Fit:
        began = time.perf_counter()
        fit = self.study.fit(rung, conditions)
        took = time.perf_counter() - began
        print(
            f"{rung}, {'+'.join(conditions)}: {fit.cost:.1f}, {took:.0f} s", flush=True
        )
        return fit

    def _scored(self, rung: str, seen: Conditions, left: str) -> tuple[float, Interval]:
        """RMSE and interval of what a condition left out is judged by [mV or %]."""
        rows = self.study.predicted(self.whole(rung), self.fit(rung, seen), left, None)
        judged = self.study.judged_by == "resistances"
        own = [row for row in rows if row.is_resistance == judged]
        errors = np.concatenate([row.off(row.predicted) for row in own])
        half, unit = np.concatenate([row.half for row in own]), own[0].unit
        rmse = unit * float(np.sqrt(np.mean(errors**2)))
        return rmse, Interval.of(errors, half, unit)

    def chosen(self, conditions: Conditions) -> str:
        """The rung that predicts each of some conditions best from the others of them."""

        def scores(rung: str) -> np.ndarray:
            pairs = [(rest(conditions, left), left) for left in conditions]
            return np.array([self.scored(rung, *pair)[1].score for pair in pairs])

        stands, *freer = self.rungs
        for rung in freer:
            better = scores(stands) - scores(rung)
            if better.mean() > better.std(ddof=1) / np.sqrt(len(better)):
                stands = rung
        return stands


def rest(conditions: Conditions, left: str) -> Conditions:
    """All but one."""
    return tuple(c for c in conditions if c != left)


def table(study: Study) -> list[list[str]]:
    """Every rung, then the plain and the nested choice."""
    ladder, every = Ladder(study), study.conditions

    def line(title: str, rungs: list[str]) -> list[str]:
        found = [
            ladder.scored(rung, rest(every, left), left)
            for rung, left in zip(rungs, every, strict=True)
        ]
        cells = [f"{off:.1f}, {i.texts[2]}" for off, i in found]
        off, inside, width, score = np.mean([(off, *i) for off, i in found], 0)
        mean = Interval(inside, width, score).texts
        return [title, *cells, f"{off:.1f}", mean[2], mean[0]]

    rows = [line(rung, [rung] * len(every)) for rung in ladder.rungs]
    plain = ladder.chosen(every)
    nested = [ladder.chosen(rest(every, left)) for left in every]
    rows.append(line(f"plain choice: {plain}", [plain] * len(every)))
    rows.append(line(f"nested choices: {'; '.join(nested)}", nested))
    return rows


def main() -> None:
    """Climb the ladders of the cells named, or of all."""
    for name in sys.argv[1:] or list(STUDIES):
        study = STUDIES[name]()
        unit = "%" if study.judged_by == "resistances" else "mV"
        judged = {
            "voltages": "Voltages above 2 V and over the first 98 %. ",
            "resistances": "Resistances over those measured. ",
        }
        write(
            f"selection_{name}",
            f"Freedoms by what they predict: {name}",
            [
                "freedom added",
                *(f"{c} left out: {unit}, score" for c in study.conditions),
                *(f"mean, {unit}", f"mean score, {unit}", "inside, %"),
            ],
            table(study),
            f"Shipped: {study.shipped}. {judged[study.judged_by]}{study.about} "
            + " ".join((__doc__ or "").split("\n\n")[-1].split()),
        )
