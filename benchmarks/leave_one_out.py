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
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.harness import FAST, write
from benchmarks.scores import LEAST
from naion.demo import _hakadi, _nvpf, _tuberlin
from naion.fit import Experiment, Fit, Problem, Specimen, errors_of, least_squares

HEADER = [
    *("left out", "of", "fitted when it is in, mV", "predicted, mV", "baseline, mV"),
    *("inside, %", "width, mV", "score, mV"),
    *("baseline inside, %", "width, mV", "score, mV"),
]


@dataclass
class Row:
    """One kind of numbers of one test left out; voltages in V.

    Attributes:
        test, label: what was predicted.
        measured, fitted, predicted, sd, baseline: at all points, (n,); the baseline may
            be none.
    """

    test: str
    label: str
    measured: np.ndarray
    fitted: np.ndarray
    predicted: np.ndarray
    sd: np.ndarray
    baseline: np.ndarray | None = None

    @property
    def used(self) -> np.ndarray:
        """Points above 2 V, the first 98 %; all of resistances."""
        if self.label == "resistance":
            return np.ones(len(self.measured), bool)
        first = np.arange(len(self.measured)) < 0.98 * len(self.measured) - 1
        return (self.measured > LEAST) & first

    def error(self, model: np.ndarray | None) -> str:
        if model is None:
            return "-"
        if self.label == "resistance":
            return f"{100.0 * (model[0] / self.measured[0] - 1.0):+.1f}"
        return f"{rmse(model, self.measured):.1f}"

    def off(self, model: np.ndarray) -> np.ndarray:
        """Errors of the points used; a model that has ended counts as at zero volts."""
        model = np.where(np.isfinite(model), model, 0.0)
        return (model - self.measured)[self.used]


def interval(errors: np.ndarray, half: np.ndarray) -> list[str]:
    """Share inside, mean width and score of an interval."""
    outside = np.maximum(np.abs(errors) - half, 0.0)
    score = 2.0 * half + 20.0 * outside
    numbers = np.mean(outside == 0.0), np.mean(2.0 * half), np.mean(score)
    return [f"{100 * numbers[0]:.0f}", *(f"{1e3 * x:.0f}" for x in numbers[1:])]


def table(rows: list[Row]) -> list[list[str]]:
    """All rows, and all voltages together."""
    found, ours, theirs = [], [], []
    for row in rows:
        kind = "resistance, %" if row.label == "resistance" else row.label
        line = [row.test, kind, *(map(row.error, (row.fitted, row.predicted)))]
        line.append(row.error(row.baseline))
        if row.label == "resistance":
            found.append([*line, *["-"] * 6])
            continue
        own = row.off(row.predicted), 1.645 * row.sd[row.used]
        ours.append(own)
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
            base = interval(*theirs[-1])
        found.append([*line, *interval(*own), *base])
    both = [
        interval(*map(np.concatenate, zip(*pairs, strict=True)))
        for pairs in (ours, theirs)
    ]
    return [*found, ["all", "voltages", "", "", "", *both[0], *both[1]]]


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


def fitted(problem: Problem) -> Fit:
    """Nearly as in `make demo`, which stops at 5e-4, from the set's own numbers."""
    return least_squares(problem, max_evaluations=2 if FAST else 40, tolerance=2e-3)


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


def curve(e: Experiment, label: str) -> tuple[np.ndarray, np.ndarray]:
    """Charge [A.h] and voltage measured under constant current."""
    (o,) = (o for o in e.observations if o.label == label)
    row = int(
        np.argmax(np.asarray(e.protocol.value) * (np.asarray(e.protocol.mode) == 0))
    )
    began = float(np.sum(e.protocol.duration[:row]))
    return (o.b - began) * current(e) / 3600.0, o.value


def current(e: Experiment) -> float:
    """Of the discharge [A]."""
    values = np.asarray(e.protocol.value)[np.asarray(e.protocol.mode) == 0]
    return float(values.max())


