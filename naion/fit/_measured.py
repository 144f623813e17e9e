"""Measured voltages and potentials of electrodes, and how far a test of them goes on."""

import math
from numbers import Real
from typing import Any

import numpy as np

LABELS = {
    "voltage": "voltage",
    "negative": "negative electrode",
    "positive": "positive electrode",
}
"""What a three-electrode cell is measured in, in words of tables and figures."""

MOST_VOLTS = 20.0
"""Of a cell; what is more was meant in millivolt, or of cells in series [V]."""

LARGEST_SIGMA = 1.0
"""Uncertainty of a voltage that says nothing; what is more was meant in millivolt [V]."""

SMALLEST_SIGMA = 1e-7
"""No cycler resolves less, and nothing is simulated to it [V]."""

BELOW_ANY_CUT_OFF = 0.3
"""Discharges are fitted to this voltage, so that the model always reaches the data [V]."""

BEYOND = 0.3
"""Tests whose data go lower, as of half cells, go on to this much beyond the data [V]."""


def above_zero(name: str, most: float = math.inf, **numbers: Any) -> None:
    """Refuse what is no number above zero, or more than it can be.

    Raises:
        ValueError: saying which, with what was given.
    """
    for what, value in numbers.items():
        try:
            x = float("nan" if isinstance(value, str | bytes) else value)
        except (TypeError, ValueError):
            x = float("nan")
        if not (math.isfinite(x) and x > 0.0):
            shown = repr(value)[:60] if isinstance(value, str) else f"{x:g}"
            raise ValueError(f"{name}: {what} = {shown}; expected more than zero.")
        if x > most:
            raise ValueError(
                f"{name}: {what} = {x:g}; expected at most {most:g}. Is it in percent, "
                "or in thousandths?"
            )


def check_sigma(name: str, sigma: Any) -> None:
    """Refuse an uncertainty of voltages that is none.

    Raises:
        ValueError: for what is no number above zero, or less than any cycler resolves.
    """
    above_zero(name, sigma=sigma)
    if float(sigma) < SMALLEST_SIGMA:
        raise ValueError(
            f"{name}: sigma = {float(sigma):g} V; expected at least {SMALLEST_SIGMA:g} V: "
            "no voltage is known so well. The usual is 0.01."
        )


def column(name: str, what: str, values: Any) -> np.ndarray:
    """Measured numbers.

    Raises:
        ValueError: for texts and the like, naming the first.
    """
    try:
        if np.asarray(values).dtype.kind in "SU":
            raise TypeError
        return np.asarray(values, float)
    except (TypeError, ValueError):
        flat = np.ravel(np.asarray(values, object))
        odd = next((x for x in flat if not isinstance(x, Real)), values)
        raise ValueError(
            f"{name}: {what}: {odd!r:.60} is no number; expected numbers."
        ) from None


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
        what = "voltages" if key == "voltage" else f"potentials ({key})"
        V = column(name, what, values)
        if along.shape != V.shape or V.ndim != 1:
            raise ValueError(
                f"{name}: {along.size} {of} and {V.size} {what}; expected as many of each."
            )
        bad = np.flatnonzero(~np.isfinite(V))
        if bad.size:
            raise ValueError(f"{name}: row {bad[0] + 1} of the {what} is not finite.")
        check_volts(name, what, V)
        found[key] = V
    if not found:
        raise ValueError(
            f"{name}: nothing to compare; give voltages, or potentials of an electrode "
            "against a reference (negative, positive)."
        )
    return found


def check_volts(name: str, what: str, V: np.ndarray) -> None:
    """Refuse voltages that no cell has.

    Raises:
        ValueError: saying how far they reach.
    """
    if V.size and float(np.max(np.abs(V))) > MOST_VOLTS:
        raise ValueError(
            f"{name}: {what} reach {float(V[np.argmax(np.abs(V))]):.4g} V; a cell has less "
            f"than {MOST_VOLTS:g} V. Are they in millivolt, or of cells in series?"
        )


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
