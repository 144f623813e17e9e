"""The pack: cells, how they are wired, and how heat goes between them."""

from collections.abc import Iterable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float

from ..parameters import Cell, Limits

UNBOUNDED = 1e6
"""Stands for a pack without voltage limits of its own: its cells have them [V]."""

Strings = Sequence[Sequence[Cell | Sequence[Cell]]]


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
        """At which the first cell's set was made [K]."""
        return self.cells[0].temperature[0]

    @property
    def mass(self) -> Array:
        """Of all cells [kg]."""
        masses = [jnp.sum(c.thermal.mass) for c in self.cells]
        return sum(masses, jnp.zeros(()))

    @property
    def heat_capacities(self) -> Array:
        """Of all cells by chemistry, (n,) [J.K-1]."""
        of = [c.thermal.mass * c.thermal.specific_heat for c in self.cells]
        return jnp.concatenate(of)


def build(
    strings: Strings,
    *,
    connection: Any = 0.0,
    string_resistance: Any = 0.0,
    exchange: Any = None,
    converters: Converters | None = None,
) -> Pack:
    """A pack from cells in lists.

    `build([[a, b, c]])` is three cells in series, `build([[[a, b]]])` two in parallel,
    `build([[[a, a], [b, b]], [[a, a], [b, b]]])` two strings of two groups of two.

    Args:
        strings: of groups; a group is a cell, or a list of cells in parallel.
        connection: between each cell and its group [ohm]; one number, or one for each
            cell in the order in which they are given.
        string_resistance: of each string [ohm].
        exchange: conductances between cells in the order in which they are given,
            (n, n), symmetric [W.K-1]; needs the model `Lumped`.
        converters: between strings and a bus; none: strings are in parallel.

    Raises:
        ValueError: for an empty list, or numbers of a wrong shape or below zero.
    """
    lists = isinstance(strings, list | tuple)
    if not lists or not all(isinstance(s, list | tuple) for s in strings):
        raise ValueError(
            f"strings: expected a list of strings, each a list of groups, such as "
            f"[[a, b]] for two in series; got {_kinds(strings)}."
        )
    groups = [[_in_parallel(g) for g in string] for string in strings]
    if not groups or not all(groups) or not all(g for s in groups for g in s):
        raise ValueError(
            "A pack needs at least one string, a string a group, a group a cell; given "
            f"were {[[len(g) for g in s] for s in groups]} cells."
        )
    given = [cell for string in groups for group in string for cell in group]
    for cell in given:
        if not isinstance(cell, Cell):
            raise ValueError(f"Expected a Cell in the pack, got {type(cell).__name__}.")
    kinds: list[Any] = []
    of_kind: list[list[int]] = []
    for i, cell in enumerate(given):
        leaves, structure = jax.tree.flatten(cell)
        kind = structure, tuple(np.shape(a) for a in leaves)
        if kind not in kinds:
            kinds.append(kind)
            of_kind.append([])
        of_kind[kinds.index(kind)].append(i)
    by_chemistry = [i for members in of_kind for i in members]
    place = {i: k for k, i in enumerate(by_chemistry)}
    sizes = [len(g) for string in groups for g in string]
    group = np.repeat(np.arange(len(sizes)), sizes)
    string = np.repeat(np.arange(len(groups)), [len(s) for s in groups])
    wiring = Wiring(
        tuple(place[i] for i in range(len(given))),
        tuple(int(group[i]) for i in by_chemistry),
        tuple(map(int, string)),
        tuple(map(len, of_kind)),
    )
    n, s = len(given), len(groups)
    each = _of_shape("connection", connection, (n,))[np.array(by_chemistry)]
    if exchange is not None:
        G = _of_shape("exchange", exchange, (n, n))
        if not np.allclose(G, np.transpose(G)) or np.any(np.asarray(G) < 0.0):
            raise ValueError(
                "exchange: expected conductances, symmetric and not below 0."
            )
        G = jnp.asarray(G)[np.ix_(by_chemistry, by_chemistry)]
        off = G * (1.0 - jnp.eye(n))
        exchange = off - jnp.diag(jnp.sum(off, axis=1))
    if converters is not None:
        share = np.asarray(converters.share)
        if share.shape != (s,) or not np.isclose(share.sum(), 1.0):
            raise ValueError(
                f"converters.share = {share}: expected {s} shares, one for each string, "
                "that add up to one."
            )
    Q = [
        jnp.min(
            jnp.stack([jnp.sum(_numbers(c.nominal_capacity for c in g)) for g in s])
        )
        for s in groups
    ]
    return Pack(
        tuple(
            jax.tree.map(lambda *a: _numbers(a), *(given[i] for i in members))
            for members in of_kind
        ),
        wiring,
        each,
        _of_shape("string_resistance", string_resistance, (s,)),
        exchange,
        converters,
        sum(Q, jnp.zeros(())),
    )


def _kinds(strings: Any) -> str:
    one = type(strings).__name__
    if not isinstance(strings, list | tuple):
        return f"one {one}"
    return f"a {one} of {', '.join(type(s).__name__ for s in strings)}"


def _in_parallel(group: Any) -> list[Cell]:
    return list(group) if isinstance(group, list | tuple) else [group]


def _numbers(values: Iterable[Any]) -> Array:
    """Numbers or arrays of one shape along a new first axis; may be traced."""
    return jnp.stack([jnp.asarray(x) for x in values])


def _of_shape(name: str, value: Any, shape: tuple[int, ...]) -> Array:
    try:
        found = jnp.asarray(value, float)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: {value!r:.60} is no number.") from None
    if found.shape not in ((), shape):
        raise ValueError(f"{name}: expected one number or {shape}, got {found.shape}.")
    if not isinstance(found, Tracer) and not np.all(
        (np.asarray(found) >= 0.0) & np.isfinite(np.asarray(found))
    ):
        raise ValueError(f"{name}: {value}; expected finite numbers, not below 0.")
    return jnp.broadcast_to(found, shape)
