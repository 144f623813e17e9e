r"""The Doyle-Fuller-Newman model as a semi-explicit DAE, M dy/dt = f(t, y).

Equations: Doyle, Fuller and Newman, J. Electrochem. Soc. 140 (1993) 1526,
DOI 10.1149/1.2221597, with nonlinear solid diffusion. Through the cell and in the
particles conservative finite volumes: sodium, salt and charge are kept to round-off.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._constants import F
from .._shapes import Particles, Scalar
from ..linalg import Blocks, CondensedMatrix
from ..mesh import Mesh
from ..parameters import Cell, Defaults, Stoichiometry, is_half_cell
from ..physics import heat, solid
from ..physics.electrolyte import FaceFlux
from ..physics.surface import Unknown
from ..protocol import Control
from ._discretised import DiscretisedCell, in_runs, run_sides
from ._imposed import control_residual
from ._layout import Layout, State
from ._linearise import (
    clogging_rows,
    line_rows,
    shell_rows,
    source_rows,
    surface_rows,
)
from ._processes import ACROSS, CURRENTS, J_TOTAL, processes, surface_unknowns
from ._stencils import divergence
from ._surface import surface_drop, surface_rates, surface_start, through
from ._thermal import THERMAL, Isothermal, Lumped, ThroughStack, heat_balance


class DFN(eqx.Module):
    """The model that a user chooses: a mesh and a heat balance.

    Attributes:
        mesh: grid counts; none: the cell's own.
        thermal: `Isothermal()`, `Lumped()` or `ThroughStack()`; none: the cell's own.
    """

    mesh: Mesh | None = None
    thermal: Isothermal | Lumped | ThroughStack | None = None

    def __check_init__(self):
        known = tuple(THERMAL.values())
        if not isinstance(self.mesh, Mesh | None):
            raise TypeError(
                f"DFN: mesh is {self.mesh!r:.60}; expected a `Mesh`, such as "
                "`Mesh(14, 4, 16, 30)`."
            )
        if not isinstance(self.thermal, (*known, type(None))):
            raise TypeError(
                f"DFN: thermal is {self.thermal!r:.60}; expected "
                f"{', '.join(f'`{k.__name__}()`' for k in known)}."
            )

    @property
    def nodes(self) -> int:
        """Layers through the thickness of the cell."""
        return self.thermal.nodes if isinstance(self.thermal, ThroughStack) else 1

    def of(self, cell: Cell) -> "DFN":
        """This model with the defaults of a cell where nothing is chosen."""
        if self.mesh is not None and self.thermal is not None:
            return self
        thermal = self.thermal or heat_balance(cell.defaults.thermal)
        return DFN(self.mesh or cell.defaults.mesh, thermal)

    def kept_in(self, cell: Cell) -> Cell:
        """The cell with this model as its defaults; layers of a stack are none."""
        thermal = cell.defaults.thermal
        match self.thermal:
            case Isothermal():
                thermal = "isothermal"
            case Lumped():
                thermal = "lumped"
        defaults = Defaults(self.mesh or cell.defaults.mesh, thermal)
        return dataclasses.replace(cell, defaults=defaults)

    def to_json(self) -> dict[str, Any]:
        """As JSON data."""
        thermal = [k for k, v in THERMAL.items() if type(self.thermal) is v]
        return {
            "mesh": None if self.mesh is None else vars(self.mesh),
            "thermal": thermal[0] if thermal else None,
            "nodes": self.nodes,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "DFN":
        """The inverse of `to_json`.

        Raises:
            KeyError, TypeError, ValueError: for anything else.
        """
        mesh, thermal = data["mesh"], data["thermal"]
        of_layers = (data["nodes"],) if thermal == "stack" else ()
        return cls(
            None if mesh is None else Mesh(**mesh),
            heat_balance(thermal, *of_layers),
        )

    def discretise(self, cell: Cell) -> DiscretisedCell:
        """A cell on this model's mesh, as the equations take it."""
        return DiscretisedCell(self.mesh or cell.defaults.mesh, cell)

    def for_cell(self, cell: Cell) -> "Equations":
        """The equations of a cell, with the unknowns that its parts bring."""
        electrodes = in_runs(cell)
        return Equations(
            self.of(cell),
            surface=surface_unknowns(processes(cell, electrodes)),
            sides=run_sides(cell),
            has_pores=any(e.particle.pores is not None for e in electrodes),
        )


