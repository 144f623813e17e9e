"""C++ from a flattened jaxpr: fused loops over arrays of known shape.

An array is either stored in a buffer or never formed: an elementwise result that is
needed once is computed where it is needed, and slices, broadcasts, transposes and the like
only change the index at which their operand is read. Stored results of the same shape
share one loop where their dependencies allow.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jax.extend.core import Literal, Var
from jax.lax import GatherScatterMode

from ._flatten import Atom, Block, Op

FEW = 8
"""Sums of up to this many terms are written out."""

SMALL = 16
"""Arrays of up to this many elements are local variables, larger ones workspace."""

TYPES = {"r": "R", "i": "I", "b": "B"}
WORKSPACE = {"r": "w", "i": "wi", "b": "wb"}


@dataclass(frozen=True)
class Index:
    """An affine integer expression: const + sum coefficient * variable."""

    const: int = 0
    terms: tuple[tuple[str, int], ...] = ()

    def __add__(self, other: "Index | int") -> "Index":
        if isinstance(other, int):
            return Index(self.const + other, self.terms)
        terms = dict(self.terms)
        for name, c in other.terms:
            terms[name] = terms.get(name, 0) + c
        kept = tuple(sorted((n, c) for n, c in terms.items() if c))
        return Index(self.const + other.const, kept)

    def __mul__(self, factor: int) -> "Index":
        if factor == 0:
            return Index()
        return Index(self.const * factor, tuple((n, c * factor) for n, c in self.terms))

    def __str__(self) -> str:
        parts = [n if c == 1 else f"{c}*{n}" for n, c in self.terms]
        if self.const or not parts:
            parts.append(str(self.const))
        return "+".join(parts).replace("+-", "-")


Indices = tuple[Index, ...]


@dataclass(frozen=True)
class Buffer:
    """Contiguous row-major storage."""

    base: str
    shape: tuple[int, ...]
    offset: Index = Index()

    def at(self, index: Sequence[Index]) -> str:
        where, stride = self.offset, 1
        for i, n in zip(reversed(index), reversed(self.shape), strict=True):
            where, stride = where + i * stride, stride * n
        return f"{self.base}[{where}]"

    def overlaps(self, other: "Buffer") -> bool:
        """Whether two buffers share storage."""
        if self.base != other.base:
            return False
        if self.offset.terms or other.offset.terms:
            return True
        first, second = sorted([self, other], key=lambda b: b.offset.const)
        return first.offset.const + math.prod(first.shape) > second.offset.const

    def row(self, i: Index) -> "Buffer":
        size = math.prod(self.shape[1:])
        return Buffer(self.base, self.shape[1:], self.offset + i * size)


@dataclass(frozen=True)
class Scalar:
    """A C++ expression without side effects, usually a name."""

    code: str


Value = Buffer | Scalar


def kind(atom: Atom) -> str:
    dtype = np.dtype(atom.aval.dtype)
    if dtype == bool:
        return "b"
    return "i" if np.issubdtype(dtype, np.integer) else "r"


def shape(atom: Atom) -> tuple[int, ...]:
    return tuple(atom.aval.shape)


def wide(atom: Atom) -> tuple[int, ...]:
    """The shape without axes of one."""
    return tuple(n for n in shape(atom) if n != 1)


def size(atom: Atom) -> int:
    return math.prod(shape(atom))


def literal(value: Any) -> str:
    value = np.asarray(value).item()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"I({value})"
    if math.isnan(value):
        return "R(NAN)"
    if math.isinf(value):
        return "R(INFINITY)" if value > 0 else "R(-INFINITY)"
    return f"R({value!r})"


class Lines:
    """C++ statements of one scope, and the values already computed in it."""

    def __init__(self, program: "Program", depth: int, parent: "Lines | None" = None):
        self.program, self.depth, self.parent = program, depth, parent
        self.text: list[str] = []
        self.known: dict[tuple[Var, Indices], str] = {}

    def add(self, line: str) -> None:
        self.text.append("  " * self.depth + line)

    def let(self, type_: str, code: str) -> str:
        name = self.program.name("t")
        self.add(f"const {type_} {name} = {code};")
        return name

    def find(self, key: tuple[Var, Indices]) -> str | None:
        scope: Lines | None = self
        while scope is not None:
            if key in scope.known:
                return scope.known[key]
            scope = scope.parent
        return None

    def inner(self) -> "Lines":
        return Lines(self.program, self.depth + 1, self)

    def nest(self, shape: Sequence[int], simd: str = "") -> tuple["Lines", Indices]:
        """Open a loop for every dimension; `close` it with the returned scope."""
        scope, index = self, []
        wide = [d for d, n in enumerate(shape) if n != 1]
        for d, n in enumerate(shape):
            if n == 1:
                index.append(Index())
                continue
            i = self.program.name("i")
            if d == wide[-1]:
                scope.add(simd or "#pragma GCC ivdep")
            scope.add(f"for (long {i} = 0; {i} < {n}; ++{i}) {{")
            inner = scope.inner()
            scope, index = inner, [*index, Index(0, ((i, 1),))]
        return scope, tuple(index)

    def close(self, scope: "Lines") -> None:
        """Append the loops opened by `nest`."""
        while scope is not self:
            outer = scope.parent
            assert outer is not None
            outer.text += scope.text
            outer.add("}")
            scope = outer


@dataclass
class Program:
    """What all blocks share: names, workspace, constants."""

    names: int = 0
    used: dict[str, int] = field(default_factory=lambda: {"r": 0, "i": 0, "b": 0})
    most: dict[str, int] = field(default_factory=lambda: {"r": 0, "i": 0, "b": 0})
    constants: dict[tuple, str] = field(default_factory=dict)
    definitions: list[str] = field(default_factory=list)

    def name(self, prefix: str) -> str:
        self.names += 1
        return f"{prefix}{self.names}"

    def buffer(self, kind: str, shape: tuple[int, ...], lines: Lines) -> Buffer:
        n = math.prod(shape)
        if n <= SMALL:
            name = self.name("a")
            lines.add(f"{TYPES[kind]} {name}[{max(n, 1)}];")
            return Buffer(name, shape)
        offset = self.used[kind]
        self.used[kind] += -(-n // 8) * 8
        self.most[kind] = max(self.most[kind], self.used[kind])
        return Buffer(WORKSPACE[kind], shape, Index(offset))

    def constant(self, value: np.ndarray, kind: str) -> Buffer:
        key = (kind, value.shape, value.tobytes())
        if key not in self.constants:
            name = self.constants[key] = self.name("k")
            type_ = {"r": "double", "i": "long", "b": "bool"}[kind]
            if value.size and np.all(value == value.flat[0]) and value.size > 64:
                pass
            items = ",".join(_plain(v) for v in value.ravel())
            n = max(value.size, 1)
            self.definitions.append(f"static const {type_} {name}[{n}] = {{{items}}};")
        return Buffer(self.constants[key], tuple(value.shape))


def _plain(v: Any) -> str:
    v = v.item()
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, float):
        if math.isnan(v):
            return "NAN"
        if math.isinf(v):
            return "INFINITY" if v > 0 else "-INFINITY"
    return repr(v)


# Elementwise operations -----------------------------------------------------------

_BINARY = {"add": "+", "add_any": "+", "sub": "-", "mul": "*"}
_COMPARE = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
_FUNCTIONS = {
    "exp": "exp",
    "exp2": "exp2",
    "log": "log",
    "log1p": "log1p",
    "expm1": "expm1",
    "sqrt": "sqrt",
    "tanh": "tanh",
    "sinh": "sinh",
    "cosh": "cosh",
    "asinh": "asinh",
    "sin": "sin",
    "cos": "cos",
    "logistic": "logistic",
    "floor": "floor",
    "ceil": "ceil",
    "sign": "sign",
    "pow": "pow",
    "max": "larger",
    "min": "smaller",
    "atan2": "atan2",
    "abs": "magnitude",
    "is_finite": "is_finite",
    "erf": "erf",
}


def _elementwise(op: Op, a: list[str]) -> str | None:
    """C++ for an elementwise operation on its arguments' codes."""
    name, out = op.name, kind(op.outputs[0])
    if name in _BINARY:
        return f"{a[0]} {_BINARY[name]} {a[1]}"
    if name in _COMPARE:
        return f"{a[0]} {_COMPARE[name]} {a[1]}"
    if name in _FUNCTIONS:
        return f"{_FUNCTIONS[name]}({', '.join(a)})"
    if name == "div":
        return f"{a[0]} / {a[1]}"
    if name == "rem":
        return f"remainder_of({a[0]}, {a[1]})"
    if name == "neg":
        return f"-{a[0]}"
    if name == "square":
        return f"{a[0]} * {a[0]}"
    if name == "rsqrt":
        return f"R(1) / sqrt({a[0]})"
    if name == "integer_pow":
        return _integer_pow(a[0], op.params["y"])
    if name == "and":
        return f"{a[0]} & {a[1]}"
    if name == "or":
        return f"{a[0]} | {a[1]}"
    if name == "xor":
        return f"{a[0]} ^ {a[1]}"
    if name == "not":
        return f"!{a[0]}" if out == "b" else f"~{a[0]}"
    if name == "select_n":
        which, *cases = a
        if kind(op.inputs[0]) == "b":
            return f"choose<{TYPES[out]}>({which}, {cases[1]}, {cases[0]})"
        code = cases[-1]
        for i in range(len(cases) - 2, -1, -1):
            code = f"choose<{TYPES[out]}>({which} <= I({i}), {cases[i]}, {code})"
        return code
    if name == "clamp":
        return f"smaller(larger({a[1]}, {a[0]}), {a[2]})"
    if name == "convert_element_type":
        source = kind(op.inputs[0])
        if source == out:
            return a[0]
        return f"to_{TYPES[out]}({a[0]})"
    return None


