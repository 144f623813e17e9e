"""C++ for a block of operations: fused loops over arrays of known shape.

An array is either stored or never formed: an elementwise result that is needed once is
computed where it is needed, and slices, broadcasts, transposes and the like only change
the index at which their operand is read.

One program runs a block of lanes at once. What differs between lanes is a vector with one
entry for each, what does not is a plain number; with blocks of one lane everything is.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from jax.extend.core import Literal, Var
from jax.lax import GatherScatterMode

from ._elements import (
    ELEMENTWISE,
    FILL,
    elementwise,
    is_view,
    viewed,
    with_ones,
)
from ._flatten import Atom, Block, Op
from ._plan import Plan, loop_varying, varying
from ._values import (
    UNIFORM,
    VARYING,
    WORKSPACE,
    Buffer,
    Index,
    Indices,
    Program,
    Scalar,
    Scope,
    Value,
    dtype,
    kind,
    literal,
    shape,
    size,
)


class Emitter:
    """Emits one block into a scope.

    Attributes:
        values: what has been computed.
        destination: storage that some results have to go to.
        owned: variables whose storage may be overwritten once nobody reads them again.
        active: C++ for the lanes that still run, or none for all.
        mask: the same where lanes that do not must keep what the block overwrites.
    """

    def __init__(
        self,
        program: Program,
        block: Block,
        values: Sequence[Value],
        varies: Sequence[bool],
        scope: Scope,
        active: str | None = None,
        mask: str | None = None,
        owned: Iterable[Var] = (),
    ):
        self.program, self.block, self.scope = program, block, scope
        self.active, self.mask = active, mask
        self.plan = Plan(block)
        self.varying = varying(block, list(varies))
        self.values: dict[Var, Value] = dict(zip(block.inputs, values, strict=True))
        for var, value in block.constants.items():
            if value.ndim:
                self.values[var] = program.constant(value, kind(var))
            else:
                self.values[var] = Scalar(literal(value, kind(var)))
        self.destination: dict[Var, Buffer] = {}
        self.owned = set(owned)
        self.holders: dict[Buffer, int] = {}

    def run(self) -> None:
        for k, unit in enumerate(self.plan.units):
            if unit.shape is None:
                _operation(self, unit.op)
            elif unit.is_scalar:
                (v,) = unit.results
                self.values[v] = Scalar(self.at(v, (), self.scope))
            else:
                self._loop(unit.shape, unit.results)
            for v in self.plan.finished.get(k, ()):
                self._finish(v)

    def hold(self, v: Var, buffer: Buffer) -> None:
        """Let `v` be stored in `buffer`, which is to be released when nobody needs it."""
        self.values[v] = buffer
        self.holders[buffer] = self.holders.get(buffer, 0) + 1

    def _finish(self, v: Var) -> None:
        buffer = self.values.get(v)
        if isinstance(buffer, Buffer) and buffer in self.holders:
            self.holders[buffer] -= 1
            if not self.holders[buffer]:
                del self.holders[buffer]
                self.program.release(buffer)

    def _loop(self, counts: tuple[int, ...], results: Sequence[Var]) -> None:
        """One loop that computes several arrays and stores those read outside it."""
        targets = {v: self.new(v) for v in results if v in self.plan.outside}
        for v in targets:
            del self.values[v]  # in the loop, elements have names of their own
        scope, index = self.scope.nest(counts)
        for v in results:
            own = with_ones(index, shape(v))
            code = self.at(v, own, scope)
            if v in targets:
                scope.add(targets[v].put(own, code, None))
        self.scope.close(scope)
        self.values.update(targets)

    # Values -------------------------------------------------------------------------

    def varies(self, atom: Atom) -> bool:
        return isinstance(atom, Var) and atom in self.varying

    def type_(self, atom: Atom) -> str:
        """The C++ type of an element."""
        return (VARYING if self.varies(atom) else UNIFORM)[kind(atom)]

    def at(self, atom: Atom, index: Indices, scope: Scope) -> str:
        """C++ for one element."""
        if isinstance(atom, Literal):
            return literal(atom.val, kind(atom))
        value = self.values.get(atom)
        if isinstance(value, Scalar):
            return value.code
        # Operands of elementwise operations may be broadcast along axes of one.
        pairs = zip(index, shape(atom), strict=True)
        index = tuple(Index() if n == 1 else i for i, n in pairs)
        name = scope.find((atom, index))
        if name is None:
            code = value.at(index) if value else self._compute(atom, index, scope)
            name = scope.let(self.type_(atom), code)
            scope.known[atom, index] = name
        return name

    def _compute(self, v: Var, index: Indices, scope: Scope) -> str:
        op, k = self.plan.defined[v]
        if op.name in ELEMENTWISE:
            args = [self.at(a, index if shape(a) else (), scope) for a in op.inputs]
            return elementwise(op, args, self.type_(v))
        if is_view(op):
            return self.at(op.inputs[0], viewed(op, k, index), scope)
        if op.name == "reshape":
            return self.buffer(v).at(index)
        return _ELEMENTS[op.name](self, op, index, scope)

    def buffer(self, atom: Atom) -> Buffer:
        """The storage of an array that has some, its own or a part of its operand's."""
        assert isinstance(atom, Var), atom
        value = self.values.get(atom)
        if isinstance(value, Buffer):
            return value
        op, k = self.plan.defined[atom]
        whole = self.buffer(op.inputs[0])
        if op.name == "reshape":
            return whole.part((Index(),) * len(whole.shape), shape(atom))
        zero = (Index(),) * len(shape(atom))
        return whole.part(viewed(op, k, zero), shape(atom))

    def value(self, atom: Atom) -> Value:
        """A value to hand to an inner block."""
        if isinstance(atom, Literal) or shape(atom) == ():
            return Scalar(self.at(atom, (), self.scope))
        return self.buffer(atom)

    def new(self, v: Var) -> Buffer:
        """Storage for a result."""
        if v in self.destination:
            new = self.values[v] = self.destination[v]
        else:
            new = self.program.buffer(self.type_(v), shape(v), self.scope)
            self.hold(v, new)
        return new

    def fill(self, target: Buffer, atom: Atom) -> None:
        """Copy an atom's elements into storage."""
        scope, index = self.scope.nest(target.shape)
        scope.add(target.put(index, self.at(atom, index, scope), None))
        self.scope.close(scope)


