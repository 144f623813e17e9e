"""Where the voltage goes: an exact decomposition of the terminal voltage."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array

from ._dfn import Equations
from ._discretised import DiscretisedCell
from ._layout import State
from ._surface import surface_drop, surface_overpotential


class Losses(NamedTuple):
    """Contributions to the terminal voltage [V]; they add up to it.

    Potentials and compositions are means over each electrode. Losses are negative on
    discharge.

    Attributes:
        open_circuit: U_p - U_n at the electrodes' mean compositions.
        diffusion_negative: of sodium in the particles, and of compositions that differ
            through the electrode.
        diffusion_positive: the same of the positive electrode.
        kinetics_negative: charge transfer.
        kinetics_positive: charge transfer.
        film: of the particle surfaces, both electrodes.
        hysteresis: of the open-circuit potentials, both electrodes.
        concentration: diffusion potential of the liquid.
        ohmic_liquid: resistance of the liquid.
        ohmic_solid: electronic resistance of the electrodes.
        contact: tabs, foils and contacts.
    """

    open_circuit: Array
    diffusion_negative: Array
    diffusion_positive: Array
    kinetics_negative: Array
    kinetics_positive: Array
    film: Array
    hysteresis: Array
    concentration: Array
    ohmic_liquid: Array
    ohmic_solid: Array
    contact: Array


def losses(model: Equations, s: State, grid: DiscretisedCell) -> Losses:
    """The contributions in one state, each ()."""
    m, T = model.mesh, s.temperature
    u = model.named(s)
    x = s.sto[-1]
    potential = grid.at_nodes(s.phi_s - s.phi_e)
    drop = surface_drop(grid, u, potential, x, T)
    eta, branch = surface_overpotential(grid, u, drop, x, T)

    def both(particles: Array) -> tuple[Array, Array]:
        """Means over the electrodes, negative and positive."""
        negative, positive = grid.of_sides(particles)
        return jnp.mean(negative), jnp.mean(positive)

    def apart(nodes: Array) -> Array:
        negative, positive = both(nodes)
        return positive - negative

    volume = 3.0 * jnp.asarray(m.shells().volumes)[:, None]
    mean = grid.mean_of_runs(jnp.sum(volume * s.total_sto, axis=0))
    bulk = both(grid.ocp(grid.populate(mean, T)[0], T))
    at_surface, kinetics = both(grid.ocp(x, T)), both(eta)

    # The potential across a face at which no current flows, from two currents.
    none = jnp.zeros_like(s.c_e[1:])
    openness = grid.openness(u)
    sides = () if openness is None else (openness[:-1], openness[1:])
    at_rest, at_one = (
        grid.face_flux(s.c_e[:-1], s.c_e[1:], dphi, T, *sides).current
        for dphi in (none, none + 1.0)
    )
    by_diffusion = at_rest / (at_rest - at_one)

    def along(steps: Array) -> Array:
        """Difference of electrode means of a potential that rises by steps at faces."""
        return apart(grid.at_nodes(jnp.concatenate([jnp.zeros(1), jnp.cumsum(steps)])))

    concentration = along(by_diffusion)
    liquid = along(jnp.diff(s.phi_e))
    solid_n, solid_p = both(grid.at_nodes(s.phi_s))
    i = s.current / grid.cell.area
    collector = s.phi_s[-1] - i / grid.sigma_right
    return Losses(
        open_circuit=bulk[1] - bulk[0],
        diffusion_negative=bulk[0] - at_surface[0],
        diffusion_positive=at_surface[1] - bulk[1],
        kinetics_negative=-kinetics[0],
        kinetics_positive=kinetics[1],
        film=apart(potential - drop),
        hysteresis=apart(branch),
        concentration=concentration,
        ohmic_liquid=liquid - concentration,
        ohmic_solid=(collector - solid_p) + solid_n,
        contact=-s.current * grid.cell.contact_resistance(T, T),
    )
