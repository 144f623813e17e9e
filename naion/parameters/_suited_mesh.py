"""Choose a mesh that is fine enough for a cell, and no finer."""

import dataclasses
import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._constants import F, R
from .._takes import takes
from ..mesh import Mesh
from ._cell import Cell, Defaults, Electrode, Separator
from ._known import is_half_cell
from ._numbers import check_as
from ._range import TEMPERATURE

RATE = 3.0
"""Highest discharge rate for which meshes are chosen [1/h]."""

LINE, SHELLS = 0.7, 0.4
"""Errors in voltage that the volumes of one electrode, and the shells, may cause [mV]."""

OF_ELECTRODE, OF_SEPARATOR, OF_SHELLS = 0.19, 0.019, 2500.0
"""Errors of a mesh fall with the square of its counts n. Measured (`python -m benchmarks
mesh`): 0.19 / n^2 of the drop of potential along an electrode, and less than a tenth of
that along the separator, both larger by the share of the salt that the current displaces;
and 2500 mV / n^2 for each unit of stoichiometry between surface and mean of a
particle."""

FEWEST, MOST = (5, 2, 5, 12), (30, 8, 30, 60)
"""Smallest and largest counts: extreme cells would ask for any number."""

STOICHIOMETRIES = np.linspace(0.05, 0.95, 19)
"""Stoichiometries at which diffusivities are taken."""


@takes
def with_suited_mesh(cell: Cell) -> Cell:
    """The cell with `suited_mesh` as its default.

    Raises:
        ValueError: for numbers that are not possible; see `check`.
    """
    check_as(cell, Cell)
    mesh = suited_mesh(cell)
    return dataclasses.replace(cell, defaults=Defaults(mesh, cell.defaults.thermal))


def suited_mesh(cell: Cell, temperature: float | None = None) -> Mesh:
    """The coarsest mesh whose error in voltage stays below a millivolt (RMS) up to 3C.

    It is estimated from the cell's own numbers: ohmic and diffusion potential along each
    electrode, and the difference of stoichiometry between surface and mean of its
    particles, both in steady state.

    Transport is slower in the cold, where the mesh for the cell's own temperature is too
    coarse; `python -m benchmarks mesh` shows by how much.

    Args:
        cell: a cell with concrete numbers.
        temperature: temperature of the simulations [K]; none: the cell's own.

    Raises:
        ValueError: for a temperature in degrees Celsius.
    """
    T = cell.temperature if temperature is None else jnp.asarray(temperature)
    low, high = TEMPERATURE.strict
    if not low < float(T) < high:
        raise ValueError(
            f"temperature={float(T):g}: expected {TEMPERATURE}; 25 degC is 298.15."
        )
    i = RATE * float(cell.nominal_capacity / cell.area)
    sides = cell.negative, cell.positive

    def volumes(part: Electrode | Separator, factor: float) -> float:
        drop, displaced = _drop(cell, part, i, T)
        return math.sqrt(factor * 1e3 * drop * (1.0 + displaced) / LINE)

    spread = max(_spread(side, i, T) for side in sides)
    counts = (
        volumes(cell.negative, OF_ELECTRODE),
        volumes(cell.separator, OF_SEPARATOR),
        volumes(cell.positive, OF_ELECTRODE),
        math.sqrt(OF_SHELLS * spread / SHELLS),
    )
    triples = zip(counts, FEWEST, MOST, strict=True)
    n = [math.ceil(min(max(n, few), most)) for n, few, most in triples]
    # The metal of a half cell has no depth to resolve.
    return Mesh(2 if is_half_cell(cell) else n[0], *n[1:])


def _drop(
    cell: Cell, part: Electrode | Separator, i: float, T: Array
) -> tuple[float, float]:
    """Steady differences along a part at a current density i [A.m-2] and temperature T [K].

    Returns:
        difference of the potential [V], and of the salt concentration over the initial one.
    """
    e = cell.electrolyte
    c, B = e.concentration, part.transport_efficiency
    fixed = 1.0 - e.t_plus(c, T)
    displaced = fixed * i * part.thickness / (F * B * e.diffusivity(c, T) * c)
    ohmic = i * part.thickness / (B * e.conductivity(c, T))
    of_salt = 2.0 * R * T / F * fixed * e.thermodynamic_factor(c, T) * displaced
    return abs(float(ohmic)) + abs(float(of_salt)), abs(float(displaced))


def _spread(electrode: Electrode, i: float, T: Array) -> float:
    """Largest steady difference of stoichiometry between surface and mean of a particle.

    Args:
        electrode: the electrode.
        i: current density [A.m-2].
        T: temperature [K].
    """
    materials = electrode.materials
    flux = i / (F * electrode.thickness * sum(m.interface for m in materials))
    x, found = jnp.asarray(STOICHIOMETRIES), []
    for p in (m.particle for m in materials):
        D = p.diffusivity(x, T)
        if p.driven_by == "potential":
            slope = np.gradient(np.asarray(p.ocp(x, T)), STOICHIOMETRIES)
            D = D * x * (1.0 - x) * F / (R * T) * np.abs(slope)
        found.append(float(flux * p.radius / (5.0 * jnp.median(D) * p.c_max)))
    return max(found)
