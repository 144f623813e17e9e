"""All cells of a pack and its wires as one DAE.

Every cell holds the voltage of its group; its matrix is condensed and factorised by itself,
as that of a single cell. What is left are the wires, see `_network`, and, where heat goes
from cell to cell, a dense matrix of the cells' temperatures.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ..models import DFN, Grid
from ..parameters import Stoichiometry
from ..protocol import Control, Mode
from ..simulation import CellSystem, Imposed, distances
from ..solvers import AbstractSystem
from ..solvers._system import Factorised
from ._network import Elimination, Wires, couple, eliminate, residuals, sum_of
from ._pack import Pack, Wiring

PER_CELL = ("voltage", "current", "temperature", "charge", "plating_margin")
"""What is recorded of every cell, in this order, after the six outputs of the pack."""

HOLDING = 0.01
"""What a cell may be beyond its voltage limit while the pack's voltage is held [V]."""

AWAY = 1e6
"""Distance of an event that cannot occur now."""


class Laid(NamedTuple):
    """A pack on the models' meshes: the `args` of `PackSystem`.

    Attributes:
        pack: as it is.
        grids: of every chemistry, stacked.
    """

    pack: Pack
    grids: tuple[Grid, ...]


class Tail(NamedTuple):
    """What the flat state has after the cells.

    Attributes:
        wires: see `Wires`.
        charge: through the pack since the start [C].
        mark: `charge` when the step began [C].
        energy: that the pack gave since the start [J].
    """

    wires: Wires
    charge: Array
    mark: Array
    energy: Array


