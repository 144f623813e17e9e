"""Parameter sets by which the numbers of a cell are recognised.

A cell is numbers alone: names and sources in it would make two cells of one structure two
programs, and would be carried along when numbers change. Where its numbers are from is
therefore asked of the sets: a number that equals the one of a set, at the same place, is
that set's number.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.core import Tracer

from ..physics.kinetics import MetalButlerVolmer
from ._names import Named, named
from ._sourced import Sourced

MOST = 100
"""Sets of users' files that are remembered."""

_MET: list[Any] = []
_SHIPPED: list[Callable[[], Iterable[Any]]] = []


class Recognised(NamedTuple):
    """The set that a cell is of, or was changed from.

    Attributes:
        of: its `ParameterSet`.
        sources: what it says of the numbers that are as in the set, by path.
        changed: paths of numbers that are not.
        working: which of the set's electrodes works in a half cell, or "".
    """

    of: Any
    sources: dict[str, Sourced]
    changed: tuple[str, ...]
    working: str = ""


def remember(found: Any) -> None:
    """Keep a `ParameterSet` that was loaded."""
    if all(found is not other for other in _MET):
        _MET.append(found)
        del _MET[:-MOST]


def ask_of(shipped: Callable[[], Iterable[Any]]) -> None:
    """Where sets are looked for that nobody has loaded."""
    _SHIPPED[:] = [shipped]


def recognised(cell: Any) -> Recognised | None:
    """The set with which a cell has most numbers in common, if that is most of them.

    Cells that were fitted, or changed by hand, are of the set that they began as. None for
    a cell of no set that ships or was read, and where JAX traces the cell.
    """
    if any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(cell)):
        return None
    half = is_half_cell(cell)
    own = {n.dotted: n for n in named(cell) if not half or _is_of_set(n.dotted)}
    axes = np.ndim(cell.area)
    best: tuple[float, Any, dict[str, bool], str, dict[str, Named]]
    best = 0.5, None, {}, "", {}
    for found in _candidates():
        for side in ("negative", "positive") if half else ("",):
            theirs = _as_named(found.cell, side)
            same = {
                path: path in theirs and _equal(n, theirs[path], axes)
                for path, n in own.items()
            }
            share = sum(same.values()) / len(same)
            if share > best[0]:
                best = share, found, same, side, theirs
        if best[0] == 1.0:
            break
    _, found, same, side, theirs = best
    if found is None:
        return None
    known = {s.name: s for s in found.provenance}
    there = {path: theirs[path].dotted for path, equal in same.items() if equal}
    return Recognised(
        found,
        {path: known[name] for path, name in there.items() if name in known},
        tuple(path for path, equal in same.items() if not equal),
        side,
    )


def is_half_cell(cell: Any) -> bool:
    """Whether a cell's negative electrode is metal; see `half_cell`."""
    return isinstance(cell.negative.kinetics, MetalButlerVolmer)


OF_HALF = (
    *("negative", "limits", "published", "thermal", "area", "nominal_capacity"),
    "contact_resistance",
)
"""What a half cell does not have from a set."""


def _is_of_set(path: str) -> bool:
    return path.partition(".")[0] not in OF_HALF


def _as_named(cell: Any, side: str) -> dict[str, Named]:
    """Numbers of a set's cell by path, or by those of a half cell of one electrode."""
    every = {n.dotted: n for n in named(cell)}
    if not side:
        return every
    found = {path: n for path, n in every.items() if not path.startswith("positive.")}
    working = {path: n for path, n in every.items() if path.startswith(f"{side}.")}
    return found | {path.replace(side, "positive", 1): n for path, n in working.items()}


def _candidates() -> Iterable[Any]:
    yield from reversed(_MET)
    for shipped in _SHIPPED:
        yield from shipped()


def _equal(a: Named, b: Named, axes: int) -> bool:
    """Whether all numbers are, bit by bit, of each of the cells along leading axes."""
    if jax.tree.structure(a.value) != jax.tree.structure(b.value):
        return False
    pairs = zip(jax.tree.leaves(a.value), jax.tree.leaves(b.value), strict=True)
    return all(
        np.shape(x)[axes:] == np.shape(y) and np.all(np.asarray(x) == np.asarray(y))
        for x, y in pairs
    )
