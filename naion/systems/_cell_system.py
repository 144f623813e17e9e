"""The DFN under a protocol, as the abstract system that integrators solve."""

import enum
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ..models import DiscretisedCell, Equations, State
from ..parameters import Cell, Stoichiometry
from ..protocol import Control, Mode, Protocol, joins
from ..solvers import AbstractSystem, Factorised, Segments
from ._outputs import Outputs


class Event(enum.IntEnum):
    """What can end a step, in the order of the event distances."""

    LOWER_VOLTAGE = 0
    UPPER_VOLTAGE = 1
    CURRENT = 2
    CAPACITY = 3
    TEMPERATURE_BELOW = 4
    TEMPERATURE_ABOVE = 5
    SURFACE_EMPTY = 6
    SURFACE_FULL = 7
    SALT_DEPLETED = 8


SURFACE_LIMIT = -1e-3
"""A solve ends with a surface outside 0 to 1 by more than a rounding of the physics.

Where a surface fills up, or salt runs out, somewhere in an electrode, the reaction moves
elsewhere and the cell goes on: neither ends a solve by itself.
"""

SALT_LIMIT = -1e-2
"""A solve ends with a concentration, over the initial one, below zero by more than that.

Where salt runs out and the reaction moves elsewhere, the guards of its laws let it fall by
a few thousandths.
"""

NOT_NOW = 1e6
"""Distance of an event that cannot occur in the present mode or direction."""


class CutOffs(NamedTuple):
    """Cut-offs of one step; see `Protocol`."""

    lower_voltage: Array
    upper_voltage: Array
    current: Array
    charge: Array
    temperature_below: Array
    temperature_above: Array


class Imposed(NamedTuple):
    """What a step imposes: the control and its cut-offs."""

    control: Control
    cut_offs: CutOffs


def segments_of(
    protocol: Protocol, cell: Any, temperature: Array, more: int = 0
) -> Segments:
    """A protocol with the numbers of a cell, or of a pack, filled in.

    Args:
        protocol: what to do.
        cell: the cell or the pack.
        temperature: where the protocol gives none [K].
        more: events of the system besides those of a cell; each ends everything.
    """
    Q = cell.nominal_capacity
    per = jnp.where(protocol.in_c_rate, Q, 1.0)
    own_lower = jnp.isnan(protocol.lower_voltage)
    own_upper = jnp.isnan(protocol.upper_voltage)
    T = jnp.where(jnp.isnan(protocol.temperature), temperature, protocol.temperature)
    held = protocol.mode == Mode.VOLTAGE
    lower = jnp.where(own_lower, cell.limits.lower_voltage, protocol.lower_voltage)
    upper = jnp.where(own_upper, cell.limits.upper_voltage, protocol.upper_voltage)
    control = Control(
        mode=protocol.mode,
        value=protocol.value * per,
        slope=protocol.slope * per,
        temperature=T,
        temperature_slope=protocol.temperature_slope,
        lower_voltage=lower,
        upper_voltage=upper,
    )
    cut_offs = CutOffs(
        lower_voltage=jnp.where(held & own_lower, -NOT_NOW, lower),
        upper_voltage=jnp.where(held & own_upper, NOT_NOW, upper),
        current=jnp.maximum(protocol.current_below, protocol.c_rate_below * Q),
        charge=3600.0 * protocol.capacity,
        temperature_below=protocol.temperature_below,
        temperature_above=protocol.temperature_above,
    )
    never, always = jnp.zeros_like(own_lower), jnp.ones_like(own_lower)
    stops = (
        [own_lower | protocol.ends_all, own_upper | protocol.ends_all]
        + [never] * 4
        + [always] * (3 + more)
    )
    stops = jnp.stack(stops, axis=-1)
    duration = protocol.duration
    joined = _joined(control, cut_offs, duration, stops)
    imposed = Imposed(control, cut_offs)
    return Segments(imposed, duration, stops, joined, protocol.count)


def _joined(
    control: Control, cut_offs: CutOffs, duration: Array, stops: Array
) -> Array:
    """Whether each row begins with all that the one before ends with, (n_segment,)."""
    met = joins(control.value, control.slope * duration)
    met &= joins(control.temperature, control.temperature_slope * duration)
    limits = jnp.stack(
        [control.lower_voltage, control.upper_voltage, *cut_offs], axis=-1
    )
    for column in (control.mode[:, None], limits, stops):
        met &= jnp.all(column == jnp.roll(column, 1, axis=0), axis=-1)
    return met


