"""C++ for operations that fill whole arrays: pieces, reductions, products, updates."""

import functools as ft

from jax.lax import GatherScatterMode

from .._jax import Var, shape
from ._elements import FILL
from ._emitter import Emitter
from ._flatten import Op
from ._pick import clamped_starts, dot_term, free_axes, position
from ._values import UNIFORM, Buffer, Index, Indices, Scalar, Scope, kind


def _pieces(e: Emitter, op: Op) -> None:
    """concatenate and stack."""
    (v,) = op.outputs
    stacked = op.name == "stack"
    axis = op.params["axis" if stacked else "dimension"]
    target, start = e.new(v), 0
    for a in op.inputs:
        n = 1 if stacked else shape(a)[axis]
        counts = [n if d == axis else m for d, m in enumerate(shape(v))]
        scope, index = e.scope.nest(counts)
        source = (*index[:axis], *index[axis + 1 :]) if stacked else index
        place = tuple(i + start if d == axis else i for d, i in enumerate(index))
        scope.add(target.put(place, e.at(a, source, scope), None))
        e.scope.close(scope)
        start += n


_REDUCTIONS = {
    "reduce_sum": ("0", "{0} + {1}"),
    "reduce_prod": ("1", "{0} * {1}"),
    "reduce_max": ("lowest<{0}>()", "larger({0}, {1})"),
    "reduce_min": ("highest<{0}>()", "smaller({0}, {1})"),
    "reduce_and": ("true", "{0} & {1}"),
    "reduce_or": ("false", "{0} | {1}"),
}


def _reduce(e: Emitter, op: Op) -> None:
    (a,), (v,) = op.inputs, op.outputs
    axes = {x % len(shape(a)) for x in op.params["axes"]}
    first, combine = _REDUCTIONS[op.name]
    type_ = e.type_(v)
    start = f"{type_}({first.format(UNIFORM[kind(v)])})"
    kept = [1 if d in axes else n for d, n in enumerate(shape(a))]
    gone = [n if d in axes else 1 for d, n in enumerate(shape(a))]

    def element(i: Indices, j: Indices, scope: Scope) -> str:
        both = (
            y if d in axes else x for d, (x, y) in enumerate(zip(i, j, strict=True))
        )
        return e.at(a, tuple(both), scope)

    def combined(old: str, new: str) -> str:
        return e.fitted(op, combine.format(old, new))

    def result(i: Indices) -> Indices:
        return tuple(x for d, x in enumerate(i) if d not in axes)

    innermost = max((d for d, n in enumerate(shape(a)) if n != 1), default=0)
    if shape(v) == () or innermost in axes:
        acc = e.program.name("s")
        if shape(v) == ():
            outer, i, target = e.scope, (Index(),) * len(kept), None
            e.values[v] = Scalar(acc)
        else:
            target = e.new(v)
            outer, i = e.scope.nest(kept, "")
        outer.add(f"{type_} {acc} = {start};")
        plain = op.name == "reduce_sum" and not e.varies(v)
        pragma = f"#pragma omp simd reduction(+:{acc})" if plain else ""
        inner, j = outer.nest(gone, pragma)
        inner.add(f"{acc} = {combined(acc, element(i, j, inner))};")
        outer.close(inner)
        if target is not None:
            outer.add(target.put(result(i), acc, None))
            e.scope.close(outer)
        return
    # The kept axes are innermost: run along them, as memory does.
    target = e.new(v)
    scope, i = e.scope.nest(kept)
    scope.add(target.put(result(i), start, None))
    e.scope.close(scope)
    outer, j = e.scope.nest(gone, "")
    inner, i = outer.nest(kept)
    old = target.at(result(i))
    inner.add(target.put(result(i), combined(old, element(i, j, inner)), None))
    outer.close(inner)
    e.scope.close(outer)


def _extreme_index(e: Emitter, op: Op) -> None:
    """argmin and argmax; as in JAX, the first NaN wins."""
    (a,), (v,), (axis,) = op.inputs, op.outputs, op.params["axes"]
    if len(shape(a)) != 1:
        raise NotImplementedError("A lane program takes argmin of vectors only.")
    del axis
    better = "<" if op.name == "argmin" else ">"
    type_, flag = e.type_(a), "B" if e.varies(a) else "bool"
    best, where = e.program.name("s"), e.program.name("s")
    e.scope.add(f"{type_} {best} = {e.at(a, (Index(),), e.scope)};")
    e.scope.add(f"{e.type_(v)} {where} = 0;")
    inner, j = e.scope.nest(shape(a), "")
    x = e.at(a, j, inner)
    wins = f"({x} {better} {best}) | (({x} != {x}) & ({best} == {best}))"
    inner.add(f"const {flag} wins = {wins};")
    inner.add(f"{best} = choose<{type_}>(wins, {x}, {best});")
    inner.add(f"{where} = choose<{e.type_(v)}>(wins, {j[0]}, {where});")
    e.scope.close(inner)
    e.values[v] = Scalar(where)


