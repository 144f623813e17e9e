"""All cells of a pack and its wires as one DAE.

Every cell holds the voltage of its group. What one cell does is the business of
`CellSystem`; here it is done for all of them, and the wires see to it that voltages and
currents agree, see `_network`. How a step is solved for is in `_step_matrix`.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ..linalg import CondensedFactors
from ..models import DiscretisedCell, Equations
from ..parameters import Stoichiometry
from ..protocol import Control, Mode
from ..simulation import CellSystem, Imposed, Outputs, distances, outputs_in
from ..solvers import AbstractSystem, Factorised
from ._network import Wires, residuals, sum_of
from ._pack import Pack, Wiring
from ._step_matrix import coupled

PER_CELL = ("voltage", "current", "temperature", "charge", "plating_margin")
"""What is recorded of every cell, in this order, after the six outputs of the pack."""

HOLDING = 0.01
"""What a cell may be beyond its voltage limit while the pack's voltage is held [V]."""

AWAY = 1e6
"""Distance of an event that cannot occur now."""

ByChemistry = Sequence[Any]
"""Of every chemistry a pytree of arrays with its cells along their first axis."""


class Laid(NamedTuple):
    """A pack on the models' meshes: the `args` of `PackSystem`.

    Attributes:
        pack: as it is.
        grids: of every chemistry, stacked.
    """

    pack: Pack
    grids: tuple[DiscretisedCell, ...]


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

    equations: tuple[Equations, ...]
    wiring: Wiring

    @property
    def kinds(self) -> tuple[CellSystem, ...]:
        """What one cell of each chemistry is."""
        return tuple(CellSystem(own) for own in self.equations)

    @property
    def mass(self) -> np.ndarray:
        counts = self.wiring.counts
        cells = [np.tile(k.mass, n) for k, n in zip(self.kinds, counts, strict=True)]
        wires = np.zeros(self.wiring.n_groups + self.wiring.n_strings + 2)
        return np.concatenate([*cells, wires, np.ones(3)])

    def map(self, function: Callable, *given: ByChemistry) -> list[Any]:
        """`function(kind, ...)` of every cell, one after the other, by chemistry.

        So what a cell needs stays near; all cells at once would spill every cache.
        """
        return [
            jax.lax.map(lambda x, kind=kind: function(kind, *x), own)
            for kind, *own in zip(self.kinds, *given, strict=True)
        ]

    def by_chemistry(self, of_cells: Array) -> list[Array]:
        """Values of all cells (n, ...), cut up."""
        return jnp.split(of_cells, np.cumsum(self.wiring.counts)[:-1])

    def split(self, y: Array) -> tuple[tuple[Array, ...], Tail]:
        """The flat state: cells (n, size) of each chemistry, and the rest."""
        w, sizes = self.wiring, [k.equations.layout.size for k in self.kinds]
        lengths = [n * size for n, size in zip(w.counts, sizes, strict=True)]
        ends = np.cumsum([*lengths, w.n_groups, w.n_strings])
        *cells, groups, strings, rest = jnp.split(y, ends)
        rows = (c.reshape(-1, size) for c, size in zip(cells, sizes, strict=True))
        return tuple(rows), Tail(Wires(groups, strings, rest[0], rest[1]), *rest[2:])

    def join(self, cells: ByChemistry, tail: Tail) -> Array:
        """The flat state from its parts."""
        w = tail.wires
        last = jnp.stack([w.voltage, w.current, tail.charge, tail.mark, tail.energy])
        return jnp.concatenate([*(c.ravel() for c in cells), w.groups, w.strings, last])

    def discretise(self, pack: Pack) -> Laid:
        """What the other methods take as `args`."""
        grids = self.map(lambda kind, cell: kind.discretise(cell), pack.cells)
        return Laid(pack, tuple(grids))

    def equilibrium(
        self, args: Laid, sto: tuple[Stoichiometry, ...], T: Array
    ) -> Array:
        """Cells at rest at given stoichiometries, each at its own voltage."""

        def at_rest(
            kind: CellSystem, grid: DiscretisedCell, sto: Stoichiometry
        ) -> Array:
            return kind.equilibrium(grid, sto, T)

        cells, zero = self.map(at_rest, args.grids, sto), jnp.zeros(())
        wires = self._wires_of(args, cells, zero, T)
        return self.join(cells, Tail(wires, zero, zero, zero))

    def rates(self, tau: Array, y: Array, args: Laid, control: Imposed) -> Array:
        cells, tail = self.split(y)
        c, w = control.control, tail.wires

        def of_cell(
            kind: CellSystem, grid: DiscretisedCell, y: Array, V: Array
        ) -> Array:
            return kind.rates(tau, y, grid, holding(control, V))

        found = self.map(of_cell, args.grids, cells, self.held(args, cells, w))
        if args.pack.exchange is not None:
            into = args.pack.exchange @ self.temperatures(cells)
            heat = self.by_chemistry(into / args.pack.heat_capacities)
            found = [
                f.at[:, kind.equations.layout.temperature_at].add(own)
                for kind, f, own in zip(self.kinds, found, heat, strict=True)
            ]
        rows = residuals(args.pack, c, tau, w, self.currents(cells))
        still = jnp.zeros_like(tail.mark)
        return self.join(found, Tail(rows, w.current, still, w.voltage * w.current))

    def factor(
        self, shift: Array, tau: Array, y: Array, args: Laid, control: Imposed
    ) -> Factorised:
        cells, tail = self.split(y)

        def of_cell(
            kind: CellSystem, grid: DiscretisedCell, y: Array, V: Array
        ) -> CondensedFactors:
            c = holding(control, V).control
            return kind.equations.linearise(shift, tau, y, grid, c).factor()

        factors = self.map(
            of_cell, args.grids, cells, self.held(args, cells, tail.wires)
        )
        return coupled(self, factors, shift, tau, tail, args.pack, control.control)

    def begin(self, y: Array) -> Array:
        cells, tail = self.split(y)
        begun = self.map(lambda kind, y: kind.begin(y), cells)
        return self.join(begun, tail._replace(mark=tail.charge))

    def start_guess(self, tau: Array, y: Array, args: Laid, control: Imposed) -> Array:
        """A change of current is shared by the capacities of the cells of a group."""
        cells, tail = self.split(y)
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
        currents = self.currents(cells)
        currents = currents + share * change[np.array(wiring.string)[group]]

        def guess(
            kind: CellSystem, grid: DiscretisedCell, y: Array, current: Array
        ) -> Array:
            mode = jnp.asarray(int(Mode.CURRENT))
            driven = c._replace(mode=mode, value=current, slope=jnp.zeros_like(current))
            return kind.start_guess(tau, y, grid, control._replace(control=driven))

        begun = self.map(guess, args.grids, cells, self.by_chemistry(currents))
        new = self._wires_of(args, begun, wanted, T)
        strings = sum_of(wiring.in_group, currents)[wiring.in_string[:, 0]]
        held = jnp.where(c.mode == Mode.VOLTAGE, target, new.voltage)
        new = new._replace(strings=strings, voltage=held)
        return self.join(begun, tail._replace(wires=new))

    def limit_update(self, dy: Array, args: Laid) -> Array:
        cells, tail = self.split(dy)

        def limit(kind: CellSystem, grid: DiscretisedCell, dy: Array) -> Array:
            return kind.limit_update(dy, grid)

        least = jnp.min(jnp.concatenate(self.map(limit, args.grids, cells)))
        most = 1.0 / jnp.maximum(jnp.max(jnp.abs(tail.wires.groups)), 1e-30)
        return jnp.minimum(least, most)

    def update_size(self, dy: Array, args: Laid) -> Array:
        cells, _ = self.split(dy)

        def size(kind: CellSystem, grid: DiscretisedCell, dy: Array) -> Array:
            return kind.update_size(dy, grid)

        return jnp.max(jnp.concatenate(self.map(size, args.grids, cells)))

    def error_ratio(
        self, error: Array, y: Array, args: Laid, control: Imposed, tau: Array
    ) -> Array:
        """The worst cell's."""
        cells, tail = self.split(y)
        errors, _ = self.split(error)

        def ratio(
            kind: CellSystem, grid: DiscretisedCell, y: Array, V: Array, error: Array
        ) -> Array:
            return kind.error_ratio(error, y, grid, holding(control, V), tau)

        V = self.held(args, cells, tail.wires)
        return jnp.max(jnp.concatenate(self.map(ratio, args.grids, cells, V, errors)))

    def outputs(self, tau: Array, y: Array, args: Laid, control: Imposed) -> Array:
        """Of the pack as of a cell, with mean temperature; then `PER_CELL` of each cell."""
        cells, tail = self.split(y)
        w = tail.wires

        def of_cell(
            kind: CellSystem, grid: DiscretisedCell, y: Array, V: Array
        ) -> Array:
            return kind.outputs(tau, y, grid, holding(control, V))

        found = self.map(of_cell, args.grids, cells, self.held(args, cells, w))
        each = outputs_in(jnp.concatenate(found))
        of_pack = Outputs(
            voltage=w.voltage,
            current=w.current,
            temperature=jnp.mean(each.temperature),
            charge=tail.charge,
            energy=tail.energy,
            plating_margin=jnp.min(each.plating_margin),
        )
        of_cells = [getattr(each, name) for name in PER_CELL]
        return jnp.concatenate([jnp.stack(of_pack), *of_cells])

    def events(self, tau: Array, y: Array, args: Laid, control: Imposed) -> Array:
        """The pack's own, then those of the cells at their limits, lower and upper."""
        cells, tail = self.split(y)
        w, c = tail.wires, control.control

        def seen(kind: CellSystem, grid: DiscretisedCell, y: Array) -> Array:
            s = kind.equations.state(y, tau, c)
            x = grid.composition(s.sto[-1], s.temperature)
            V = kind.equations.terminal_voltage(s, grid)
            salt = jnp.min(s.c_e)
            return jnp.stack(
                [V, s.current, s.temperature, salt, jnp.min(x), jnp.max(x)]
            )

        V, current, T, salt, *surfaces = jnp.concatenate(
            self.map(seen, args.grids, cells)
        ).T
        passed = jnp.abs(tail.charge - tail.mark)
        Q, surface = args.pack.nominal_capacity, jnp.stack(surfaces)
        salt = jnp.min(salt)
        of_pack = distances(control, w.voltage, w.current, passed, T, surface, salt, Q)
        low, high = (
            jnp.concatenate([getattr(k.limits, name) for k in args.pack.cells])
            for name in ("lower_voltage", "upper_voltage")
        )
        more = jnp.where(c.mode == Mode.VOLTAGE, HOLDING, 0.0)
        lower = jnp.min(jnp.where(current > 0.0, V - low, AWAY)) + more
        upper = jnp.min(jnp.where(current < 0.0, high - V, AWAY)) + more
        return jnp.concatenate([of_pack, jnp.stack([lower, upper])])

    def held(self, args: Laid, cells: ByChemistry, w: Wires) -> list[Array]:
        """Voltage that every cell holds, by chemistry [V]."""
        at = w.groups[np.array(self.wiring.group)]
        return self.by_chemistry(at + args.pack.connection * self.currents(cells))

    def currents(self, cells: ByChemistry) -> Array:
        """Of all cells, (n,) [A]."""
        return self.entries("current_at", cells)

    def temperatures(self, cells: ByChemistry) -> Array:
        """Of all cells that have one of their own, (n,) [K]."""
        return self.entries("temperature_at", cells)

    def entries(self, where: str, cells: ByChemistry) -> Array:
        """The entry of every cell's flat state at a place of its layout, (n,)."""
        pairs = zip(self.kinds, cells, strict=True)
        return jnp.concatenate(
            [y[:, getattr(kind.equations.layout, where)] for kind, y in pairs]
        )

    def _wires_of(self, args: Laid, cells: ByChemistry, I: Array, T: Array) -> Wires:
        """The wires that go with the cells as they are, the currents shared evenly."""

        def voltage(kind: CellSystem, grid: DiscretisedCell, y: Array) -> Array:
            return kind.equations.terminal_voltage(kind.equations.fields(y, T), grid)

        wiring = self.wiring
        V = jnp.concatenate(self.map(voltage, args.grids, cells))
        size = jnp.maximum(sum_of(wiring.in_group, jnp.ones(wiring.n_cells)), 1.0)
        lost = args.pack.connection * self.currents(cells)
        groups = sum_of(wiring.in_group, V - lost) / size
        strings = jnp.ones(wiring.n_strings) * I / wiring.n_strings
        c = args.pack.converters
        own = sum_of(wiring.in_string, groups)
        if c is None:
            return Wires(groups, strings, jnp.mean(own), I)
        strings = c.share * c.bus_voltage * I / own
        return Wires(groups, strings, c.bus_voltage, I)


def holding(control: Imposed, V: Array) -> Imposed:
    """What a cell of a pack under `control` sees: it holds a voltage [V]."""
    mode, zero = jnp.asarray(int(Mode.VOLTAGE)), jnp.zeros_like(V)
    own: Control = control.control._replace(mode=mode, value=V, slope=zero)
    return control._replace(control=own)
