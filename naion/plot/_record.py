"""A figure of a measured record."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def record(table: Mapping[str, np.ndarray], axes: Any = None) -> Any:
    """Voltage, current and, if measured, temperature against time; two or three axes.

    Args:
        table: as of `naion.io.read_data`.
        axes: as many as there is to draw; none: new ones.
    """
    import matplotlib.pyplot as plt

    shown = {"Voltage [V]": "voltage_V", "Current [A]": "current_A"}
    if "temperature_degC" in table:
        shown["Temperature [degC]"] = "temperature_degC"
    if axes is None:
        size = (7.0, 2.0 * len(shown))
        _, axes = plt.subplots(
            len(shown), 1, sharex=True, figsize=size, layout="constrained"
        )
    hours = (table["time_s"] - table["time_s"][0]) / 3600.0
    for axis, (label, name) in zip(np.ravel(axes), shown.items(), strict=True):
        axis.plot(hours, table[name])
        axis.set_ylabel(label)
    np.ravel(axes)[-1].set_xlabel("Time [h]")
    return axes
