"""A mesh that is fine enough for a cell, and no finer."""

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
"""Up to this rate of discharge meshes are made for [1/h]."""

LINE, SHELLS = 0.7, 0.4
"""Errors in voltage that volumes of one electrode, and shells, may bring [mV]."""

OF_ELECTRODE, OF_SEPARATOR, OF_SHELLS = 0.19, 0.019, 2500.0
"""Errors by the mesh fall with the square of the counts n. Measured: 0.19 / n^2 of the drop
of potential along an electrode, less than a tenth of that along the separator, more by the
share of the salt that the current displaces; 2500 mV / n^2 of a stoichiometry's difference
in a particle (`python -m benchmarks mesh`)."""

FEWEST, MOST = (5, 2, 5, 12), (30, 8, 30, 60)
"""Between which counts are; numbers of cells that nobody has built ask for any."""

STOICHIOMETRIES = np.linspace(0.05, 0.95, 19)


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
    """The coarsest mesh whose error stays below a millivolt (RMS) up to 3C.

    In the cold transport is slower, and what is suited at the cell's own temperature is
    too coarse; how much, `python -m benchmarks mesh` shows.

    From the cell's own numbers: ohmic and diffusion potential along each electrode, and
    the difference of stoichiometry between surface and mean of its particles, both in
    steady state.

    Args:
        cell: of concrete numbers.
        temperature: of the simulations [K]; none: the cell's own.

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
    # A metal has nothing to resolve.
    return Mesh(2 if is_half_cell(cell) else n[0], *n[1:])


def _drop(
    cell: Cell, part: Electrode | Separator, i: float, T: Array
) -> tuple[float, float]:
    """Along a part at a current density i [A.m-2] and a temperature T [K].

    Returns:
        of the potential [V], and of the salt over its initial concentration [-].
    """
    e = cell.electrolyte
    c, B = e.concentration, part.transport_efficiency
    fixed = 1.0 - e.t_plus(c, T)
    displaced = fixed * i * part.thickness / (F * B * e.diffusivity(c, T) * c)
    ohmic = i * part.thickness / (B * e.conductivity(c, T))
    of_salt = 2.0 * R * T / F * fixed * e.thermodynamic_factor(c, T) * displaced
    return abs(float(ohmic)) + abs(float(of_salt)), abs(float(displaced))


def _spread(electrode: Electrode, i: float, T: Array) -> float:
    """Most of stoichiometry at the surface less the mean, at i [A.m-2] [-]."""
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
