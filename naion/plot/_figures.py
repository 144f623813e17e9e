"""Matplotlib figures of solutions, fits and predictions."""

from typing import Any

import numpy as np

from ..fit import Experiment, Kind
from ..simulation import Solution


def plot_solution(solution: Solution, axes: Any = None) -> Any:
    """Voltage against time."""
    axes = _axes(axes)
    axes.plot(np.asarray(solution.t) / 3600.0, np.asarray(solution.voltage))
    axes.set_xlabel("Time [h]")
    axes.set_ylabel("Voltage [V]")
    return axes


def plot_fit(
    experiment: Experiment, predicted: np.ndarray, axes: Any = None, colour: str = "C0"
) -> Any:
    """Measured points and the fitted model, against charge."""
    axes = _axes(axes)
    i = 0
    for observed in experiment.observations:
        n = len(observed.value)
        model, i = predicted[i : i + n], i + n
        if observed.kind == Kind.RESISTANCE:
            continue
        style = "--" if observed.label == "rested" else "-"
        axes.plot(observed.x, observed.value, ".", color=colour, markersize=4)
        name = f"{experiment.name} {observed.label}"
        axes.plot(observed.x, model, style, color=colour, linewidth=1.2, label=name)
    axes.set_xlabel("Discharged [A.h]")
    axes.set_ylabel("Voltage [V]")
    return axes


def plot_band(
    x: np.ndarray,
    middle: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    axes: Any = None,
    **style: Any,
) -> Any:
    """A line with its 90 % band."""
    axes = _axes(axes)
    (line,) = axes.plot(x, middle, **style)
    axes.fill_between(x, low, high, color=line.get_color(), alpha=0.2, linewidth=0.0)
    return axes


def _axes(axes: Any) -> Any:
    if axes is not None:
        return axes
    from matplotlib.figure import Figure

    return Figure(figsize=(6.0, 3.6), layout="constrained").add_subplot()
