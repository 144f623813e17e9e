"""A pack from cells in lists."""

from collections.abc import Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array

from ..parameters import Cell, is_half_cell
from ..systems import Converters, Pack, Wiring

Strings = Sequence[Sequence[Cell | Sequence[Cell]]]


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
        ValueError: for an empty list, half cells beside full ones, or numbers of a wrong
            shape or below zero.
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
    halves = [is_half_cell(cell) for cell in given]
    if any(halves) and not all(halves):
        raise ValueError(
            f"Cells {_counted(halves, True)} of the pack are half cells, an electrode "
            f"against metal, and {_counted(halves, False)} are full cells: expected one or "
            "the other. A pack is made of the full cells from which half cells are made."
        )
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
        exchange = _heat_matrix(exchange, by_chemistry)
    if converters is not None:
        _check_shares(converters, s)
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
        _capacity(groups),
    )


def _heat_matrix(exchange: Any, order: list[int]) -> Array:
    """Matrix of the heat between cells, (n, n) [W.K-1]; each row adds up to zero.

    Args:
        exchange: conductances between cells in the order in which they were given.
        order: the order in which the pack holds them.
    """
    n = len(order)
    G = _of_shape("exchange", exchange, (n, n))
    if not np.allclose(G, np.transpose(G)) or np.any(np.asarray(G) < 0.0):
        raise ValueError("exchange: expected conductances, symmetric and not below 0.")
    G = jnp.asarray(G)[np.ix_(order, order)]
    off = G * (1.0 - jnp.eye(n))
    return off - jnp.diag(jnp.sum(off, axis=1))


def _check_shares(converters: Converters, n_strings: int) -> None:
    """Raise unless there is a share for each string, and they add up to one."""
    share = np.asarray(converters.share)
    if share.shape != (n_strings,) or not np.isclose(share.sum(), 1.0):
        raise ValueError(
            f"converters.share = {share}: expected {n_strings} shares, one for each "
            "string, that add up to one."
        )


def _capacity(strings: list[list[list[Cell]]]) -> Array:
    """Nominal capacity: of each string that of its smallest group, added up [A.h]."""
    Q = [
        jnp.min(
            jnp.stack([jnp.sum(_numbers(c.nominal_capacity for c in g)) for g in s])
        )
        for s in strings
    ]
    return sum(Q, jnp.zeros(()))


def _kinds(strings: Any) -> str:
    one = type(strings).__name__
    if not isinstance(strings, list | tuple):
        return f"one {one}"
    return f"a {one} of {', '.join(type(s).__name__ for s in strings)}"


def _counted(halves: list[bool], which: bool) -> str:
    """Which cells are half cells, or are not, in the order given, from 1."""
    there = [str(k + 1) for k, half in enumerate(halves) if half is which]
    return ", ".join(there[:5]) + ", ..." * (len(there) > 5)


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