def copy(scope: Scope, to: Buffer, source: Buffer, mask: str | None = None) -> None:
    """Copy storage, in the lanes of `mask`."""
    inner, index = scope.nest(to.shape)
    inner.add(to.put(index, source.at(index), mask))
    scope.close(inner)


# Single elements -----------------------------------------------------------------------


def _iota(e: Emitter, op: Op, index: Indices, scope: Scope) -> str:
    return f"{UNIFORM[kind(op.outputs[0])]}({index[op.params['dimension']]})"


def _pad(e: Emitter, op: Op, index: Indices, scope: Scope) -> str:
    """One element; outside the operand, some element of it is read and not used."""
    operand, filling = op.inputs
    fill = e.at(filling, (), scope)
    inside, where = [], []
    config = op.params["padding_config"]
    for i, n, (low, _, step) in zip(index, shape(operand), config, strict=True):
        if step:
            raise NotImplementedError("A lane program cannot pad between elements.")
        j = i + -low
        if j.terms:
            name = e.program.name("d")
            scope.add(f"const long {name} = clamped({j}, {n - 1});")
            inside.append(f"({name} == ({j}))")
            j = Index(0, ((name, 1),))
        elif not 0 <= j.const < n:
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
    first = _starts(e, starts, spare, scope)
    return e.buffer(operand).at([i + f for i, f in zip(index, first, strict=True)])


def _starts(
    e: Emitter, atoms: Sequence[Atom], most: Sequence[int], scope: Scope
) -> list[Index]:
    """Start indices, clamped to 0 ... most."""
    return [
        Index()
        if m == 0
        else _position(e, f"clamped({e.at(a, (), scope)}, {m})", e.varies(a), scope)
        for a, m in zip(atoms, most, strict=True)
    ]


def _position(e: Emitter, code: str, varies: bool, scope: Scope) -> Index:
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
        where[k] = where[k] + _position(e, start, e.varies(indices), scope)
    value = e.buffer(operand).at(where)
    if not checks:
        return value
    missing = {"r": float("nan"), "i": np.iinfo(np.int64).min, "b": True}
    fill = op.params["fill_value"]
    own = kind(operand)
    fill = literal(missing[own] if fill is None else fill, own)
    return f"choose<{e.type_(op.outputs[0])}>({' & '.join(checks)}, {value}, {fill})"


def _free_axes(op: Op) -> tuple[list[int], list[int]]:
    """Axes of the operands of a product that are neither contracted nor batched."""
    (ca, cb), (ba, bb) = op.params["dimension_numbers"]
    a, b = (range(len(shape(x))) for x in op.inputs)
    return (
        [d for d in a if d not in (*ca, *ba)],
        [d for d in b if d not in (*cb, *bb)],
    )


