"""The pack: cells, how they are wired, and how heat goes between them."""

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..parameters import Cell, Limits

UNBOUNDED = 1e6
"""Stands for a pack without voltage limits of its own: its cells have them [V]."""


class Converters(eqx.Module):
    """DC/DC converters between every string and a bus of fixed voltage.

    Of the power P of a string the bus gets P - standby - quadratic P^2, so that the
    efficiency is 1 - standby/P - quadratic P; on charge P is negative, and the string
    gets less than the bus gives.

    Attributes:
        share: of the bus's power that each string gives or takes, (n_string,).
        bus_voltage: [V].
        standby: lost at any power, in each converter [W].
        quadratic: lost with the square of the power [W-1].
    """

    share: Float[Array, " s"]
    bus_voltage: Float[Array, ""]
    standby: Float[Array, ""]
    quadratic: Float[Array, ""]

    def delivered(self, power: Array) -> Array:
        """Power on the bus from power of the strings [W]."""
        return power - self.standby - self.quadratic * power**2


class Wiring(eqx.Module):
    """Which cell is where; all indices are of cells in the order of the chemistries.

    Attributes:
        order: for each cell as the user gave them, its place by chemistry.
        group: group of each cell.
        string: string of each group.
        counts: cells of each chemistry.
    """

    order: tuple[int, ...] = eqx.field(static=True)
    group: tuple[int, ...] = eqx.field(static=True)
    string: tuple[int, ...] = eqx.field(static=True)
    counts: tuple[int, ...] = eqx.field(static=True)

    @property
    def n_cells(self) -> int:
        """Cells."""
        return len(self.order)

    @property
    def n_groups(self) -> int:
        """Groups of parallel cells."""
        return len(self.string)

    @property
    def n_strings(self) -> int:
        """Strings of groups in series."""
        return max(self.string) + 1

    @property
    def in_group(self) -> np.ndarray:
        """Cells of every group; rows are filled up with n_cells, (groups, most)."""
        return _members(self.group, self.n_groups)

    @property
    def in_string(self) -> np.ndarray:
        """Groups of every string; rows are filled up with n_groups, (strings, most)."""
        return _members(self.string, self.n_strings)


def _members(owner: Sequence[int], n: int) -> np.ndarray:
    of = [[i for i, o in enumerate(owner) if o == k] for k in range(n)]
    most = max(map(len, of))
    return np.array([row + [len(owner)] * (most - len(row)) for row in of])


class Pack(eqx.Module):
    """Cells in parallel are groups, groups in series strings, strings the pack.

    A pytree: every number can be batched and differentiated.

    Attributes:
        cells: of each chemistry, stacked along a first axis.
        wiring: see `Wiring`.
        connection: resistance between each cell and its group, by chemistry, (n,) [ohm].
        string_resistance: of each string's wires and contactor, (n_string,) [ohm].
        exchange: heat into each cell by the temperatures of all, (n, n) [W.K-1], or none.
        converters: between strings and bus; none: strings are in parallel.
        nominal_capacity: what 1C of the pack means [A.h].
    """

    cells: tuple[Cell, ...]
    wiring: Wiring
    connection: Float[Array, " n"]
    string_resistance: Float[Array, " s"]
    exchange: Float[Array, "n n"] | None
    converters: Converters | None
    nominal_capacity: Float[Array, ""]

    @property
    def limits(self) -> Limits:
        """Of the pack: none. Cells end a step at their own limits."""
        return Limits(jnp.asarray(-UNBOUNDED), jnp.asarray(UNBOUNDED))

    @property
    def temperature(self) -> Array:
        """Reference temperature of the first cell [K]."""
        return self.cells[0].temperature[0]

    @property
    def mass(self) -> Array:
        """Mass of all cells [kg]."""
        masses = [jnp.sum(c.thermal.mass) for c in self.cells]
        return sum(masses, jnp.zeros(()))

    @property
    def heat_capacities(self) -> Array:
        """Heat capacities of all cells, ordered by chemistry, (n,) [J.K-1]."""
        of = [c.thermal.mass * c.thermal.specific_heat for c in self.cells]
        return jnp.concatenate(of)
