"""Figures of voltage, current, temperature and plating margin against time."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from .._constants import ZERO_CELSIUS
from .._pictures import new_figure
from ._variables import VARIABLES, variable

TIME = variable("Time [h]", VARIABLES)
VOLTAGE = variable("Voltage [V]", VARIABLES)
CURRENT = variable("Current [A]", VARIABLES)
HOUR = 3600.0

BETWEEN = np.linspace(0.0, 1.0, 9)[:-1]
"""Places within every step of the solver at which curves are drawn, as steps can be
long."""


def overview(solutions: Mapping[str, Any], axes: Any) -> Any:
    """Draw solutions into four axes, and return these.

    Args:
        solutions: `Solution`s by their label in the legend; "" for none.
        axes: four axes.
    """
    for i, (label, one) in enumerate(solutions.items()):
        for axis, (name, (t, values)) in zip(
            np.ravel(axes), _over_time(one).items(), strict=True
        ):
            lines = axis.plot(t, values, color=f"C{i}" if label else None)
            lines[0].set_label(label or None)
            axis.set_ylabel(name)
    for axis in np.ravel(axes):
        _without_noise(axis)
    first, _, _, last = np.ravel(axes)
    last.axhline(0.0, color="0.7", linewidth=0.8)
    for axis in np.ravel(axes)[2:]:
        axis.set_xlabel(TIME.name)
    if any(solutions):
        # Above the axes: off the lines, however they run.
        above = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "frameon": False}
        first.legend(fontsize="small", ncols=min(len(solutions), 4), **above)
    return axes


def _without_noise(axis: Any) -> None:
    """Widen an axis on which values differ only by rounding, so that they look constant."""
    every = np.concatenate([line.get_ydata() for line in axis.get_lines()])
    known = every[np.isfinite(every)]
    if known.size and np.ptp(known) <= 1e-6 * np.max(np.abs(known)):
        middle = float(np.mean(known))
        width = 0.05 * abs(middle) or 1.0
        axis.set_ylim(middle - width, middle + width)
    axis.ticklabel_format(axis="y", useOffset=False)


def new_axes() -> Any:
    """Four axes, two by two."""
    return new_figure(8.0, 5.0).subplots(2, 2, sharex=True)


def thumbnail(solution: Any) -> bytes:
    """A small figure of voltage and current, as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 1.8), layout="constrained")
    every = _over_time(solution)
    for axis, name in zip(
        figure.subplots(1, 2), (VOLTAGE.name, CURRENT.name), strict=True
    ):
        axis.plot(*every[name])
        axis.set_ylabel(name, fontsize="small")
        axis.set_xlabel(TIME.name, fontsize="small")
        axis.tick_params(labelsize="x-small")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def voltage_over_time(solution: Any) -> tuple[np.ndarray, np.ndarray]:
    """Times [h] and voltages [V] from dense output, with both sides of jumps."""
    return _over_time(solution)[VOLTAGE.name]


def _over_time(s: Any) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Times [h] and values of each curve, by name, with both sides of jumps."""
    ends = np.asarray(s.t)
    t = np.append(ends[:-1, None] + np.diff(ends)[:, None] * BETWEEN, ends[-1:])
    before, after = (s.at(t, after=later) for later in (False, True))

    def both(output: str) -> tuple[np.ndarray, np.ndarray]:
        pairs = np.stack([getattr(o, output) for o in (before, after)], axis=-1)
        # At the end there is no value after a jump.
        return np.repeat(t, 2)[:-1] / HOUR, np.ravel(pairs)[:-1]

    t_both, T = both("temperature")
    warm = {"Cell temperature [C]": (t_both, T - ZERO_CELSIUS)}
    if s.model.nodes > 1:
        name = "Layer temperature [C]"
        warm = {name: (s[TIME.name], s[name])}
    return {
        VOLTAGE.name: both("voltage"),
        CURRENT.name: both("current"),
        **warm,
        "Plating margin [V]": both("plating_margin"),
    }