def is_power(mode: Array) -> Array:
    """Whether a power is asked for, limited or not."""
    return (mode == Mode.POWER) | (mode == Mode.POWER_WITHIN_LIMITS)


def holds_voltage(mode: Array) -> Array:
    """Whether the voltage is held, always or at its limits: it then ends no step."""
    return (mode == Mode.VOLTAGE) | (mode == Mode.POWER_WITHIN_LIMITS)


class CellSystem(AbstractSystem):
    """A cell on a mesh. `args` is the `DiscretisedCell`, `control` an `Imposed`."""

    equations: Equations

    @property
    def mass(self) -> np.ndarray:
        return self.equations.layout.mass()

    def discretise(self, cell: Cell) -> DiscretisedCell:
        """What the other methods take as `args`."""
        return self.equations.model.discretise(cell)

    def equilibrium(self, args: DiscretisedCell, sto: Stoichiometry, T: Array) -> Array:
        """The flat state at rest, at temperature T [K]."""
        return self.equations.equilibrium(args, sto, T)

    def rates(
        self, tau: Array, y: Array, args: DiscretisedCell, control: Imposed
    ) -> Array:
        return self.equations.rates(tau, y, args, control.control)

    def factor(
        self,
        shift: Array,
        tau: Array,
        y: Array,
        args: DiscretisedCell,
        control: Imposed,
    ) -> Factorised:
        layout = self.equations.layout
        matrix = self.equations.linearise(shift, tau, y, args, control.control)
        factors = matrix.factor()
        return Factorised(
            lambda b: layout.join(*factors.solve(*layout.split(b))),
            lambda b: layout.join(*factors.solve_transposed(*layout.split(b))),
        )

    def begin(self, y: Array) -> Array:
        layout = self.equations.layout
        s = layout.unpack(y, jnp.zeros(()))
        return layout.pack(s._replace(charge_mark=s.charge))

    def start_guess(
        self, tau: Array, y: Array, args: DiscretisedCell, control: Imposed
    ) -> Array:
        """Spread a change of current evenly over the electrodes."""
        c, layout = control.control, self.equations.layout
        s = self.equations.state(y, tau, c)
        target = c.value + c.slope * tau
        # The power's current at the present voltage; other unknown currents stay.
        V = self.equations.terminal_voltage(s, args)
        at_power = jnp.where(is_power(c.mode), target / V, s.current)
        current = jnp.where(c.mode == Mode.CURRENT, target, at_power)
        change = (current - s.current) / args.cell.area
        dj = change * args.direction / args.interface_of_electrode
        # What passes a double layer at once leaves the reactions as they are.
        moves = self.equations.carries_current.copy()
        moves[0] &= not self.equations.stores_charge
        local = s.local + jnp.where(moves, dj, 0.0)
        return layout.pack(s._replace(current=current, local=local))

    def limit_update(self, dy: Array, args: DiscretisedCell) -> Array:
        """Potentials move by at most a volt an iteration."""
        blocks, _ = self.equations.layout.split(dy)
        largest = jnp.max(jnp.abs(blocks.macro[:, 1:]))
        return jnp.minimum(1.0, 1.0 / jnp.maximum(largest, 1e-30))

    def update_size(self, dy: Array, args: DiscretisedCell) -> Array:
        """Largest update of a potential or of the current over what rounding allows.

        Charge residuals are fractions of the 1C current density; a potential of 4 V
        through a well-conducting volume has a rounding error of about 1e-9 of it.
        """
        blocks, border = self.equations.layout.split(dy)
        potentials = jnp.max(jnp.abs(blocks.macro[:, 1:]))
        current = jnp.abs(border[0]) / args.cell.nominal_capacity
        size = jnp.maximum(potentials, current) / 1e-9
        if self.equations.stores_charge:
            # Below a double layer currents do not follow from the potentials outside,
            # and into it very small differences of potential drive large ones.
            one_c = args.i_scale / args.interface_of_electrode
            currents = jnp.where(
                self.equations.carries_current[..., None], blocks.local / one_c, 0.0
            )
            size = jnp.maximum(size, jnp.max(jnp.abs(currents)) / 1e-6)
        return size

    def error_ratio(
        self,
        error: Array,
        y: Array,
        args: DiscretisedCell,
        control: Imposed,
        tau: Array,
    ) -> Array:
        """Largest error of stoichiometry, of salt, of voltage [V] and of current [1C].

        The shells are averaged by volume, as the sodium in them is what matters. Salt is
        relative to what is left of it where it runs out.
        """
        layout = self.equations.layout
        e = layout.unpack(error, jnp.zeros(()))
        volume = 3.0 * jnp.asarray(self.equations.mesh.shells().volumes)[:, None]
        sto = jnp.sqrt(jnp.max(jnp.sum(volume * e.sto**2, axis=0)))
        if self.equations.has_pores:
            pores = jnp.sqrt(jnp.max(jnp.sum(volume * e.pores**2, axis=0)))
            sto = jnp.maximum(sto, pores)
        left = jnp.abs(layout.unpack(y, e.temperature).c_e)
        salt = jnp.sqrt(jnp.mean((e.c_e / jnp.minimum(1.0, 10.0 * left + 1e-2)) ** 2))

        def voltage(y):
            s = self.equations.state(y, tau, control.control)
            return self.equations.terminal_voltage(s, args)

        V = jnp.abs(voltage(y) - voltage(y - error))
        current = jnp.abs(e.current) / args.cell.nominal_capacity
        warm = jnp.abs(e.temperature) / 10.0
        # Where salt has run out, j is free to stray: the voltage does not feel it.
        one_c = args.i_scale / args.interface_of_electrode
        j = 0.01 * jnp.max(jnp.abs(e.j) / one_c)
        parts = [sto, salt, V, current, warm, j]
        for unknown, size in zip(self.equations.surface, e.local, strict=True):
            if unknown.error_weight is not None:
                parts.append(unknown.error_weight * jnp.max(jnp.abs(size)))
        return jnp.max(jnp.stack(parts))

    def outputs(
        self, tau: Array, y: Array, args: DiscretisedCell, control: Imposed
    ) -> Array:
        s = self.equations.state(y, tau, control.control)
        negative, positive = self.equations.electrode_potentials(s, args)
        found = Outputs(
            voltage=self.equations.terminal_voltage(s, args),
            current=s.current,
            temperature=s.temperature,
            charge=s.charge,
            energy=s.energy,
            plating_margin=self.equations.plating_margin(s, args),
            negative_potential=negative,
            positive_potential=positive,
        )
        return jnp.stack(found)

    def events(
        self, tau: Array, y: Array, args: DiscretisedCell, control: Imposed
    ) -> Array:
        s: State = self.equations.state(y, tau, control.control)
        V = self.equations.terminal_voltage(s, args)
        passed = jnp.abs(s.charge - s.charge_mark)
        surface, salt = args.composition(s.sto[-1], s.temperature), jnp.min(s.c_e)
        Q = args.cell.nominal_capacity
        return distances(control, V, s.current, passed, s.temperature, surface, salt, Q)


