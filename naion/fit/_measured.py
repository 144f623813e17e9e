"""Checks of measured numbers, and the voltages down to which a test is simulated."""

import math
from numbers import Real
from typing import Any

import numpy as np

LABELS = {
    "voltage": "voltage",
    "negative": "negative electrode",
    "positive": "positive electrode",
}
"""Curves of a three-electrode cell as tables and figures name them."""

MOST_VOLTS = 20.0
"""Highest voltage of a single cell; more was meant in millivolt, or is of cells in series
[V]."""

LARGEST_SIGMA = 1.0
"""Uncertainty of a voltage above which it says nothing; more was meant in millivolt [V]."""

SMALLEST_SIGMA = 1e-7
"""No cycler resolves less, and nothing is simulated to it [V]."""

BELOW_ANY_CUT_OFF = 0.3
"""Simulated discharges go on to this voltage, below any cell's cut-off, so that the model
reaches the charges of all measured points [V]."""

BEYOND = 0.3
"""Where data go lower still, as those of half cells do, the simulation goes on to this much
beyond them [V]."""


def above_zero(name: str, most: float = math.inf, **numbers: Any) -> None:
    """Raise unless all numbers are finite, above zero and at most `most`.

    Args:
        name: name of the test, for the message.
        most: highest value that is possible.
        numbers: values by the name of the argument.

    Raises:
        ValueError: naming the argument and what was given.
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
    """Measured values as an array of floats.

    Raises:
        ValueError: for anything that is not a number, naming the first.
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
    """Those of voltage and electrode potentials that were measured, by a key of `LABELS`.

    Args:
        name: name of the test, for messages.
        of: what `along` holds, for messages: "times" or "charges".
        along: abscissa of the measurement, (n,).
        voltage, negative, positive: measured curves, (n,) [V], or none.

    Raises:
        ValueError: for curves of another length than `along`, numbers that are not finite,
            or no curve at all.
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
    """Raise for voltages that no single cell has.

    Raises:
        ValueError: with the largest of them.
    """
    if V.size and float(np.max(np.abs(V))) > MOST_VOLTS:
        raise ValueError(
            f"{name}: {what} reach {float(V[np.argmax(np.abs(V))]):.4g} V; a cell has less "
            f"than {MOST_VOLTS:g} V. Are they in millivolt, or of cells in series?"
        )


def lowest_for(voltage: Any) -> float:
    """Voltage down to which a discharge is simulated, for the voltages measured in it [V]."""
    if voltage is None:
        return BELOW_ANY_CUT_OFF
    return min(BELOW_ANY_CUT_OFF, float(np.min(voltage)) - BEYOND)


def room_for(voltage: Any) -> dict[str, Any]:
    """Cut-off voltages beyond the data of a half cell, as arguments of `Protocol.profile`.

    Empty for full cells, which keep their own limits.
    """
    if voltage is None or np.min(voltage) >= BELOW_ANY_CUT_OFF:
        return {}
    return {
        "lower_voltage": float(np.min(voltage)) - BEYOND,
        "upper_voltage": float(np.max(voltage)) + BEYOND,
    }