_ELEMENTWISE = {
    *_BINARY,
    *_COMPARE,
    *_FUNCTIONS,
    "div rem neg square rsqrt integer_pow and or xor not select_n clamp".split()[0],
    *"div rem neg square rsqrt integer_pow and or xor not select_n clamp".split(),
    "convert_element_type",
}


def _integer_pow(a: str, y: int) -> str:
    if y == 0:
        return "R(1)"
    n = abs(y)
    if n <= 4:
        code = " * ".join([a] * n)
    else:
        code = f"power({a}, {n})"
    return f"R(1) / ({code})" if y < 0 else code


# Views: operations that only change the index ---------------------------------------


def _view(op: Op, k: int, index: Indices) -> Indices:
    """Where output `k` of a view at `index` lies in its operand."""
    name, p = op.name, op.params
    n_in = shape(op.inputs[0])
    if name == "broadcast_in_dim":
        dims = p["broadcast_dimensions"]
        return tuple(
            Index() if n == 1 else index[d] for n, d in zip(n_in, dims, strict=True)
        )
    if name == "squeeze":
        kept = iter(index)
        gone = {d % len(n_in) for d in p["dimensions"]}
        return tuple(Index() if d in gone else next(kept) for d in range(len(n_in)))
    if name == "reshape":
        wide = (i for i, n in zip(index, shape(op.outputs[0]), strict=True) if n != 1)
        return tuple(Index() if n == 1 else next(wide) for n in n_in)
    if name == "transpose":
        back: list[Index] = [Index()] * len(n_in)
        for i, d in zip(index, p["permutation"], strict=True):
            back[d] = i
        return tuple(back)
    if name == "slice":
        strides = p["strides"] or (1,) * len(n_in)
        starts = p["start_indices"]
        return tuple(
            i * s + b for i, s, b in zip(index, strides, starts, strict=True)
        )
    if name == "rev":
        return tuple(
            i * -1 + (n - 1) if d in p["dimensions"] else i
            for d, (i, n) in enumerate(zip(index, n_in, strict=True))
        )
    if name == "split":
        axis, before = p["axis"], sum(p["sizes"][:k])
        return tuple(i + before if d == axis else i for d, i in enumerate(index))
    if name == "unstack":
        axis = p["axis"]
        return (*index[:axis], Index(k), *index[axis:])
    raise NotImplementedError(name)


_VIEWS = {"broadcast_in_dim", "squeeze", "transpose", "slice", "rev", "split", "unstack"}


def _is_view(op: Op) -> bool:
    if op.name == "reshape":
        wide = [n for n in shape(op.inputs[0]) if n != 1]
        return wide == [n for n in shape(op.outputs[0]) if n != 1]
    return op.name in _VIEWS