def _dot_term(e: Emitter, op: Op, index: Indices, inner: Indices, scope: Scope) -> str:
    """One product of a `dot_general`, for an element of the result."""
    (ca, cb), (ba, bb) = op.params["dimension_numbers"]
    fa, fb = _free_axes(op)
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
    return " + ".join(_dot_term(e, op, index, k, scope) for k in inner) or "real(0)"


def _sum_element(e: Emitter, op: Op, index: Indices, scope: Scope) -> str:
    n, axes = shape(op.inputs[0]), sorted(op.params["axes"])
    terms = []
    for k in np.ndindex(*(n[d] for d in axes)):
        rest, gone = iter(index), dict(zip(axes, k, strict=True))
        where = [Index(gone[d]) if d in gone else next(rest) for d in range(len(n))]
        terms.append(e.at(op.inputs[0], tuple(where), scope))
    return " + ".join(terms) or f"{UNIFORM[kind(op.outputs[0])]}(0)"


_ELEMENTS = {
    "iota": _iota,
    "pad": _pad,
    "dynamic_slice": _dynamic_slice,
    "gather": _gather,
    "dot_general": _dot_element,
    "reduce_sum": _sum_element,
}


# Whole arrays ------------------------------------------------------------------------


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
        inner.add(f"{acc} = {combine.format(acc, element(i, j, inner))};")
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
    inner.add(target.put(result(i), combine.format(old, element(i, j, inner)), None))
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
    fa, fb = _free_axes(op)
    n_batch, n_a = [shape(a)[d] for d in ba], [shape(a)[d] for d in fa]
    n_b, n_c = [shape(b)[d] for d in fb], [shape(a)[d] for d in ca]
    type_ = e.type_(v)
    if all(n == 1 for n in n_b):
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
        inner.add(f"{acc} = {acc} + {_dot_term(e, op, i, j, inner)};")
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
    product = _dot_term(e, op, place, i[y:], inner)
    inner.add(target.put(place, f"{target.at(place)} + {product}", None))
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
    first = _starts(e, starts, spare, e.scope)
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
        where[k] = where[k] + _position(e, start, varies, outer)
    lanes = None
    if checks:
        lanes = e.program.name("m")
        type_ = "B" if varies or mask else "bool"
        outer.add(f"const {type_} {lanes} = {' & '.join(checks)};")
        outer.add(f"if (any({lanes}))")
    inner, j = outer.nest([m[k] for k in d.update_window_dims])
    for k, jk in zip(window, j, strict=True):
        where[k] = where[k] + jk
    source = dict(zip((*loops, *d.update_window_dims), (*i, *j), strict=True))
    value = e.at(updates, tuple(source[k] for k in sorted(source)), inner)
    value = _COMBINED[op.name].format(target.at(where), value)
    inner.add(target.put(where, value, lanes))
    outer.close(inner)
    e.scope.close(outer)


# Loops -------------------------------------------------------------------------------


def _first_carry(
    e: Emitter, init: Sequence[Atom], results: Sequence[Var], varies: Sequence[bool]
) -> list[Value]:
    """Variables for what a loop carries, set to their first values."""
    carry: list[Value] = []
    for a, v, by_lane in zip(init, results, varies, strict=True):
        type_ = (VARYING if by_lane else UNIFORM)[kind(v)]
        if shape(v) == ():
            name = e.program.name("c")
            e.scope.add(f"{type_} {name} = {e.at(a, (), e.scope)};")
            carry.append(Scalar(name))
        else:
            target = e.program.buffer(type_, shape(v), e.scope)
            e.fill(target, a)
            carry.append(target)
    return carry


def _give(e: Emitter, results: Sequence[Var], carry: Sequence[Value]) -> None:
    """After the last iteration, what was carried is the result."""
    for v, value in zip(results, carry, strict=True):
        if isinstance(value, Buffer):
            e.hold(v, value)
        else:
            e.values[v] = value