class PackSystem(AbstractSystem):
    """`args` are `Laid`, `control` is an `Imposed` of the whole pack."""

    models: tuple[DFN, ...]
    wiring: Wiring

    @property
    def kinds(self) -> tuple[CellSystem, ...]:
        """What one cell of each chemistry is."""
        return tuple(CellSystem(model) for model in self.models)

    @property
    def mass(self) -> np.ndarray:
        counts = self.wiring.counts
        cells = [np.tile(k.mass, n) for k, n in zip(self.kinds, counts, strict=True)]
        wires = np.zeros(self.wiring.n_groups + self.wiring.n_strings + 2)
        return np.concatenate([*cells, wires, np.ones(3)])

    def lay_out(self, pack: Pack) -> Laid:
        grids = tuple(
            _of_each(model.lay_out)(cells)
            for model, cells in zip(self.models, pack.cells, strict=True)
        )
        return Laid(pack, grids)

    def equilibrium(
        self, args: Laid, sto: tuple[Stoichiometry, ...], T: Array
    ) -> Array:
        """Cells at rest at given stoichiometries, each at its own voltage."""
        cells = tuple(
            _of_each(lambda g, s, k=k: k.equilibrium(g, s, T))(grid, s)
            for k, grid, s in zip(self.kinds, args.grids, sto, strict=True)
        )
        zero = jnp.zeros(())
        wires = self._wires_of(args, cells, zero, T)
        return self._join(cells, Tail(wires, zero, zero, zero))

    def _wires_of(
        self, args: Laid, cells: tuple[Array, ...], I: Array, T: Array
    ) -> Wires:
        """The wires that go with the cells as they are, the currents shared evenly."""
        wiring = self.wiring
        V = self._voltages(args, cells, T)
        currents = self._each(self._current, args, cells)
        size = jnp.maximum(sum_of(wiring.in_group, jnp.ones(wiring.n_cells)), 1.0)
        groups = sum_of(wiring.in_group, V - args.pack.connection * currents) / size
        strings = jnp.ones(wiring.n_strings) * I / wiring.n_strings
        c = args.pack.converters
        own = sum_of(wiring.in_string, groups)
        if c is None:
            return Wires(groups, strings, jnp.mean(own), I)
        strings = c.share * c.bus_voltage * I / own
        return Wires(groups, strings, c.bus_voltage, I)

    def _voltages(self, args: Laid, cells: tuple[Array, ...], T: Array) -> Array:
        """Of all cells, at T [K] where they have no temperature of their own."""

        def voltage(kind: CellSystem, y: Array, grid: Grid) -> Array:
            return kind.model.terminal_voltage(kind.model.fields(y, T), grid)

        return self._each(voltage, args, cells)

    def _current(self, kind: CellSystem, y: Array, grid: Grid) -> Array:
        return kind.model.layout.unpack(y, jnp.zeros(())).current

    def _each(self, function, args: Laid, cells: tuple[Array, ...], *more) -> Array:
        """`function` of every cell, by chemistry; `more` are arrays by cell."""
        found, start = [], 0
        for kind, grid, y in zip(self.kinds, args.grids, cells, strict=True):
            own = [a[start : start + len(y)] for a in more]
            start += len(y)
            found.append(_of_each(lambda *x, k=kind: function(k, *x))(y, grid, *own))
        return jnp.concatenate(found)

    def _split(self, y: Array) -> tuple[tuple[Array, ...], Tail]:
        cells, start, w = [], 0, self.wiring
        for kind, n in zip(self.kinds, w.counts, strict=True):
            size = kind.model.layout.size
            cells.append(y[start : start + n * size].reshape(n, size))
            start += n * size
        groups, strings, rest = jnp.split(
            y[start:], (w.n_groups, w.n_groups + w.n_strings)
        )
        return tuple(cells), Tail(Wires(groups, strings, rest[0], rest[1]), *rest[2:])

    def _join(self, cells: tuple[Array, ...], tail: Tail) -> Array:
        w = tail.wires
        last = jnp.stack([w.voltage, w.current, tail.charge, tail.mark, tail.energy])
        return jnp.concatenate([*(c.ravel() for c in cells), w.groups, w.strings, last])

    def _held(self, args: Laid, cells: tuple[Array, ...], w: Wires) -> Array:
        """Voltage of every cell [V]."""
        currents = self._each(self._current, args, cells)
        at = w.groups[np.array(self.wiring.group)]
        return at + args.pack.connection * currents

    def _control(self, control: Control, V: Array) -> Control:
        mode, zero = jnp.asarray(int(Mode.VOLTAGE)), jnp.zeros_like(V)
        return control._replace(mode=mode, value=V, slope=zero)

    def rates(self, tau: Array, y: Array, args: Laid, control: Imposed) -> Array:
        cells, tail = self._split(y)
        c, w = control.control, tail.wires
        held = self._held(args, cells, w)
        found, start = [], 0
        for kind, grid, y_k in zip(self.kinds, args.grids, cells, strict=True):
            own = held[start : start + len(y_k)]
            start += len(y_k)

            def of_cell(y: Array, grid: Grid, V: Array, k=kind) -> Array:
                return k.model.rates(tau, y, grid, self._control(c, V))

            found.append(_of_each(of_cell)(y_k, grid, own))
        if args.pack.exchange is not None:
            found = self._warmed(args, args.pack.exchange, cells, found)
        current = self._each(self._current, args, cells)
        rows = residuals(args.pack, c, tau, w, current)
        still = jnp.zeros_like(tail.mark)
        return self._join(
            tuple(found), Tail(rows, w.current, still, w.voltage * w.current)
        )

    def _warmed(
        self, args: Laid, exchange: Array, cells, found: list[Array]
    ) -> list[Array]:
        """Rates with the heat from cell to cell."""
        T = self._temperature(cells)
        heat = exchange @ T / self._heat_capacity(args)
        warmed, start = [], 0
        for kind, f in zip(self.kinds, found, strict=True):
            at, own = kind.model.layout.temperature_at, heat[start : start + len(f)]
            start += len(f)
            warmed.append(f.at[:, at].add(own))
        return warmed

    def _temperature(self, cells: tuple[Array, ...]) -> Array:
        parts = [
            y[:, k.model.layout.temperature_at]
            for k, y in zip(self.kinds, cells, strict=True)
        ]
        return jnp.concatenate(parts)

    def _heat_capacity(self, args: Laid) -> Array:
        of = [c.thermal.mass * c.thermal.specific_heat for c in args.pack.cells]
        return jnp.concatenate(of)

    def factor(
        self, shift: Array, tau: Array, y: Array, args: Laid, control: Imposed
    ) -> Factorised:
        """Factorise every cell, then the wires and what heat couples.

        With s_V and s_T the solutions of a cell for a unit in the row of its control
        and of its temperature, u = A^-1 b - s_V dV + s_T q: dV is the change of the
        voltage that it holds, q heat from other cells over its heat capacity.
        """
        cells, tail = self._split(y)
        c, w, pack = control.control, tail.wires, args.pack
        held, n = self._held(args, cells, w), self.wiring.n_cells
        factors, columns, start = [], [], 0
        for kind, grid, y_k in zip(self.kinds, args.grids, cells, strict=True):
            own = held[start : start + len(y_k)]
            start += len(y_k)
            model, layout = kind.model, kind.model.layout

            def factorised(y: Array, grid: Grid, V: Array, model=model):
                return model.linearise(
                    shift, tau, y, grid, self._control(c, V)
                ).factor()

            factors.append(_of_each(factorised)(y_k, grid, own))
            rows = [layout.current_at]
            if pack.exchange is not None:
                rows.append(layout.temperature_at)
            columns.append([_column(kind, factors[-1], row) for row in rows])
        s_I = self._pick(columns, 0, "current_at")
        e = eliminate(pack, c, tau, w, s_I)
        mixed = None
        if pack.exchange is not None:
            mixed = self._mixed(args, pack.exchange, columns, e)

        def wires(known: Array, known_T: Array, b: Wires):
            """Voltages, heat and network from what cells do by themselves; linear."""
            q = jnp.zeros(n)
            if mixed is None:
                dV, unknowns = couple(pack, e, known, b)
                return dV, q, unknowns
            X, inverse, T_V, I_T, _ = mixed
            dV, _ = couple(pack, e, known, b)
            q = inverse @ (X @ (known_T - T_V * dV))
            dV, unknowns = couple(pack, e, known + I_T * q, b)
            return dV, q, unknowns

        def rest(of: Wires, b: Tail) -> Tail:
            """Changes of charge, mark and energy follow from those of the wires."""
            charge = (b.charge + of.current) / shift
            energy = b.energy + w.current * of.voltage + w.voltage * of.current
            return Tail(of, charge, b.mark / shift, energy / shift)

        def small(known: Array, known_T: Array, b: Tail):
            dV, q, unknowns = wires(known, known_T, b.wires)
            return dV, q, rest(unknowns, b)

        def forwards(b: Array) -> Array:
            rows, tail_b = self._split(b)
            x = [
                _of_each(lambda f, r, k=k: _solve(k, f, r))(f, r)
                for k, f, r in zip(self.kinds, factors, rows, strict=True)
            ]
            dV, q, tail = small(*self._seen(x, mixed is not None), tail_b)
            done, start = [], 0
            for own, made in zip(x, columns, strict=True):
                here = slice(start, start + len(own))
                start += len(own)
                own = own - made[0] * dV[here, None]
                if mixed is not None:
                    own = own + made[1] * q[here, None]
                done.append(own)
            return self._join(tuple(done), tail)

        zeros = jnp.zeros(n), jnp.zeros(n), jax.tree.map(jnp.zeros_like, tail)
        small_transposed = jax.linear_transpose(small, *zeros)

        def backwards(bar: Array) -> Array:
            rows, tail_bar = self._split(bar)
            dV_bar = jnp.concatenate(
                [-jnp.sum(m[0] * r, axis=1) for m, r in zip(columns, rows, strict=True)]
            )
            q_bar = jnp.zeros(n)
            if mixed is not None:
                q_bar = jnp.concatenate(
                    [jnp.sum(m[1] * r, 1) for m, r in zip(columns, rows, strict=True)]
                )
            known_bar, T_bar, tail = small_transposed((dV_bar, q_bar, tail_bar))
            done, start = [], 0
            for k, f, r in zip(self.kinds, factors, rows, strict=True):
                here = slice(start, start + len(r))
                start += len(r)
                layout = k.model.layout
                r = r.at[:, layout.current_at].add(known_bar[here])
                if mixed is not None:
                    r = r.at[:, layout.temperature_at].add(T_bar[here])
                done.append(
                    _of_each(lambda f, r, k=k: _solve_transposed(k, f, r))(f, r)
                )
            return self._join(tuple(done), tail)

        return Factorised(forwards, backwards)

    def _pick(self, columns: list, which: int, where: str) -> Array:
        """An entry of a unit's solution, for all cells."""
        return jnp.concatenate(
            [
                made[which][:, getattr(k.model.layout, where)]
                for k, made in zip(self.kinds, columns, strict=True)
            ]
        )

    def _seen(self, x: list[Array], warms: bool) -> tuple[Array, Array]:
        """Currents and, where heat couples them, temperatures in solutions of all cells."""
        current = [
            own[:, k.model.layout.current_at]
            for k, own in zip(self.kinds, x, strict=True)
        ]
        known = jnp.concatenate(current)
        if not warms:
            return known, jnp.zeros_like(known)
        return known, self._temperature(tuple(x))

    def _mixed(
        self, args: Laid, exchange: Array, columns: list, e: Elimination
    ) -> tuple[Any, ...]:
        """What couples temperatures: q = X dT, dT = known_T - T_V dV(q) + T_T q."""
        X = exchange / self._heat_capacity(args)[:, None]
        T_V, T_T, I_T = (
            self._pick(columns, which, where)
            for which, where in (
                (0, "temperature_at"),
                (1, "temperature_at"),
                (1, "current_at"),
            )
        )
        n = self.wiring.n_cells
        none = jax.tree.map(jnp.zeros_like, _no_wires(self.wiring))

        def by_heat(q: Array) -> Array:
            dV, _ = couple(args.pack, e, I_T * q, none)
            return T_T * q - T_V * dV

        D = jax.vmap(by_heat, out_axes=1)(jnp.eye(n))
        return X, _inverse(jnp.eye(n) - X @ D), T_V, I_T, T_T

    def begin(self, y: Array) -> Array:
        cells, tail = self._split(y)
        begun = tuple(
            _of_each(k.begin)(own) for k, own in zip(self.kinds, cells, strict=True)
        )
        return self._join(begun, tail._replace(mark=tail.charge))

    def start_guess(self, tau: Array, y: Array, args: Laid, control: Imposed) -> Array:
        """A change of current is shared by the capacities of the cells of a group."""
        cells, tail = self._split(y)
        c, w, wiring = control.control, tail.wires, self.wiring
        target = c.value + c.slope * tau
        at_power = jnp.where(c.mode == Mode.POWER, target / w.voltage, w.current)
        wanted = jnp.where(c.mode == Mode.CURRENT, target, at_power)
        Q = jnp.concatenate([k.nominal_capacity for k in args.pack.cells])
        group = np.array(wiring.group)
        share = Q / sum_of(wiring.in_group, Q)[group]
        T = c.temperature + c.temperature_slope * tau
        strings = self._wires_of(args, cells, wanted, T).strings
        change = strings - self._wires_of(args, cells, w.current, T).strings
        currents = self._each(self._current, args, cells)
        currents = currents + share * change[np.array(wiring.string)[group]]

        def guess(kind: CellSystem, y: Array, grid: Grid, current: Array) -> Array:
            mode = jnp.asarray(int(Mode.CURRENT))
            driven = c._replace(mode=mode, value=current, slope=jnp.zeros_like(current))
            return kind.start_guess(tau, y, grid, control._replace(control=driven))

        begun, start = [], 0
        for kind, grid, y_k in zip(self.kinds, args.grids, cells, strict=True):
            own = currents[start : start + len(y_k)]
            start += len(y_k)
            begun.append(_of_each(lambda *x, k=kind: guess(k, *x))(y_k, grid, own))
        new = self._wires_of(args, tuple(begun), wanted, T)
        strings = sum_of(wiring.in_group, currents)[wiring.in_string[:, 0]]
        held = jnp.where(c.mode == Mode.VOLTAGE, target, new.voltage)
        new = new._replace(strings=strings, voltage=held)
        return self._join(tuple(begun), tail._replace(wires=new))

    def limit_update(self, dy: Array, args: Laid) -> Array:
        cells, tail = self._split(dy)

        def limit(kind: CellSystem, dy: Array, grid: Grid) -> Array:
            return kind.limit_update(dy, grid)

        most = 1.0 / jnp.maximum(jnp.max(jnp.abs(tail.wires.groups)), 1e-30)
        return jnp.minimum(jnp.min(self._each(limit, args, cells)), most)

    def update_size(self, dy: Array, args: Laid) -> Array:
        cells, _ = self._split(dy)

        def size(kind: CellSystem, dy: Array, grid: Grid) -> Array:
            return kind.update_size(dy, grid)

        return jnp.max(self._each(size, args, cells))

    def error_ratio(
        self, error: Array, y: Array, args: Laid, control: Imposed, tau: Array
    ) -> Array:
        """The worst cell's."""
        cells, tail = self._split(y)
        errors, _ = self._split(error)
        held = self._held(args, cells, tail.wires)
        found, start = [], 0
        for kind, grid, e, own in zip(
            self.kinds, args.grids, errors, cells, strict=True
        ):
            V = held[start : start + len(own)]
            start += len(own)

            def ratio(e: Array, y: Array, grid: Grid, V: Array, k=kind) -> Array:
                given = control._replace(control=self._control(control.control, V))
                return k.error_ratio(e, y, grid, given, tau)

            found.append(_of_each(ratio)(e, own, grid, V))
        return jnp.max(jnp.concatenate(found))

    def outputs(self, tau: Array, y: Array, args: Laid, control: Imposed) -> Array:
        """Of the pack as of a cell, with mean temperature; then `PER_CELL` of each cell."""
        cells, tail = self._split(y)
        w, c = tail.wires, control.control
        held = self._held(args, cells, w)
        found, start = [], 0
        for kind, grid, own in zip(self.kinds, args.grids, cells, strict=True):
            V = held[start : start + len(own)]
            start += len(own)

            def of_cell(y: Array, grid: Grid, V: Array, k=kind) -> Array:
                given = control._replace(control=self._control(c, V))
                return k.outputs(tau, y, grid, given)

            found.append(_of_each(of_cell)(own, grid, V))
        V, current, T, charge, _, margin = jnp.concatenate(found).T
        of_pack = [w.voltage, w.current, jnp.mean(T), tail.charge, tail.energy]
        each = jnp.stack([V, current, T, charge, margin])
        return jnp.concatenate([jnp.stack([*of_pack, jnp.min(margin)]), each.ravel()])

    def events(self, tau: Array, y: Array, args: Laid, control: Imposed) -> Array:
        """The pack's own, then those of the cells at their limits, lower and upper."""
        cells, tail = self._split(y)
        w, c = tail.wires, control.control
        surfaces, temperatures = [], []
        for kind, grid, own in zip(self.kinds, args.grids, cells, strict=True):

            def surface(y: Array, grid: Grid, k=kind) -> tuple[Array, Array]:
                s = k.model.state(y, tau, c)
                x = grid.composition(s.sto[-1])
                return jnp.stack([jnp.min(x), jnp.max(x)]), s.temperature

            x, T = _of_each(surface)(own, grid)
            surfaces.append(x.ravel())
            temperatures.append(T)
        surfaces, T = jnp.concatenate(surfaces), jnp.concatenate(temperatures)
        passed = jnp.abs(tail.charge - tail.mark)
        Q = args.pack.nominal_capacity
        of_pack = distances(control, w.voltage, w.current, passed, T, surfaces, Q)
        V = self._voltages(args, cells, c.temperature + c.temperature_slope * tau)
        current = self._each(self._current, args, cells)
        low, high = (
            jnp.concatenate([getattr(k.limits, name) for k in args.pack.cells])
            for name in ("lower_voltage", "upper_voltage")
        )
        more = jnp.where(c.mode == Mode.VOLTAGE, HOLDING, 0.0)
        lower = jnp.min(jnp.where(current > 0.0, V - low, AWAY)) + more
        upper = jnp.min(jnp.where(current < 0.0, high - V, AWAY)) + more
        return jnp.concatenate([of_pack, jnp.stack([lower, upper])])