def _is_contiguous(op: Op) -> bool:
    """Whether the result of a view lies contiguously in its contiguous operand."""
    if op.name in ("squeeze", "reshape"):
        return True
    if op.name == "slice":
        p, n_in = op.params, shape(op.inputs[0])
        if p["strides"] and any(s != 1 for s in p["strides"]):
            return False
        n_out = shape(op.outputs[0])
        cut = [d for d in range(len(n_in)) if n_in[d] != n_out[d]]
        return not cut or all(n_out[d] == 1 for d in range(max(cut)))
    if op.name in ("split", "unstack"):
        return all(n == 1 for n in shape(op.inputs[0])[: op.params["axis"]])
    if op.name == "broadcast_in_dim":
        return size(op.inputs[0]) == size(op.outputs[0])
    return False


_REDUCTIONS = {
    "reduce_sum": ("R(0)", "{0} + {1}"),
    "reduce_prod": ("R(1)", "{0} * {1}"),
    "reduce_max": ("R(-INFINITY)", "larger({0}, {1})"),
    "reduce_min": ("R(INFINITY)", "smaller({0}, {1})"),
    "reduce_and": ("true", "{0} & {1}"),
    "reduce_or": ("false", "{0} | {1}"),
}


@dataclass(eq=False)
class Unit:
    """A loop over `shape` for several results, a scalar, or (no shape) one operation."""

    op: Op
    results: list[Var]
    shape: tuple[int, ...] | None = None
    is_scalar: bool = False


def _is_fusible(op: Op) -> bool:
    """Whether single elements of the result can be computed alone."""
    if op.name in ("dot_general", "reduce_sum"):
        return _n_terms(op) <= FEW
    return op.name in _ELEMENTWISE or op.name in _CHEAP or _is_view(op)


def _n_terms(op: Op) -> int:
    """How many terms each element of a sum has."""
    n = shape(op.inputs[0])
    if op.name == "reduce_sum":
        return math.prod(n[d] for d in op.params["axes"])
    return math.prod(n[d] for d in op.params["dimension_numbers"][0][0])


def _shares_index(op: Op, k: int) -> bool:
    """Whether an element of the result needs just the same element of input `k`."""
    a, out = op.inputs[k], op.outputs[0]
    if wide(a) != wide(out):
        return False
    if op.name in _ELEMENTWISE:
        return True
    if op.name in ("squeeze", "reshape", "broadcast_in_dim"):
        return True
    return op.name == "gather" and k == 1 and not op.params["dimension_numbers"].offset_dims