class Equations(eqx.Module):
    """A DFN for cells of one structure. Holds no parameters; those are in the `Cell`.

    Attributes:
        model: mesh and heat balance, both chosen.
        surface: unknowns of the particle surfaces.
        sides: electrode of every run of particles, 0 negative, 1 positive.
        has_pores: whether pores of hard carbon are unknowns.
    """

    model: DFN
    surface: tuple[Unknown, ...] = eqx.field(static=True)
    sides: tuple[int, ...] = eqx.field(static=True)
    has_pores: bool = eqx.field(static=True)

    def __check_init__(self):
        if self.model.mesh is None or self.model.thermal is None:
            raise ValueError(
                f"Equations: {self.model} leaves something to the cell; use `for_cell`."
            )

    @property
    def mesh(self) -> Mesh:
        """Grid counts."""
        assert self.model.mesh is not None
        return self.model.mesh

    @property
    def thermal(self) -> Isothermal | Lumped | ThroughStack:
        """The heat balance."""
        assert self.model.thermal is not None
        return self.model.thermal

    @property
    def nodes(self) -> int:
        """Layers through the thickness of the cell."""
        return self.model.nodes

    @property
    def layout(self) -> Layout:
        """Layout of the unknowns in the flat vector of one layer."""
        m = self.mesh
        n_e = sum((m.n_neg, m.n_pos)[side] for side in self.sides)
        has_temperature = not isinstance(self.thermal, Isothermal)
        return Layout(m.n_r, n_e, m.n_x, has_temperature, self.surface, self.has_pores)

    def fields(self, y: Array, T: Array) -> State:
        """The flat state of a simulation by name.

        Args:
            y: with `ThroughStack` the states of the layers, and what couples them.
            T: used where the temperature is not an unknown [K].

        Returns:
            fields, with a leading axis of layers for `ThroughStack`.
        """
        if not isinstance(self.thermal, ThroughStack):
            return self.layout.unpack(y, T)
        layers = y[: self.nodes * self.layout.size].reshape(self.nodes, -1)
        return jax.vmap(lambda y: self.layout.unpack(y, T))(layers)

    def equilibrium(
        self, grid: DiscretisedCell, sto: Stoichiometry, T: Scalar
    ) -> Float[Array, " n"]:
        """The state at rest with mean stoichiometries, flat, at temperature T [K]."""
        m = self.mesh
        x = grid.equilibrium(sto, T)
        slope, filled = grid.populate(x, T)
        U = grid.ocp(slope, T)
        U_n, U_p = (side[0] for side in grid.of_sides(U))
        phi_s = jnp.zeros(m.n_x).at[m.n_neg + m.n_sep :].set(U_p - U_n)
        zero = jnp.zeros(())
        return self.layout.pack(
            State(
                sto=jnp.broadcast_to(slope, (m.n_r, self.layout.n_e)),
                pores=jnp.broadcast_to(filled, (self.layout.n_p, self.layout.n_e)),
                c_e=jnp.ones(m.n_x),
                phi_e=jnp.full(m.n_x, -U_n),
                phi_s=phi_s,
                local=surface_start(grid, self.surface, x, U, T),
                current=zero,
                temperature=T,
                charge=zero,
                energy=zero,
                charge_mark=zero,
            )
        )

    def state(self, y: Float[Array, " n"], tau: Scalar, control: Control) -> State:
        """The flat vector by name."""
        T = control.temperature + control.temperature_slope * tau
        return self.layout.unpack(y, T)

    def rates(
        self,
        tau: Scalar,
        y: Float[Array, " n"],
        grid: DiscretisedCell,
        control: Control,
    ) -> Float[Array, " n"]:
        """f of M dy/dt = f, flat: time derivatives, and residuals of algebraic rows.

        Args:
            tau: time since the control began [s].
            y: unknowns, flat.
            grid: the cell, discretised.
            control: what is imposed.
        """
        s = self.state(y, tau, control)
        blocks = self._block_rates(s, grid)
        return self.layout.join(blocks, self._border_rates(s, tau, grid, control))

    def _block_rates(self, s: State, grid: DiscretisedCell) -> Blocks:
        """Rates of shells (s-1), of salt (s-1), charge residuals, kinetics (V)."""
        T = s.temperature
        flux = grid.shell_flux(s.sto[:-1], s.sto[1:], T)
        surface = s.j / (F * grid.c_max)
        inner = solid.shell_rates(flux, surface, self.mesh.shells(), grid.radius)
        pores = jnp.zeros_like(s.pores)
        if self.has_pores:
            pores = grid.pore_filling(s.sto, s.pores, T)
            inner = inner - pores

        u = self.named(s)
        faces, openness = self._faces(s, grid), grid.openness(u)
        i_s = -grid.sigma_face * jnp.diff(s.phi_s)
        # The current enters the solid at both collectors.
        i_s_left = -grid.sigma_left * s.phi_s[0]
        i_s_right = s.current / grid.cell.area
        a_j_dx = grid.dx * grid.on_line(grid.interface * self.through(s))
        salt = (-divergence(faces.salt) + a_j_dx / F) / grid.salt_capacity
        salt = salt if openness is None else salt / openness
        liquid = (-divergence(faces.current) + a_j_dx) / grid.i_scale
        charge = (-divergence(i_s, i_s_left, i_s_right) - a_j_dx) / grid.i_scale
        charge = jnp.where(grid.has_solid, charge, -s.phi_s)
        macro = jnp.stack([salt, liquid, charge], axis=1)

        c_e, potential = grid.at_nodes(s.c_e), grid.at_nodes(s.phi_s - s.phi_e)
        local = surface_rates(grid, self.surface, u, potential, c_e, s.sto[-1], T)
        return Blocks(inner[:, None], pores[:, None], local[:, None], macro[:, :, None])

    def named(self, s: State) -> dict[str, Array]:
        """Unknowns of the particle surfaces by name, each (..., n_e)."""
        return {u.name: s.local[..., k, :] for k, u in enumerate(self.surface)}

    def _faces(self, s: State, grid: DiscretisedCell) -> FaceFlux:
        """Salt flux and current in the liquid through the inner faces."""
        openness = grid.openness(self.named(s))
        sides = () if openness is None else (openness[:-1], openness[1:])
        at = s.c_e[:-1], s.c_e[1:], jnp.diff(s.phi_e)
        return grid.face_flux(*at, s.temperature, *sides)

    def through(self, s: State) -> Particles:
        """Current density through the particle surfaces, all reactions [A.m-2]."""
        return through(self.named(s))

    @property
    def stores_charge(self) -> bool:
        """Whether particles have a double layer."""
        return ACROSS in self.surface

    @property
    def carries_current(self) -> np.ndarray:
        """Which unknowns of the surfaces are current densities, (l, 1)."""
        return np.array([[u.name in CURRENTS] for u in self.surface])

    @property
    def _through(self) -> int:
        """Which local unknown is the current density of all reactions."""
        return self.surface.index(J_TOTAL) if J_TOTAL in self.surface else 0

    def plating_margin(self, s: State, grid: DiscretisedCell) -> Scalar:
        """Lowest phi_s - phi_e - j R_film of the negative electrode [V].

        Below zero, the metal can plate. In a half cell that of the working electrode.
        """
        u = self.named(s)
        potential = grid.at_nodes(s.phi_s - s.phi_e)
        drop = surface_drop(grid, u, potential, s.sto[-1], s.temperature)
        return jnp.min(grid.of_sides(drop)[1 if is_half_cell(grid.cell) else 0])

    def _border_rates(
        self, s: State, tau: Scalar, grid: DiscretisedCell, control: Control
    ) -> Array:
        """Control residual, [dT/dt,] and rates of the quadratures."""
        V = self.terminal_voltage(s, grid)
        one_c = grid.cell.nominal_capacity
        border = [control_residual(control, tau, V, s.current, one_c)]
        if self.layout.has_temperature:
            ambient = control.temperature + control.temperature_slope * tau
            t = grid.cell.thermal
            cooling = t.cooling * (s.temperature - ambient)
            warming = self.heat_source(s, grid) - cooling
            border.append(warming / (t.mass * t.specific_heat))
        return jnp.stack([*border, s.current, V * s.current, jnp.zeros_like(V)])

    def terminal_voltage(self, s: State, grid: DiscretisedCell) -> Scalar:
        """V = phi_s(L) - phi_s(0) - I R_c [V]."""
        boundary = s.phi_s[-1] - s.current / grid.cell.area / grid.sigma_right
        resistance = grid.cell.contact_resistance(s.temperature, s.temperature)
        return boundary - s.current * resistance

    def electrode_potentials(
        self, s: State, grid: DiscretisedCell
    ) -> tuple[Scalar, Scalar]:
        """phi_s at both collectors minus phi_e at the reference electrode [V].

        phi_e is measured with electrodes of the metal, so a reference of it is at phi_e.
        """
        reference = grid.at_reference(s.phi_e)
        boundary = s.phi_s[-1] - s.current / grid.cell.area / grid.sigma_right
        return -reference, boundary - reference

    def heat_terms(
        self, s: State, grid: DiscretisedCell
    ) -> tuple[Scalar, Scalar, Scalar, Scalar]:
        """Ohmic, reaction, reversible and contact heat of the cell [W]."""
        T, A = s.temperature, grid.cell.area
        dphi = jnp.diff(s.phi_e)
        faces = self._faces(s, grid)
        i_s = -grid.sigma_face * jnp.diff(s.phi_s)
        i_left, i_right = grid.sigma_left * s.phi_s[0], s.current / A
        collectors = i_left**2 / grid.sigma_left + i_right**2 / grid.sigma_right
        ohmic = (
            heat.ohmic(faces.current, dphi)
            + heat.ohmic(i_s, jnp.diff(s.phi_s))
            + collectors
        )
        a_j_dx = grid.interface * self.through(s) * grid.at_nodes(grid.dx)
        x = s.sto[-1]
        eta = grid.at_nodes(s.phi_s - s.phi_e) - grid.ocp(x, T)
        reaction = heat.reaction(a_j_dx, eta)
        reversible = heat.reversible(a_j_dx, grid.entropic(x, T), T)
        contact = s.current**2 * grid.cell.contact_resistance(T, T)
        return A * ohmic, A * reaction, A * reversible, contact

    def heat_source(self, s: State, grid: DiscretisedCell) -> Scalar:
        """All heat released in the cell [W]."""
        return sum(self.heat_terms(s, grid), start=jnp.zeros(()))

    def linearise(
        self,
        shift: Array,
        tau: Array,
        y: Array,
        grid: DiscretisedCell,
        control: Control,
    ) -> CondensedMatrix:
        """The step matrix shift * M - df/dy, condensed.

        Derivatives are taken per face and per node, from the same functions as
        `rates`; there is no colouring over all unknowns.
        """
        s = self.state(y, tau, control)
        filling = grid.pore_filling if self.has_pores else None
        shells = self.mesh.shells()
        inner, pores, inner_local = shell_rows(shift, s, grid, shells, filling)
        local = surface_rows(shift, s, grid, self.surface)
        openness, capacity = grid.openness(self.named(s)), grid.salt_capacity
        capacity = capacity if openness is None else capacity * openness
        line = line_rows(shift, s, grid, openness, capacity)
        macro_local = source_rows(grid, capacity, len(self.surface), self._through)
        beside = None
        if openness is not None:
            j = self.through(s)
            films = clogging_rows(s, grid, openness, capacity, j, self.surface)
            before, own, after = films
            macro_local, beside = macro_local + own, (before, after)
        columns, rows, corner = self._linearise_border(shift, tau, y, grid, control)
        return CondensedMatrix(
            inner=inner,
            pores=pores,
            inner_local=inner_local,
            **local,
            macro_local=macro_local,
            beside=beside,
            macro=line,
            columns=columns,
            rows=rows,
            corner=corner,
            quadrature=shift,
            runs=grid.runs,
        )

    def _linearise_border(
        self,
        shift: Array,
        tau: Array,
        y: Array,
        grid: DiscretisedCell,
        control: Control,
    ) -> tuple[Blocks, Blocks, Array]:
        layout = self.layout
        k = layout.n_border
        blocks, border = layout.split(y)

        def of_border(scalars):
            z = layout.join(blocks, jnp.concatenate([scalars, border[k:]]))
            return self._block_rates(self.state(z, tau, control), grid)

        def of_all(blocks, scalars):
            z = layout.join(blocks, jnp.concatenate([scalars, border[k:]]))
            s = self.state(z, tau, control)
            return self._border_rates(s, tau, grid, control)

        # The current enters by the solid charge of the last volume alone.
        still = jax.tree.map(jnp.zeros_like, blocks)
        entry = 1.0 / (grid.cell.area * grid.i_scale)
        tangents = [still._replace(macro=still.macro.at[-1, 2, 0].set(-entry))]
        if layout.has_temperature:
            warmer = jnp.array([0.0, 1.0])
            tangents.append(jax.jvp(of_border, (border[:k],), (warmer,))[1])
        columns = Blocks(
            -jnp.concatenate([t.inner for t in tangents], axis=1),
            -jnp.concatenate([t.pores for t in tangents], axis=1),
            -jnp.concatenate([t.local for t in tangents], axis=1),
            -jnp.concatenate([t.macro for t in tangents], axis=2),
        )
        rates, pullback = jax.vjp(of_all, blocks, border[:k])
        d_blocks, d_scalars = jax.vmap(pullback)(jnp.eye(rates.shape[0]))
        rows = Blocks(
            -d_blocks.inner[:, -1, 0],
            jnp.zeros(0),
            -d_blocks.local[:, :, 0],
            -d_blocks.macro[..., 0],
        )
        mass = jnp.zeros((rates.shape[0], k))
        if layout.has_temperature:
            mass = mass.at[1, 1].set(1.0)
        return columns, rows, shift * mass - d_scalars
