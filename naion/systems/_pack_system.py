"""All cells of a pack and its wires as one DAE.

Every cell holds the voltage of its group. What one cell does is the business of
`CellSystem`; here it is done for all of them, and the wires see to it that voltages and
currents agree, see `_network`. How a step is solved for is in `_step_matrix`.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ..linalg import CondensedFactors
from ..models import DiscretisedCell
from ..parameters import Stoichiometry
from ..protocol import Control, Mode
from ..solvers import AbstractSystem, Factorised
from ._cell_system import CellSystem, Imposed, distances, is_power
from ._members import ByChemistry, Members, Tail
from ._network import Wires, residuals, sum_of
from ._outputs import Output, Outputs, outputs_in
from ._pack import Pack
from ._step_matrix import coupled

PER_CELL = ("voltage", "current", "temperature", "charge", "plating_margin")
"""What is recorded of every cell, in this order, after the outputs of the pack."""


def columns_of(what: str, n: int) -> slice:
    """Where in the record an entry of `PER_CELL` is, of all n cells by chemistry."""
    start = len(Output) + n * PER_CELL.index(what)
    return slice(start, start + n)


LIMITS = 2
"""Events that a pack has besides a cell's: cells at their own limits, lower and upper."""

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
    grids: tuple[DiscretisedCell, ...]


