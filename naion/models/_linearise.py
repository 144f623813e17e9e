"""Derivatives of the model's rates: the blocks of the step matrix shift * M - df/dy.

Each is taken from the same function as the rate itself, by face or by node: a face sees two
volumes, and a particle sees its own node.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._constants import F
from ..linalg import Pores
from ..mesh import Shells
from ..physics.surface import Unknown
from ._discretised import CLOGGED, DiscretisedCell
from ._layout import State
from ._stencils import after, before, divergence, partials
from ._surface import surface_rates

Tridiagonal = tuple[Array, Array, Array]
"""Lower, main and upper diagonal of a tridiagonal matrix, or of one of blocks."""


def shell_rows(
    shift: Array,
    s: State,
    grid: DiscretisedCell,
    shells: Shells,
    pore_filling: Callable[[Array, Array, Array], Array] | None,
) -> tuple[Tridiagonal, Pores | None, Array]:
    """Rows of the shells of all particles, and of their pores.

    Args:
        shift: factor of the mass matrix [s-1].
        s: state.
        grid: the cell, discretised.
        shells: shells of a particle.
        pore_filling: rate at which pores fill; none: there are no pores.

    Returns:
        diagonals by shell, (n_r, n_e) each; derivatives of the pores; and derivatives of
        the outermost shells by the current density through the surfaces, (n_e,).
    """
    T = s.temperature
    to_in, to_out = partials(
        lambda a, b: grid.shell_flux(a, b, T), (s.sto[:-1], s.sto[1:])
    )
    area = jnp.asarray(shells.faces**2)[:, None]
    volume = jnp.asarray(shells.volumes)[:, None] * grid.radius
    zero = jnp.zeros_like(s.j)[None]
    # Row i loses area * flux_i through its outer face, gains it at its inner one.
    upper = jnp.concatenate([area * to_out, zero]) / volume
    lower = jnp.concatenate([zero, -area * to_in]) / volume
    outer = jnp.concatenate([area * to_in, zero])
    within = jnp.concatenate([zero, area * to_out])
    diag = shift + (outer - within) / volume
    pores = None
    if pore_filling is not None:
        by_slope, by_pores = partials(
            lambda a, b: pore_filling(a, b, T), (s.sto, s.pores)
        )
        diag = diag + by_slope
        pores = Pores(by_pores, -by_slope, shift - by_pores)
    return (lower, diag, upper), pores, 1.0 / (F * grid.c_max * volume[-1])


def surface_rows(
    shift: Array, s: State, grid: DiscretisedCell, unknowns: tuple[Unknown, ...]
) -> dict[str, Array]:
    """Rows of the surfaces' unknowns, by themselves, by node and by composition."""
    at = (
        *s.local,
        grid.at_nodes(s.phi_s - s.phi_e),
        grid.at_nodes(s.c_e),
        s.sto[-1],
    )

    names = [u.name for u in unknowns]

    def rates(*at: Array) -> Array:
        u = dict(zip(names, at[:-3], strict=True))
        potential, c_e, x = at[-3:]
        return surface_rates(grid, unknowns, u, potential, c_e, x, s.temperature)

    *by_local, by_phi, by_c, by_x = partials(rates, at)
    mass = shift * np.diag([1.0 - u.algebraic for u in unknowns])[:, :, None]
    return dict(
        local_inner=-by_x,
        local_local=mass - jnp.stack(by_local, axis=1),
        local_macro=jnp.stack([-by_c, by_phi, -by_phi], axis=1),
    )


def source_rows(
    grid: DiscretisedCell, capacity: Array, count: int, current: int
) -> Array:
    """Rows of the nodes by the surfaces' unknowns: what reactions give to the liquid.

    Args:
        grid: the cell, discretised.
        capacity: salt capacity of the volumes, (n_x,).
        count: unknowns of the surfaces.
        current: which of them is the current density of all reactions.

    Returns:
        rows of salt, liquid charge and solid charge, (3, count, n_e).
    """
    a_dx = grid.interface * grid.at_nodes(grid.dx) / grid.i_scale
    to_salt = -grid.interface / F * grid.at_nodes(grid.dx / capacity)
    to_line = jnp.stack([to_salt, -a_dx, a_dx])
    none = jnp.zeros_like(to_line)
    return jnp.stack([to_line if k == current else none for k in range(count)], axis=1)


def clogging_rows(
    s: State,
    grid: DiscretisedCell,
    openness: Array,
    capacity: Array,
    current: Array,
    unknowns: tuple[Unknown, ...],
) -> tuple[Array, Array, Array]:
    """Rows of the nodes by the surfaces' unknowns, through films that clog the pores.

    Args:
        s: state.
        grid: the cell, discretised.
        openness: share of the porosity that films leave open, (n_x,).
        capacity: salt capacity of the volumes, (n_x,).
        current: current density through the surfaces, (n_e,) [A.m-2].
        unknowns: of the surfaces, l of them.

    Returns:
        rows of the nodes before, at and after each particle's own, (3, l, n_e) each.
    """
    film = _openness_by_film(s, grid, openness, unknowns)
    rows = _by_openness(s, grid, openness, capacity, current)
    of_before, own, of_after = (row[:, None] * film for row in rows)
    return of_before, own, of_after