def distances(
    control: Imposed,
    V: Array,
    current: Array,
    passed: Array,
    temperature: Array,
    surface: Array,
    salt: Array,
    Q: Array,
) -> Array:
    """Scaled distances to the events, in the order of `Event`.

    Args:
        control: what the step imposes.
        V: voltage [V].
        current: [A].
        passed: charge that went through since the step began [C].
        temperature: of the cell, or of all its layers [K].
        surface: stoichiometries of all particle surfaces.
        salt: least concentration over the initial one.
        Q: nominal capacity [A.h].
    """
    cut, held = control.cut_offs, holds_voltage(control.control.mode)
    return jnp.stack(
        [
            jnp.where((current > 0.0) & ~held, V - cut.lower_voltage, NOT_NOW),
            jnp.where((current < 0.0) & ~held, cut.upper_voltage - V, NOT_NOW),
            (jnp.abs(current) - cut.current) / Q,
            (cut.charge - passed) / (3600.0 * Q),
            (jnp.min(temperature) - cut.temperature_below) / 10.0,
            (cut.temperature_above - jnp.max(temperature)) / 10.0,
            jnp.min(surface) - SURFACE_LIMIT,
            1.0 - SURFACE_LIMIT - jnp.max(surface),
            salt - SALT_LIMIT,
        ]
    )