class PackSystem(AbstractSystem):
    """`args` are `Laid`, `control` is an `Imposed` of the whole pack."""

    members: Members

    @property
    def mass(self) -> np.ndarray:
        return self.members.mass

    def discretise(self, pack: Pack) -> Laid:
        """What the other methods take as `args`."""
        grids = self.members.map(lambda kind, cell: kind.discretise(cell), pack.cells)
        return Laid(pack, tuple(grids))

    def equilibrium(
        self, args: Laid, sto: tuple[Stoichiometry, ...], T: Array
    ) -> Array:
        """Cells at rest at given stoichiometries, each at its own voltage."""

        def at_rest(
            kind: CellSystem, grid: DiscretisedCell, sto: Stoichiometry
        ) -> Array:
            return kind.equilibrium(grid, sto, T)

        cells, zero = self.members.map(at_rest, args.grids, sto), jnp.zeros(())
        wires = self._wires_of(args, cells, zero, T)
        return self.members.join(cells, Tail(wires, zero, zero, zero))

    def rates(self, tau: Array, y: Array, args: Laid, control: Imposed) -> Array:
        cells, tail = self.members.split(y)
        c, w = control.control, tail.wires

        def of_cell(
            kind: CellSystem, grid: DiscretisedCell, y: Array, V: Array
        ) -> Array:
            return kind.rates(tau, y, grid, holding(control, V))

        found = self.members.map(of_cell, args.grids, cells, self.held(args, cells, w))
        if args.pack.exchange is not None:
            into = args.pack.exchange @ self.members.temperatures(cells)
            heat = self.members.by_chemistry(into / args.pack.heat_capacities)
            found = [
                f.at[:, kind.equations.layout.temperature_at].add(own)
                for kind, f, own in zip(self.members.kinds, found, heat, strict=True)
            ]
        rows = residuals(args.pack, c, tau, w, self.members.currents(cells))
        still = jnp.zeros_like(tail.mark)
        return self.members.join(
            found, Tail(rows, w.current, still, w.voltage * w.current)
        )

    def factor(
        self, shift: Array, tau: Array, y: Array, args: Laid, control: Imposed
    ) -> Factorised:
        cells, tail = self.members.split(y)

        def of_cell(
            kind: CellSystem, grid: DiscretisedCell, y: Array, V: Array
        ) -> CondensedFactors:
            c = holding(control, V).control
            return kind.equations.linearise(shift, tau, y, grid, c).factor()

        factors = self.members.map(
            of_cell, args.grids, cells, self.held(args, cells, tail.wires)
        )
        return coupled(
            self.members, factors, shift, tau, tail, args.pack, control.control
        )

    def begin(self, y: Array) -> Array:
        cells, tail = self.members.split(y)
        begun = self.members.map(lambda kind, y: kind.begin(y), cells)
        return self.members.join(begun, tail._replace(mark=tail.charge))

    def start_guess(self, tau: Array, y: Array, args: Laid, control: Imposed) -> Array:
        """A change of current is shared by the capacities of the cells of a group."""
        cells, tail = self.members.split(y)
        c, w, wiring = control.control, tail.wires, self.members.wiring
        target = c.value + c.slope * tau
        at_power = jnp.where(is_power(c.mode), target / w.voltage, w.current)
        wanted = jnp.where(c.mode == Mode.CURRENT, target, at_power)
        Q = jnp.concatenate([k.nominal_capacity for k in args.pack.cells])
        group = np.array(wiring.group)
        share = Q / sum_of(wiring.in_group, Q)[group]
        T = c.temperature + c.temperature_slope * tau
        strings = self._wires_of(args, cells, wanted, T).strings
        change = strings - self._wires_of(args, cells, w.current, T).strings
        currents = self.members.currents(cells)
        currents = currents + share * change[np.array(wiring.string)[group]]

        def guess(
            kind: CellSystem, grid: DiscretisedCell, y: Array, current: Array
        ) -> Array:
            mode = jnp.asarray(int(Mode.CURRENT))
            driven = c._replace(mode=mode, value=current, slope=jnp.zeros_like(current))
            return kind.start_guess(tau, y, grid, control._replace(control=driven))

        begun = self.members.map(
            guess, args.grids, cells, self.members.by_chemistry(currents)
        )
        new = self._wires_of(args, begun, wanted, T)
        strings = sum_of(wiring.in_group, currents)[wiring.in_string[:, 0]]
        held = jnp.where(c.mode == Mode.VOLTAGE, target, new.voltage)
        new = new._replace(strings=strings, voltage=held)
        return self.members.join(begun, tail._replace(wires=new))

    def limit_update(self, dy: Array, args: Laid) -> Array:
        cells, tail = self.members.split(dy)

        def limit(kind: CellSystem, grid: DiscretisedCell, dy: Array) -> Array:
            return kind.limit_update(dy, grid)

        least = jnp.min(jnp.concatenate(self.members.map(limit, args.grids, cells)))
        most = 1.0 / jnp.maximum(jnp.max(jnp.abs(tail.wires.groups)), 1e-30)
        return jnp.minimum(least, most)

    def update_size(self, dy: Array, args: Laid) -> Array:
        cells, _ = self.members.split(dy)

        def size(kind: CellSystem, grid: DiscretisedCell, dy: Array) -> Array:
            return kind.update_size(dy, grid)

        return jnp.max(jnp.concatenate(self.members.map(size, args.grids, cells)))

    def error_ratio(
        self, error: Array, y: Array, args: Laid, control: Imposed, tau: Array
    ) -> Array:
        """The worst cell's."""
        cells, tail = self.members.split(y)
        errors, _ = self.members.split(error)

        def ratio(
            kind: CellSystem, grid: DiscretisedCell, y: Array, V: Array, error: Array
        ) -> Array:
            return kind.error_ratio(error, y, grid, holding(control, V), tau)

        V = self.held(args, cells, tail.wires)
        return jnp.max(
            jnp.concatenate(self.members.map(ratio, args.grids, cells, V, errors))
        )

    def outputs(self, tau: Array, y: Array, args: Laid, control: Imposed) -> Array:
        """Of the pack as of a cell, with mean temperature; then `PER_CELL` of each cell."""
        cells, tail = self.members.split(y)
        w = tail.wires

        def of_cell(
            kind: CellSystem, grid: DiscretisedCell, y: Array, V: Array
        ) -> Array:
            return kind.outputs(tau, y, grid, holding(control, V))

        found = self.members.map(of_cell, args.grids, cells, self.held(args, cells, w))
        each = outputs_in(jnp.concatenate(found))
        of_pack = Outputs(
            voltage=w.voltage,
            current=w.current,
            temperature=jnp.mean(each.temperature),
            charge=tail.charge,
            energy=tail.energy,
            plating_margin=jnp.min(each.plating_margin),
            negative_potential=jnp.mean(each.negative_potential),
            positive_potential=jnp.mean(each.positive_potential),
        )
        of_cells = [getattr(each, name) for name in PER_CELL]
        return jnp.concatenate([jnp.stack(of_pack), *of_cells])

    def events(self, tau: Array, y: Array, args: Laid, control: Imposed) -> Array:
        """The pack's own, then those of the cells at their limits, lower and upper."""
        cells, tail = self.members.split(y)
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
            self.members.map(seen, args.grids, cells)
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
        at = w.groups[np.array(self.members.wiring.group)]
        return self.members.by_chemistry(
            at + args.pack.connection * self.members.currents(cells)
        )

    def _wires_of(self, args: Laid, cells: ByChemistry, I: Array, T: Array) -> Wires:
        """The wires that go with the cells as they are, the currents shared evenly."""

        def voltage(kind: CellSystem, grid: DiscretisedCell, y: Array) -> Array:
            return kind.equations.terminal_voltage(
                kind.equations.layout.unpack(y, T), grid
            )

        wiring = self.members.wiring
        V = jnp.concatenate(self.members.map(voltage, args.grids, cells))
        size = jnp.maximum(sum_of(wiring.in_group, jnp.ones(wiring.n_cells)), 1.0)
        lost = args.pack.connection * self.members.currents(cells)
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
