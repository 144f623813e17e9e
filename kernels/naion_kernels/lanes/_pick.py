"""C++ for single elements: of padded, picked and sliced arrays, and of short sums."""

from collections.abc import Sequence

import numpy as np
from jax.lax import GatherScatterMode

from .._jax import Atom, dtype, shape
from ._elements import FILL
from ._emitter import Emitter
from ._flatten import Op
from ._values import UNIFORM, Index, Indices, Scope, kind, literal


def _iota(e: Emitter, op: Op, index: Indices, scope: Scope) -> str:
    return f"{UNIFORM[kind(op.outputs[0])]}({index[op.params['dimension']]})"


def _pad(e: Emitter, op: Op, index: Indices, scope: Scope) -> str:
    """One element; outside the operand, some element of it is read and not used."""
    operand, filling = op.inputs
    fill = e.at(filling, (), scope)
    inside, where = [], []
    config = op.params["padding_config"]
    for i, n, (low, high, step) in zip(index, shape(operand), config, strict=True):
        if step:
            raise NotImplementedError("A lane program cannot pad between elements.")
        j = i + -low
        if j.terms and (low > 0 or high > 0):
            name = e.program.name("d")
            scope.add(f"const long {name} = clamped({j}, {n - 1});")
            inside.append(f"({name} == ({j}))")
            j = Index(0, ((name, 1),))
        elif not j.terms and not 0 <= j.const < n:
            return fill
        where.append(j)
    value = e.at(operand, tuple(where), scope)
    if not inside:
        return value
    return f"choose<{e.type_(op.outputs[0])}>({' & '.join(inside)}, {value}, {fill})"


def _dynamic_slice(e: Emitter, op: Op, index: Indices, scope: Scope) -> str:
    operand, *starts = op.inputs
    spare = [
        n - m for n, m in zip(shape(operand), op.params["slice_sizes"], strict=True)
    ]
    first = clamped_starts(e, starts, spare, scope)
    return e.buffer(operand).at([i + f for i, f in zip(index, first, strict=True)])


def clamped_starts(
    e: Emitter, atoms: Sequence[Atom], most: Sequence[int], scope: Scope
) -> list[Index]:
    """Start indices, clamped to 0 ... most."""
    return [
        Index()
        if m == 0
        else position(e, f"clamped({e.at(a, (), scope)}, {m})", e.varies(a), scope)
        for a, m in zip(atoms, most, strict=True)
    ]


def position(e: Emitter, code: str, varies: bool, scope: Scope) -> Index:
    """An index that is computed."""
    name = e.program.name("d")
    scope.add(f"const {'I' if varies else 'long'} {name} = {code};")
    term = ((name, 1),)
    return Index(by_lane=term) if varies else Index(terms=term)


def _gather(e: Emitter, op: Op, index: Indices, scope: Scope) -> str:
    operand, indices = op.inputs
    d, mode = op.params["dimension_numbers"], op.params["mode"]
    n = shape(operand)
    batch = [i for k, i in enumerate(index) if k not in d.offset_dims]
    inside = iter(i for k, i in enumerate(index) if k in d.offset_dims)
    hidden = {*d.collapsed_slice_dims, *d.operand_batching_dims}
    where = [Index() if k in hidden else next(inside) for k in range(len(n))]
    pairs = zip(d.operand_batching_dims, d.start_indices_batching_dims, strict=True)
    for k, b in pairs:
        where[k] = batch[b]
    checks = []
    for c, k in enumerate(d.start_index_map):
        start = e.at(indices, (*batch, Index(c)), scope)
        most = n[k] - op.params["slice_sizes"][k]
        if mode == FILL:
            checks.append(f"({start} >= 0) & ({start} <= {most})")
        if mode != GatherScatterMode.PROMISE_IN_BOUNDS:
            start = f"clamped({start}, {most})"
        where[k] = where[k] + position(e, start, e.varies(indices), scope)
    value = e.buffer(operand).at(where)
    if not checks:
        return value
    fill, own = op.params["fill_value"], kind(operand)
    if fill is None:
        least = np.iinfo(dtype(operand)).min if own == "i" else 0
        fill = {"r": float("nan"), "i": least, "b": True}[own]
    fill = literal(fill, own)
    return f"choose<{e.type_(op.outputs[0])}>({' & '.join(checks)}, {value}, {fill})"


def free_axes(op: Op) -> tuple[list[int], list[int]]:
    """Axes of the operands of a product that are neither contracted nor batched."""
    (ca, cb), (ba, bb) = op.params["dimension_numbers"]
    a, b = (range(len(shape(x))) for x in op.inputs)
    return (
        [d for d in a if d not in (*ca, *ba)],
        [d for d in b if d not in (*cb, *bb)],
    )


def dot_term(e: Emitter, op: Op, index: Indices, inner: Indices, scope: Scope) -> str:
    """One product of a `dot_general`, for an element of the result."""
    (ca, cb), (ba, bb) = op.params["dimension_numbers"]
    fa, fb = free_axes(op)
    x, y = len(ba), len(ba) + len(fa)
    codes = []
    for operand, contracted, batched, free, own in (
        (op.inputs[0], ca, ba, fa, index[x:y]),
        (op.inputs[1], cb, bb, fb, index[y:]),
    ):
        where = dict(zip((*batched, *free), (*index[:x], *own), strict=True))
        where |= dict(zip(contracted, inner, strict=True))
        codes.append(e.at(operand, tuple(where[d] for d in sorted(where)), scope))
    return " * ".join(codes)


def _dot_element(e: Emitter, op: Op, index: Indices, scope: Scope) -> str:
    n = [shape(op.inputs[0])[d] for d in op.params["dimension_numbers"][0][0]]
    inner = (tuple(Index(i) for i in k) for k in np.ndindex(*n))
    code = " + ".join(dot_term(e, op, index, k, scope) for k in inner)
    return e.fitted(op, code or f"{e.type_(op.outputs[0])}(0)")


def _sum_element(e: Emitter, op: Op, index: Indices, scope: Scope) -> str:
    n, axes = shape(op.inputs[0]), sorted(op.params["axes"])
    terms = []
    for k in np.ndindex(*(n[d] for d in axes)):
        rest, gone = iter(index), dict(zip(axes, k, strict=True))
        where = [Index(gone[d]) if d in gone else next(rest) for d in range(len(n))]
        terms.append(e.at(op.inputs[0], tuple(where), scope))
    code = " + ".join(terms) or f"{e.type_(op.outputs[0])}(0)"
    return e.fitted(op, code)


ELEMENTS = {
    "iota": _iota,
    "pad": _pad,
    "dynamic_slice": _dynamic_slice,
    "gather": _gather,
    "dot_general": _dot_element,
    "reduce_sum": _sum_element,
}
"""By the name of the operation."""