ROUND = 4
"""Digits of a current [A] in which repeats are the same; below, sensors differ."""


def by_rate(
    target: Experiment, others: list[Experiment], label: str, scale: Callable
) -> np.ndarray:
    """Voltages of the two rates nearest to a third, interpolated at equal charge."""
    q, _ = curve(target, label)
    rates = sorted({round(current(e), ROUND) for e in others})
    x = scale(current(target))
    a, b = sorted(rates, key=lambda r: abs(scale(r) - x))[:2]
    V = []
    for rate in (a, b):
        same = [curve(e, label) for e in others if round(current(e), ROUND) == rate]
        V.append(np.mean([np.interp(q, *c) for c in same], axis=0))
    share = (x - scale(a)) / (scale(b) - scale(a))
    return V[0] + share * (V[1] - V[0])


def nvpf() -> list[Row]:
    """Three rates."""
    whole = _nvpf.nvpf_problem()
    everything = fitted(whole)
    rows = []
    for i, rate in enumerate(_nvpf.RATES):
        rest = tuple(r for r in _nvpf.RATES if r != rate)
        # The axis of a figure that was not seen is taken as right.
        fit = fitted(_nvpf.nvpf_problem(rest))
        e = whole.experiments[i]
        measured = e.observations[0].value
        others = [x for k, x in enumerate(whole.experiments) if k != i]
        rows.append(
            Row(
                e.name,
                "discharge",
                measured,
                everything.predictions[i],
                whole.predictions(fit.z)[i],
                spreads(whole, fit.z, fit, {})[i],
                by_rate(e, others, "voltage", np.log),
            )
        )
        if FAST:
            break
    return rows


def hakadi() -> list[Row]:
    """Four rates; both repeats of a rate are left out together."""
    whole = _hakadi.hakadi_problem()
    everything = fitted(whole)
    rows = []
    for rate in dict.fromkeys(f.split("_")[0] for f in _hakadi.FILES):
        rest = tuple(f for f in _hakadi.FILES if not f.startswith(rate))
        fit = fitted(_hakadi.hakadi_problem(rest))
        at = _predicted(whole, fit.specimen)
        predicted, sd = at.predictions(at.start), spreads(at, at.start, fit, {})
        others = [_hakadi.cycle(f, i) for i, f in enumerate(rest)]
        for i, (file, e) in enumerate(
            zip(_hakadi.FILES, whole.experiments, strict=True)
        ):
            if not file.startswith(rate):
                continue
            parts = everything.predictions[i], predicted[i], sd[i]
            own, now, spread = (split(e, part) for part in parts)
            for o in e.observations:
                base = None
                if o.label == "discharge":
                    base = by_rate(e, others, o.label, float)
                numbers = own[o.label], now[o.label], spread[o.label], base
                rows.append(Row(e.name, o.label, o.value, *numbers))
        if FAST:
            break
    return rows


def _predicted(whole: Problem, found: Specimen) -> Problem:
    """Every test on a fitted specimen; one instrument measured all: its mean errors."""
    names = ("missing", "gain", "gain_on_charge", "offset")
    means = (float(np.mean(getattr(found, name))) for name in names)
    count = len(whole.experiments)
    specimen = Specimen(found.cell, *(np.full(count, mean) for mean in means))
    return replace(whole, specimen=specimen)


