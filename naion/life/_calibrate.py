"""Ageing of the DFN by film and wear, fitted to the rows that the law is fitted to."""

import dataclasses
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from .._constants import ZERO_CELSIUS
from .._takes import takes
from ..models import DFN
from ..parameters import Cell
from ..simulation import simulate
from ._ageing import with_ageing
from ._cycle import Ageing, cycle
from ._rows import Row, rows

LOW, HIGH = 1.5, 3.8
"""Window of the rows [V]."""


@dataclass(frozen=True)
class Calibrated:
    """Numbers of `with_ageing` that meet the rows.

    Attributes:
        cell: the cell with them.
        sei, wear, energy: see `with_ageing`.
        residual: largest misfit of a fitted row, as a share of its loss [-].
        evaluations: of all fitted rows.
    """

    cell: Cell
    sei: float
    wear: float
    energy: float
    residual: float
    evaluations: int


@takes
def aged_as(cell: Cell, row: Row, *, model: DFN | None = None) -> Ageing:
    """A cell cycled as a row was; the loss is that of a full 1C discharge.

    Windows are taken as centred, and passed by charge (assumed: the source does not say).

    Args:
        cell: with processes that age it.
        row: the condition.
        model: mesh and heat balance.
    """
    limits = dataclasses.replace(
        cell.limits, lower_voltage=jnp.asarray(LOW), upper_voltage=jnp.asarray(HIGH)
    )
    cell = dataclasses.replace(cell, limits=limits)
    full = f"Discharge at 1C until {LOW:g} V"
    T = row.temperature + ZERO_CELSIUS
    rate = f"{row.rate:g}C"
    options = dict(model=model, temperature=T, check_up=full)
    if row.depth == 1.0:
        steps = (
            f"Discharge at {rate} until {LOW:g} V",
            f"Charge at {rate} until {HIGH:g} V",
        )
        return cycle(cell, steps, row.cycles, **options)  # pyright: ignore[reportArgumentType]
    Q = float(simulate(cell, full, model=model, temperature=T).capacity)
    seconds = 3600.0 * row.depth * Q / (row.rate * float(cell.nominal_capacity))
    top = 0.5 + 0.5 * row.depth
    steps = (
        f"Discharge at {rate} for {seconds:.0f} s or until {LOW:g} V",
        f"Charge at {rate} for {seconds:.0f} s or until {HIGH:g} V",
    )
    return cycle(cell, steps, row.cycles, start=top, **options)  # pyright: ignore[reportArgumentType]


@takes
def calibrate(
    cell: Cell, *, model: DFN | None = None, threshold: float = 3.75
) -> Calibrated:
    """Film, wear and energy of a layered oxide cell, by the three rows of `fit_law`.

    Least squares of log losses: three numbers, three rows. The rows are of a 1.2 A.h cell
    that is not public: in another cell the same shares are lost, not the same charge.

    Args:
        cell: without ageing.
        model: mesh and heat balance.
        threshold: above which particles are lost, see `with_ageing`.

    Raises:
        ValueError: when no numbers meet the rows within a tenth.
    """
    from scipy.optimize import least_squares

    used = [r for r in rows() if r.use == "fit"]
    count = 0

    def made(x: np.ndarray) -> Cell:
        sei, wear = np.exp(x[:2])
        return with_ageing(
            cell, sei=sei, wear=wear, energy=1e4 * x[2], threshold=threshold
        )

    def residuals(x: np.ndarray) -> np.ndarray:
        nonlocal count
        count += 1
        aged = made(x)
        losses = np.array([_loss(aged, r, model) for r in used])
        return np.log(np.maximum(losses, 1e-3) / [r.loss for r in used])

    # Differences of a hundredth: blocks are exact to some thousandths.
    start = np.array([np.log(1.1e-10), np.log(3e-3), 1.5])
    ends = np.log([[1e-13, 1e-7], [1e-8, 10.0]])
    bounds = np.column_stack([ends, [0.0, 8.0]])
    done = least_squares(
        residuals, start, bounds=bounds, diff_step=1e-2, xtol=1e-4, ftol=1e-6
    )
    worst = float(np.max(np.abs(np.expm1(done.fun))))
    if worst > 0.1:
        raise ValueError(
            f"No film and wear give this cell the losses of the rows: the nearest is "
            f"{100 * worst:.0f} % off. They are of a layered oxide / hard carbon cell "
            "between 1.5 and 3.8 V."
        )
    sei, wear = np.exp(done.x[:2])
    return Calibrated(
        made(done.x), float(sei), float(wear), 1e4 * float(done.x[2]), worst, count
    )


def _loss(cell: Cell, row: Row, model: DFN | None) -> float:
    """Loss of a row [%]; all of it where the cell does not get there."""
    try:
        left = aged_as(cell, row, model=model).at(row.cycles)
    except (RuntimeError, ValueError):
        return 100.0
    return 100.0 * (1.0 - left) if np.isfinite(left) else 100.0