def _dot_general(e: Emitter, op: Op) -> None:
    """Sums of many products."""
    (a, b), (v,) = op.inputs, op.outputs
    (ca, _), (ba, _) = op.params["dimension_numbers"]
    fa, fb = free_axes(op)
    n_batch, n_a = [shape(a)[d] for d in ba], [shape(a)[d] for d in fa]
    n_b, n_c = [shape(b)[d] for d in fb], [shape(a)[d] for d in ca]
    type_, fit = e.type_(v), ft.partial(e.fitted, op)
    # Sums along rows of the second operand; else rows are added up.
    along_rows = op.params["dimension_numbers"][0][1] == (len(shape(b)) - 1,)
    if along_rows or all(n == 1 for n in n_b):
        acc = e.program.name("s")
        target = e.new(v) if shape(v) else None
        outer, i = e.scope, ()
        if target is None:
            e.values[v] = Scalar(acc)
        else:
            outer, i = e.scope.nest(shape(v), "")
        outer.add(f"{type_} {acc} = 0;")
        pragma = "" if e.varies(v) else f"#pragma omp simd reduction(+:{acc})"
        inner, j = outer.nest(n_c, pragma)
        inner.add(f"{acc} = {fit(f'{acc} + {dot_term(e, op, i, j, inner)}')};")
        outer.close(inner)
        if target is not None:
            outer.add(target.put(i, acc, None))
            e.scope.close(outer)
        return
    target = e.new(v)
    scope, i = e.scope.nest(shape(v))
    scope.add(target.put(i, f"{type_}(0)", None))
    e.scope.close(scope)
    outer, i = e.scope.nest([*n_batch, *n_a, *n_c], "")
    inner, j = outer.nest(n_b)
    y = len(n_batch) + len(n_a)
    place = (*i[:y], *j)
    product = dot_term(e, op, place, i[y:], inner)
    inner.add(target.put(place, fit(f"{target.at(place)} + {product}"), None))
    outer.close(inner)
    e.scope.close(outer)


def _updatable(e: Emitter, op: Op) -> tuple[Buffer, str | None]:
    """Storage that an update may write to, and the lanes in which it may.

    The operand's own if nobody reads it again. Lanes that do not take part must keep it.
    """
    operand, (v,) = op.inputs[0], op.outputs
    e.owned.add(v)
    if isinstance(operand, Var) and operand in e.owned:
        value = e.buffer(operand)
        fits = value.type_ == e.type_(v) and e.destination.get(v, value) == value
        if fits and not e.plan.is_read_from(operand, e.plan.place[v], op):
            if value in e.holders:
                e.hold(v, value)
            else:
                e.values[v] = value
            return value, e.mask
    target = e.new(v)
    e.fill(target, operand)
    return target, None


def _dynamic_update_slice(e: Emitter, op: Op) -> None:
    operand, update, *starts = op.inputs
    target, mask = _updatable(e, op)
    n, m = shape(operand), shape(update)
    spare = [a - b for a, b in zip(n, m, strict=True)]
    first = clamped_starts(e, starts, spare, e.scope)
    scope, index = e.scope.nest(m)
    place = [i + f for i, f in zip(index, first, strict=True)]
    scope.add(target.put(place, e.at(update, index, scope), mask))
    e.scope.close(scope)


_COMBINED = {
    "scatter": "{1}",
    "scatter-add": "{0} + {1}",
    "scatter-mul": "{0} * {1}",
    "scatter-min": "smaller({0}, {1})",
    "scatter-max": "larger({0}, {1})",
}


def _scatter(e: Emitter, op: Op) -> None:
    """Updates one after the other, combined with what is there."""
    operand, indices, updates = op.inputs
    d, mode = op.params["dimension_numbers"], op.params["mode"]
    target, mask = _updatable(e, op)
    n, m = shape(operand), shape(updates)
    hidden = {*d.inserted_window_dims, *d.operand_batching_dims}
    window = [k for k in range(len(n)) if k not in hidden]
    extent = dict(zip(window, (m[k] for k in d.update_window_dims), strict=True))
    loops = [k for k in range(len(m)) if k not in d.update_window_dims]
    outer, i = e.scope.nest([m[k] for k in loops], "")
    where = [Index()] * len(n)
    pairs = zip(d.operand_batching_dims, d.scatter_indices_batching_dims, strict=True)
    for k, b in pairs:
        where[k] = i[b]
    checks, varies = [mask] if mask else [], e.varies(indices)
    for c, k in enumerate(d.scatter_dims_to_operand_dims):
        start = e.at(indices, (*i, Index(c)), outer)
        most = n[k] - extent.get(k, 1)
        if mode != GatherScatterMode.PROMISE_IN_BOUNDS:
            if mode == FILL:
                checks.append(f"({start} >= 0) & ({start} <= {most})")
            start = f"clamped({start}, {most})"
        where[k] = where[k] + position(e, start, varies, outer)
    lanes = None
    if checks:
        lanes = e.program.name("m")
        type_ = "B" if varies or mask else "bool"
        outer.add(f"const {type_} {lanes} = {' & '.join(checks)};")
        outer.add(f"if (any_of({lanes}))")
    inner, j = outer.nest([m[k] for k in d.update_window_dims])
    for k, jk in zip(window, j, strict=True):
        where[k] = where[k] + jk
    source = dict(zip((*loops, *d.update_window_dims), (*i, *j), strict=True))
    value = e.at(updates, tuple(source[k] for k in sorted(source)), inner)
    value = _COMBINED[op.name].format(target.at(where), value)
    value = e.fitted(op, value)
    inner.add(target.put(where, value, lanes))
    outer.close(inner)
    e.scope.close(outer)


ARRAYS = {
    "concatenate": _pieces,
    "stack": _pieces,
    **dict.fromkeys(_REDUCTIONS, _reduce),
    "argmin": _extreme_index,
    "argmax": _extreme_index,
    "dot_general": _dot_general,
    "dynamic_update_slice": _dynamic_update_slice,
    **dict.fromkeys(_COMBINED, _scatter),
}
"""By the name of the operation."""

UPDATES = {*_COMBINED, "dynamic_update_slice"}
"""Operations that change some elements of their first operand."""
