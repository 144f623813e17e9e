"""What a fit predicts of tests that it has not seen: rows, scores, and their spread."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from benchmarks.scores import LEAST
from naion.fit import Experiment, Fit, Problem, errors_beyond, errors_of


@dataclass
class Row:
    """One kind of numbers of one test left out.

    Attributes:
        test, label: what was predicted.
        measured, predicted, sd: at all points, (n,) [V or ohm].
        fitted, baseline: what a fit that has seen the test gives, and a prediction
            without physics; none where there is none.
        condition: with which the test was left out; empty: it is in no fit.
    """

    test: str
    label: str
    measured: np.ndarray
    predicted: np.ndarray
    sd: np.ndarray
    fitted: np.ndarray | None = None
    baseline: np.ndarray | None = None
    condition: str = ""

    @property
    def is_resistance(self) -> bool:
        """Errors of resistances are relative ones."""
        return self.label == "resistance"

    @property
    def used(self) -> np.ndarray:
        """Points above 2 V, the first 98 %; of single numbers and resistances all."""
        n = len(self.measured)
        if self.is_resistance:
            return np.ones(n, bool)
        first = np.arange(n) < max(0.98 * n - 1, 1)
        return (self.measured > LEAST) & first

    def error(self, model: np.ndarray | None) -> str:
        """RMSE over the points used [mV], or errors of resistances [%], as text."""
        if model is None:
            return "-"
        if self.is_resistance:
            return ", ".join(f"{100.0 * x:+.1f}" for x in self.off(model))
        return f"{1e3 * np.sqrt(np.mean(self.off(model) ** 2)):.1f}"

    @property
    def unmasked(self) -> str:
        """RMSE of the prediction over all points [mV], as text."""
        if self.is_resistance:
            return "-"
        model = np.where(np.isfinite(self.predicted), self.predicted, 0.0)
        return f"{1e3 * np.sqrt(np.mean((model - self.measured) ** 2)):.1f}"

    @property
    def half(self) -> np.ndarray:
        """Half the width of intervals of 90 % at the points used, as `off`."""
        half = 1.645 * self.sd
        return (half / self.measured if self.is_resistance else half)[self.used]

    @property
    def interval(self) -> "Interval":
        """Of 90 %, around the points used."""
        return Interval.of(self.off(self.predicted), self.half, self.unit)

    @property
    def unit(self) -> float:
        """In one volt, or in one: errors are shown in mV or in per cent."""
        return 1e2 if self.is_resistance else 1e3

    def off(self, model: np.ndarray) -> np.ndarray:
        """Errors of the points used [V], or of resistances over those measured.

        A model that has ended counts as at zero volts.
        """
        error = np.where(np.isfinite(model), model, 0.0) - self.measured
        return (error / self.measured if self.is_resistance else error)[self.used]


class Interval(NamedTuple):
    """How an interval fared over some points.

    Attributes:
        inside: share of the points [%].
        width: mean [mV, or % of resistances].
        score: width plus 20 times what lies outside, mean; smaller is better.

    Reference: Gneiting and Raftery, J. Am. Stat. Assoc. 102 (2007) 359.
    """

    inside: float
    width: float
    score: float

    @classmethod
    def of(cls, errors: np.ndarray, half: np.ndarray, unit: float = 1e3) -> "Interval":
        """From errors and half widths, and what one of theirs is shown as."""
        outside = np.maximum(np.abs(errors) - half, 0.0)
        inside, width = np.mean(outside == 0.0), np.mean(2.0 * half)
        score = width + 20.0 * np.mean(outside)
        return cls(100.0 * float(inside), unit * float(width), unit * float(score))

    @property
    def texts(self) -> list[str]:
        """Of a table; tenths where widths are per cents."""
        digits = 1 if self.width < 50.0 else 0
        return [f"{self.inside:.0f}", *(f"{x:.{digits}f}" for x in self[1:])]


def rmse(model: np.ndarray, measured: np.ndarray) -> float:
    """Above 2 V, over the first 98 % of the points [mV].

    A model that has ended counts as at zero volts.
    """
    model = np.where(np.isfinite(model), model, 0.0)
    use = (measured > LEAST) & (np.arange(len(measured)) < 0.98 * len(measured) - 1)
    return 1e3 * float(np.sqrt(np.mean((model - measured)[use] ** 2)))


def split(e: Experiment, row: np.ndarray) -> dict[str, np.ndarray]:
    """A row of predictions by label."""
    parts, i = {}, 0
    for o in e.observations:
        parts[o.label] = row[i : i + len(o.value)]
        i += len(o.value)
    return parts


def rows_of(
    e: Experiment,
    predicted: np.ndarray,
    sd: np.ndarray,
    fitted: np.ndarray | None,
    baseline: Mapping[str, np.ndarray | float],
) -> list[Row]:
    """What a test left out measured, beside what is predicted of it.

    Args:
        e: the test.
        predicted, sd: of all its points, one kind after another, (n,) [V or ohm].
        fitted: by a fit that has seen it, (n,); none: there is none.
        baseline: by label, of resistances by the test's name.
    """
    now, spread = split(e, predicted), split(e, sd)
    own = {} if fitted is None else split(e, fitted)
    rows = []
    for o in e.observations:
        naive = baseline.get(e.name if o.label == "resistance" else o.label)
        row = Row(e.name, o.label, o.value, now[o.label], spread[o.label])
        row.fitted = own.get(o.label)
        row.baseline = None if naive is None else np.atleast_1d(naive)
        rows.append(row)
    return rows


def spreads(
    whole: Problem,
    z: np.ndarray,
    fit: Fit,
    refitted: dict[int, tuple[str, str]],
    seen: Collection[int] = (),
) -> list[np.ndarray]:
    """Standard deviations of all predictions of a problem at z, from a fit of others.

    What belongs to a test alone scatters as in the fit, or was found from observations
    of this kind: then it makes up for what the cell's parameters do to these. What is
    colder or warmer than all tests of the fit errs besides as `errors_beyond` says.

    Args:
        refitted: by group, what was found so: its name, and the label of the observations.
        seen: groups of which other tests were fitted: what belongs to them is known as
            the cell is.
    """
    errors, own = errors_of(fit), {}
    known = dict(zip(fit.problem.vector.names, range(len(fit.z)), strict=True))
    for f, n in zip(whole.vector.free, whole.vector.counts, strict=True):
        if f.by_group:
            sd = f.prior * errors.own[f.name]
            new = [i for i in range(n) if i not in seen]
            own |= {f"{f.name}[{i}]" if n > 1 else f.name: sd for i in new}
    own |= {name: 0.0 for name, _ in refitted.values()}
    C = np.zeros((len(z), len(z)))
    cell = [k for k, name in enumerate(whole.vector.names) if name not in own]
    to = [known[whole.vector.names[k]] for k in cell]
    C[np.ix_(cell, cell)] = fit.covariance[np.ix_(to, to)]
    for k, name in enumerate(whole.vector.names):
        if name in own:
            C[k, k] = own[name] ** 2
    J, found, i = _made_up(whole, whole.jacobian(z), refitted), [], 0
    tested = [e.temperature for e in fit.problem.experiments]
    at, predicted = whole.specimen_at(z), whole.predictions(z)
    for k, e in enumerate(whole.experiments):
        n = e.n_observations
        sigma = np.concatenate([o.sigma for o in e.observations])
        pairs = zip(errors.variances, fit.problem.experiments, strict=True)
        variance = np.mean([v for v, other in pairs if _kinds(other) == _kinds(e)])
        through = np.einsum("ni,ij,nj->n", J[i : i + n], C, J[i : i + n])
        beyond = errors_beyond(at, e, predicted[k], whole.model, tested)
        found.append(np.hypot(sigma * np.sqrt(through + variance), beyond))
        i += n
    return found


def _made_up(
    whole: Problem, J: np.ndarray, refitted: dict[int, tuple[str, str]]
) -> np.ndarray:
    """Slopes of the predictions where a refitted number follows the others."""
    rows = [(e.group, o.label) for e in whole.experiments for o in e.observations]
    counts = [len(o.value) for e in whole.experiments for o in e.observations]
    at = np.repeat(np.arange(len(rows)), counts)
    J = J.copy()
    for group, (name, label) in refitted.items():
        column = J[: len(at), whole.vector.names.index(name)].copy()
        here = np.array([g == group for g, _ in rows])[at]
        seen = np.array([row == (group, label) for row in rows])[at]
        slope, rest = column[seen], J[: len(at)][seen]
        J[: len(at)] -= np.outer(column * here, (slope @ rest) / (slope @ slope))
    return J


def _kinds(e: Experiment) -> list[str]:
    """What was observed."""
    return [o.label for o in e.observations]