class Emitter:
    """Emits one block into a scope, given values of its inputs."""

    def __init__(
        self,
        program: Program,
        block: Block,
        values: Iterable[Value],
        lines: Lines,
        owned: Iterable[Var] = (),
    ):
        self.owned = set(owned)
        self.program, self.block, self.lines = program, block, lines
        self.values: dict[Var, Value] = dict(zip(block.inputs, values, strict=True))
        for var, value in block.constants.items():
            if value.ndim == 0:
                self.values[var] = Scalar(literal(value))
            else:
                self.values[var] = program.constant(value, kind(var))
        self.defined = {v: (op, k) for op in block.ops for k, v in enumerate(op.outputs)}
        self.stored: set[Var] = set()
        self.destination: dict[Var, Buffer] = {}
        self.in_place: dict[Op, bool] = {}
        self.plan()

    # Planning: what is stored, and in which loop -------------------------------------

    def plan(self) -> None:
        readers: dict[Var, list[Op]] = {}
        for op in self.block.ops:
            for a in op.inputs:
                if isinstance(a, Var):
                    readers.setdefault(a, []).append(op)
        self.readers = readers
        for a in self.block.outputs:
            self._store(a)
        for op in self.block.ops:
            for a in _stored_inputs(op):
                self._store(a)
        weight: dict[Var, int] = {}
        for op in reversed(self.block.ops):
            for v in op.outputs:
                uses = 0
                for reader in readers.get(v, []):
                    uses += self._times(v, reader, weight)
                weight[v] = uses
                if not _is_fusible(op):
                    self.stored.add(v)
                elif self._cost(op) and shape(v) == ():
                    self.stored.add(v)
                elif uses > 1 and self._cost(op):
                    self.stored.add(v)
        self._group()

    def _cost(self, op: Op) -> bool:
        return not (_is_view(op) or op.name in ("iota", "reshape", "dynamic_slice"))

    def _times(self, v: Var, reader: Op, weight: dict[Var, int]) -> int:
        """How often a result would be computed for `reader` if it were not stored."""
        if _is_view(reader):
            out = sum(
                weight[o] if o not in self.stored else 1 for o in reader.outputs
            )
            grows = sum(size(o) for o in reader.outputs) > size(v)
            return 2 * out if grows else out
        if reader.name == "dot_general":
            return 2
        if reader.name in ("concatenate", "stack", "gather", "scatter", "scatter-add"):
            return 1
        if reader.name == "pad":
            return weight[reader.outputs[0]]
        return 1

    def _store(self, atom: Atom) -> None:
        """Have `atom` in a buffer, itself or as a part of its operand's."""
        while isinstance(atom, Var) and atom in self.defined:
            op, _ = self.defined[atom]
            contiguous = (_is_view(op) and _is_contiguous(op)) or op.name == "reshape"
            if not contiguous or () in (shape(atom), shape(op.inputs[0])):
                self.stored.add(atom)
                return
            atom = op.inputs[0]

    def _group(self) -> None:
        self.units: list[Unit] = []
        self.place: dict[Var, int] = {}
        self.outside: set[Var] = set()
        open_: dict[tuple[int, ...], list[int]] = {}
        memo: dict[Var, tuple[int, frozenset[int], frozenset[Var]]] = {}

        def reach(atom: Atom) -> tuple[int, frozenset[int], frozenset[Var]]:
            """Units that must come before; loops that may be shared; what is read."""
            if not isinstance(atom, Var) or atom not in self.defined:
                return -1, frozenset(), frozenset()
            if atom in self.place:
                at = self.place[atom]
                if self.units[at].shape is not None and shape(atom):
                    return -1, frozenset([at]), frozenset([atom])
                return at, frozenset(), frozenset([atom])
            if atom not in memo:
                memo[atom] = through(self.defined[atom][0])
            return memo[atom]

        def through(op: Op) -> tuple[int, frozenset[int], frozenset[Var]]:
            before, shared, read = -1, frozenset(), frozenset()
            for k, a in enumerate(op.inputs):
                b, s, r = reach(a)
                if not _shares_index(op, k):
                    b, s = max([b, *s]), frozenset()
                    self.outside |= r
                before, shared, read = max(before, b), shared | s, read | r
            return before, shared, read

        for op in self.block.ops:
            results = [v for v in op.outputs if v in self.stored]
            if not results:
                continue
            before, shared, read = through(op)
            if not _is_fusible(op):
                at = [len(self.units)] * len(results)
                self.units.append(Unit(op, results))
            else:
                at = [self._join(op, v, before, shared, open_) for v in results]
            for v, k in zip(results, at, strict=True):
                self.place[v] = k
                self.outside |= {r for r in read if self.place[r] != k}
        for a in self.block.outputs:
            self.outside |= reach(a)[2]

    def _join(
        self,
        op: Op,
        v: Var,
        before: int,
        shared: frozenset[int],
        open_: dict[tuple[int, ...], list[int]],
    ) -> int:
        """Find or open a loop behind all that `v` depends on; the unit's place."""
        if shape(v):
            groups = open_.setdefault(wide(v), [])
            first = max([before + 1, *shared])
            at = next((g for g in groups if g >= first), None)
            if at is not None:
                self.units[at].results.append(v)
                return at
            groups.append(len(self.units))
        self.units.append(Unit(op, [v], wide(v), is_scalar=not shape(v)))
        return len(self.units) - 1

    def is_read_from(self, v: Var, place: int, update: Op) -> bool:
        """Whether any unit from `place` on reads `v`, except `update` as its operand."""
        if v in self.block.outputs or update.inputs.count(v) > 1:
            return True
        for reader in self.readers.get(v, []):
            if reader is update and v is update.inputs[0]:
                continue
            for out in reader.outputs:
                if out in self.place:
                    if self.place[out] >= place:
                        return True
                elif self.is_read_from(out, place, update):
                    return True
        return False

    # Values -----------------------------------------------------------------------------

    def at(self, atom: Atom, index: Indices, lines: Lines) -> str:
        """C++ for one element."""
        if isinstance(atom, Literal):
            return literal(atom.val)
        value = self.values.get(atom)
        if isinstance(value, Scalar):
            return value.code
        # Operands of elementwise operations may be broadcast along axes of one.
        pairs = zip(index, shape(atom), strict=True)
        index = tuple(Index() if n == 1 else i for i, n in pairs)
        key = (atom, index)
        name = lines.find(key)
        if name is None:
            if value is not None:
                code = value.at(index)
            else:
                code = self._compute(atom, index, lines)
            name = lines.let(TYPES[kind(atom)], code)
            lines.known[key] = name
        return name

    def _compute(self, v: Var, index: Indices, lines: Lines) -> str:
        op, k = self.defined[v]
        if op.name in _ELEMENTWISE:
            args = [self.at(a, index if shape(a) else (), lines) for a in op.inputs]
            code = _elementwise(op, args)
            assert code is not None, op.name
            return code
        if op.name == "reshape" and not _is_view(op):
            return self.buffer(v).at(index)
        if _is_view(op):
            return self.at(op.inputs[0], _view(op, k, index), lines)
        if op.name == "dot_general":
            return _dot_element(self, op, index, lines)
        if op.name == "reduce_sum":
            return _sum_element(self, op, index, lines)
        return _CHEAP[op.name](self, op, index, lines)

    def scalar(self, atom: Atom) -> str:
        """C++ for an atom without dimensions, at the level of the block."""
        return self.at(atom, (), self.lines)

    def buffer(self, atom: Atom) -> Buffer:
        """The buffer of an atom that is stored, itself or within another's."""
        assert isinstance(atom, Var), atom
        value = self.values.get(atom)
        if isinstance(value, Buffer):
            return value
        op, k = self.defined[atom]
        whole = self.buffer(op.inputs[0])
        if op.name == "reshape":
            return Buffer(whole.base, shape(atom), whole.offset)
        start = _view(op, k, (Index(),) * len(shape(atom)))
        where, stride = whole.offset, 1
        for i, n in zip(reversed(start), reversed(whole.shape), strict=True):
            where, stride = where + i * stride, stride * n
        return Buffer(whole.base, shape(atom), where)

    def value(self, atom: Atom) -> Value:
        """A value to hand to an inner block."""
        if isinstance(atom, Literal):
            return Scalar(literal(atom.val))
        if shape(atom) == ():
            return Scalar(self.scalar(atom))
        if (value := self.values.get(atom)) is not None:
            return value
        return self.buffer(atom)

    def new(self, v: Var) -> Buffer:
        if v in self.destination:
            self.values[v] = self.destination[v]
            return self.destination[v]
        buffer = self.program.buffer(kind(v), shape(v), self.lines)
        self.values[v] = buffer
        return buffer

    def fill(self, target: Buffer, atom: Atom) -> None:
        """Copy an atom's elements into a buffer."""
        scope, index = self.lines.nest(target.shape)
        scope.add(f"{target.at(index)} = {self.at(atom, index, scope)};")
        self.lines.close(scope)

    # Emission ---------------------------------------------------------------------------

    def run(self) -> None:
        for unit in self.units:
            if unit.shape is None:
                handler = _OPERATIONS.get(unit.op.name)
                if handler is None:
                    raise NotImplementedError(
                        f"a lane program cannot contain the operation {unit.op.name!r}"
                    )
                handler(self, unit.op)
            elif unit.is_scalar:
                (v,) = unit.results
                self.values[v] = Scalar(self.scalar(v))
            else:
                self._loop(unit.shape, unit.results)

    def _loop(self, shape: tuple[int, ...], results: Sequence[Var]) -> None:
        """One loop that computes several arrays and stores those read outside it."""
        targets = {v: self.new(v) for v in results if v in self.outside}
        for v in targets:
            del self.values[v]
        scope, loops = self.lines.nest(shape)
        scope = scope if shape else self.lines.inner()
        for v in results:
            index = _with_ones(loops, v)
            code = self.at(v, index, scope)
            if v in targets:
                scope.add(f"{targets[v].at(index)} = {code};")
        if shape:
            self.lines.close(scope)
        else:
            self.lines.text += ["{", *scope.text, "}"]
        self.values.update(targets)


