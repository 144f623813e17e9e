"""The wires: rows for groups, strings, the bus and the control, and their elimination.

Unknowns are the voltages of the groups, the currents of the strings, voltage and current
of the pack. The currents of the cells follow from the voltages of their groups. Seen from
the wires a cell is one number, its conductance, so everything is eliminated in one pass
from cells to groups, to strings, to the pack: the cost is that of adding up.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..models import control_residual
from ..protocol import Control
from ._pack import Pack, Wiring


class Wires(NamedTuple):
    """Unknowns of the network, or the residuals of its rows in the same places.

    Attributes:
        groups: voltages [V]; currents that do not add up in a group.
        strings: currents [A]; what holds each string.
        voltage: of the pack [V]; the row of the bus.
        current: of the pack [A]; the row of the control.
    """

    groups: Array
    strings: Array
    voltage: Array
    current: Array


def sum_of(members: np.ndarray, values: Array) -> Array:
    """Sums of values over rows of indices; an index behind the end adds nothing."""
    padded = jnp.concatenate([values, jnp.zeros_like(values[:1])])
    return jnp.sum(padded[members], axis=1)


def residuals(
    pack: Pack, control: Control, tau: Array, w: Wires, current: Array
) -> Wires:
    """All rows; zero when the wires are in balance.

    Args:
        pack: whose wires.
        control: of the pack.
        tau: time in the step [s].
        w: unknowns.
        current: of the cells by chemistry [A].
    """
    wiring, last = pack.wiring, (tau, w.voltage, w.current, pack.nominal_capacity)
    voltage = _string_voltage(pack, w)
    return Wires(
        sum_of(wiring.in_group, current) - w.strings[np.array(wiring.string)],
        _string_row(pack, voltage, w.strings, w.voltage, w.current),
        _bus_row(pack, w.voltage, w.current, jnp.sum(w.strings)),
        control_residual(control, *last),
    )


def _string_voltage(pack: Pack, w: Wires) -> Array:
    voltage = sum_of(pack.wiring.in_string, w.groups)
    return voltage - pack.string_resistance * w.strings


def _string_row(pack: Pack, own: Array, current: Array, V: Array, I: Array) -> Array:
    """A string has the pack's voltage, or gives its share by a converter [V or W]."""
    c = pack.converters
    if c is None:
        return own - V
    return c.delivered(own * current) - c.share * V * I


def _bus_row(pack: Pack, V: Array, I: Array, of_strings: Array) -> Array:
    c = pack.converters
    return of_strings - I if c is None else V - c.bus_voltage


class Elimination(NamedTuple):
    """Slopes of the rows, and what elimination needs; see `couple`.

    Attributes:
        alpha: how a cell's current answers to its own right-hand side, (n,).
        gamma: and to its group's voltage, (n,) [S].
        by_own, by_current, by_V, by_I: slopes of the strings' rows, (s,).
        last: matrix of the bus and the control, inverted, (2, 2).
        bus: slope of the bus's row by the sum of the strings' currents.
    """

    alpha: Array
    gamma: Array
    by_own: Array
    by_current: Array
    by_V: Array
    by_I: Array
    last: Array
    bus: Array


def eliminate(
    pack: Pack, control: Control, tau: Array, w: Wires, s_I: Array
) -> Elimination:
    """Slopes at a point, and the 2 by 2 matrix that remains.

    Args:
        pack, control, tau, w: as in `residuals`.
        s_I: by how much a cell's current falls with its held voltage, (n,) [S].
    """
    alpha = 1.0 / (1.0 + s_I * pack.connection)
    gamma = alpha * s_I
    at = _string_voltage(pack, w), w.strings, w.voltage, w.current

    def slope(row, point: tuple, k: int) -> Array:
        along = tuple(
            jnp.ones_like(x) if i == k else jnp.zeros_like(x)
            for i, x in enumerate(point)
        )
        return jax.jvp(row, point, along)[1]

    def string(*x):
        return _string_row(pack, *x)

    by_own, by_current, by_V, by_I = (slope(string, at, k) for k in range(4))
    by_current = by_current - pack.string_resistance * by_own
    end = w.voltage, w.current

    def bus(V, I, total):
        return _bus_row(pack, V, I, total)

    def last(V, I):
        return control_residual(control, tau, V, I, pack.nominal_capacity)

    bus_at = (*end, jnp.sum(w.strings))
    bus_V, bus_I, bus_sum = (slope(bus, bus_at, k) for k in range(3))
    last_V, last_I = (slope(last, end, k) for k in range(2))
    # Currents of the strings by the pack's voltage and current; see `couple`.
    below = _below(pack.wiring, gamma, by_own, by_current)
    of_V, of_I = jnp.sum(by_V / below), jnp.sum(by_I / below)
    a, b = bus_V + bus_sum * of_V, bus_I + bus_sum * of_I
    det = a * last_I - b * last_V
    inverse = jnp.stack([jnp.stack([last_I, -b]), jnp.stack([-last_V, a])]) / det
    return Elimination(alpha, gamma, by_own, by_current, by_V, by_I, inverse, bus_sum)


def _below(wiring: Wiring, gamma: Array, by_own: Array, by_current: Array) -> Array:
    stiff = 1.0 / sum_of(wiring.in_group, gamma)
    return by_own * sum_of(wiring.in_string, stiff) - by_current


def couple(pack: Pack, e: Elimination, known: Array, b: Wires) -> tuple[Array, Wires]:
    """Solve the wires' rows, -J u = b, where currents of cells are known but for voltages.

    Cells: dI_i = alpha_i known_i - gamma_i dV_g. Linear in `known` and `b`.

    Args:
        pack, e: from `eliminate`.
        known: changes of the cells' currents at fixed voltage, (n,) [A].
        b: right-hand sides.

    Returns:
        changes of the voltages that the cells hold, (n,) [V], and of the unknowns.
    """
    wiring = pack.wiring
    group, string = np.array(wiring.group), np.array(wiring.string)
    stiff = 1.0 / sum_of(wiring.in_group, e.gamma)
    open_ = (sum_of(wiring.in_group, e.alpha * known) + b.groups) * stiff
    below = _below(wiring, e.gamma, e.by_own, e.by_current)
    at_rest = (e.by_own * sum_of(wiring.in_string, open_) + b.strings) / below
    right = jnp.stack([-b.voltage - e.bus * jnp.sum(at_rest), -b.current])
    V, I = e.last @ right
    strings = at_rest + (e.by_V * V + e.by_I * I) / below
    groups = open_ - stiff * strings[string]
    at_cells = groups[group]
    dI = e.alpha * known - e.gamma * at_cells
    return at_cells + pack.connection * dI, Wires(groups, strings, V, I)
