"""A cell laid out on a mesh: what the equations need, worked out once for each solve."""

from collections.abc import Callable
from typing import TypeVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..mesh import Mesh
from ..parameters import Cell, Electrode, Particle
from ..physics import electrolyte, kinetics, solid
from ..properties import Property, prepare

Part = TypeVar("Part")


class Grid(eqx.Module):
    """Geometry and properties along the cell, negative electrode first.

    Attributes:
        mesh: grid counts.
        cell: the parameters, `prepare`d.
        dx: width of every volume [m].
        salt_capacity: electrolyte times initial salt in every volume [mol.m-2].
        face_conductance: geometric factor B/dx between neighbouring volumes [m-1].
        face_weight: of the left volume in what a face sees, so that flux is continuous.
        sigma_face: electronic conductance between neighbours, zero in the separator
            [S.m-2].
        sigma_left: from the negative collector to the first volume [S.m-2].
        sigma_right: from the last volume to the positive collector [S.m-2].
        interface: specific interface of the electrode nodes [m-1].
        radius: particle radius at the electrode nodes [m].
        c_max: site density at the electrode nodes [mol.m-3].
        shell_gap: distance of neighbouring shells [m].
        i_scale: the 1C current density [A.m-2].
    """

    mesh: Mesh
    cell: Cell
    dx: Float[Array, " n_x"]
    salt_capacity: Float[Array, " n_x"]
    face_conductance: Float[Array, " n_f"]
    face_weight: Float[Array, " n_f"]
    sigma_face: Float[Array, " n_f"]
    sigma_left: Float[Array, ""]
    sigma_right: Float[Array, ""]
    interface: Float[Array, " n_e"]
    radius: Float[Array, " n_e"]
    c_max: Float[Array, " n_e"]
    shell_gap: Float[Array, "n_g n_e"]
    i_scale: Float[Array, ""]

    def __init__(self, mesh: Mesh, cell: Cell):
        self.mesh, self.cell = mesh, prepare(cell)
        n, sep, p = cell.negative, cell.separator, cell.positive

        def line(of_negative: Array, of_separator: Array, of_positive: Array) -> Array:
            values = of_negative, of_separator, of_positive
            counts = mesh.n_neg, mesh.n_sep, mesh.n_pos
            pairs = zip(values, counts, strict=True)
            return jnp.concatenate([jnp.broadcast_to(v, c) for v, c in pairs])

        def nodes(of_negative: Array, of_positive: Array) -> Array:
            return self.at_nodes(line(of_negative, jnp.zeros(()), of_positive))

        self.dx = line(
            n.thickness / mesh.n_neg,
            sep.thickness / mesh.n_sep,
            p.thickness / mesh.n_pos,
        )
        porosity = line(n.porosity, sep.porosity, p.porosity)
        self.salt_capacity = porosity * self.dx * cell.electrolyte.concentration
        B = line(
            n.transport_efficiency, sep.transport_efficiency, p.transport_efficiency
        )
        half = 2.0 * B / self.dx
        left, right = half[:-1], half[1:]
        self.face_conductance = left * right / (left + right)
        self.face_weight = left / (left + right)
        sigma = line(n.conductivity, jnp.zeros(()), p.conductivity) / self.dx
        inside = np.ones(mesh.n_x - 1)
        inside[mesh.n_neg - 1 : mesh.n_neg + mesh.n_sep] = 0.0
        self.sigma_face = jnp.asarray(inside) * sigma[:-1]
        self.sigma_left, self.sigma_right = 2.0 * sigma[0], 2.0 * sigma[-1]
        self.interface = nodes(n.interface, p.interface)
        self.radius = nodes(n.particle.radius, p.particle.radius)
        self.c_max = nodes(n.particle.c_max, p.particle.c_max)
        self.shell_gap = (
            jnp.asarray(np.diff(mesh.shells().nodes))[:, None] * self.radius
        )
        self.i_scale = cell.nominal_capacity / cell.area

    @property
    def interface_of_electrode(self) -> Array:
        """Particle surface for each area of electrode, a L, at the electrode nodes [-]."""
        n, p = self.cell.negative, self.cell.positive
        m = self.mesh
        sides = ((n, m.n_neg), (p, m.n_pos))
        return jnp.concatenate(
            [jnp.broadcast_to(e.interface * e.thickness, k) for e, k in sides]
        )

    @property
    def has_solid(self) -> np.ndarray:
        """Which volumes are electrode, (n_x,)."""
        m = self.mesh
        return np.repeat([True, False, True], [m.n_neg, m.n_sep, m.n_pos])

    def at_nodes(self, line: Array) -> Array:
        """Line values (n_x,) at the electrode nodes (n_e,)."""
        m = self.mesh
        return jnp.concatenate([line[: m.n_neg], line[m.n_neg + m.n_sep :]])

    def on_line(self, nodes: Array) -> Array:
        """Electrode values (n_e,) on the line (n_x,), zero in the separator."""
        m = self.mesh
        gap = jnp.zeros(m.n_sep, nodes.dtype)
        return jnp.concatenate([nodes[: m.n_neg], gap, nodes[m.n_neg :]])

    def _particles(
        self, of: Callable[[Particle], Property], x: Array, T: Array
    ) -> Array:
        """A particle property at stoichiometries whose last axis is the nodes."""
        n, p = self.cell.negative.particle, self.cell.positive.particle
        x_n, x_p = x[..., : self.mesh.n_neg], x[..., self.mesh.n_neg :]
        return jnp.concatenate([of(n)(x_n, T), of(p)(x_p, T)], axis=-1)

    def shell_flux(self, sto_in: Array, sto_out: Array, T: Array) -> Array:
        """Flux between neighbouring shells over c_max [m.s-1]."""

        def diffusivity(x: Array) -> Array:
            return self._particles(lambda p: p.diffusivity, x, T)

        flux = solid.shell_flux(sto_in, sto_out, diffusivity, self.shell_gap)
        n = self.mesh.n_neg
        for e, at in (
            (self.cell.negative, np.s_[:, :n]),
            (self.cell.positive, np.s_[:, n:]),
        ):
            p = e.particle
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

    def dudt(self, x: Array, T: Array) -> Array:
        """Entropic coefficient at the electrode nodes [V.K-1]."""
        return self._particles(lambda p: p.dudt, x, T)

    def ocp(self, x: Array, T: Array) -> Array:
        """U(x, T) = U(x, T_ref) + (T - T_ref) dU/dT."""
        shift = self._warming(T) * self.dudt(x, T)
        return self._particles(lambda p: p.ocp, x, T) + shift

    def _warming(self, T: Array) -> Array:
        """Above the temperature at which open-circuit potentials are given [K]."""
        return T - self.cell.temperature

    def film_resistance(self, x: Array, T: Array) -> Array:
        """Of the particle surfaces [ohm.m2]."""
        return self._particles(lambda p: p.film_resistance, x, T)

    def of_part(
        self,
        part: Callable[[Electrode], Part | None],
        of: Callable[[Part, slice], Array],
    ) -> Array:
        """A number of an optional part at the electrode nodes, 0 where it is absent.

        `of` gets the part and the nodes of its electrode.
        """
        m, cell = self.mesh, self.cell
        sides = (
            (part(cell.negative), slice(None, m.n_neg)),
            (part(cell.positive), slice(m.n_neg, None)),
        )
        values = [
            jnp.broadcast_to(0.0 if p is None else of(p, at), count)
            for (p, at), count in zip(sides, (m.n_neg, m.n_pos), strict=True)
        ]
        return jnp.concatenate(values)

    def kinetics_residual(
        self, j: Array, eta: Array, c_e: Array, x: Array, x_mean: Array, T: Array
    ) -> Array:
        """Zero where j belongs to overpotential, salt and composition [V]."""
        k_0 = self._particles(lambda p: p.rate_constant, x, T)
        at = kinetics.Interface(k_0, c_e, x, x_mean, self.c_max, T)
        return self.cell.kinetics.residual(j, eta, at)

    def face_flux(
        self, c_left: Array, c_right: Array, dphi: Array, T: Array
    ) -> electrolyte.FaceFlux:
        """Salt flux and current through the inner faces.

        Args:
            c_left, c_right: scaled concentrations of the neighbours, (n_f,).
            dphi: phi_e right minus left [V].
            T: temperature [K].
        """
        e, w = self.cell.electrolyte, self.face_weight
        left = electrolyte.above_zero(c_left * e.concentration)
        right = electrolyte.above_zero(c_right * e.concentration)
        c = w * left + (1.0 - w) * right

        def between(at_left: Array, at_middle: Array, at_right: Array) -> Array:
            """Simpson's mean between the neighbours: salt falls steeply where it ends."""
            return self.face_conductance * (at_left + 4.0 * at_middle + at_right) / 6.0

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
