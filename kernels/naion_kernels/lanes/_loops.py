"""C++ for loops: while and scan."""

from collections.abc import Sequence

from .._jax import Atom, Var, shape
from ._arrays import UPDATES
from ._emitter import Emitter
from ._flatten import Block, Op
from ._plan import loop_varying
from ._values import (
    UNIFORM,
    VARYING,
    Buffer,
    Index,
    Scalar,
    Value,
    copy,
    kind,
)


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
            if op.name not in UPDATES:
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
    test = e.inner(cond, [*consts[:first], *carry], [*outer_flags, *flags[n:]], scope)
    with e.program.one_iteration():
        test.run()
    goes_on, mask = test.at(cond.outputs[0], (), scope), None
    if test.varies(cond.outputs[0]):
        mask = scope.let("B", f"{goes_on} & {e.active}" if e.active else goes_on)
        goes_on = f"any_of({mask})"
    scope.add(f"if (!{goes_on}) break;")
    inner = e.inner(
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
    inner = e.inner(
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
    e.scope.add(f"ROLLED for (long {i} = 0; {i} < {length}; ++{i}) {{")
    e.scope.lines += scope.lines
    e.scope.add("}")
    _give(e, op.outputs[:k], carry)
    e.owned.update(op.outputs)


LOOPS = {"while": _while, "scan": _scan}
"""By the name of the operation."""
