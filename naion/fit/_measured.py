"""Measured voltages and potentials of electrodes, and how far a test of them goes on."""

from typing import Any

import numpy as np

LABELS = {
    "voltage": "voltage",
    "negative": "negative electrode",
    "positive": "positive electrode",
}
"""What a three-electrode cell is measured in, in words of tables and figures."""

BELOW_ANY_CUT_OFF = 0.3
"""Discharges are fitted to this voltage, so that the model always reaches the data [V]."""

BEYOND = 0.3
"""Tests whose data go lower, as of half cells, go on to this much beyond the data [V]."""


def measured(
    name: str, of: str, along: np.ndarray, voltage: Any, negative: Any, positive: Any
) -> dict[str, np.ndarray]:
    """What was measured of voltage and potentials, by a key of `LABELS`.

    Args:
        name: of the test, for messages.
        of: what `along` is.
        along: what there are as many of, (n,).
        voltage, negative, positive: measured [V], or none.

    Raises:
        ValueError: for unequal lengths, numbers that are not finite, or nothing measured.
    """
    given = {"voltage": voltage, "negative": negative, "positive": positive}
    found = {}
    for key, values in given.items():
        if values is None:
            continue
        V = np.asarray(values, float)
        what = "voltages" if key == "voltage" else f"potentials ({key})"
        if along.shape != V.shape or V.ndim != 1:
            raise ValueError(
                f"{name}: {along.size} {of} and {V.size} {what}; expected as many of each."
            )
        bad = np.flatnonzero(~np.isfinite(V))
        if bad.size:
            raise ValueError(f"{name}: row {bad[0] + 1} of the {what} is not finite.")
        found[key] = V
    if not found:
        raise ValueError(
            f"{name}: nothing to compare; give voltages, or potentials of an electrode "
            "against a reference (negative, positive)."
        )
    return found


def lowest_for(voltage: Any) -> float:
    """To where a discharge with these voltages, or none, is simulated [V]."""
    if voltage is None:
        return BELOW_ANY_CUT_OFF
    return min(BELOW_ANY_CUT_OFF, float(np.min(voltage)) - BEYOND)


def room_for(voltage: Any) -> dict[str, Any]:
    """Cut-offs beyond the data of half cells; other cells have their own limits."""
    if voltage is None or np.min(voltage) >= BELOW_ANY_CUT_OFF:
        return {}
    return {
        "lower_voltage": float(np.min(voltage)) - BEYOND,
        "upper_voltage": float(np.max(voltage)) + BEYOND,
    }
