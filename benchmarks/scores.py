"""Errors of a fit, gathered."""

import numpy as np

from naion.fit import Fit, Kind

LEAST = 2.0
"""Voltages below this are not counted: the end of a discharge is all slope [V]."""


def errors(fit: Fit) -> list[tuple[str, str, Kind, float]]:
    """Experiment, label, kind and error of every group of observations.

    RMSE in mV above 2 V, error of a resistance in %, RMSE of a temperature in K.
    """
    found = []
    for e, model in zip(fit.problem.experiments, fit.predictions, strict=True):
        i = 0
        for o in e.observations:
            m, i = model[i : i + len(o.value)], i + len(o.value)
            match o.kind:
                case Kind.RESISTANCE:
                    error = 100.0 * abs(float(m[0] / o.value[0]) - 1.0)
                case Kind.TEMPERATURE:
                    error = float(np.sqrt(np.mean((m - o.value) ** 2)))
                case _:
                    use = np.isfinite(m) & (o.value > LEAST)
                    error = 1e3 * float(np.sqrt(np.mean((m - o.value)[use] ** 2)))
            found.append((e.name, o.label, o.kind, error))
    return found


def by_label(fit: Fit) -> dict[str, tuple[str, str]]:
    """Mean and worst error of each label, as text."""
    gathered: dict[str, list[float]] = {}
    for _, label, _, error in errors(fit):
        gathered.setdefault(label, []).append(error)
    return {
        label: (f"{np.mean(values):.1f}", f"{max(values):.1f}")
        for label, values in gathered.items()
    }