def tuberlin() -> list[Row]:
    """Three temperatures. How full the cell was is one number, found from rested voltages."""
    start = fitted(_hakadi.hakadi_problem()).specimen.cell
    whole = _tuberlin.tuberlin_problem(start)
    everything = fitted(whole)
    rows = []
    for T in _tuberlin.TEMPERATURES:
        rest = tuple(t for t in _tuberlin.TEMPERATURES if t != T)
        fit = fitted(_tuberlin.tuberlin_problem(start, temperatures=rest))
        i = _tuberlin.TEMPERATURES.index(T)
        z = fit.z.copy()
        at = whole.vector.names.index(f"missing[{i}]")
        found = [k for k, e in enumerate(whole.experiments) if e.group == i]
        e = whole.experiments[found[0]]

        def off(missing: float, z=z, at=at, k=found[0], e=e) -> float:
            z[at] = missing
            rested = split(e, whole.predictions(z)[k])["rested"]
            return rmse(rested, e.observations[1].value)

        z[at] = least(off, -0.05, 0.3)
        predicted, sd = (
            whole.predictions(z),
            spreads(whole, z, fit, {i: (f"missing[{i}]", "rested")}),
        )
        base = by_temperature(whole, T)
        for k in found:
            x = whole.experiments[k]
            parts = everything.predictions[k], predicted[k], sd[k]
            own, now, spread = (split(x, part) for part in parts)
            for o in x.observations:
                naive = base[x.name if o.label == "resistance" else o.label]
                numbers = own[o.label], now[o.label], spread[o.label]
                rows.append(
                    Row(x.name, o.label, o.value, *numbers, np.atleast_1d(naive))
                )
        if FAST:
            break
    return rows


def least(off: Callable[[float], float], low: float, high: float) -> float:
    """Where `off` is least: the best of 36, refined between its neighbours."""
    from scipy import optimize

    x, step = np.linspace(low, high, 36, retstep=True)
    best = float(x[np.argmin([off(v) for v in x])])
    bounds = (max(low, best - step), min(high, best + step))
    options = {"xatol": 1e-4}
    found = optimize.minimize_scalar(
        off, bounds=bounds, method="bounded", options=options
    )
    return float(found.x)


def by_temperature(problem: Problem, T: int) -> dict[str, np.ndarray]:
    """Baseline at a temperature from those of the others.

    Rested voltages against charge, each shifted to fit those measured, and interpolated
    in temperature; overvoltages and resistances as exp(a + b / T).
    """
    tests = {e.name: e for e in problem.experiments}
    kelvin = {t: float(tests[f"{t} degC"].temperature) for t in _tuberlin.TEMPERATURES}
    a, b = (t for t in _tuberlin.TEMPERATURES if t != T)
    share = (1 / kelvin[T] - 1 / kelvin[a]) / (1 / kelvin[b] - 1 / kelvin[a])
    linear = (kelvin[T] - kelvin[a]) / (kelvin[b] - kelvin[a])
    target = tests[f"{T} degC"].observations
    q, measured = target[1].x, target[1].value
    rested, over = {}, {}
    for t in (a, b):
        loaded, rest = tests[f"{t} degC"].observations

        def off(start: float, rest=rest) -> float:
            return rmse(np.interp(start + q, rest.x, rest.value), measured)

        at = least(off, -0.3, 0.3) + q
        rested[t] = np.interp(at, rest.x, rest.value)
        over[t] = np.interp(at, rest.x, rest.value - loaded.value)
    V = rested[a] + linear * (rested[b] - rested[a])
    answer = {
        "rested": V,
        "loaded": V - over[a] ** (1.0 - share) * over[b] ** share,
    }
    for name in tests:
        if name.startswith(f"{T} degC pulse"):
            pulse = name.removeprefix(f"{T} degC")
            R = [
                float(tests[f"{t} degC{pulse}"].observations[0].value[0])
                for t in (a, b)
            ]
            answer[name] = R[0] ** (1.0 - share) * R[1] ** share
    return answer


CELLS = {"nvpf": nvpf, "hakadi": hakadi, "tuberlin": tuberlin}


def main() -> None:
    """Leave out every condition of the cells named, or of all."""
    for name in sys.argv[1:] or list(CELLS):
        write(
            f"leave_one_out_{name}",
            f"Predicted from the other conditions: {name}",
            HEADER,
            table(CELLS[name]()),
            "Voltage RMSE above 2 V and over the first 98 %; resistances in per cent of "
            "the measured one. " + (__doc__ or "").split("\n\n")[-1].replace("\n", " "),
        )
