"""The cells that both sides simulate, and the settings of each side.

Tuned settings are the cheapest found that meet the error asked for at 1C: 1 mV for the
sodium cell, 0.5 mV for the lithium cell (RMSE over the first 98 % of the charge, against a
converged solution of the same side). `python -m benchmarks discharge` shows both.
"""

from dataclasses import dataclass

import equinox as eqx
import numpy as np

import naion as na


@dataclass(frozen=True)
class Settings:
    """Volumes (electrode, separator), shells, their grading, and tolerances."""

    volumes: int
    separator: int
    shells: int
    grading: float
    rtol: float
    atol: float = 1e-6

    @property
    def mesh(self) -> na.Mesh:
        return na.Mesh(
            self.volumes, self.separator, self.volumes, self.shells, self.grading
        )

    def __str__(self) -> str:
        v, s = self.volumes, self.separator
        return f"{v}/{s}/{v}, {self.shells} shells, rtol {self.rtol:g}"


@dataclass(frozen=True)
class Case:
    """A cell.

    Attributes:
        name: in tables.
        set: naion's parameter set.
        values: PyBaMM's.
        lower: voltage at which discharges end [V].
        naion: tuned settings.
        pybamm: tuned settings.
        limit: error asked for [mV].
    """

    name: str
    set: str
    values: str
    lower: float
    naion: Settings
    pybamm: Settings
    limit: float

    def cell(self):
        return na.parameters.load(self.set)


SODIUM = Case(
    "sodium",
    "nvpf_hc_chayambuka2022",
    "Chayambuka2022",
    2.0,
    Settings(4, 2, 26, 2.5, 1.2e-3),
    Settings(5, 5, 35, 2.5, 1e-3),
    1.0,
)
LITHIUM = Case(
    "lithium",
    "nmc811_chen2020",
    "Chen2020",
    2.5,
    Settings(5, 3, 10, 2.5, 2e-3),
    Settings(10, 5, 15, 2.5, 1e-3, 1e-4),
    0.5,
)
CASES = (SODIUM, LITHIUM)
DRIVE_CYCLE = Settings(4, 2, 14, 3.0, 2e-3), Settings(4, 3, 20, 2.5, 2e-3)
"""Tuned settings of both sides for the drive cycle of the sodium cell."""

NAION_CONVERGED = Settings(40, 10, 80, 2.5, 1e-6)
PYBAMM_CONVERGED = Settings(40, 40, 200, 2.5, 1e-6, 1e-7)
PYBAMM_FINE = Settings(10, 10, 60, 2.5, 1e-5, 1e-6)
"""Converged to a tenth of a millivolt or two; for a drive cycle, the other takes hours."""


def options(settings: Settings | None) -> dict:
    """Arguments of `na.simulate`; without settings, its defaults."""
    if settings is None:
        return {"throw": False}
    return {"model": na.DFN(settings.mesh), "rtol": settings.rtol, "throw": False}


def drive_cycle(nominal: float) -> tuple[np.ndarray, np.ndarray]:
    """A discharge at 1 Hz for 1200 s, swinging between rest and 1.5C: times, currents."""
    t = np.arange(1201.0)
    noise = np.random.default_rng(20261122).standard_normal(t.size)
    share = np.clip(0.35 + 0.5 * np.sin(t / 17.0) + 0.3 * noise, 0.0, 1.5)
    return t, nominal * share


SEED = 20261122
SPREAD = 0.05
"""Standard deviation of the factors on both diffusivities and on the electrode area."""


def factors(n: int) -> np.ndarray:
    """Drawn factors, (n, 3)."""
    return 1.0 + SPREAD * np.random.default_rng(SEED).standard_normal((n, 3))


def drawn(cell, k):
    """A cell with factors on both diffusivities and on the electrode area, `k` (3,)."""
    return eqx.tree_at(
        lambda c: (
            c.negative.particle.diffusivity.scale,
            c.positive.particle.diffusivity.scale,
            c.area,
        ),
        cell,
        (k[0], k[1], cell.area * k[2]),
    )


def scalars(cell) -> tuple:
    """Eight parameters that a fit might free."""
    n, p = cell.negative, cell.positive
    return (
        n.particle.diffusivity.scale,
        p.particle.diffusivity.scale,
        n.particle.rate_constant.scale,
        p.particle.rate_constant.scale,
        n.active_fraction,
        p.active_fraction,
        cell.electrolyte.conductivity.scale,
        cell.electrolyte.diffusivity.scale,
    )