def _with_ones(index: Indices, atom: Atom) -> Indices:
    """An index without axes of one, with them."""
    rest = iter(index)
    return tuple(Index() if n == 1 else next(rest) for n in shape(atom))


def _stored_inputs(op: Op) -> list[Atom]:
    """Inputs that must lie in buffers."""
    if op.name in ("while", "scan", "cond"):
        return [a for a in op.inputs if shape(a)]
    if op.name in ("gather", "dynamic_slice"):
        return op.inputs[:1]
    if op.name == "reshape" and not _is_view(op):
        return op.inputs[:1]
    return []


# Operations that read single elements at computed places ---------------------------------


def _iota(e: Emitter, op: Op, index: Indices, lines: Lines) -> str:
    i = index[op.params["dimension"]]
    return f"{TYPES[kind(op.outputs[0])]}({i})"


def _pad(e: Emitter, op: Op, index: Indices, lines: Lines) -> str:
    """One element; those outside the operand are read anywhere and not used."""
    inside, where = [], []
    n_in = shape(op.inputs[0])
    config = op.params["padding_config"]
    for i, n, (low, _, step) in zip(index, n_in, config, strict=True):
        if step:
            raise NotImplementedError("interior padding")
        j = i + -low
        if not j.terms:
            if not 0 <= j.const < n:
                return e.at(op.inputs[1], (), lines)
            where.append(j)
            continue
        name = e.program.name("d")
        lines.add(f"const long {name} = ({j}) < 0 ? 0 : ({j}) >= {n} ? {n - 1} : ({j});")
        inside.append(f"(({j}) >= 0) & (({j}) < {n})")
        where.append(Index(0, ((name, 1),)))
    value = e.at(op.inputs[0], tuple(where), lines)
    if not inside:
        return value
    type_ = TYPES[kind(op.outputs[0])]
    fill = e.at(op.inputs[1], (), lines)
    return f"choose<{type_}>({' & '.join(inside)}, {value}, {fill})"


def _dynamic_slice(e: Emitter, op: Op, index: Indices, lines: Lines) -> str:
    operand, *starts = op.inputs
    sizes = op.params["slice_sizes"]
    where = []
    for i, s, n, m in zip(index, starts, shape(operand), sizes, strict=True):
        where.append(i + _start(e, s, n - m, lines))
    return e.buffer(operand).at(where)


def _start(e: Emitter, atom: Atom, most: int, lines: Lines) -> Index:
    """A start index, clamped to 0 ... most."""
    if most == 0:
        return Index()
    if isinstance(atom, Literal):
        return Index(min(max(int(atom.val), 0), most))
    return _dynamic(e, f"clamped({e.at(atom, (), lines)}, {most})", lines)


def _dynamic(e: Emitter, code: str, lines: Lines) -> Index:
    name = e.program.name("d")
    lines.add(f"const I {name} = {code};")
    return Index(0, ((name, 1),))


def _gather(e: Emitter, op: Op, index: Indices, lines: Lines) -> str:
    operand, indices = op.inputs
    d, p = op.params["dimension_numbers"], op.params
    n = shape(operand)
    batch = [i for k, i in enumerate(index) if k not in d.offset_dims]
    inside = [i for k, i in enumerate(index) if k in d.offset_dims]
    hidden = {*d.collapsed_slice_dims, *d.operand_batching_dims}
    where = [Index()] * len(n)
    for k, i in zip((k for k in range(len(n)) if k not in hidden), inside, strict=True):
        where[k] = i
    pairs = zip(d.operand_batching_dims, d.start_indices_batching_dims, strict=True)
    for k, b in pairs:
        where[k] = batch[b]
    checks = []
    for c, k in enumerate(d.start_index_map):
        start = e.at(indices, (*batch, Index(c)), lines)
        most = n[k] - p["slice_sizes"][k]
        if p["mode"] == GatherScatterMode.PROMISE_IN_BOUNDS:
            code = start
        else:
            code = f"clamped({start}, {most})"
        if p["mode"] == GatherScatterMode.FILL_OR_DROP:
            checks.append(f"({start} >= 0) & ({start} <= {most})")
        where[k] = where[k] + _dynamic(e, code, lines)
    value = e.buffer(operand).at(where)
    if not checks:
        return value
    fill = p["fill_value"]
    if fill is None:
        fill = {"r": float("nan"), "i": np.iinfo(np.int64).min, "b": True}
        fill = fill[kind(operand)]
    type_ = TYPES[kind(operand)]
    return f"choose<{type_}>({' & '.join(checks)}, {value}, {literal(fill)})"


_CHEAP: dict[str, Callable[[Emitter, Op, Indices, Lines], str]] = {
    "iota": _iota,
    "pad": _pad,
    "dynamic_slice": _dynamic_slice,
    "gather": _gather,
    "reshape": lambda e, op, index, lines: e.buffer(op.outputs[0]).at(index),
}


# Operations that fill a buffer -------------------------------------------------------------


def _pieces(e: Emitter, op: Op) -> None:
    """concatenate and stack."""
    (v,) = op.outputs
    axis = op.params.get("dimension", op.params.get("axis", 0))
    target, start = e.new(v), 0
    stacked = op.name == "stack"
    for a in op.inputs:
        n = 1 if stacked else shape(a)[axis]
        size_ = list(shape(v))
        size_[axis] = n
        scope, index = e.lines.nest(size_)
        out = tuple(i + start if d == axis else i for d, i in enumerate(index))
        source = (*index[:axis], *index[axis + 1 :]) if stacked else index
        scope.add(f"{target.at(out)} = {e.at(a, source, scope)};")
        e.lines.close(scope)
        start += n


