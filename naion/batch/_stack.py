"""Stack many pytrees of one structure into one, in microseconds for each.

It is fast as it goes through all trees side by side, place by place, and stops where all hold
the same object, instead of flattening each tree.
"""

import dataclasses
import functools
import operator
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any, TypeVar

import equinox as eqx
import jax
import numpy as np

Tree = TypeVar("Tree")


def stack(trees: Sequence[Tree]) -> Tree:
    """Stack pytrees of one structure, such as cells, along a leading axis of lanes.

    Arrays that are the same object in all trees become a read-only view of it.

    Args:
        trees: pytrees of equal structure, one or more.

    Raises:
        TypeError: for what is not a list, or trees that hold texts.
        ValueError: for an empty list, or trees of different structure, naming the tree
            and the place that differ.
    """
    if isinstance(trees, eqx.Module | str) or not isinstance(trees, Iterable):
        raise TypeError(
            f"`stack` takes a list of cells, or of others of one kind, got one "
            f"{type(trees).__name__}."
        )
    trees = list(trees)
    if not trees:
        raise ValueError("`stack` got an empty list; a batch needs at least one lane.")
    words = [x for x in jax.tree.leaves(trees[0]) if isinstance(x, str | bytes)]
    if words:
        raise TypeError(
            f"`stack` takes cells, or other trees of numbers, got {words[0]!r:.60}; a set "
            "is loaded with `naion.parameters.load`."
        )
    try:
        leaves = list(_columns(trees, ""))
    except _Unlike:
        raise ValueError(
            "Only trees of one structure can be stacked: cells of one set, with tables "
            f"of equal length. {_first_difference(trees)}"
        ) from None
    return jax.tree.unflatten(jax.tree.structure(trees[0]), leaves)


class _Unlike(Exception):
    """Where two trees differ: the path, and what the first and the other hold there."""


def _first_difference(trees: Sequence[Any]) -> str:
    for i, other in enumerate(trees[1:], start=1):
        try:
            list(_columns([trees[0], other], ""))
        except _Unlike as found:
            path, there, here = found.args
            return (
                f"Tree {i} differs from tree 0 at {path.lstrip('.') or 'its top'}: "
                f"{here} where tree 0 has {there}."
            )
    raise AssertionError("trees that differ differ from the first")


def _columns(nodes: list[Any], path: str) -> Iterator[np.ndarray]:
    """Stacked leaves of all trees, in the order of `jax.tree.leaves`.

    Args:
        nodes: the node at one place of every tree.
        path: path of that place, for messages.
    """
    first, n = nodes[0], len(nodes)
    if _one(nodes):
        for leaf in jax.tree.leaves(first):
            a = np.asarray(leaf)
            yield np.broadcast_to(a, (n, *a.shape))
        return
    if isinstance(first, eqx.Module):
        yield from _of_modules(nodes, path)
        return
    one_level = jax.tree_util.default_registry.flatten_one_level
    flat = [one_level(x) for x in nodes]
    if all(f is None for f in flat):
        yield _stacked(nodes, path)
        return
    _equal([type(x) if f else "a leaf" for x, f in zip(nodes, flat, strict=True)], path)
    children, rest = zip(*((list(f[0]), f[1]) for f in flat if f), strict=True)
    _equal([str(r) for r in rest], path)
    _equal([len(c) for c in children], path)
    names = rest[0] if isinstance(first, dict) else range(len(children[0]))
    for name, column in zip(names, zip(*children, strict=True), strict=True):
        yield from _columns(list(column), f"{path}[{name!r}]")


def _of_modules(nodes: list[Any], path: str) -> Iterator[np.ndarray]:
    """The same for nodes that are equinox modules, which are not flattened but read."""
    _equal(list(map(type, nodes)), path)
    for name, static in _fields(type(nodes[0])):
        # Reading an attribute of a `Module` the usual way takes a microsecond more.
        column = list(map(object.__getattribute__, nodes, repeat(name)))
        if static:
            _equal(column, f"{path}.{name}")
        else:
            yield from _columns(column, f"{path}.{name}")


@functools.cache
def _fields(kind: type) -> tuple[tuple[str, bool], ...]:
    """Names of a module's fields, and whether each is static."""
    fields = dataclasses.fields(kind)
    return tuple((f.name, f.metadata.get("static", False)) for f in fields)


def _equal(column: list[Any], path: str) -> None:
    first = column[0]
    if _one(column):
        return
    for x in column:
        if x is not first and x != first:
            raise _Unlike(path, _word(first), _word(x))


def _one(column: list[Any]) -> bool:
    """Whether all entries are the same object."""
    return all(map(operator.is_, column, repeat(column[0])))


def _word(x: Any) -> str:
    return x.__name__ if isinstance(x, type) else str(x)


def _stacked(column: list[Any], path: str) -> np.ndarray:
    """Leaves as one array; an object that occurs often is converted only once."""
    own = {id(x): x for x in column}
    if 2 * len(own) > len(column):
        return _converted(column, path)
    rows = {name: k for k, name in enumerate(own)}
    return _converted(list(own.values()), path)[[rows[id(x)] for x in column]]


def _converted(leaves: list[Any], path: str) -> np.ndarray:
    first = leaves[0]
    if isinstance(first, jax.Array) and all(
        isinstance(x, jax.Array) and x.aval == first.aval for x in leaves
    ):
        try:  # Joining bytes takes a third of the time, but works in main memory only.
            joined: Any = b"".join(leaves)  # pyright: ignore[reportArgumentType]
            return np.frombuffer(joined, first.dtype).reshape(-1, *first.shape)
        except (TypeError, ValueError, BufferError, RuntimeError):
            pass
    arrays = [np.asarray(x) for x in leaves]
    _equal([f"an array of shape {a.shape}" for a in arrays], path)
    return np.stack(arrays)


def lane_of(tree: Tree, lane: Any) -> Tree:
    """One lane of a stacked tree, or a slice of lanes."""
    return jax.tree.map(lambda a: a[lane], tree)