def _solve(kind: CellSystem, factors: Any, b: Array) -> Array:
    layout = kind.model.layout
    return layout.join(*factors.solve(*layout.split(b)))


def _column(kind: CellSystem, factors: Any, row: int) -> Array:
    """Solutions of every cell for a unit in a row."""
    unit = jnp.zeros(kind.model.layout.size).at[row].set(1.0)
    return _of_each(lambda f: _solve(kind, f, unit))(factors)


def _solve_transposed(kind: CellSystem, factors: Any, b: Array) -> Array:
    layout = kind.model.layout
    return layout.join(*factors.solve_transposed(*layout.split(b)))


def _no_wires(w: Wiring) -> Wires:
    zero = jnp.zeros(())
    return Wires(jnp.zeros(w.n_groups), jnp.zeros(w.n_strings), zero, zero)


def _inverse(A: Array) -> Array:
    """By elimination without pivots: heat makes its rows dominant in the diagonal."""

    def eliminated(k: Array, A: Array) -> Array:
        pivot = 1.0 / A[k, k]
        row, column = A[k] * pivot, A[:, k]
        rest = A - column[:, None] * row[None, :]
        here = jnp.arange(len(A)) == k
        new = jnp.where(here[:, None], row[None, :], rest)
        by_pivot = jnp.where(here, pivot, -column * pivot)
        return jnp.where(here[None, :], by_pivot[:, None], new)

    return jax.lax.fori_loop(0, len(A), eliminated, A)


def _of_each(function):
    """`function` of every cell, one after the other: what a cell needs stays near."""

    def mapped(*args):
        return jax.lax.map(lambda x: function(*x), args)

    return mapped
