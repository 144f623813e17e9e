"""What a fit predicts of tests that it has not seen: rows, scores, and their spread."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from benchmarks.scores import LEAST
from naion.fit import Experiment, Fit, Problem, errors_of


@dataclass
class Row:
    """One kind of numbers of one test left out; voltages in V.

    Attributes:
        test, label: what was predicted.
        measured, predicted, sd: at all points, (n,).
        fitted, baseline: what a fit that has seen the test gives, and a prediction
            without physics; none where there is none.
    """

    test: str
    label: str
    measured: np.ndarray
    predicted: np.ndarray
    sd: np.ndarray
    fitted: np.ndarray | None = None
    baseline: np.ndarray | None = None

    @property
    def used(self) -> np.ndarray:
        """Points above 2 V, the first 98 %; all of resistances."""
        if self.label == "resistance":
            return np.ones(len(self.measured), bool)
        first = np.arange(len(self.measured)) < 0.98 * len(self.measured) - 1
        return (self.measured > LEAST) & first

    def error(self, model: np.ndarray | None) -> str:
        """RMSE over the points used [mV], or the error of a resistance [%], as text."""
        if model is None:
            return "-"
        if self.label == "resistance":
            return f"{100.0 * (model[0] / self.measured[0] - 1.0):+.1f}"
        return f"{rmse(model, self.measured):.1f}"

    @property
    def unmasked(self) -> str:
        """RMSE of the prediction over all points [mV], as text."""
        if self.label == "resistance":
            return "-"
        model = np.where(np.isfinite(self.predicted), self.predicted, 0.0)
        return f"{1e3 * np.sqrt(np.mean((model - self.measured) ** 2)):.1f}"

    @property
    def interval(self) -> "Interval":
        """Of 90 %, around the points used."""
        return Interval.of(self.off(self.predicted), 1.645 * self.sd[self.used])

    def off(self, model: np.ndarray) -> np.ndarray:
        """Errors of the points used; a model that has ended counts as at zero volts."""
        model = np.where(np.isfinite(model), model, 0.0)
        return (model - self.measured)[self.used]


class Interval(NamedTuple):
    """How an interval fared over some points.

    Attributes:
        inside: share of the points [%].
        width: mean [mV].
        score: width plus 20 times what lies outside, mean; smaller is better [mV].

    Reference: Gneiting and Raftery, J. Am. Stat. Assoc. 102 (2007) 359.
    """

    inside: float
    width: float
    score: float

    @classmethod
    def of(cls, errors: np.ndarray, half: np.ndarray) -> "Interval":
        """From errors and half widths [V]."""
        outside = np.maximum(np.abs(errors) - half, 0.0)
        inside, width = np.mean(outside == 0.0), np.mean(2.0 * half)
        score = width + 20.0 * np.mean(outside)
        return cls(100.0 * float(inside), 1e3 * float(width), 1e3 * float(score))

    @property
    def texts(self) -> list[str]:
        """Of a table."""
        return [f"{x:.0f}" for x in self]


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


def spreads(
    whole: Problem, z: np.ndarray, fit: Fit, refitted: dict[int, tuple[str, str]]
) -> list[np.ndarray]:
    """Standard deviations of all predictions of a problem at z, from a fit of others.

    What belongs to a test alone scatters as in the fit, or was found from observations
    of this kind: then it makes up for what the cell's parameters do to these.

    Args:
        refitted: by group, what was found so: its name, and the label of the observations.
    """
    errors, own = errors_of(fit), {}
    known = dict(zip(fit.problem.vector.names, range(len(fit.z)), strict=True))
    for f, n in zip(whole.vector.free, whole.vector.counts, strict=True):
        if f.by_group:
            sd = f.prior * errors.own[f.name]
            own |= {f"{f.name}[{i}]" if n > 1 else f.name: sd for i in range(n)}
    own |= {name: 0.0 for name, _ in refitted.values()}
    C = np.zeros((len(z), len(z)))
    cell = [k for k, name in enumerate(whole.vector.names) if name not in own]
    at = [known[whole.vector.names[k]] for k in cell]
    C[np.ix_(cell, cell)] = fit.covariance[np.ix_(at, at)]
    for k, name in enumerate(whole.vector.names):
        if name in own:
            C[k, k] = own[name] ** 2
    J, found, i = _made_up(whole, whole.jacobian(z), refitted), [], 0
    for e in whole.experiments:
        n = e.n_observations
        sigma = np.concatenate([o.sigma for o in e.observations])
        pairs = zip(errors.variances, fit.problem.experiments, strict=True)
        variance = np.mean([v for v, other in pairs if _kinds(other) == _kinds(e)])
        through = np.einsum("ni,ij,nj->n", J[i : i + n], C, J[i : i + n])
        found.append(sigma * np.sqrt(through + variance))
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
