"""The circuit of the particle surfaces: its unknowns at rest, its rates, its potentials."""

from collections.abc import Callable, Mapping

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._shapes import Particles, Scalar
from ..physics.surface import AbstractSurfaceProcess, Surface, Unknown
from ._discretised import DiscretisedCell
from ._processes import (
    ACROSS,
    CIRCUIT,
    J_TOTAL,
    J,
    Term,
    of_run,
    sum_of_processes,
)

SERIES = 1e-7
"""Resistance outside a double layer [ohm.m2]: some millionths of that of charge transfer.

Without any, no row of the particle would say what the current through its surface is.
"""


def surface_start(
    grid: DiscretisedCell,
    unknowns: tuple[Unknown, ...],
    x: Particles,
    U: Particles,
    T: Scalar,
) -> Float[Array, "l n_e"]:
    """The unknowns at rest with compositions x and potentials U, (n_e,): (l, n_e)."""
    start = dict.fromkeys(CIRCUIT, jnp.zeros_like(x))
    start |= _by_name(grid, unknowns, lambda p, at: p.start(x[at], T))
    start[ACROSS.name] = U + _branch(grid, start, x, T)
    return jnp.stack([start[unknown.name] for unknown in unknowns])


def surface_drop(
    grid: DiscretisedCell,
    u: Mapping[str, Particles],
    potential: Particles,
    x: Particles,
    T: Scalar,
) -> Particles:
    """phi_s - phi_e - j R_film: what drives the reactions below the film [V].

    Below zero at the negative electrode, the metal can plate. Where there is a double
    layer this is its potential, an unknown.
    """
    if ACROSS.name in u:
        return u[ACROSS.name]
    return potential - through(u) * _film_resistance(grid, u, x, T)


def through(u: Mapping[str, Particles]) -> Particles:
    """Current density through the surface, of all reactions [A.m-2]."""
    return u.get(J_TOTAL.name, u[J.name])


def _film_resistance(
    grid: DiscretisedCell, u: Mapping[str, Particles], x: Particles, T: Scalar
) -> Particles:
    """Film resistance of the particle surfaces, grown films included [ohm.m2]."""
    grown = _sum(grid, "resistance", lambda p, at: p.resistance(of_run(u, at), T))
    return grid.film_resistance(x, T) + grown


def surface_overpotential(
    grid: DiscretisedCell,
    u: Mapping[str, Particles],
    drop: Particles,
    x: Particles,
    T: Scalar,
) -> tuple[Particles, Particles]:
    """What drives intercalation, and the part of the open-circuit potential that is
    hysteresis [V].
    """
    branch = _branch(grid, u, grid.composition(x, T), T)
    return drop - (grid.ocp(x, T) + branch), branch


def _branch(grid: DiscretisedCell, u: Mapping[str, Array], x: Array, T: Array) -> Array:
    """What processes add to the open-circuit potentials at compositions of hosts [V]."""
    added = _sum(grid, "potential", lambda p, at: p.potential(of_run(u, at), x[at], T))
    return jnp.zeros_like(x) + added


def surface_rates(
    grid: DiscretisedCell,
    unknowns: tuple[Unknown, ...],
    u: Mapping[str, Particles],
    potential: Particles,
    c_e: Particles,
    x: Particles,
    T: Scalar,
) -> Float[Array, "l n_e"]:
    """Rates of the states [s-1] and residuals of the others, (l, n_e).

    Args:
        grid: the cell, discretised.
        unknowns: of the surfaces.
        u: their values by name, each (n_e,).
        potential: phi_s - phi_e [V].
        c_e: salt concentration over its initial value.
        x: surface stoichiometry.
        T: temperature [K].
    """
    j = u[J.name]
    drop = surface_drop(grid, u, potential, x, T)
    eta, _ = surface_overpotential(grid, u, drop, x, T)
    whole = grid.composition(x, T)
    salt = grid.cell.electrolyte.concentration * c_e
    sites = grid.radius * grid.c_max / 3.0

    def around(at: slice) -> Surface:
        return Surface(
            j[at], potential[at], drop[at], salt[at], whole[at], sites[at], T
        )

    rows = _by_name(grid, unknowns, lambda p, at: p.rates(of_run(u, at), around(at)))
    side = _sum(grid, "current", lambda p, at: p.current(of_run(u, at), around(at)))
    x_mean = u.get("mean_sto", x)
    rows[J.name] = grid.kinetics_residual(j, eta, c_e, x, x_mean, T)
    if ACROSS.name in u:
        # What the reactions leave of the current charges the double layer.
        capacitance = _sum(
            grid,
            "differential_capacitance",
            lambda p, at: p.differential_capacitance(drop[at], T),
        )
        outside = SERIES + _film_resistance(grid, u, x, T)
        rows[ACROSS.name] = (u[J_TOTAL.name] - j - side) / capacitance
        rows[J_TOTAL.name] = potential - drop - u[J_TOTAL.name] * outside
    elif J_TOTAL.name in u:
        rows[J_TOTAL.name] = j + side - u[J_TOTAL.name]
    return jnp.stack([rows[unknown.name] for unknown in unknowns])


def surface_dispersion(
    grid: DiscretisedCell, u: Mapping[str, Array], f: Array, T: Array
) -> Array:
    """What the particles store more than capacitors do, over that, at the frequency f [Hz].

    Complex, (n_e,); exactly 0 where all that is there are capacitors.
    """
    drop = u[ACROSS.name]

    def stored(of: Callable[[AbstractSurfaceProcess], Array]) -> Array | float:
        return _sum(
            grid,
            "differential_capacitance",
            lambda p, at: p.differential_capacitance(drop[at], T) * of(p),
        )

    more, whole = (
        stored(lambda p: p.dispersion(f) - 1.0),
        stored(lambda p: jnp.ones(())),
    )
    return jnp.asarray(more / whole)


def _sum(grid: DiscretisedCell, method: str, term: Term) -> Array | float:
    return sum_of_processes(grid.processes, grid.slices, method, term)


def _by_name(
    grid: DiscretisedCell,
    unknowns: tuple[Unknown, ...],
    of: Callable[[AbstractSurfaceProcess, slice], Mapping[str, Array]],
) -> dict[str, Array]:
    """What processes say of their unknowns, each (n_e,); 0 in particles without them."""
    names = [unknown.name for unknown in unknowns if unknown.name not in CIRCUIT]
    found: dict[str, list[Array]] = {name: [] for name in names}
    for own, at in zip(grid.processes, grid.slices, strict=True):
        said: dict[str, Array] = {}
        for p in own:
            said |= _checked(p, of(p, at))
        for name, runs in found.items():
            value = said.get(name, jnp.zeros(()))
            runs.append(jnp.broadcast_to(value, at.stop - at.start))
    return {name: jnp.concatenate(runs) for name, runs in found.items()}


def _checked(
    p: AbstractSurfaceProcess, said: Mapping[str, Array]
) -> Mapping[str, Array]:
    expected = {unknown.name for unknown in p.unknowns}
    if set(said) != expected:
        raise ValueError(
            f"{type(p).__name__} gives values of {', '.join(sorted(said)) or 'nothing'}; "
            f"expected its unknowns, {', '.join(sorted(expected)) or 'none'}."
        )
    return said