def _next_carry(inner: Emitter, new: Sequence[Atom], carry: Sequence[Value]) -> None:
    """End an iteration: the block's outputs become the carry, in the lanes that run."""
    scope, program = inner.scope, inner.program
    olds = [old for old in carry if isinstance(old, Buffer)]
    assignments, copies = [], []
    for a, old in zip(new, carry, strict=True):
        value = inner.value(a)
        if value == old:
            continue
        if isinstance(old, Scalar):
            assert isinstance(value, Scalar)
            name = scope.let("auto", value.code)
            assignments.append(f"assign({old.code}, {name}, {inner.mask or 'true'});")
            continue
        assert isinstance(value, Buffer)
        if any(value.overlaps(other) for other in olds):
            spare = program.buffer(value.type_, shape(a), scope)
            copy(scope, spare, value)
            value = spare
        copies.append((old, value))
    for old, value in copies:
        copy(scope, old, value, inner.mask)
    for line in assignments:
        scope.add(line)


def _updated_in_place(block: Block, n_consts: int, n_carry: int) -> list[Var]:
    """Carries that come out of the block as updates of themselves."""
    ops = {v: op for op in block.ops for v in op.outputs}
    found = []
    for first, a in zip(block.inputs[n_consts:], block.outputs[:n_carry], strict=False):
        while isinstance(a, Var) and a in ops:
            op = ops[a]
            if op.name not in (*_COMBINED, "dynamic_update_slice"):
                break
            a = op.inputs[0]
        if a is first:
            found.append(first)
    return found


def _while(e: Emitter, op: Op) -> None:
    cond, body = op.bodies
    first = op.params["cond_nconsts"]
    start = first + op.params["body_nconsts"]
    flags = loop_varying(op, [e.varies(a) for a in op.inputs])
    consts = [e.value(a) for a in op.inputs[:start]]
    outer_flags = [e.varies(a) for a in op.inputs[:first]]
    n = start - first
    carry = _first_carry(e, op.inputs[start:], op.outputs, flags[n:])
    scope = e.scope.inner(own=True)
    test = Emitter(
        e.program, cond, [*consts[:first], *carry], [*outer_flags, *flags[n:]], scope
    )
    with e.program.one_iteration():
        test.run()
    goes_on, mask = test.at(cond.outputs[0], (), scope), None
    if test.varies(cond.outputs[0]):
        mask = scope.let("B", f"{goes_on} & {e.active}" if e.active else goes_on)
        goes_on = f"any({mask})"
    scope.add(f"if (!{goes_on}) break;")
    inner = Emitter(
        e.program,
        body,
        [*consts[first:], *carry],
        flags,
        scope,
        mask or e.active,
        mask,
        _updated_in_place(body, n, len(carry)),
    )
    with e.program.one_iteration():
        inner.run()
        _next_carry(inner, body.outputs, carry)
    e.scope.add("while (true) {")
    e.scope.lines += scope.lines
    e.scope.add("}")
    _give(e, op.outputs, carry)
    e.owned.update(op.outputs)


def _scan(e: Emitter, op: Op) -> None:
    (body,) = op.bodies
    p = op.params
    n, k, length = p["num_consts"], p["num_carry"], p["length"]
    flags = loop_varying(op, [e.varies(a) for a in op.inputs])
    consts = [e.value(a) for a in op.inputs[:n]]
    carry = _first_carry(e, op.inputs[n : n + k], op.outputs[:k], flags[n : n + k])
    stacked = [e.new(v) for v in op.outputs[k:]]
    scope = e.scope.inner(own=True)
    i = e.program.name("i")
    at = Index(0, ((i, 1),))
    at = at * -1 + (length - 1) if p["reverse"] else at
    rows: list[Value] = []
    for a in op.inputs[n + k :]:
        row = e.buffer(a).row(at)
        rows.append(row if row.shape else Scalar(scope.let(e.type_(a), row.at(()))))
    inner = Emitter(
        e.program,
        body,
        [*consts, *carry, *rows],
        flags,
        scope,
        e.active,
        owned=_updated_in_place(body, n, k),
    )
    for a, target in zip(body.outputs[k:], stacked, strict=True):
        if not isinstance(a, Var) or a not in inner.plan.defined or not shape(a):
            continue
        if body.outputs.count(a) == 1 and inner.type_(a) == target.type_:
            inner.destination[a] = target.row(at)
    with e.program.one_iteration():
        inner.run()
        for a, target in zip(body.outputs[k:], stacked, strict=True):
            row, value = target.row(at), inner.value(a)
            if isinstance(value, Scalar):
                scope.add(row.put((), value.code, None))
            elif value != row:
                copy(scope, row, value)
        _next_carry(inner, body.outputs[:k], carry)
    e.scope.add(f"for (long {i} = 0; {i} < {length}; ++{i}) {{")
    e.scope.lines += scope.lines
    e.scope.add("}")
    _give(e, op.outputs[:k], carry)
    e.owned.update(op.outputs)


