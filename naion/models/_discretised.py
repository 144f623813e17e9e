"""A cell discretised on a mesh: what the equations need, worked out once for each solve."""

from collections.abc import Callable, Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Shaped

from .._shapes import AnyParticles, Faces, Line, Particles, Scalar
from ..linalg import Runs, gather, spread
from ..mesh import Mesh
from ..parameters import Cell, Electrode, Particle, Stoichiometry, compositions
from ..physics import electrolyte, kinetics, solid
from ..physics.store import AbstractPopulations
from ..physics.surface import AbstractSurfaceProcess
from ..properties import Property, prepare
from ._processes import of_run, processes, sum_of_processes

BRUGGEMAN = 1.5
"""Exponent by which transport follows a porosity that changes."""

CLOGGED = 1e-2
"""Share of its porosity that a volume keeps, however thick the film."""


class DiscretisedCell(eqx.Module):
    """Geometry and properties along the cell, negative electrode first.

    Particles come in runs: the first material of the negative electrode in all its
    volumes, that of the positive one, then further materials in the same order. In a
    host with pores, what is called stoichiometry here is that of the slope's sites.

    Attributes:
        mesh: grid counts.
        cell: the parameters, `prepare`d.
        materials: the electrode with one of its active materials, for each run.
        populations: of hosts with pores, or none, for each run.
        processes: of the particle surfaces, for each run.
        sides: electrode of each run, 0 negative, 1 positive.
        dx: width of every volume [m].
        salt_capacity: electrolyte times initial salt in every volume [mol.m-2].
        porosity: volume fraction of electrolyte in every volume at the start [-].
        half_conductance: geometric factor 2 B/dx of every volume at the start [m-1].
        sigma_face: electronic conductance between neighbours, zero in the separator
            [S.m-2].
        sigma_left: from the negative collector to the first volume [S.m-2].
        sigma_right: from the last volume to the positive collector [S.m-2].
        interface: specific interface of the particles [m-1].
        radius: of the particles [m].
        c_max: site density of the particles [mol.m-3].
        shell_gap: distance of neighbouring shells [m].
        i_scale: the 1C current density [A.m-2].
    """

    mesh: Mesh
    cell: Cell
    materials: tuple[Electrode, ...]
    populations: tuple[AbstractPopulations | None, ...]
    processes: tuple[tuple[AbstractSurfaceProcess, ...], ...]
    sides: tuple[int, ...] = eqx.field(static=True)
    dx: Float[Array, " n_x"]
    salt_capacity: Float[Array, " n_x"]
    porosity: Float[Array, " n_x"]
    half_conductance: Float[Array, " n_x"]
    sigma_face: Float[Array, " n_f"]
    sigma_left: Float[Array, ""]
    sigma_right: Float[Array, ""]
    interface: Float[Array, " n_e"]
    radius: Float[Array, " n_e"]
    c_max: Float[Array, " n_e"]
    shell_gap: Float[Array, "n_g n_e"]
    i_scale: Float[Array, ""]

    def __init__(self, mesh: Mesh, cell: Cell):
        n, sep, p = cell.negative, cell.separator, cell.positive
        self.sides = run_sides(cell)
        given = [e.particle for e in in_runs(cell)]
        self.populations = tuple(
            None if p.pores is None else p.pores.ready(p.ocp) for p in given
        )
        self.mesh, self.cell = mesh, prepare(cell)
        self.materials = in_runs(self.cell)
        self.processes = processes(self.cell, self.materials)

        def line(of_negative: Array, of_separator: Array, of_positive: Array) -> Array:
            values = of_negative, of_separator, of_positive
            counts = mesh.n_neg, mesh.n_sep, mesh.n_pos
            pairs = zip(values, counts, strict=True)
            return jnp.concatenate([jnp.broadcast_to(v, c) for v, c in pairs])

        self.dx = line(
            n.thickness / mesh.n_neg,
            sep.thickness / mesh.n_sep,
            p.thickness / mesh.n_pos,
        )
        self.porosity = line(n.porosity, sep.porosity, p.porosity)
        self.salt_capacity = self.porosity * self.dx * cell.electrolyte.concentration
        B = line(
            n.transport_efficiency, sep.transport_efficiency, p.transport_efficiency
        )
        self.half_conductance = 2.0 * B / self.dx
        sigma = line(n.conductivity, jnp.zeros(()), p.conductivity) / self.dx
        inside = np.ones(mesh.n_x - 1)
        inside[mesh.n_neg - 1 : mesh.n_neg + mesh.n_sep] = 0.0
        self.sigma_face = jnp.asarray(inside) * sigma[:-1]
        self.sigma_left, self.sigma_right = 2.0 * sigma[0], 2.0 * sigma[-1]
        self.interface = self._each(lambda e: e.interface)
        self.radius = self._each(lambda e: e.particle.radius)
        self.c_max = self._each(lambda e: e.particle.c_max)
        self.shell_gap = (
            jnp.asarray(np.diff(mesh.shells().nodes))[:, None] * self.radius
        )
        self.i_scale = cell.nominal_capacity / cell.area

    @property
    def runs(self) -> Runs:
        """First node and length of every run of particles."""
        m = self.mesh
        both = (0, m.n_neg), (m.n_neg + m.n_sep, m.n_pos)
        return tuple(both[side] for side in self.sides)

    @property
    def slices(self) -> list[slice]:
        """Slices of the runs among all particles."""
        ends = np.cumsum([count for _, count in self.runs])
        starts = [0, *ends[:-1]]
        return [slice(int(a), int(b)) for a, b in zip(starts, ends, strict=True)]

    def of_sides(
        self, particles: AnyParticles
    ) -> tuple[Float[Array, "*n n_neg"], Float[Array, "*n n_pos"]]:
        """The particles (..., n_e) of the negative and of the positive electrode."""
        pairs = list(zip(self.sides, self.slices, strict=True))
        negative, positive = (
            [particles[..., at] for side, at in pairs if side == own] for own in (0, 1)
        )
        return jnp.concatenate(negative, axis=-1), jnp.concatenate(positive, axis=-1)

    @property
    def direction(self) -> np.ndarray:
        """Sign of j on discharge, by particle, (n_e,)."""
        signs = [1.0 - 2.0 * side for side in self.sides]
        return np.repeat(signs, [count for _, count in self.runs])

    def mean_of_runs(self, particles: Particles) -> Particles:
        """Every particle (n_e,) as the mean of its run."""
        means = [
            jnp.full(at.stop - at.start, jnp.mean(particles[at])) for at in self.slices
        ]
        return jnp.concatenate(means)

    @property
    def interface_of_electrode(self) -> Array:
        """Surface of all particles for each area of electrode, a L, by particle [-]."""
        areas: list[Array] = [jnp.zeros(()), jnp.zeros(())]
        for side, e in zip(self.sides, self.materials, strict=True):
            areas[side] = areas[side] + e.interface * e.thickness
        pairs = zip(self.sides, self.runs, strict=True)
        return jnp.concatenate(
            [jnp.broadcast_to(areas[side], count) for side, (_, count) in pairs]
        )

    @property
    def has_solid(self) -> np.ndarray:
        """Which volumes are electrode, (n_x,)."""
        m = self.mesh
        return np.repeat([True, False, True], [m.n_neg, m.n_sep, m.n_pos])

    def at_nodes(self, line: Shaped[Array, " n_x *k"]) -> Shaped[Array, " n_e *k"]:
        """Line values (n_x, ...) where the particles are, (n_e, ...)."""
        return gather(line, self.runs)

    def on_line(self, particles: Particles) -> Line:
        """Sums of the particles (n_e,) on the line (n_x,), zero in the separator."""
        return spread(particles, self.runs, self.mesh.n_x)

    def at_reference(self, line: Line) -> Scalar:
        """Line values (n_x,) at the reference electrode, straight between volumes, ()."""
        m, position = self.mesh, self.cell.separator.reference
        within = line[m.n_neg : m.n_neg + m.n_sep]
        if position is None:
            middle = within[(m.n_sep - 1) // 2 : m.n_sep // 2 + 1]
            return jnp.mean(middle)
        # In the two volumes whose middles are nearest; beyond the outermost they go on.
        i, place = jnp.arange(m.n_sep), position * m.n_sep - 0.5
        first = jnp.clip(jnp.floor(place), 0, m.n_sep - 2)
        share = place - first
        weight = jnp.where(i == first, 1.0 - share, jnp.where(i == first + 1, share, 0))
        return jnp.sum(weight * within)

    def equilibrium(self, sto: Stoichiometry, T: Scalar) -> Particles:
        """Compositions of the particles (n_e,) at mean stoichiometries of electrodes."""
        reference, runs = self.cell.temperature, []
        both = [
            list(compositions(e, x, T, reference))
            for e, x in (
                (self.cell.negative, sto.negative),
                (self.cell.positive, sto.positive),
            )
        ]
        for side, (_, count) in zip(self.sides, self.runs, strict=True):
            runs.append(jnp.broadcast_to(both[side].pop(0), count))
        return jnp.concatenate(runs)

    def populate(self, x: Particles, T: Scalar) -> tuple[Particles, Particles]:
        """Compositions of the slope's sites and of pores, in equilibrium, (n_e,)."""
        slope, filled = [], []
        for p, at in zip(self.populations, self.slices, strict=True):
            here = x[at]
            parts = (here, jnp.zeros_like(here)) if p is None else p.split(here, T)
            slope.append(parts[0])
            filled.append(parts[1])
        return jnp.concatenate(slope), jnp.concatenate(filled)

    def composition(self, x: AnyParticles, T: Scalar) -> AnyParticles:
        """Stoichiometry of all sites, pores in equilibrium; particles on the last axis."""
        if not any(self.populations):
            return x
        pairs = zip(self.populations, self.slices, strict=True)
        wholes = [
            x[..., at] if p is None else p.whole(x[..., at], T) for p, at in pairs
        ]
        return jnp.concatenate(wholes, axis=-1)

    def _particles(
        self, of: Callable[[Particle], Property], x: AnyParticles, T: Scalar
    ) -> AnyParticles:
        """A particle property at compositions whose last axis is the particles."""
        pairs = zip(self.materials, self.slices, strict=True)
        return jnp.concatenate(
            [of(e.particle)(x[..., at], T) for e, at in pairs], axis=-1
        )

    def shell_flux(
        self, sto_in: AnyParticles, sto_out: AnyParticles, T: Scalar
    ) -> AnyParticles:
        """Flux between neighbouring shells over c_max [m.s-1]."""

        def diffusivity(x: Array) -> Array:
            x = self.composition(x, T)
            return self._particles(lambda p: p.diffusivity, x, T)

        flux = solid.shell_flux(sto_in, sto_out, diffusivity, self.shell_gap)
        for e, run in zip(self.materials, self.slices, strict=True):
            p, at = e.particle, np.s_[:, run]
            if p.driven_by == "potential":
                own = solid.shell_flux_by_potential(
                    sto_in[at],
                    sto_out[at],
                    lambda x, p=p: p.diffusivity(x, T),
                    lambda x, p=p: p.ocp(x, T) + self._warming(T) * p.dudt(x, T),
                    self.shell_gap[at],
                    T,
                )
                flux = flux.at[at].set(own)
        return flux

    def openness(self, u: Mapping[str, Array]) -> Line | None:
        """Porosity of every volume over that at the start, (n_x,); none: as it was.

        The film takes its volume from the pores; what liquid it displaces leaves with
        its salt.
        """
        if not self.has_film:
            return None
        film = self.on_line(self.interface * self.film(u))
        return jnp.maximum(1.0 - film / self.porosity, CLOGGED)

    def film(self, u: Mapping[str, Array]) -> Particles:
        """Thickness that has grown on the particles since the start, (n_e,) [m]."""
        grown = sum_of_processes(
            self.processes, self.slices, "film", lambda p, at: p.film(of_run(u, at))
        )
        return jnp.zeros_like(self.radius) + grown

    @property
    def has_film(self) -> bool:
        """Whether something grows on particles."""
        return any(p.has("film") for own in self.processes for p in own)

    def pore_filling(
        self, x: AnyParticles, filled: AnyParticles, T: Scalar
    ) -> AnyParticles:
        """S: how fast the pores fill from the slope's sites, any shape (..., n_e) [s-1]."""
        pairs = zip(self.populations, self.slices, strict=True)
        parts = [
            jnp.zeros_like(x[..., at])
            if p is None
            else p.filling(x[..., at], filled[..., at], T)
            for p, at in pairs
        ]
        return jnp.concatenate(parts, axis=-1)

    def entropic(self, x: AnyParticles, T: Scalar) -> AnyParticles:
        """dU/dT of the particles at constant x, of curve and coefficient [V.K-1]."""
        return jax.jvp(lambda T: self.ocp(x, T), (T,), (jnp.ones_like(T),))[1]

    def ocp(self, x: AnyParticles, T: Scalar) -> AnyParticles:
        """U(x, T) of the particles [V]: the curve at T, plus (T - T_ref) times `dudt`."""
        parts = []
        for e, p, at in zip(self.materials, self.populations, self.slices, strict=True):
            U = e.particle.ocp
            here = x[..., at]
            parts.append(U(here, T) if p is None else p.potential(U, here, T))
        dudt = self._particles(lambda p: p.dudt, self.composition(x, T), T)
        return jnp.concatenate(parts, axis=-1) + self._warming(T) * dudt

    def _warming(self, T: Scalar) -> Scalar:
        """Above the temperature at which open-circuit potentials are given [K]."""
        return T - self.cell.temperature

    def film_resistance(self, x: AnyParticles, T: Scalar) -> AnyParticles:
        """Film resistance of the particle surfaces, (n_e,) [ohm.m2]."""
        return self._particles(lambda p: p.film_resistance, self.composition(x, T), T)

    def _each(self, number: Callable[[Electrode], Array]) -> Particles:
        """A number of the particles, (n_e,)."""
        pairs = zip(self.materials, self.slices, strict=True)
        return jnp.concatenate(
            [jnp.broadcast_to(number(e), at.stop - at.start) for e, at in pairs]
        )

    def kinetics_residual(
        self,
        j: Particles,
        eta: Particles,
        c_e: Particles,
        x: Particles,
        x_mean: Particles,
        T: Scalar,
    ) -> Particles:
        """Zero where j belongs to overpotential, salt and composition [V]."""
        x = self.composition(x, T)
        k_0 = self._particles(lambda p: p.rate_constant, x, T)
        salt = c_e * self.cell.electrolyte.concentration
        around = kinetics.Interface(k_0, c_e, x, x_mean, self.c_max, T, salt)
        if all(e.kinetics is None for e in self.materials):
            return self.cell.kinetics.residual(j, eta, around)
        parts = []
        for e, at in zip(self.materials, self.slices, strict=True):
            own = jax.tree.map(lambda a, at=at: a[at] if a.ndim else a, around)
            form = self.cell.kinetics if e.kinetics is None else e.kinetics
            parts.append(form.residual(j[at], eta[at], own))
        return jnp.concatenate(parts)

    def face_flux(
        self,
        c_left: Faces,
        c_right: Faces,
        dphi: Faces,
        T: Scalar,
        open_left: Faces | float = 1.0,
        open_right: Faces | float = 1.0,
    ) -> electrolyte.FaceFlux:
        """Salt flux and current through the inner faces.

        Args:
            c_left, c_right: scaled concentrations of the neighbours, (n_f,).
            dphi: phi_e right minus left [V].
            T: temperature [K].
            open_left, open_right: porosities over those at the start, (n_f,).
        """
        e = self.cell.electrolyte
        half_left = self.half_conductance[:-1] * open_left**BRUGGEMAN
        half_right = self.half_conductance[1:] * open_right**BRUGGEMAN
        # What a face sees of its neighbours, so that the flux is continuous.
        w = half_left / (half_left + half_right)
        conductance = half_left * half_right / (half_left + half_right)
        left = electrolyte.above_zero(c_left * e.concentration)
        right = electrolyte.above_zero(c_right * e.concentration)
        c = w * left + (1.0 - w) * right

        def between(at_left: Array, at_middle: Array, at_right: Array) -> Array:
            """Simpson's mean between the neighbours: salt falls steeply where it ends."""
            return conductance * (at_left + 4.0 * at_middle + at_right) / 6.0

        def mean(bulk: Property) -> Array:
            return between(bulk(left, T), bulk(c, T), bulk(right, T))

        kappa = [e.conductivity(x, T) for x in (left, c, right)]
        over_c = [k / x for k, x in zip(kappa, (left, c, right), strict=True)]
        return electrolyte.face_flux(
            left,
            right,
            dphi,
            mean(e.diffusivity),
            between(*kappa),
            between(*over_c),
            e.t_plus(c, T),
            e.thermodynamic_factor(c, T),
            T,
        )


def run_sides(cell: Cell) -> tuple[int, ...]:
    """Electrode of each run of particles, 0 negative, 1 positive."""
    counts = [1 + len(e.others) for e in (cell.negative, cell.positive)]
    order = range(max(counts))
    return tuple(side for k in order for side in (0, 1) if k < counts[side])


def in_runs(cell: Cell) -> tuple[Electrode, ...]:
    """The electrode with one of its materials, for each run."""
    both = [list(e.materials) for e in (cell.negative, cell.positive)]
    return tuple(both[side].pop(0) for side in run_sides(cell))
