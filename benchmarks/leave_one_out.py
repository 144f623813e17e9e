"""Each measured rate and temperature predicted from the others, beside a naive baseline.

    python -m benchmarks.leave_one_out [nvpf hakadi tuberlin]

The baseline knows no physics: at equal charge, voltages of neighbouring rates are
interpolated in current; overvoltages of neighbouring temperatures as an Arrhenius law. At
the ends both are extrapolated.
"""

import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np

import naion as na
from benchmarks.harness import FAST, write
from naion.fit import Experiment, Fit, Problem, Subject, least_squares
from naion.studies import _hakadi, _nvpf, _tuberlin
from naion.studies._scores import LEAST

HEADER = ["left out", "of", "fitted when it is in, mV", "predicted, mV", "baseline, mV"]


def fitted(problem: Problem) -> Fit:
    """As in `make demo`, from the set's own numbers."""
    return least_squares(problem, max_evaluations=2 if FAST else 24, tolerance=2e-3)


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


def nvpf() -> list[list[str]]:
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
            [
                e.name,
                "discharge",
                f"{rmse(everything.predictions[i], measured):.1f}",
                f"{rmse(whole.predictions(fit.z)[i], measured):.1f}",
                f"{rmse(by_rate(e, others, 'voltage', np.log), measured):.1f}",
            ]
        )
        if FAST:
            break
    return rows


def hakadi() -> list[list[str]]:
    """Four rates; both repeats of a rate are left out together."""
    whole = _hakadi.hakadi_problem()
    everything = fitted(whole)
    rows = []
    for rate in dict.fromkeys(f.split("_")[0] for f in _hakadi.FILES):
        rest = tuple(f for f in _hakadi.FILES if not f.startswith(rate))
        fit = fitted(_hakadi.hakadi_problem(rest))
        predicted = _predicted(whole, fit.subject)
        others = [_hakadi.cycle(f, i) for i, f in enumerate(rest)]
        for i, (file, e) in enumerate(
            zip(_hakadi.FILES, whole.experiments, strict=True)
        ):
            if not file.startswith(rate):
                continue
            own, now = split(e, everything.predictions[i]), split(e, predicted[i])
            for o in e.observations:
                base = "-"
                if o.label == "discharge":
                    base = f"{rmse(by_rate(e, others, o.label, float), o.value):.1f}"
                rows.append(
                    [
                        e.name,
                        o.label,
                        f"{rmse(own[o.label], o.value):.1f}",
                        f"{rmse(now[o.label], o.value):.1f}",
                        base,
                    ]
                )
        if FAST:
            break
    return rows


def _predicted(whole: Problem, found: Subject) -> list[np.ndarray]:
    """Every test on a fitted subject; one instrument measured all: its mean errors."""
    names = ("missing", "gain", "gain_on_charge", "offset")
    means = (float(np.mean(getattr(found, name))) for name in names)
    count = len(whole.experiments)
    subject = Subject(found.cell, *(np.full(count, mean) for mean in means))
    problem = replace(whole, subject=subject)
    return problem.predictions(problem.start)


def tuberlin() -> list[list[str]]:
    """Three temperatures. How full the cell was is one number, found from rested voltages."""
    start = fitted(_hakadi.hakadi_problem()).subject.cell
    whole = _tuberlin.tuberlin_problem(start)
    everything = fitted(whole)
    rows = []
    for T in _tuberlin.TEMPERATURES:
        rest = tuple(t for t in _tuberlin.TEMPERATURES if t != T)
        fit = fitted(_tuberlin.tuberlin_problem(start, temperatures=rest))
        i = _tuberlin.TEMPERATURES.index(T)
        z = fit.z.copy()
        at = whole.names.index(f"missing[{i}]")
        found = [k for k, e in enumerate(whole.experiments) if e.group == i]
        e = whole.experiments[found[0]]

        def off(missing: float, z=z, at=at, k=found[0], e=e) -> float:
            z[at] = missing
            rested = split(e, whole.predictions(z)[k])["rested"]
            return rmse(rested, e.observations[1].value)

        z[at] = least(off, -0.05, 0.3)
        predicted = whole.predictions(z)
        base = by_temperature(whole, T)
        for k in found:
            x = whole.experiments[k]
            own, now = split(x, everything.predictions[k]), split(x, predicted[k])
            for o in x.observations:
                if o.label == "resistance":
                    R = float(o.value[0])
                    rows.append(
                        [
                            x.name,
                            "resistance, %",
                            f"{100 * (own[o.label][0] / R - 1):+.1f}",
                            f"{100 * (now[o.label][0] / R - 1):+.1f}",
                            f"{100 * (base[x.name] / R - 1):+.1f}",
                        ]
                    )
                else:
                    rows.append(
                        [
                            x.name,
                            o.label,
                            f"{rmse(own[o.label], o.value):.1f}",
                            f"{rmse(now[o.label], o.value):.1f}",
                            f"{rmse(base[o.label], o.value):.1f}",
                        ]
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


def main(names: list[str]) -> None:
    """Leave out every condition of the cells named, or of all."""
    for name in names or list(CELLS):
        write(
            f"leave_one_out_{name}",
            f"Predicted from the other conditions: {name}",
            HEADER,
            CELLS[name](),
            "Voltage RMSE above 2 V and over the first 98 %; resistances in per cent of "
            "the measured one. " + (__doc__ or "").split("\n\n")[-1].replace("\n", " "),
        )


if __name__ == "__main__":
    na.enable_x64()
    main(sys.argv[1:])