def _reduce(e: Emitter, op: Op) -> None:
    (a,), (v,) = op.inputs, op.outputs
    axes = {x % len(shape(a)) for x in op.params["axes"]}
    start, combine = _REDUCTIONS[op.name]
    if kind(v) == "i":
        start = {"reduce_sum": "I(0)", "reduce_max": "I(LONG_MIN)"}.get(
            op.name, "I(LONG_MAX)"
        )
    type_ = TYPES[kind(v)]
    kept = [n if d not in axes else 1 for d, n in enumerate(shape(a))]
    gone = [n if d in axes else 1 for d, n in enumerate(shape(a))]
    last = max(d for d, n in enumerate(shape(a)) if n != 1) if size(a) > 1 else 0
    outer_first = last in axes or not shape(v)
    lines = e.lines

    def squeezed(index: Indices) -> Indices:
        return tuple(i for d, i in enumerate(index) if d not in axes)

    def both(i: Indices, j: Indices) -> Indices:
        return tuple(b if d in axes else a for d, (a, b) in enumerate(zip(i, j)))

    if outer_first:
        target = e.new(v) if shape(v) else None
        scope, i = lines.nest(kept, " ")
        acc = e.program.name("s")
        scope.add(f"{type_} {acc} = {start};")
        simd = f"#pragma omp simd reduction(+:{acc})" if op.name == "reduce_sum" else " "
        inner, j = scope.nest(gone, simd)
        inner.add(f"{acc} = {combine.format(acc, e.at(a, both(i, j), inner))};")
        scope.close(inner)
        if target is not None:
            scope.add(f"{target.at(squeezed(i))} = {acc};")
        else:
            e.values[v] = Scalar(acc)
        lines.close(scope)
        return
    target = e.new(v)
    scope, i = lines.nest(kept)
    scope.add(f"{target.at(squeezed(i))} = {start};")
    lines.close(scope)
    outer, j = lines.nest(gone, " ")
    inner, i = outer.nest(kept)
    place = target.at(squeezed(i))
    inner.add(f"{place} = {combine.format(place, e.at(a, both(i, j), inner))};")
    outer.close(inner)
    lines.close(outer)


def _arg_extreme(e: Emitter, op: Op) -> None:
    (a,), (v,), (axis,) = op.inputs, op.outputs, op.params["axes"]
    better = "<" if op.name == "argmin" else ">"
    kept = [n if d != axis else 1 for d, n in enumerate(shape(a))]
    gone = [n if d == axis else 1 for d, n in enumerate(shape(a))]
    target = e.new(v) if shape(v) else None
    scope, i = e.lines.nest(kept, " ")
    best, where = e.program.name("s"), e.program.name("s")
    scope.add(f"{TYPES[kind(a)]} {best} = {e.at(a, i, scope)}; I {where} = I(0);")
    inner, j = scope.nest(gone, " ")
    index = tuple(y if d == axis else x for d, (x, y) in enumerate(zip(i, j)))
    x = e.at(a, index, inner)
    # As in JAX, the first NaN wins.
    inner.add(f"const B c = ({x} {better} {best}) | (({x} != {x}) & ({best} == {best}));")
    inner.add(f"{best} = choose<{TYPES[kind(a)]}>(c, {x}, {best});")
    inner.add(f"{where} = choose<I>(c, I({j[axis]}), {where});")
    scope.close(inner)
    if target is not None:
        out = tuple(x for d, x in enumerate(i) if d != axis)
        scope.add(f"{target.at(out)} = {where};")
    else:
        e.values[v] = Scalar(where)
    e.lines.close(scope)


def _dot_axes(op: Op) -> tuple[list[int], list[int]]:
    """Axes of the two operands of a product that are neither contracted nor batched."""
    (ca, cb), (ba, bb) = op.params["dimension_numbers"]
    a, b = (range(len(shape(x))) for x in op.inputs)
    return (
        [d for d in a if d not in (*ca, *ba)],
        [d for d in b if d not in (*cb, *bb)],
    )


def _dot_term(e: Emitter, op: Op, index: Indices, inner: Indices, lines: Lines) -> str:
    """One product of `dot_general`: for an element of the result, and one contracted."""
    (ca, cb), (ba, bb) = op.params["dimension_numbers"]
    fa, fb = _dot_axes(op)
    x, y = len(ba), len(ba) + len(fa)
    codes = []
    for operand, contracted, batched, free, own in (
        (op.inputs[0], ca, ba, fa, index[x:y]),
        (op.inputs[1], cb, bb, fb, index[y:]),
    ):
        where = [Index()] * len(shape(operand))
        for d, i in [
            *zip(batched, index[:x], strict=True),
            *zip(free, own, strict=True),
            *zip(contracted, inner, strict=True),
        ]:
            where[d] = i
        codes.append(e.at(operand, tuple(where), lines))
    return " * ".join(codes)


def _dot_element(e: Emitter, op: Op, index: Indices, lines: Lines) -> str:
    n = [shape(op.inputs[0])[d] for d in op.params["dimension_numbers"][0][0]]
    inner = (tuple(Index(int(i)) for i in k) for k in np.ndindex(*n))
    return " + ".join(_dot_term(e, op, index, k, lines) for k in inner) or "R(0)"


def _sum_element(e: Emitter, op: Op, index: Indices, lines: Lines) -> str:
    n, axes = shape(op.inputs[0]), sorted(op.params["axes"])
    terms = []
    for k in np.ndindex(*(n[d] for d in axes)):
        rest, gone = iter(index), dict(zip(axes, k, strict=True))
        where = (Index(gone[d]) if d in gone else next(rest) for d in range(len(n)))
        terms.append(e.at(op.inputs[0], tuple(where), lines))
    return " + ".join(terms) or "R(0)"