_OPERATIONS = {
    "concatenate": _pieces,
    "stack": _pieces,
    **dict.fromkeys(_REDUCTIONS, _reduce),
    "argmin": _extreme_index,
    "argmax": _extreme_index,
    "dot_general": _dot_general,
    "dynamic_update_slice": _dynamic_update_slice,
    **dict.fromkeys(_COMBINED, _scatter),
    "while": _while,
    "scan": _scan,
}


def _operation(e: Emitter, op: Op) -> None:
    handler = _OPERATIONS.get(op.name)
    if handler is None:
        raise NotImplementedError(
            f"A lane program cannot contain the operation {op.name!r}. Add it to "
            "naion_kernels.lanes, or switch kernels off with NAION_KERNELS=off."
        )
    handler(e, op)


# The whole program -----------------------------------------------------------------------


def emit(block: Block, shared: Sequence[bool], width: int) -> str:
    """C++ that runs the block for lanes, and the XLA custom call that does so.

    Args:
        shared: which inputs are the same for all lanes.
        width: how many lanes run at once.
    """
    program = Program()
    scope = Scope(program, 1)
    varies = [width > 1 and not s for s in shared]
    values: list[Value] = []
    for k, (v, by_lane) in enumerate(zip(block.inputs, varies, strict=True)):
        type_ = _EXTERNAL[dtype(v).name]
        own = (VARYING if by_lane else UNIFORM)[kind(v)]
        scope.add(f"const {type_}* const in{k} = (const {type_}*)in[{k}];")
        source = Buffer(f"in{k}", own, shape(v))
        if by_lane or own != {"double": "real"}.get(type_, type_):
            target = program.buffer(own, shape(v), scope)
            inner, index = scope.nest(shape(v))
            where = source.place(index)
            code = f"load<{own}>(in{k} + {where}, in_step[{k}], lanes)"
            inner.add(target.put(index, code, None))
            scope.close(inner)
            source = target
        if shape(v) == ():
            source = Scalar(scope.let(own, source.at(())))
        values.append(source)
    e = Emitter(program, block, values, varies, scope)
    e.run()
    for k, a in enumerate(block.outputs):
        type_ = _EXTERNAL[dtype(a).name]
        scope.add(f"{type_}* const out{k} = ({type_}*)out[{k}];")
        inner, index = scope.nest(shape(a))
        where = Buffer("", "", shape(a)).place(index)
        value = e.at(a, index, inner)
        inner.add(f"save(out{k} + {where}, out_step[{k}], lanes, {value});")
        scope.close(inner)
    layout, before = [], "(char*)workspace"
    for type_, name in WORKSPACE.items():
        layout.append(f"  {type_}* const {name} = ({type_}*)({before});")
        before = f"{name} + {program.workspaces[type_].most}"
    total = " + ".join(
        f"{w.most} * sizeof({type_})" for type_, w in program.workspaces.items()
    )
    floats = {dtype(a) for a in (*block.inputs, *block.outputs)}
    real = "double" if np.dtype(np.float64) in floats else "float"
    return "\n".join(
        [
            f"#define WIDTH {width}",
            f"#define REAL_BITS {64 if real == 'double' else 32}",
            f"typedef {real} real;",
            '#include "lane.hpp"',
            "namespace {",
            _table("input", block.inputs),
            _table("output", block.outputs),
            f"const long workspace_bytes = {total};",
            *program.definitions,
            "void run_block(const char* const* in, const long* in_step, char* const* out,",
            "               const long* out_step, long lanes, void* workspace) {",
            *layout,
            *scope.lines,
            "}",
            "}  // namespace",
            '#include "run_cpu.hpp"',
            "",
        ]
    )


def _table(name: str, atoms: Sequence[Atom]) -> str:
    """Constants that describe operands: their count and their sizes in bytes."""
    items = [dtype(a).itemsize for a in atoms]
    whole = [n * size(a) for n, a in zip(items, atoms, strict=True)]
    return (
        f"const long n_{name}s = {len(items)};\n"
        f"const long {name}_items[] = {{{', '.join(map(str, [*items, 0]))}}};\n"
        f"const long {name}_bytes[] = {{{', '.join(map(str, [*whole, 0]))}}};"
    )


_EXTERNAL = {
    "float64": "double",
    "float32": "float",
    "int64": "long",
    "int32": "int",
    "uint32": "unsigned",
    "uint8": "unsigned char",
    "bool": "bool",
}
