"""Layers of one cell in parallel, with heat between them, as one abstract system.

Every layer is a cell that holds a voltage; the common voltage is one more unknown, and
its row is the control. A layer's matrix is condensed and factorised by itself; what is
left couples currents and temperatures of the layers by a small dense matrix.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from naion_kernels import block_tridiagonal

from ..models import Equations, Layers, control_residual, discretise_layers
from ..parameters import Cell, Stoichiometry
from ..protocol import Control, Mode
from ..solvers import AbstractSystem, Factorised
from ._outputs import Outputs, outputs_in
from ._system import CellSystem, Imposed, distances


class StackSystem(AbstractSystem):
    """`args` are `Layers`, `control` is an `Imposed`.

    The flat state is that of every layer, one after another, and the voltage.
    """

    equations: Equations

    @property
    def layer(self) -> CellSystem:
        """What one layer is."""
        return CellSystem(self.equations)

    @property
    def nodes(self) -> int:
        """Layers."""
        return self.equations.nodes

    @property
    def mass(self) -> np.ndarray:
        return np.append(np.tile(self.layer.mass, self.nodes), 0.0)

    def discretise(self, cell: Cell) -> Layers:
        return discretise_layers(self.equations.mesh, cell, self.nodes)

    def equilibrium(self, args: Layers, sto: Stoichiometry, T: Array) -> Array:
        """All layers at rest with the same composition and temperature [K]."""
        y = self.layer.equilibrium(args.grid, sto, T)
        V = self._voltage(y, args)
        return self._join(jnp.broadcast_to(y, (self.nodes, *y.shape)), V)

    def _voltage(self, y: Array, args: Layers) -> Array:
        s = self.equations.layout.unpack(y, jnp.zeros(()))
        return self.equations.terminal_voltage(s, args.grid)

    def _split(self, y: Array) -> tuple[Array, Array]:
        """States of the layers, (nodes, n), and the voltage."""
        return y[:-1].reshape(self.nodes, -1), y[-1]

    def _join(self, layers: Array, V: Array) -> Array:
        return jnp.concatenate([layers.ravel(), V[None]])

    def _held(self, V: Array, control: Control) -> Control:
        """The control of every layer: the common voltage."""
        mode, zero = jnp.asarray(int(Mode.VOLTAGE)), jnp.zeros_like(V)
        return control._replace(mode=mode, value=V, slope=zero)

    def rates(self, tau: Array, y: Array, args: Layers, control: Imposed) -> Array:
        layers, V = self._split(y)
        c = control.control
        held = self._held(V, c)
        f = jax.vmap(lambda y: self.equations.rates(tau, y, args.grid, held))(layers)
        s = self.equations.fields(y, c.temperature)
        ambient = c.temperature + c.temperature_slope * tau
        warming = args.exchange @ s.temperature + args.outside * ambient
        f = f.at[:, self.equations.layout.temperature_at].add(
            warming / args.heat_capacity
        )
        current = jnp.sum(s.current)
        row = control_residual(c, tau, V, current, args.nominal_capacity)
        return self._join(f, row)

    def factor(
        self, shift: Array, tau: Array, y: Array, args: Layers, control: Imposed
    ) -> Factorised:
        """Factorise the layers, then what couples them.

        With A the matrix of a layer, s_V and s_T its solutions for a unit in the row of
        its control and of its temperature, and X the exchange of heat over the heat
        capacity, the layer's unknowns are y = A^-1 b - s_V V + s_T (X T). The rows of T
        and of the control, with I = sum of the layers' currents, close the system.
        """
        layout, c = self.equations.layout, control.control
        layers, V = self._split(y)
        held = self._held(V, c)

        def factorised(y: Array):
            return self.equations.linearise(shift, tau, y, args.grid, held).factor()

        factors = jax.vmap(factorised)(layers)
        current = jnp.sum(self.equations.fields(y, c.temperature).current)

        def row(V: Array, current: Array) -> Array:
            return control_residual(c, tau, V, current, args.nominal_capacity)

        zero, one = jnp.zeros_like(V), jnp.ones_like(V)
        by_V, by_I = (
            jax.jvp(row, (V, current), along)[1] for along in ((one, zero), (zero, one))
        )
        X = args.exchange / args.heat_capacity

        def solve(factors, b: Array) -> Array:
            return layout.join(*factors.solve(*layout.split(b)))

        def solve_transposed(factors, b: Array) -> Array:
            return layout.join(*factors.solve_transposed(*layout.split(b)))

        at_I, at_T = layout.current_at, layout.temperature_at
        unit = jnp.zeros(layout.size)
        s_V, s_T = (
            jax.vmap(solve, in_axes=(0, None))(factors, unit.at[k].set(1.0))
            for k in (at_I, at_T)
        )
        eye = jnp.eye(self.nodes)
        top = jnp.concatenate([eye - s_T[:, at_T, None] * X, s_V[:, at_T, None]], 1)
        last = jnp.append(
            -by_I * (s_T[:, at_I] @ X), by_I * jnp.sum(s_V[:, at_I]) - by_V
        )
        inverse = block_tridiagonal.inverse(jnp.concatenate([top, last[None]]))

        def forwards(b: Array) -> Array:
            rows, b_V = self._split(b)
            x = jax.vmap(solve)(factors, rows)
            known = jnp.append(x[:, at_T], b_V + by_I * jnp.sum(x[:, at_I]))
            coupled = inverse @ known
            T, V = coupled[:-1], coupled[-1]
            return self._join(x - s_V * V + s_T * (X @ T)[:, None], V)

        def backwards(b: Array) -> Array:
            rows, b_V = self._split(b)
            # The transposed unknowns of the coupling; s_V and s_T are also the rows of
            # the inverse that a transposed solve needs for them.
            T_bar = X.T @ jnp.sum(s_T * rows, axis=1)
            bar = inverse.T @ jnp.append(T_bar, b_V - jnp.sum(s_V * rows))
            return self._join(
                jax.vmap(solve_transposed)(
                    factors,
                    rows.at[:, at_T].add(bar[:-1]).at[:, at_I].add(by_I * bar[-1]),
                ),
                bar[-1],
            )

        return Factorised(forwards, backwards)

    def begin(self, y: Array) -> Array:
        layers, V = self._split(y)
        return self._join(jax.vmap(self.layer.begin)(layers), V)

    def start_guess(
        self, tau: Array, y: Array, args: Layers, control: Imposed
    ) -> Array:
        """A change of current is shared evenly by the layers."""
        layers, V = self._split(y)
        c = control.control
        target = c.value + c.slope * tau
        current = self.equations.fields(y, c.temperature).current
        total = jnp.sum(current)
        at_power = jnp.where(c.mode == Mode.POWER, target / V, total)
        wanted = jnp.where(c.mode == Mode.CURRENT, target, at_power)
        of_layers = current + (wanted - total) / self.nodes

        def guess(y: Array, current: Array) -> Array:
            mode = jnp.asarray(int(Mode.CURRENT))
            driven = c._replace(mode=mode, value=current, slope=jnp.zeros_like(current))
            given = control._replace(control=driven)
            return self.layer.start_guess(tau, y, args.grid, given)

        layers = jax.vmap(guess)(layers, of_layers)
        V = jnp.where(c.mode == Mode.VOLTAGE, target, self._voltage(layers[0], args))
        return self._join(layers, V)

    def limit_update(self, dy: Array, args: Layers) -> Array:
        layers, _ = self._split(dy)
        limits = jax.vmap(lambda dy: self.layer.limit_update(dy, args.grid))(layers)
        return jnp.min(limits)

    def update_size(self, dy: Array, args: Layers) -> Array:
        layers, _ = self._split(dy)
        sizes = jax.vmap(lambda dy: self.layer.update_size(dy, args.grid))(layers)
        return jnp.max(sizes)

    def error_ratio(
        self, error: Array, y: Array, args: Layers, control: Imposed, tau: Array
    ) -> Array:
        """The worst layer's."""
        layers, V = self._split(y)
        errors, _ = self._split(error)
        held = control._replace(control=self._held(V, control.control))

        def ratio(error: Array, y: Array) -> Array:
            return self.layer.error_ratio(error, y, args.grid, held, tau)

        return jnp.max(jax.vmap(ratio)(errors, layers))

    def outputs(self, tau: Array, y: Array, args: Layers, control: Imposed) -> Array:
        """Of the cell, with its mean temperature; then the layers' temperatures [K]."""
        layers, V = self._split(y)
        held = control._replace(control=self._held(V, control.control))

        def of_layer(y: Array) -> Array:
            return self.layer.outputs(tau, y, args.grid, held)

        each = outputs_in(jax.vmap(of_layer)(layers))
        cell = Outputs(
            voltage=V,
            current=jnp.sum(each.current),
            temperature=jnp.mean(each.temperature),
            charge=jnp.sum(each.charge),
            energy=jnp.sum(each.energy),
            plating_margin=jnp.min(each.plating_margin),
        )
        return jnp.concatenate([jnp.stack(cell), each.temperature])

    def events(self, tau: Array, y: Array, args: Layers, control: Imposed) -> Array:
        _, V = self._split(y)
        s = self.equations.fields(y, control.control.temperature)
        passed = jnp.abs(jnp.sum(s.charge - s.charge_mark))
        surface = jax.vmap(args.grid.composition)(s.sto[:, -1], s.temperature)
        salt = jnp.min(s.c_e)
        current, Q = jnp.sum(s.current), args.nominal_capacity
        return distances(control, V, current, passed, s.temperature, surface, salt, Q)