def _by_openness(
    s: State, grid: DiscretisedCell, openness: Array, capacity: Array, current: Array
) -> tuple[Array, Array, Array]:
    """Rows of the nodes before, at and after each particle's own, by openness, (3, n_e)."""

    def rows(openness: Array) -> Array:
        at = s.c_e[:-1], s.c_e[1:], jnp.diff(s.phi_e), s.temperature
        faces = grid.face_flux(*at, openness[:-1], openness[1:])
        return jnp.stack([faces.salt, faces.current])

    def by(moved: Array) -> Array:
        return jax.jvp(rows, (openness,), (moved,))[1]

    # A face sees two volumes: every other one at a time.
    odd = jnp.arange(len(openness)) % 2
    of_odd, of_even = by(1.0 * odd), by(1.0 - odd)
    left_is_odd = odd[:-1] == 1
    by_left = jnp.where(left_is_odd, of_odd, of_even)
    by_right = jnp.where(left_is_odd, of_even, of_odd)
    unit = jnp.stack([capacity, jnp.full_like(capacity, grid.i_scale)])
    edge = jnp.zeros((2, 1))
    # A node loses what passes the face after it; matrix entries are -d(rate).
    own = jnp.concatenate([by_left, edge], 1) - jnp.concatenate([edge, by_right], 1)
    own = own / unit
    a_j = grid.on_line(grid.interface * current) * grid.dx / F
    salt = (-divergence(rows(openness)[0]) + a_j) / capacity
    own = own.at[0].add(salt / openness)
    of_before = jnp.concatenate([edge, by_right], 1) / before(unit)
    of_after = -jnp.concatenate([by_left, edge], 1) / after(unit)
    none = jnp.zeros_like(grid.interface)[None]

    def at_particles(rows: Array) -> Array:
        return jnp.concatenate([grid.at_nodes(rows.T).T, none])

    return at_particles(of_before), at_particles(own), at_particles(of_after)


def _openness_by_film(
    s: State, grid: DiscretisedCell, openness: Array, unknowns: tuple[Unknown, ...]
) -> Array:
    """Openness of the nodes by the unknowns of the surfaces, (l, n_e)."""
    names = [u.name for u in unknowns]

    def film(*at: Array) -> Array:
        return grid.film(dict(zip(names, at, strict=True)))

    by_film = -grid.interface / grid.at_nodes(grid.porosity)
    by_film = jnp.where(grid.at_nodes(openness <= CLOGGED), 0.0, by_film)
    return partials(film, tuple(s.local)) * by_film


def line_rows(
    shift: Array,
    s: State,
    grid: DiscretisedCell,
    openness: Array | None,
    capacity: Array,
) -> Tridiagonal:
    """Blocks of rows (salt, liquid charge, solid charge) on the line, (n_x, 3, 3) each."""
    at = (s.c_e[:-1], s.c_e[1:], jnp.diff(s.phi_e))
    sides = () if openness is None else (openness[:-1], openness[1:])
    of = partials(lambda a, b, c: grid.face_flux(a, b, c, s.temperature, *sides), at)
    (salt_left, salt_right, salt_phi) = of.salt
    (i_left, i_right, i_phi) = of.current
    zero, sigma = jnp.zeros_like(i_phi), grid.sigma_face

    def faces(*rows: tuple[Array, Array, Array]) -> Array:
        """Fluxes (rows) by unknowns (columns) of one side, (n_face, 3, 3)."""
        return jnp.stack([jnp.stack(r, axis=1) for r in rows], axis=1)

    by_left = faces(
        (salt_left, -salt_phi, zero), (i_left, -i_phi, zero), (zero, zero, sigma)
    )
    by_right = faces(
        (salt_right, salt_phi, zero), (i_right, i_phi, zero), (zero, zero, -sigma)
    )
    unit = 1.0 / grid.i_scale * jnp.ones_like(s.c_e)
    scale = jnp.stack([1.0 / capacity, unit, unit], axis=1)[:, :, None]
    edge = jnp.zeros_like(by_left[:1])
    lower = jnp.concatenate([edge, -by_left]) * scale
    upper = jnp.concatenate([by_right, edge]) * scale
    diag = jnp.concatenate([by_left, edge]) - jnp.concatenate([edge, by_right])
    diag = diag.at[0, 2, 2].add(grid.sigma_left) * scale
    diag = diag.at[:, 0, 0].add(shift)
    diag = diag.at[:, 2, 2].set(jnp.where(grid.has_solid, diag[:, 2, 2], 1.0))
    return lower, diag, upper
