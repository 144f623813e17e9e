"""C++ for a block of operations: fused loops over arrays of known shape.

An array is either stored or never formed: an elementwise result that is needed once is
computed where it is needed, and slices, broadcasts, transposes and the like only change
the index at which their operand is read.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .._jax import Atom, Literal, Var, dtype, shape
from ._elements import (
    ELEMENTWISE,
    elementwise,
    is_view,
    may_leave_its_type,
    viewed,
    with_ones,
)
from ._flatten import Block, Op
from ._plan import Plan, varying
from ._ranges import Ranges
from ._values import (
    UNIFORM,
    VARYING,
    Buffer,
    Index,
    Indices,
    Scalar,
    Scope,
    TranslationUnit,
    Value,
    kind,
    literal,
)

INT32, FLOAT32 = np.dtype("int32"), np.dtype("float32")


class Rules(NamedTuple):
    """How operations are written that are more than elementwise, by their names.

    Attributes:
        whole: those that store their results; called with the emitter and the operation.
        element: those of which one element is computed where it is needed; called with
            the emitter, the operation, the index and the scope.
    """

    whole: Mapping[str, Callable[["Emitter", Op], None]]
    element: Mapping[str, Callable[["Emitter", Op, Indices, Scope], str]]


class Emitter:
    """Emits one block into a scope.

    Attributes:
        rules: how its operations are written.
        values: what has been computed.
        destination: storage that some results have to go to.
        owned: variables whose storage may be overwritten once nobody reads them again.
        active: C++ for the lanes that still run, or none for all.
        mask: the same where lanes that do not must keep what the block overwrites.
    """

    def __init__(
        self,
        rules: Rules,
        program: TranslationUnit,
        block: Block,
        values: Sequence[Value],
        varies: Sequence[bool],
        scope: Scope,
        active: str | None = None,
        mask: str | None = None,
        owned: Iterable[Var] = (),
    ):
        self.rules = rules
        self.program, self.block, self.scope = program, block, scope
        self.active, self.mask = active, mask
        self.plan = Plan(block)
        self.ranges = Ranges(block)
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
                self.rules.whole[unit.op.name](self, unit.op)
            elif unit.is_scalar:
                (v,) = unit.results
                self.values[v] = Scalar(self.at(v, (), self.scope))
            else:
                self._loop(unit.shape, unit.results)
            for v in self.plan.finished.get(k, ()):
                self._finish(v)

    def inner(self, *arguments: Any, **options: Any) -> "Emitter":
        """An emitter of the body of a loop; arguments are those of `Emitter`."""
        return Emitter(self.rules, self.program, *arguments, **options)

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
            code = elementwise(op, args, self.type_(v))
            return self.fitted(op, code)
        if is_view(op):
            return self.at(op.inputs[0], viewed(op, k, index), scope)
        if op.name == "reshape":
            return self.buffer(v).at(index)
        return self.rules.element[op.name](self, op, index, scope)

    def fitted(self, op: Op, code: str) -> str:
        """C++ that brings a result to its type: C++ has one of integers, one of reals."""
        if not may_leave_its_type(op):
            return code
        (v,), to = op.outputs, dtype(op.outputs[0])
        if to == INT32 and not self.ranges.fits(v, op):
            return f"as_int32({code})"
        if to == FLOAT32 and self.program.doubles:
            return f"as_float({code})"
        return code

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
