"""Predictions without physics, from the neighbours of what was left out."""

from collections.abc import Callable

import numpy as np

from benchmarks.left_out import rmse
from naion.demo import _tuberlin
from naion.fit import Experiment, Problem


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


def by_state(target: Experiment, others: list[Experiment], label: str) -> np.ndarray:
    """Numbers of pulses of a current, linear in charge between the neighbouring states.

    Beyond the outermost ones they go on as between the last two.
    """
    alike = [e for e in others if round(current(e), 1) == round(current(target), 1)]
    alike = sorted(alike, key=lambda e: e.discharged)
    q = np.array([e.discharged for e in alike])
    b = int(np.clip(np.searchsorted(q, target.discharged), 1, len(q) - 1))
    a = b - 1
    numbers = [
        next(o.value for o in alike[i].observations if o.label == label) for i in (a, b)
    ]
    share = (target.discharged - q[a]) / (q[b] - q[a])
    return numbers[0] + share * (numbers[1] - numbers[0])


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