def _dot_general(e: Emitter, op: Op) -> None:
    """Sums of many products."""
    (a, b), (v,) = op.inputs, op.outputs
    (ca, _), (ba, _) = op.params["dimension_numbers"]
    fa, fb = _dot_axes(op)
    lines = e.lines
    n_batch = [shape(a)[d] for d in ba]
    n_a, n_b = [shape(a)[d] for d in fa], [shape(b)[d] for d in fb]
    n_c = [shape(a)[d] for d in ca]
    if math.prod(n_b) == 1:
        target = e.new(v) if shape(v) else None
        scope, i = lines.nest([*n_batch, *n_a, *n_b], " ")
        acc = e.program.name("s")
        scope.add(f"R {acc} = R(0);")
        inner, j = scope.nest(n_c, f"#pragma omp simd reduction(+:{acc})")
        inner.add(f"{acc} += {_dot_term(e, op, i, j, inner)};")
        scope.close(inner)
        if target is not None:
            scope.add(f"{target.at(i)} = {acc};")
        else:
            e.values[v] = Scalar(acc)
        lines.close(scope)
        return
    target = e.new(v)
    scope, i = lines.nest(shape(v))
    scope.add(f"{target.at(i)} = R(0);")
    lines.close(scope)
    outer, i = lines.nest([*n_batch, *n_a, *n_c], " ")
    inner, j = outer.nest(n_b)
    y = len(n_batch) + len(n_a)
    place = target.at((*i[:y], *j))
    inner.add(f"{place} += {_dot_term(e, op, (*i[:y], *j), i[y:], inner)};")
    outer.close(inner)
    lines.close(outer)


def _updatable(e: Emitter, op: Op) -> Buffer:
    """The buffer an update writes to: the operand's own if nobody reads it again."""
    operand, (v,) = op.inputs[0], op.outputs
    value = e.values.get(operand) if isinstance(operand, Var) else None
    free = operand in e.owned and not e.is_read_from(operand, e.place[v], op)
    if isinstance(value, Buffer) and free and e.destination.get(v, value) == value:
        target = e.values[v] = value
    else:
        target = e.new(v)
        e.fill(target, operand)
    e.owned.add(v)
    return target


def _dynamic_update_slice(e: Emitter, op: Op) -> None:
    operand, update, *starts = op.inputs
    target = _updatable(e, op)
    n, m = shape(operand), shape(update)
    first = [_start(e, s, a - b, e.lines) for s, a, b in zip(starts, n, m, strict=True)]
    scope, index = e.lines.nest(m)
    place = target.at([i + f for i, f in zip(index, first, strict=True)])
    scope.add(f"{place} = {e.at(update, index, scope)};")
    e.lines.close(scope)


def _scatter(e: Emitter, op: Op) -> None:
    operand, indices, updates = op.inputs
    d, mode = op.params["dimension_numbers"], op.params["mode"]
    target = _updatable(e, op)
    n, m = shape(operand), shape(updates)
    hidden = {*d.inserted_window_dims, *d.operand_batching_dims}
    window = [k for k in range(len(n)) if k not in hidden]
    extent = dict(zip(window, (m[k] for k in d.update_window_dims), strict=True))
    loops = [k for k in range(len(m)) if k not in d.update_window_dims]
    # Loop over the batch of updates first: places and checks are the same for a window.
    outer, i = e.lines.nest([m[k] for k in loops], " ")
    where = [Index()] * len(n)
    pairs = zip(d.operand_batching_dims, d.scatter_indices_batching_dims, strict=True)
    for k, b in pairs:
        where[k] = i[b]
    checks = []
    for c, k in enumerate(d.scatter_dims_to_operand_dims):
        start = e.at(indices, (*i, Index(c)), outer)
        most = n[k] - extent.get(k, 1)
        if isinstance(indices, Literal):
            raise NotImplementedError("scatter at a literal")
        if mode == GatherScatterMode.CLIP:
            start = f"clamped({start}, {most})"
        else:
            checks.append(f"({start} >= 0) & ({start} <= {most})")
        where[k] = where[k] + _dynamic(e, start, outer)
    guarded = outer.inner()
    inner, j = guarded.nest([m[k] for k in d.update_window_dims])
    place = list(where)
    for k, jk in zip(window, j, strict=True):
        place[k] = place[k] + jk
    source = [Index()] * len(m)
    for k, x in [*zip(loops, i, strict=True), *zip(d.update_window_dims, j, strict=True)]:
        source[k] = x
    sign = "+=" if op.name == "scatter-add" else "="
    inner.add(f"{target.at(place)} {sign} {e.at(updates, tuple(source), inner)};")
    guarded.close(inner)
    outer.add(f"if ({' & '.join(checks) or 'true'}) {{")
    outer.text += guarded.text
    outer.add("}")
    e.lines.close(outer)


# Control flow ------------------------------------------------------------------------------


def _carry(e: Emitter, atoms: Sequence[Atom], outs: Sequence[Var]) -> list[Value]:
    """Variables for what a loop carries, set to their first values."""
    carry: list[Value] = []
    for a, v in zip(atoms, outs, strict=True):
        if shape(v) == ():
            name = e.program.name("c")
            e.lines.add(f"{TYPES[kind(v)]} {name} = {e.value(a).code};")
            carry.append(Scalar(name))
        else:
            target = e.program.buffer(kind(v), shape(v), e.lines)
            e.fill(target, a)
            carry.append(target)
    return carry


def _assign(inner: Emitter, new: Sequence[Atom], carry: Sequence[Value]) -> None:
    """End an iteration: the block's outputs become the carry."""
    lines = inner.lines
    scalars = []
    pending = []
    for a, old in zip(new, carry, strict=True):
        value = inner.value(a)
        if value == old:
            continue
        if isinstance(old, Scalar):
            assert isinstance(value, Scalar)
            name = lines.let("auto", value.code)
            scalars.append(f"{old.code} = {name};")
        else:
            assert isinstance(value, Buffer)
            pending.append((a, value, old))
    olds = [old for _, _, old in pending]
    copies = []
    for a, value, old in pending:
        if any(value.overlaps(other) for other in olds):
            spare = inner.program.buffer(kind(a), shape(a), lines)
            _copy(lines, spare, value)
            value = spare
        copies.append((old, value))
    for old, value in copies:
        _copy(lines, old, value)
    for line in scalars:
        lines.add(line)


def _copy(lines: Lines, to: Buffer, source: Buffer) -> None:
    scope, index = lines.nest(to.shape)
    scope.add(f"{to.at(index)} = {source.at(index)};")
    lines.close(scope)


def _inner(
    e: Emitter, block: Block, values: Sequence[Value], lines: Lines, owned: Iterable[Var]
) -> Emitter:
    return Emitter(e.program, block, values, lines, owned)


