"""The law along a trajectory: what a duty costs in life."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._takes import takes
from ..parameters import (
    Cell,
    open_circuit_voltage,
    require_full_cell,
    stoichiometry_at_soc,
)
from ..simulation import Solution
from ._law import ENDS, YEAR, Law, fit_law, within

LOWER, UPPER = 2.0, 3.7
"""Thresholds of the window's ends, open circuit [V] (assumed, as in `ENDS`)."""


@takes
def ends_of(cell: Cell) -> tuple[float, float]:
    """Widths of the ends of a cell's window: state of charge below 2.0 V and above 3.7 V.

    By its open-circuit voltage; for layered oxide cells, whose rows the thresholds are of.

    Raises:
        TypeError: for what is no cell.
        ValueError: for a half cell.
    """
    require_full_cell(cell, "A life")
    soc = jnp.linspace(0.0, 1.0, 202)[1:-1]
    U = np.asarray(_open_circuit(cell, soc))
    return float(np.mean(U < LOWER)), float(np.mean(U > UPPER))


@takes
def of_solution(
    solution: Solution,
    cell: Cell,
    law: Law | None = None,
    *,
    start: float = 1.0,
    ends: tuple[float, float] | None = None,
    times: float = 1.0,
) -> dict[str, float]:
    """Share of the capacity that a simulated duty costs: the rate's integral along it.

    Charge that passes in the ends of the window counts by the law's weight of them, at the
    rate and temperature there and then. Time counts in the calendar term.

    Args:
        solution: with its steps, of `cell`.
        cell: that was simulated.
        law: numbers; none: the best of the fit, exponent 1.
        start: state of charge at the start [-].
        ends: their widths; none: those of the law's own rows.
        times: how often the duty is repeated.

    Returns:
        "cycling", "calendar" and "loss" [-], "full cycles", "years".

    Raises:
        ValueError: for a solution without steps, or a start that is no state of charge.
    """
    if not 0.0 <= start <= 1.0 or not times > 0.0:
        raise ValueError(
            f"start={start}, times={times}: expected a state of charge from 0 to 1 and a "
            "number of repetitions above zero."
        )
    law = fit_law().law if law is None else law
    low, high = ENDS if ends is None else ends
    within("ends", (low, high), 0.0, 1.0, "of charge")
    Q = float(cell.nominal_capacity)
    t, I = np.asarray(solution.t), np.asarray(solution.current)
    T = np.asarray(solution.temperature)
    charge = np.asarray(solution.discharged)
    passed = np.abs(np.diff(charge)) / (2.0 * Q)
    soc = start - 0.5 * (charge[1:] + charge[:-1]) / Q
    at_end = (soc < low) | (soc > 1.0 - high)
    share = at_end / (low + high)
    rate = 0.5 * np.abs(I[1:] + I[:-1]) / Q
    warm = 0.5 * (T[1:] + T[:-1])
    # With a power of the cycles the sum is of rates to its inverse.
    z = float(np.asarray(law.exponent))
    speed = law.speed(warm, rate, share) ** (1.0 / z)
    cycling = float(np.sum(speed * passed) * times) ** z
    years = float(t[-1]) * times / 86400.0 / YEAR
    mean = float(np.sum(soc * np.diff(t)) / max(t[-1], 1e-9))
    mean_T = float(np.sum(warm * np.diff(t)) / max(t[-1], 1e-9))
    calendar = float(law.resting(years, mean_T, np.clip(mean, 0.0, 1.0)))
    return {
        "cycling": cycling,
        "calendar": calendar,
        "loss": cycling + calendar,
        "full cycles": float(np.sum(passed) * times),
        "years": years,
    }


@jax.jit
def _open_circuit(cell: Cell, soc: Array) -> Array:
    def at(soc: Array) -> Array:
        return open_circuit_voltage(
            cell, stoichiometry_at_soc(cell, soc), cell.temperature
        )

    return jax.lax.map(at, soc)
