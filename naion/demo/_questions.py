"""The questions of the demo: the cold, and energy density."""

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._constants import ZERO_CELSIUS
from .._progress import Progress, silent
from .._results import Result
from ..batch import run, stack
from ..design import Blueprint
from ..fit import Ensemble
from ..mesh import Mesh
from ..models import DFN, Isothermal, Lumped
from ..parameters import Cell
from ..protocol import Protocol
from ..simulation import Solution, simulate

RATES = {"C/10": 0.1, "C/3": 1.0 / 3.0, "1C": 1.0}
TEMPERATURES = (25.0, 0.0, -20.0, -30.0, -40.0)
MESH = Mesh(6, 3, 6, 16)


@dataclass(frozen=True)
class ColdRow:
    """Delivery at one temperature and rate, relative to the same rate at 25 degC.

    Attributes:
        temperature: [degC].
        rate: C-rate as text.
        heating: "isothermal" or "self-heating".
        capacity: low, median, high of the retained capacity [%].
        best: the retained capacity of the best fit, which is what a simulation of the
            fitted cell gives; NaN if it failed [%].
        energy: the same for energy [%].
        power: the same for mean power [%].
        outcomes: how many draws ended how.
    """

    temperature: float
    rate: str
    heating: str
    capacity: tuple[float, float, float]
    best: float
    energy: tuple[float, float, float]
    power: tuple[float, float, float]
    outcomes: dict[str, int]


def cold_table(drawn: Ensemble, progress: Progress = silent) -> list[ColdRow]:
    """Discharges of every draw at all temperatures and rates, with and without heat.

    Every discharge starts from the charged state: the cell was charged warm.
    """
    rows = []
    for thermal in (Isothermal(), Lumped()):
        heating = "isothermal" if isinstance(thermal, Isothermal) else "self-heating"
        progress(f"{len(RATES)} rates at {len(TEMPERATURES)} temperatures, {heating}")
        got = _discharges(drawn, DFN(MESH, thermal))
        for rate, at_rate in zip(RATES, got, strict=True):
            warm = at_rate[0]
            for T, here in zip(TEMPERATURES, at_rate, strict=True):
                # A draw that failed warm or cold says nothing; it is counted below.
                said = np.maximum(here[:, 3], warm[:, 3]) <= Result.POWER_INFEASIBLE
                ratio = 100.0 * here[said, :3] / warm[said, :3]
                best = 100.0 * here[0, 0] / warm[0, 0] if said[0] else np.nan
                names = [Result(int(k)).name.lower() for k in here[:, 3]]
                rows.append(
                    ColdRow(
                        T,
                        rate,
                        heating,
                        _interval(ratio[:, 0]),
                        float(best),
                        _interval(ratio[:, 1]),
                        _interval(ratio[:, 2]),
                        {n: names.count(n) for n in sorted(set(names))},
                    )
                )
    return rows


def energy_density(
    drawn: Ensemble, blueprint: Blueprint, rate: float = 1.0 / 3.0, seed: int = 1
) -> tuple[np.ndarray, float]:
    """Energy density of a design with the materials of each draw [W.h.kg-1].

    Every input of the design that has a range is drawn from it.

    Returns:
        one value a draw, and the mass of the design at its medians [kg].
    """
    rng = np.random.default_rng(seed)
    names = [i.name for i in blueprint.uncertain]

    def energy(lane: tuple[Cell, Array]) -> Array:
        cell, u = lane
        varied = blueprint.drawn(dict(zip(names, u, strict=True)))
        done = _discharge(varied.build(cell), jnp.asarray(rate), DFN(MESH))
        return done.energy / varied.masses.total

    u = rng.standard_normal((len(drawn.cells), len(names)))
    values = np.asarray(run(energy, (stack(drawn.cells), u)))
    return values, float(blueprint.design().masses.total)


def _discharges(drawn: Ensemble, model: DFN) -> np.ndarray:
    """Capacity, energy, mean power and outcome, (rates, temperatures, draws, 4)."""

    def numbers(lane: tuple[Cell, Array, Array]) -> Array:
        cell, rate, T = lane
        done = _discharge(cell, rate, model, temperature=T)
        hours = jnp.maximum(done.t_end / 3600.0, 1e-12)
        return jnp.stack(
            [done.capacity, done.energy, done.energy / hours, done.outcome]
        )

    cells, n = stack(drawn.cells), len(drawn.cells)
    shape = len(RATES), len(TEMPERATURES), n
    rate, T, draw = (
        a.ravel()
        for a in np.meshgrid(
            list(RATES.values()),
            np.add(TEMPERATURES, ZERO_CELSIUS),
            np.arange(n),
            indexing="ij",
        )
    )
    drawn_cells = jax.tree.map(lambda a: a[draw], cells)
    got = run(numbers, (drawn_cells, rate, T))
    return np.asarray(got).reshape(*shape, 4)


def _discharge(cell: Cell, rate: Array, model: DFN, **options) -> Solution:
    """To the cell's lower limit, at a rate that may be traced."""
    protocol = eqx.tree_at(
        lambda p: (p.value, p.lower_voltage),
        Protocol("Discharge at 1C until 1 V"),
        (rate[None], cell.limits.lower_voltage[None]),
    )
    return simulate(cell, protocol, model=model, throw=False, **options)


def _interval(values: np.ndarray) -> tuple[float, float, float]:
    low, middle, high = np.nanpercentile(values, [5.0, 50.0, 95.0])
    return float(low), float(middle), float(high)