def _owned_carries(block: Block, n_consts: int, n_carry: int) -> list[Var]:
    """Carries whose updates end up as the same carry, and so may be done in place."""
    ops = {v: op for op in block.ops for v in op.outputs}
    owned = []
    for k in range(n_carry):
        start = block.inputs[n_consts + k]
        a = block.outputs[k]
        while isinstance(a, Var) and a in ops:
            op = ops[a]
            if op.name not in ("scatter", "scatter-add", "dynamic_update_slice"):
                break
            a = op.inputs[0]
        if a is start:
            owned.append(start)
    return owned


def _while(e: Emitter, op: Op) -> None:
    cond, body = op.bodies
    n_cond, n_body = op.params["cond_nconsts"], op.params["body_nconsts"]
    cond_consts = [e.value(a) for a in op.inputs[:n_cond]]
    consts = [e.value(a) for a in op.inputs[n_cond : n_cond + n_body]]
    init = op.inputs[n_cond + n_body :]
    carry = _carry(e, init, op.outputs)
    lines = e.lines
    lines.add("while (true) {")
    scope = Lines(e.program, lines.depth + 1)
    used = dict(e.program.used)
    test = _inner(e, cond, [*cond_consts, *carry], scope, ())
    test.run()
    scope.add(f"if (!any({test.value(cond.outputs[0]).code})) break;")
    owned = _owned_carries(body, n_body, len(carry))
    inner = _inner(e, body, [*consts, *carry], scope, owned)
    inner.run()
    _assign(inner, body.outputs, carry)
    e.program.used = used
    lines.text += scope.text
    lines.add("}")
    e.values.update(zip(op.outputs, carry, strict=True))
    e.owned.update(op.outputs)


def _scan(e: Emitter, op: Op) -> None:
    (body,) = op.bodies
    p = op.params
    n_consts, n_carry, length = p["num_consts"], p["num_carry"], p["length"]
    consts = [e.value(a) for a in op.inputs[:n_consts]]
    carry = _carry(e, op.inputs[n_consts : n_consts + n_carry], op.outputs[:n_carry])
    rows = op.inputs[n_consts + n_carry :]
    stacked = [e.new(v) for v in op.outputs[n_carry:]]
    i = e.program.name("i")
    e.lines.add(" ")
    e.lines.add(f"for (long {i} = 0; {i} < {length}; ++{i}) {{")
    at = Index(0, ((i, 1),))
    if p["reverse"]:
        at = at * -1 + (length - 1)
    scope = Lines(e.program, e.lines.depth + 1)
    used = dict(e.program.used)
    x: list[Value] = []
    for a in rows:
        row = e.buffer(a).row(at)
        x.append(row if row.shape else Scalar(scope.let(TYPES[kind(a)], row.at(()))))
    owned = _owned_carries(body, n_consts, n_carry)
    inner = _inner(e, body, [*consts, *carry, *x], scope, owned)
    ys = body.outputs[n_carry:]
    for a, target in zip(ys, stacked, strict=True):
        once = list(body.outputs).count(a) == 1
        if isinstance(a, Var) and a in inner.defined and shape(a) and once:
            inner.destination[a] = target.row(at)
    inner.run()
    for a, target in zip(ys, stacked, strict=True):
        row = target.row(at)
        value = inner.value(a)
        if isinstance(value, Scalar):
            scope.add(f"{row.at(())} = {value.code};")
        elif value != row:
            _copy(scope, row, value)
    _assign(inner, body.outputs[:n_carry], carry)
    e.program.used = used
    e.lines.text += scope.text
    e.lines.add("}")
    e.values.update(zip(op.outputs[:n_carry], carry, strict=True))
    e.owned.update(op.outputs)


_OPERATIONS: dict[str, Callable[[Emitter, Op], None]] = {
    "concatenate": _pieces,
    "stack": _pieces,
    **dict.fromkeys(_REDUCTIONS, _reduce),
    "argmin": _arg_extreme,
    "argmax": _arg_extreme,
    "dot_general": _dot_general,
    "dynamic_update_slice": _dynamic_update_slice,
    "scatter": _scatter,
    "scatter-add": _scatter,
    "while": _while,
    "scan": _scan,
}


def emit(block: Block) -> str:
    """C++ that runs the block for one lane, and its XLA custom call."""
    program = Program()
    lines = Lines(program, 1)
    values: list[Value] = []
    for k, v in enumerate(block.inputs):
        type_ = _external(v)
        lines.add(f"const {type_}* const in{k} = (const {type_}*)in[{k}];")
        if shape(v) == ():
            values.append(Scalar(lines.let(TYPES[kind(v)], f"in{k}[0]")))
        else:
            values.append(Buffer(f"in{k}", shape(v)))
    e = Emitter(program, block, values, lines)
    e.run()
    for k, a in enumerate(block.outputs):
        type_ = _external(a)
        lines.add(f"{type_}* const out{k} = ({type_}*)out[{k}];")
        target = Buffer(f"out{k}", shape(a))
        scope, index = lines.nest(shape(a))
        scope.add(f"{target.at(index)} = {e.at(a, index, scope)};")
        lines.close(scope)
    n_r, n_i, n_b = (program.most[k] for k in "rib")
    return f"""\
#include "lane.hpp"

namespace {{
{_table("input", block.inputs)}
{_table("output", block.outputs)}
const long workspace_bytes = {n_r} * sizeof(R) + {n_i} * sizeof(I) + {n_b} * sizeof(B);
{chr(10).join(program.definitions)}

void run_lane(const void* const* in, void* const* out, void* workspace) {{
  R* const w = (R*)workspace;
  I* const wi = (I*)(w + {n_r});
  B* const wb = (B*)(wi + {n_i});
{chr(10).join(lines.text)}
}}
}}  // namespace

#include "run_cpu.hpp"
"""


def _external(atom: Atom) -> str:
    return _EXTERNAL[np.dtype(atom.aval.dtype).name]


def _table(name: str, atoms: Sequence[Atom]) -> str:
    """Constants that describe operands: their count and their sizes in bytes."""
    items = [np.dtype(a.aval.dtype).itemsize for a in atoms]
    whole = [n * size(a) for n, a in zip(items, atoms, strict=True)]
    return (
        f"const long n_{name}s = {len(items)};\n"
        f"const long {name}_items[] = {{{', '.join(map(str, items + [0]))}}};\n"
        f"const long {name}_bytes[] = {{{', '.join(map(str, whole + [0]))}}};"
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
