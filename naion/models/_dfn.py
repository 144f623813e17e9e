r"""The Doyle-Fuller-Newman model as a semi-explicit DAE, M dy/dt = f(t, y).

Equations: Doyle, Fuller and Newman, J. Electrochem. Soc. 140 (1993) 1526,
DOI 10.1149/1.2221597, with nonlinear solid diffusion. Through the cell and in the
particles conservative finite volumes: sodium, salt and charge are kept to round-off.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from .._constants import F
from ..linalg import Blocks, CondensedMatrix
from ..mesh import Mesh
from ..parameters import Cell, Stoichiometry
from ..physics import electrolyte, heat, kinetics, solid
from ..protocol import Control
from ._layout import Layout, State


class Isothermal(eqx.Module):
    """The cell has the temperature that the control gives."""


class Lumped(eqx.Module):
    """One temperature, m c_p dT/dt = heat - h A (T - T_ambient)."""


class DFN(eqx.Module):
    """The model: equations on a mesh. Holds no parameters; those are in the `Cell`.

    Attributes:
        mesh: grid counts.
        thermal: `Isothermal()` or `Lumped()`.
    """

    mesh: Mesh = Mesh()
    thermal: Isothermal | Lumped = Isothermal()

    @property
    def layout(self) -> Layout:
        """Where the unknowns lie in the flat vector."""
        m = self.mesh
        return Layout(m.n_r, m.n_e, m.n_x, isinstance(self.thermal, Lumped))

    def equilibrium(self, cell: Cell, sto: Stoichiometry, T: Array) -> Array:
        """The state at rest with uniform stoichiometries, flat, at temperature T [K]."""
        m = self.mesh
        x = self._per_node(sto.negative, sto.positive)
        grid = _Grid(m, cell)
        U = grid.ocp(x, T)
        U_n, U_p = U[0], U[-1]
        phi_s = jnp.zeros(m.n_x).at[m.n_neg + m.n_sep :].set(U_p - U_n)
        zero = jnp.zeros(())
        return self.layout.pack(
            State(
                sto=jnp.broadcast_to(x, (m.n_r, m.n_e)),
                c_e=jnp.ones(m.n_x),
                phi_e=jnp.full(m.n_x, -U_n),
                phi_s=phi_s,
                j=jnp.zeros(m.n_e),
                current=zero,
                temperature=T,
                charge=zero,
                energy=zero,
                charge_mark=zero,
            )
        )

    def _per_node(self, negative: Array, positive: Array) -> Array:
        m = self.mesh
        return jnp.concatenate(
            [jnp.broadcast_to(negative, m.n_neg), jnp.broadcast_to(positive, m.n_pos)]
        )

    def state(self, y: Array, tau: Array, control: Control) -> State:
        """The flat vector by name."""
        T = control.temperature + control.temperature_slope * tau
        return self.layout.unpack(y, T)

    def rates(self, tau: Array, y: Array, cell: Cell, control: Control) -> Array:
        """f of M dy/dt = f, flat: time derivatives, and residuals of algebraic rows.

        Args:
            tau: time since the control began [s].
            y: unknowns, flat.
            cell: parameters, `properties.prepare`d for speed.
            control: what is imposed.
        """
        s = self.state(y, tau, control)
        blocks = self._block_rates(s, cell)
        return self.layout.join(blocks, self._border_rates(s, tau, cell, control))

    def _block_rates(self, s: State, cell: Cell) -> Blocks:
        """Rates of shells (s-1), of salt (s-1), charge residuals, kinetics (V)."""
        m, grid, T = self.mesh, _Grid(self.mesh, cell), s.temperature
        flux = grid.shell_flux(s.sto[:-1], s.sto[1:], T)
        surface = s.j / (F * grid.c_max)
        inner = solid.shell_rates(flux, surface, m.shells(), grid.radius)

        faces = grid.face_flux(s.c_e, jnp.diff(s.phi_e), T)
        i_s = -grid.sigma_face * jnp.diff(s.phi_s)
        # The current enters the solid at both collectors.
        i_s_left = -grid.sigma_left * s.phi_s[0]
        i_s_right = s.current / cell.area
        a_j = grid.on_line(grid.interface * s.j)
        salt = (-_divergence(faces.salt) + grid.dx * a_j / F) / grid.salt_capacity
        liquid = (-_divergence(faces.current) + grid.dx * a_j) / grid.i_scale
        net = _divergence(i_s, i_s_left, i_s_right)
        charge = (-net - grid.dx * a_j) / grid.i_scale
        charge = jnp.where(grid.has_solid, charge, -s.phi_s)
        macro = jnp.stack([salt, liquid, charge], axis=1)

        c_e, potential = grid.at_nodes(s.c_e), grid.at_nodes(s.phi_s - s.phi_e)
        local = grid.kinetics_residual(s.j, potential, c_e, s.sto[-1], T)
        return Blocks(inner[:, None], local[None], macro[:, :, None])

    def _border_rates(
        self, s: State, tau: Array, cell: Cell, control: Control
    ) -> Array:
        """Control residual, [dT/dt,] and rates of the quadratures."""
        V = self.terminal_voltage(s, cell)
        target = control.value + control.slope * tau
        i_scale = cell.nominal_capacity
        residuals = jnp.stack(
            [
                (s.current - target) / i_scale,
                V - target,
                (V * s.current - target) / i_scale,
                V - target * s.current,
            ]
        )
        border = [residuals[control.mode]]
        if self.layout.has_temperature:
            ambient = control.temperature + control.temperature_slope * tau
            t = cell.thermal
            cooling = t.cooling * (s.temperature - ambient)
            warming = self.heat_source(s, cell) - cooling
            border.append(warming / (t.mass * t.specific_heat))
        return jnp.stack([*border, s.current, V * s.current, jnp.zeros_like(V)])

    def terminal_voltage(self, s: State, cell: Cell) -> Array:
        """V = phi_s(L) - phi_s(0) - I R_c [V]."""
        grid = _Grid(self.mesh, cell)
        boundary = s.phi_s[-1] - s.current / cell.area / grid.sigma_right
        resistance = cell.contact_resistance(s.temperature, s.temperature)
        return boundary - s.current * resistance

    def heat_terms(self, s: State, cell: Cell) -> tuple[Array, Array, Array, Array]:
        """Ohmic, reaction, reversible and contact heat of the cell [W]."""
        grid, T = _Grid(self.mesh, cell), s.temperature
        faces = grid.face_flux(s.c_e, jnp.diff(s.phi_e), T)
        i_s = -grid.sigma_face * jnp.diff(s.phi_s)
        i_left, i_right = grid.sigma_left * s.phi_s[0], s.current / cell.area
        collectors = i_left**2 / grid.sigma_left + i_right**2 / grid.sigma_right
        ohmic = (
            heat.ohmic(faces.current, jnp.diff(s.phi_e))
            + heat.ohmic(i_s, jnp.diff(s.phi_s))
            + collectors
        )
        a_j_dx = grid.interface * s.j * grid.at_nodes(grid.dx)
        x = s.sto[-1]
        eta = grid.at_nodes(s.phi_s - s.phi_e) - grid.ocp(x, T)
        reaction = heat.reaction(a_j_dx, eta)
        reversible = heat.reversible(a_j_dx, grid.dudt(x, T), T)
        contact = s.current**2 * cell.contact_resistance(T, T)
        A = cell.area
        return A * ohmic, A * reaction, A * reversible, contact

    def heat_source(self, s: State, cell: Cell) -> Array:
        """All heat released in the cell [W]."""
        return sum(self.heat_terms(s, cell), start=jnp.zeros(()))

    def linearise(
        self, shift: Array, tau: Array, y: Array, cell: Cell, control: Control
    ) -> CondensedMatrix:
        """The step matrix shift * M - df/dy, condensed.

        Derivatives are taken per face and per node, from the same functions as
        `rates`; there is no colouring over all unknowns.
        """
        m, grid = self.mesh, _Grid(self.mesh, cell)
        s = self.state(y, tau, control)
        T = s.temperature
        inner, inner_local = self._linearise_shells(shift, s, grid)
        at = (
            s.j,
            grid.at_nodes(s.phi_s - s.phi_e),
            grid.at_nodes(s.c_e),
            s.sto[-1],
        )
        g_j, g_phi, g_c, g_x = _partials(
            lambda j, dphi, c_e, x: grid.kinetics_residual(j, dphi, c_e, x, T), at
        )
        a_dx = grid.interface * grid.at_nodes(grid.dx) / grid.i_scale
        to_salt = -grid.interface / F * grid.at_nodes(grid.dx / grid.salt_capacity)
        columns, rows, corner = self._linearise_border(shift, tau, y, cell, control)
        return CondensedMatrix(
            inner=inner,
            inner_local=inner_local,
            local_inner=-g_x,
            local_local=-g_j,
            local_macro=jnp.stack([-g_c, g_phi, -g_phi]),
            macro_local=jnp.stack([to_salt, -a_dx, a_dx]),
            macro=self._linearise_line(shift, s, grid),
            columns=columns,
            rows=rows,
            corner=corner,
            quadrature=shift,
            n_left=m.n_neg,
        )

    def _linearise_shells(self, shift: Array, s: State, grid: "_Grid"):
        shells = self.mesh.shells()
        T = s.temperature
        to_in, to_out = _partials(
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
        return (lower, diag, upper), 1.0 / (F * grid.c_max * volume[-1])

    def _linearise_line(self, shift: Array, s: State, grid: "_Grid"):
        """Blocks of rows (salt, liquid charge, solid charge) on the line."""
        T = s.temperature
        dphi = jnp.diff(s.phi_e)
        ones, zero = jnp.ones_like(s.c_e), jnp.zeros_like(dphi)

        def flux(left, right, dphi):
            return grid.face_flux_of(left, right, dphi, T)

        side, side_dot = jax.jvp(lambda c: grid.face_side(c, T), (s.c_e,), (ones,))
        left, right = _left(side), _right(side)
        left_dot, right_dot = _left(side_dot), _right(side_dot)
        still = jax.tree.map(jnp.zeros_like, left)
        args = (left, right, dphi)
        d_left = jax.jvp(flux, args, (left_dot, still, zero))[1]
        d_right = jax.jvp(flux, args, (still, right_dot, zero))[1]
        d_phi = jax.jvp(flux, args, (still, still, zero + 1.0))[1]

        def faces(of_c: electrolyte.FaceFlux, sign: float) -> Array:
            """Fluxes (rows) by unknowns (columns) of one side, (n_face, 3, 3)."""
            salt = jnp.stack([of_c.salt, sign * d_phi.salt, zero], axis=1)
            liquid = jnp.stack([of_c.current, sign * d_phi.current, zero], axis=1)
            charge = jnp.stack([zero, zero, -sign * grid.sigma_face], axis=1)
            return jnp.stack([salt, liquid, charge], axis=1)

        by_left, by_right = faces(d_left, -1.0), faces(d_right, 1.0)
        unit = 1.0 / grid.i_scale * jnp.ones_like(s.c_e)
        scale = jnp.stack([1.0 / grid.salt_capacity, unit, unit], axis=1)[:, :, None]
        edge = jnp.zeros_like(by_left[:1])
        lower = jnp.concatenate([edge, -by_left]) * scale
        upper = jnp.concatenate([by_right, edge]) * scale
        diag = jnp.concatenate([by_left, edge]) - jnp.concatenate([edge, by_right])
        diag = diag.at[0, 2, 2].add(grid.sigma_left) * scale
        diag = diag.at[:, 0, 0].add(shift)
        diag = diag.at[:, 2, 2].set(jnp.where(grid.has_solid, diag[:, 2, 2], 1.0))
        return lower, diag, upper

    def _linearise_border(
        self, shift: Array, tau: Array, y: Array, cell: Cell, control: Control
    ) -> tuple[Blocks, Blocks, Array]:
        layout = self.layout
        k = layout.n_border
        blocks, border = layout.split(y)

        def of_border(scalars):
            z = layout.join(blocks, jnp.concatenate([scalars, border[k:]]))
            return self._block_rates(self.state(z, tau, control), cell)

        def of_all(blocks, scalars):
            z = layout.join(blocks, jnp.concatenate([scalars, border[k:]]))
            s = self.state(z, tau, control)
            return self._border_rates(s, tau, cell, control)

        tangents = [jax.jvp(of_border, (border[:k],), (e,))[1] for e in jnp.eye(k)]
        columns = Blocks(
            -jnp.concatenate([t.inner for t in tangents], axis=1),
            -jnp.concatenate([t.local for t in tangents], axis=0),
            -jnp.concatenate([t.macro for t in tangents], axis=2),
        )
        rates, pullback = jax.vjp(of_all, blocks, border[:k])
        d_blocks, d_scalars = jax.vmap(pullback)(jnp.eye(rates.shape[0]))
        rows = Blocks(
            -d_blocks.inner[:, :, 0], -d_blocks.local[:, 0], -d_blocks.macro[..., 0]
        )
        mass = jnp.zeros((rates.shape[0], k))
        if layout.has_temperature:
            mass = mass.at[1, 1].set(1.0)
        return columns, rows, shift * mass - d_scalars


class _Grid:
    """Geometry and properties of a cell on a mesh, concatenated over its regions."""

    def __init__(self, mesh: Mesh, cell: Cell):
        self.mesh, self.cell = mesh, cell
        n, sep, p = cell.negative, cell.separator, cell.positive
        counts = (mesh.n_neg, mesh.n_sep, mesh.n_pos)

        def line(*values: Array) -> Array:
            pairs = zip(values, counts, strict=True)
            return jnp.concatenate([jnp.broadcast_to(v, c) for v, c in pairs])

        def nodes(a: Array, b: Array) -> Array:
            return jnp.concatenate(
                [jnp.broadcast_to(a, mesh.n_neg), jnp.broadcast_to(b, mesh.n_pos)]
            )

        dx = [r.thickness / c for r, c in zip((n, sep, p), counts, strict=True)]
        self.dx = line(*dx)
        self.transport_efficiency = line(
            n.transport_efficiency, sep.transport_efficiency, p.transport_efficiency
        )
        porosity = line(n.porosity, sep.porosity, p.porosity)
        self.salt_capacity = porosity * self.dx * cell.electrolyte.concentration
        self.interface = nodes(n.interface, p.interface)
        self.radius = nodes(n.particle.radius, p.particle.radius)
        self.c_max = nodes(n.particle.c_max, p.particle.c_max)
        self.i_scale = cell.nominal_capacity / cell.area
        self.sigma_left = 2.0 * n.conductivity / dx[0]
        self.sigma_right = 2.0 * p.conductivity / dx[2]
        face = [mesh.n_neg - 1, mesh.n_sep + 1, mesh.n_pos - 1]
        conductance = (n.conductivity / dx[0], 0.0 * dx[1], p.conductivity / dx[2])
        self.sigma_face = jnp.concatenate(
            [jnp.broadcast_to(g, c) for g, c in zip(conductance, face, strict=True)]
        )
        solid_here = [True] * mesh.n_neg + [False] * mesh.n_sep + [True] * mesh.n_pos
        self.has_solid = jnp.asarray(solid_here)
        gaps = jnp.asarray(mesh.shells().nodes[1:] - mesh.shells().nodes[:-1])[:, None]
        self.shell_gap = gaps * self.radius

    def at_nodes(self, line: Array) -> Array:
        """Line values (n_x,) at the electrode nodes (n_e,)."""
        m = self.mesh
        return jnp.concatenate([line[: m.n_neg], line[m.n_neg + m.n_sep :]])

    def on_line(self, nodes: Array) -> Array:
        """Electrode values (n_e,) on the line (n_x,), zero in the separator."""
        m = self.mesh
        gap = jnp.zeros(m.n_sep, nodes.dtype)
        return jnp.concatenate([nodes[: m.n_neg], gap, nodes[m.n_neg :]])

    def _particles(self, name: str, x: Array, T: Array) -> Array:
        """A particle property at stoichiometries whose last axis is the nodes."""
        n, p = self.cell.negative.particle, self.cell.positive.particle
        x_n, x_p = x[..., : self.mesh.n_neg], x[..., self.mesh.n_neg :]
        return jnp.concatenate([getattr(n, name)(x_n, T), getattr(p, name)(x_p, T)], -1)

    def shell_flux(self, sto_in: Array, sto_out: Array, T: Array) -> Array:
        def diffusivity(x: Array) -> Array:
            return self._particles("diffusivity", x, T)

        return solid.shell_flux(sto_in, sto_out, diffusivity, self.shell_gap)

    def dudt(self, x: Array, T: Array) -> Array:
        return self._particles("dudt", x, T)

    def ocp(self, x: Array, T: Array) -> Array:
        """U(x, T) = U(x, T_ref) + (T - T_ref) dU/dT."""
        reference = self.cell.temperature
        shift = (T - reference) * self.dudt(x, T)
        return self._particles("ocp", x, T) + shift

    def kinetics_residual(
        self, j: Array, potential: Array, c_e: Array, x: Array, T: Array
    ) -> Array:
        film = self._particles("film_resistance", x, T)
        eta = potential - self.ocp(x, T) - j * film
        k_0 = self._particles("rate_constant", x, T)
        j_0 = kinetics.exchange_current(k_0, c_e, x, self.c_max)
        return self.cell.kinetics.residual(j, eta, j_0, T)

    def face_side(
        self, c_e: Array, T: Array
    ) -> tuple[Array, Array, Array, Array, Array]:
        """What a face needs of the volume on one side, from its scaled concentration."""
        e = self.cell.electrolyte
        c = electrolyte.above_zero(c_e * e.concentration)
        B = self.transport_efficiency
        return (
            electrolyte.half_resistance(self.dx, B, e.diffusivity(c, T)),
            electrolyte.half_resistance(self.dx, B, e.conductivity(c, T)),
            c,
            e.t_plus(c, T),
            e.thermodynamic_factor(c, T),
        )

    def face_flux_of(self, left, right, dphi: Array, T: Array) -> electrolyte.FaceFlux:
        R_D, R_kappa, c, t_plus, chi = zip(left, right, strict=True)
        return electrolyte.face_flux(
            R_D,
            R_kappa,
            c,
            dphi,
            0.5 * (t_plus[0] + t_plus[1]),
            0.5 * (chi[0] + chi[1]),
            T,
        )

    def face_flux(self, c_e: Array, dphi: Array, T: Array) -> electrolyte.FaceFlux:
        side = self.face_side(c_e, T)
        return self.face_flux_of(_left(side), _right(side), dphi, T)


def _left(side):
    return tuple(a[:-1] for a in side)


def _right(side):
    return tuple(a[1:] for a in side)


def _divergence(inner: Array, first: Array | float = 0.0, last: Array | float = 0.0):
    """Outflow minus inflow of every volume, from fluxes through the faces."""
    first, last = (jnp.reshape(jnp.asarray(a, inner.dtype), 1) for a in (first, last))
    return jnp.diff(jnp.concatenate([first, inner, last]))


def _partials(fn, args: tuple[Array, ...]) -> tuple[Array, ...]:
    """Derivatives of an elementwise function with respect to each argument."""
    _, tangent = jax.linearize(fn, *args)
    n = len(args)
    unit = jnp.eye(n).reshape(n, n, *(1,) * args[0].ndim)
    along = [unit[:, i] * jnp.ones_like(a) for i, a in enumerate(args)]
    return tuple(jax.vmap(tangent)(*along))
