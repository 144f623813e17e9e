"""The unknowns of the particle surfaces: which there are, and how they change.

Beside the intercalation current, parts of a `Cell` that are present bring states of their
own. A part that is absent brings none and costs nothing.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._constants import F
from ..parameters import SEI, Cell, Electrode, Hysteresis, Plating
from ..physics import hysteresis, plating, sei

if TYPE_CHECKING:
    from ._grid import Grid

ALGEBRAIC = ("j", "j_total")
"""Unknowns without a time derivative: of intercalation, and through the film [A.m-2]."""

SERIES = 1e-7
"""Resistance outside a double layer [ohm.m2]: some millionths of that of charge transfer.

Without any, no row of the particle would say what the current through its surface is.
"""

ERROR_WEIGHT = {
    "mean_sto": 1.0,
    "surface_potential": 1.0,
    "hysteresis": 0.05,
    "plated": 10.0,
    "dead": 10.0,
    "sei": 0.1,
    "lost": 10.0,
}
"""What an error of a state counts beside one of composition; small amounts matter."""


_SMALLEST = 1e-4
"""Capacitance of an electrode without one beside an electrode that has one [F.m-2]."""


def surface_unknowns(cell: Cell) -> tuple[str, ...]:
    """Names of the unknowns that a cell's parts bring.

    - "j" and, with side reactions or a double layer, "j_total": current densities
      [A.m-2];
    - "surface_potential": across the double layer [V];
    - "mean_sto": mean stoichiometry of the particle, for kinetics that ask for it;
    - "hysteresis": which branch, -1 to 1;
    - "plated", "dead", "lost": metal, metal without contact, sodium in the SEI, all in
      units of the electrode's sites;
    - "sei": thickness over that of the start.
    """
    electrodes = cell.negative, cell.positive
    follows = any(_hysteresis(e) is not None for e in electrodes)
    plates = any(_plating(e) is not None for e in electrodes)
    grows = any(_sei(e) is not None for e in electrodes)
    charges = any(e.double_layer is not None for e in electrodes)
    return (
        "j",
        *(["surface_potential"] if charges else []),
        *(["j_total"] if plates or grows or charges else []),
        *(["mean_sto"] if cell.kinetics.uses_mean else []),
        *(["hysteresis"] if follows else []),
        *(["plated", "dead"] if plates else []),
        *(["sei", "lost"] if grows else []),
    )


def surface_mass(names: tuple[str, ...]) -> np.ndarray:
    """1 for unknowns with a time derivative, 0 for the others."""
    return np.array([0.0 if name in ALGEBRAIC else 1.0 for name in names])


def surface_start(
    grid: "Grid", names: tuple[str, ...], x: Array, U: Array, T: Array
) -> Array:
    """The unknowns at rest with compositions x and potentials U, (n_e,): (l, n_e)."""
    start = {name: jnp.zeros_like(grid.radius) for name in names}
    if "mean_sto" in start:
        start["mean_sto"] = x
    if "hysteresis" in start:
        start["hysteresis"] = grid.of_part(_hysteresis, lambda p, at: p.initial)
    if "sei" in start:
        start["sei"] = jnp.ones_like(grid.radius)
    if "surface_potential" in start:
        start["surface_potential"] = U + _branch(grid, start, x, T)
    return jnp.stack([start[name] for name in names])


def surface_drop(
    grid: "Grid", u: Mapping[str, Array], potential: Array, x: Array, T: Array
) -> Array:
    """phi_s - phi_e - j R_film: what drives the reactions below the film [V].

    Below zero at the negative electrode, the metal can plate. Where there is a double
    layer this is its potential, an unknown.
    """
    if "surface_potential" in u:
        return u["surface_potential"]
    return potential - u.get("j_total", u["j"]) * _film_resistance(grid, u, x, T)


def _film_resistance(grid: "Grid", u: Mapping[str, Array], x: Array, T: Array) -> Array:
    """Of the particle surfaces, the SEI included [ohm.m2]."""
    resistance = grid.film_resistance(x, T)
    if "sei" in u:
        resistance = resistance + grid.of_part(
            _sei, lambda p, at: u["sei"][at] * p.thickness / p.conductivity(T, T)
        )
    return resistance


def surface_overpotential(
    grid: "Grid", u: Mapping[str, Array], drop: Array, x: Array, T: Array
) -> tuple[Array, Array]:
    """What drives intercalation, and the part of the open-circuit potential that is
    hysteresis [V].
    """
    branch = _branch(grid, u, grid.composition(x, T), T)
    return drop - (grid.ocp(x, T) + branch), branch


def _branch(grid: "Grid", u: Mapping[str, Array], x: Array, T: Array) -> Array:
    """Hysteresis of the open-circuit potentials at compositions of the hosts [V]."""
    if "hysteresis" not in u:
        return jnp.zeros_like(x)
    width = grid.of_part(_hysteresis, lambda p, at: p.half_width(x[at], T))
    return u["hysteresis"] * width


def surface_rates(
    grid: "Grid",
    u: Mapping[str, Array],
    potential: Array,
    c_e: Array,
    x: Array,
    T: Array,
) -> Array:
    """Rates of the states [s-1] and residuals of the others, (l, n_e).

    Args:
        grid: the cell, laid out.
        u: the unknowns by name, in order, each (n_e,).
        potential: phi_s - phi_e [V].
        c_e: salt concentration over its initial value.
        x: surface stoichiometry.
        T: temperature [K].
    """
    j = u["j"]
    drop = surface_drop(grid, u, potential, x, T)
    eta, _ = surface_overpotential(grid, u, drop, x, T)
    # Change of mean composition for each unit of current density.
    speed = 3.0 / (grid.radius * F * grid.c_max)
    rows: dict[str, Array] = {}
    side = jnp.zeros_like(j)
    if "hysteresis" in u:
        h = u["hysteresis"]
        rows["hysteresis"] = grid.of_part(
            _hysteresis,
            lambda p, at: hysteresis.rate(
                h[at], j[at], speed[at], p.decay, p.threshold
            ),
        )
    if "plated" in u:
        salt = grid.cell.electrolyte.concentration * c_e
        metal = u["plated"]
        j_plating = grid.of_part(
            _plating,
            lambda p, at: plating.current(
                drop[at],
                metal[at],
                salt[at],
                T,
                p.rate_constant(T, T),
                p.transfer,
                p.saturation,
            ),
        )
        rows["dead"] = grid.of_part(_plating, lambda p, at: p.loss * metal[at])
        rows["plated"] = -speed * j_plating - rows["dead"]
        side = side + j_plating
    if "sei" in u:
        thickness = u["sei"]
        j_sei = grid.of_part(
            _sei,
            lambda p, at: p.growth.current(
                potential[at], drop[at], thickness[at] * p.thickness, T
            ),
        )
        rows["sei"] = grid.of_part(
            _sei,
            lambda p, at: (
                sei.rate(
                    j_sei[at],
                    thickness[at] * p.thickness,
                    p.molar_volume,
                    p.electrons,
                    p.dissolution,
                    p.inner_thickness,
                )
                / p.thickness
            ),
        )
        rows["lost"] = -speed * j_sei
        side = side + j_sei
    x_mean = u.get("mean_sto", x)
    if "mean_sto" in u:
        rows["mean_sto"] = -speed * j
    rows["j"] = grid.kinetics_residual(j, eta, c_e, x, x_mean, T)
    if "surface_potential" in u:
        # What the reactions leave of the current charges the double layer.
        capacitance = grid.of_part(
            lambda e: e.double_layer, lambda p, at: p.capacitance
        )
        across = u["surface_potential"]
        outside = SERIES + _film_resistance(grid, u, x, T)
        charging = u["j_total"] - j - side
        held = capacitance > 0.0
        rows["surface_potential"] = charging / jnp.where(held, capacitance, _SMALLEST)
        rows["j_total"] = potential - across - u["j_total"] * outside
    elif "j_total" in u:
        rows["j_total"] = j + side - u["j_total"]
    return jnp.stack([rows[name] for name in u])


def _hysteresis(e: Electrode) -> Hysteresis | None:
    return e.particle.hysteresis


def _plating(e: Electrode) -> Plating | None:
    return e.plating


def _sei(e: Electrode) -> SEI | None:
    return e.sei
