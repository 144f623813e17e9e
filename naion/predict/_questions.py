"""The questions of the demo: the cold, and energy density."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import equinox as eqx
import numpy as np

from .._constants import ZERO_CELSIUS
from .._results import Result
from ..design import Stack
from ..mesh import Mesh
from ..models import DFN, Isothermal, Lumped
from ..parameters import Cell
from ..simulation import simulate
from ._ensemble import Ensemble

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
        energy: the same for energy [%].
        power: the same for mean power [%].
        outcomes: how many draws ended how.
    """

    temperature: float
    rate: str
    heating: str
    capacity: tuple[float, float, float]
    energy: tuple[float, float, float]
    power: tuple[float, float, float]
    outcomes: dict[str, int]


def cold_table(drawn: Ensemble, progress=lambda text: None) -> list[ColdRow]:
    """Discharges of every draw at all temperatures and rates, with and without heat.

    Every discharge starts from the charged state: the cell was charged warm.
    """
    rows = []
    for thermal in (Isothermal(), Lumped()):
        heating = "isothermal" if isinstance(thermal, Isothermal) else "self-heating"
        for rate in RATES:
            warm = None
            for T in TEMPERATURES:
                progress(f"{T:+.0f} degC, {rate}, {heating}")
                got = _discharges(drawn, rate, T, DFN(MESH, thermal))
                warm = got if warm is None else warm
                # A draw that failed warm or cold says nothing; it is counted below.
                said = np.maximum(got[:, 3], warm[:, 3]) <= Result.POWER_INFEASIBLE
                ratio = 100.0 * got[said, :3] / warm[said, :3]
                names = [Result(int(k)).name.lower() for k in got[:, 3]]
                rows.append(
                    ColdRow(
                        T,
                        rate,
                        heating,
                        _interval(ratio[:, 0]),
                        _interval(ratio[:, 1]),
                        _interval(ratio[:, 2]),
                        {n: names.count(n) for n in sorted(set(names))},
                    )
                )
    return rows


def energy_density(
    drawn: Ensemble, stack: Stack, rate: str = "C/3", seed: int = 1
) -> tuple[np.ndarray, float]:
    """Energy density of a design with the materials of each draw [W.h.kg-1].

    What is assumed and varied: electrolyte overfill (1.05-1.30), packaging (+-15 %),
    and the 0.88-0.93 by which real large cells fall short of the sum of their parts.

    Returns:
        one value a draw, and the mass of the design before that factor [kg].
    """
    rng = np.random.default_rng(seed)

    def run(item: tuple[Cell, np.ndarray]) -> float:
        cell, u = item
        varied = eqx.tree_at(
            lambda s: [s.overfill, s.packaging],
            stack,
            [1.05 + 0.25 * u[0], stack.packaging * (0.85 + 0.3 * u[1])],
        )
        built = varied.build(cell)
        V = float(built.limits.lower_voltage)
        done = simulate(
            built, f"Discharge at {rate} until {V} V", model=DFN(MESH), throw=False
        )
        return float(done.energy / varied.masses().total) * (0.88 + 0.05 * u[2])

    u = rng.uniform(size=(len(drawn.cells), 3))
    with ThreadPoolExecutor(2) as pool:
        values = np.array(list(pool.map(run, zip(drawn.cells, u, strict=True))))
    return values, float(stack.masses().total)


def _discharges(drawn: Ensemble, rate: str, T: float, model: DFN) -> np.ndarray:
    """Capacity, energy, mean power and outcome of every draw, (n, 4)."""

    def run(cell: Cell) -> list[float]:
        V = float(cell.limits.lower_voltage)
        done = simulate(
            cell,
            f"Discharge at {rate} until {V} V",
            model=model,
            temperature=ZERO_CELSIUS + T,
            throw=False,
        )
        hours = max(float(done.t_end) / 3600.0, 1e-12)
        energy = float(done.energy)
        return [float(done.capacity), energy, energy / hours, float(done.outcome)]

    with ThreadPoolExecutor(2) as pool:
        return np.array(list(pool.map(run, drawn.cells)))


def _interval(values: np.ndarray) -> tuple[float, float, float]:
    low, middle, high = np.nanpercentile(values, [5.0, 50.0, 95.0])
    return float(low), float(middle), float(high)
