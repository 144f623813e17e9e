"""Recognise the parameter set from which a cell's numbers come.

A cell holds numbers alone. If it also held names and sources, two cells of equal structure
would need two compiled programs, and a source would remain when its number is changed. So the
source of a number is looked up in the known sets: a number that equals that of a set at the
same place is taken to come from that set.
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
"""Most sets from users' files that are remembered."""

_MET: list[Any] = []
_SHIPPED: list[Callable[[], Iterable[Any]]] = []


class Recognised(NamedTuple):
    """The set that a cell comes from, and what was changed.

    Attributes:
        of: the `ParameterSet`.
        sources: source of each number that is as in the set, by path.
        changed: paths of the numbers that differ from the set.
        working: for a half cell, which of the set's electrodes works in it; else "".
    """

    of: Any
    sources: dict[str, Sourced]
    changed: tuple[str, ...]
    working: str = ""


def remember(found: Any) -> None:
    """Remember a `ParameterSet` that was loaded."""
    if all(found is not other for other in _MET):
        _MET.append(found)
        del _MET[:-MOST]


def ask_of(shipped: Callable[[], Iterable[Any]]) -> None:
    """Register a function that gives all shipped sets, which is called only when needed."""
    _SHIPPED[:] = [shipped]


def recognised(cell: Any) -> Recognised | None:
    """The set that has most numbers in common with a cell, if these are most of its numbers.

    Cells that were fitted or changed are so recognised as the set that they began as. None
    for cells of unknown sets, and where JAX traces the cell.
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
"""Fields of a half cell that do not come from a set."""


def _is_of_set(path: str) -> bool:
    return path.partition(".")[0] not in OF_HALF


def _as_named(cell: Any, side: str) -> dict[str, Named]:
    """Numbers of a set's cell by path.

    Args:
        cell: the cell of the set.
        side: the electrode whose half cell's paths to use; "" for those of the full cell.
    """
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
    """Whether numbers are equal bit by bit, in all of the cells along leading axes."""
    if jax.tree.structure(a.value) != jax.tree.structure(b.value):
        return False
    pairs = zip(jax.tree.leaves(a.value), jax.tree.leaves(b.value), strict=True)
    return all(
        np.shape(x)[axes:] == np.shape(y) and np.all(np.asarray(x) == np.asarray(y))
        for x, y in pairs
    )
