"""Where values live in the generated C++: indices, buffers, types, scopes."""

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._jax import Atom, Var, dtype, shape

SMALL = 16
"""Arrays of up to this many elements are local variables, larger ones workspace."""

UNIFORM = {"r": "real", "i": "long", "b": "bool"}
"""C++ types of values that all lanes of a block share, by kind."""

VARYING = {"r": "R", "i": "I", "b": "B"}
"""C++ types of values that differ from lane to lane: one vector for a block of lanes."""

WORKSPACE = {"R": "w", "I": "wi", "B": "wb", "real": "u", "long": "ui", "bool": "ub"}
"""Workspace arrays by type, in the order in which they follow each other: vectors first,
because they need the strictest alignment."""


_KINDS = {
    np.dtype(name): kind
    for kind, names in {
        "r": ("float64", "float32"),
        "i": ("int64", "int32"),
        "b": ("bool",),
    }.items()
    for name in names
}


def kind(atom: Atom) -> str:
    """Real, integer or boolean: "r", "i" or "b".

    Raises:
        NotImplementedError: for numbers that C++ would compute otherwise than XLA.
    """
    stored = dtype(atom)
    if stored not in _KINDS:
        raise NotImplementedError(
            f"A lane program cannot contain numbers of type {stored.name}."
        )
    return _KINDS[stored]


def wide(atom: Atom) -> tuple[int, ...]:
    """The shape without axes of one."""
    return tuple(n for n in shape(atom) if n != 1)


def size(atom: Atom) -> int:
    return math.prod(shape(atom))


@dataclass(frozen=True)
class Index:
    """An integer const + sum coefficient * variable, and a part that varies by lane."""

    const: int = 0
    terms: tuple[tuple[str, int], ...] = ()
    by_lane: tuple[tuple[str, int], ...] = ()

    def __add__(self, other: "Index | int") -> "Index":
        if not isinstance(other, Index):
            return Index(self.const + int(other), self.terms, self.by_lane)
        if not (self.const or self.terms or self.by_lane):
            return other
        return Index(
            self.const + other.const,
            _sum(self.terms, other.terms),
            _sum(self.by_lane, other.by_lane),
        )

    def __mul__(self, factor: int) -> "Index":
        if factor == 1:
            return self
        if factor == 0:
            return _ZERO
        terms, by_lane = (
            tuple((name, c * factor) for name, c in part)
            for part in (self.terms, self.by_lane)
        )
        return Index(self.const * factor, terms, by_lane)

    def __str__(self) -> str:
        """The part that all lanes share."""
        parts = _products(self.terms)
        if self.const or not parts:
            parts.append(str(self.const))
        return "+".join(parts).replace("+-", "-")

    @property
    def lanes(self) -> str:
        """The part that varies by lane, or nothing."""
        return "+".join(_products(self.by_lane)).replace("+-", "-")


_ZERO = Index()


def _sum(a: tuple, b: tuple) -> tuple[tuple[str, int], ...]:
    total = dict(a)
    for name, c in b:
        total[name] = total.get(name, 0) + c
    return tuple(sorted((name, c) for name, c in total.items() if c))


def _products(terms: tuple[tuple[str, int], ...]) -> list[str]:
    return [name if c == 1 else f"{c}*{name}" for name, c in terms]


Indices = tuple[Index, ...]


@dataclass(frozen=True)
class Buffer:
    """Contiguous row-major storage of elements of one C++ type."""

    base: str
    type_: str
    shape: tuple[int, ...]
    offset: Index = Index()

    def place(self, index: Sequence[Index]) -> Index:
        """Position of an element behind `base`."""
        where, stride = self.offset, 1
        for i, n in zip(reversed(index), reversed(self.shape), strict=True):
            where, stride = where + i * stride, stride * n
        return where

    def at(self, index: Sequence[Index]) -> str:
        """C++ for an element; something to assign to unless it varies by lane."""
        where = self.place(index)
        if where.by_lane:
            return f"pick<{self._run(index)}>({self.base} + {where}, {where.lanes})"
        return f"{self.base}[{where}]"

    def _run(self, index: Sequence[Index]) -> int:
        """Length of the run of neighbours that the lanes pick from; 0 if it is none."""
        picked = [(i, n) for i, n in zip(index, self.shape, strict=True) if i.by_lane]
        (_, coefficient), *more = self.place(index).by_lane
        return picked[0][1] if len(picked) == 1 and coefficient == 1 and not more else 0

    def put(self, index: Sequence[Index], value: str, mask: str | None) -> str:
        """C++ that sets an element in the lanes of `mask`."""
        where = self.place(index)
        if where.by_lane:
            lanes = mask or "B(true)"
            return f"put({self.base} + {where}, {where.lanes}, {lanes}, {value});"
        place = f"{self.base}[{where}]"
        if mask is None:
            return f"{place} = {value};"
        return f"{place} = choose<{self.type_}>({mask}, {value}, {place});"

    def part(self, index: Sequence[Index], shape: tuple[int, ...]) -> "Buffer":
        """The contiguous part that begins at `index`."""
        return Buffer(self.base, self.type_, shape, self.place(index))

    def row(self, i: Index) -> "Buffer":
        """Everything at index `i` of the first axis."""
        rest = self.shape[1:]
        return self.part((i, *(Index() for _ in rest)), rest)

    def overlaps(self, other: "Buffer") -> bool:
        """Whether two buffers may share storage."""
        if self.base != other.base:
            return False
        if self.offset.terms or other.offset.terms:
            return True
        first, second = sorted([self, other], key=lambda b: b.offset.const)
        return first.offset.const + math.prod(first.shape) > second.offset.const


@dataclass(frozen=True)
class Scalar:
    """A C++ expression without side effects, usually a name."""

    code: str


Value = Buffer | Scalar


def literal(value: Any, kind: str) -> str:
    """C++ for a number that all lanes share."""
    value = np.asarray(value).item()
    if kind == "b":
        return "true" if value else "false"
    if kind == "i":
        # C++ has no literal of the least one.
        return "LONG_MIN" if value == -(2**63) else f"{int(value)}L"
    value = float(value)
    if math.isnan(value):
        return "real(NAN)"
    if math.isinf(value):
        return f"real({'-' if value < 0 else ''}INFINITY)"
    return f"real({value!r})"


class Workspace:
    """Storage of one type: which intervals of it are free, and the most ever needed."""

    def __init__(self):
        self.free: list[tuple[int, float]] = [(0, math.inf)]
        self.most = 0

    def take(self, n: int) -> int:
        """First position where `n` elements are free."""
        n = -(-n // 8) * 8
        k = next(k for k, (start, end) in enumerate(self.free) if end - start >= n)
        start, end = self.free[k]
        self.free[k : k + 1] = [(start + n, end)] if end - start > n else []
        self.most = max(self.most, start + n)
        return start

    def give_back(self, start: int, n: int) -> None:
        n = -(-n // 8) * 8
        merged: list[tuple[int, float]] = []
        for interval in sorted([*self.free, (start, start + n)]):
            if merged and merged[-1][1] == interval[0]:
                merged[-1] = (merged[-1][0], interval[1])
            else:
                merged.append(interval)
        self.free = merged


@dataclass
class TranslationUnit:
    """What all blocks share: names, workspaces by type, constants and their C++.

    Attributes:
        doubles: whether reals are doubles, as they are if any is; else floats.
    """

    doubles: bool
    names: int = 0
    workspaces: dict[str, Workspace] = field(
        default_factory=lambda: {type_: Workspace() for type_ in WORKSPACE}
    )
    constants: dict[tuple, str] = field(default_factory=dict)
    definitions: list[str] = field(default_factory=list)

    def name(self, prefix: str) -> str:
        self.names += 1
        return f"{prefix}{self.names}"

    def buffer(self, type_: str, shape: tuple[int, ...], scope: "Scope") -> Buffer:
        """New storage."""
        n = math.prod(shape)
        if n <= SMALL:
            name = self.name("a")
            scope.add(f"{type_} {name}[{max(n, 1)}];")
            return Buffer(name, type_, shape)
        offset = self.workspaces[type_].take(n)
        return Buffer(WORKSPACE[type_], type_, shape, Index(offset))

    def release(self, buffer: Buffer) -> None:
        """Say that storage from `buffer` is not needed any more."""
        if buffer.base == WORKSPACE[buffer.type_]:
            n = math.prod(buffer.shape)
            self.workspaces[buffer.type_].give_back(buffer.offset.const, n)

    @contextlib.contextmanager
    def one_iteration(self) -> Iterator[None]:
        """Storage taken inside is free again afterwards."""
        before = {type_: list(w.free) for type_, w in self.workspaces.items()}
        yield
        for type_, free in before.items():
            self.workspaces[type_].free = free

    def constant(self, value: np.ndarray, kind: str) -> Buffer:
        """Storage of known numbers; equal ones are stored once."""
        key = (kind, value.shape, value.tobytes())
        if key not in self.constants:
            name = self.constants[key] = self.name("k")
            items = ", ".join(literal(v, kind) for v in value.ravel()) or "0"
            n = max(value.size, 1)
            self.definitions.append(
                f"CONSTANT {UNIFORM[kind]} {name}[{n}] = {{{items}}};"
            )
        return Buffer(self.constants[key], UNIFORM[kind], tuple(value.shape))


class Scope:
    """C++ statements of one nesting level, and the elements computed there."""

    def __init__(
        self, program: TranslationUnit, depth: int, outer: "Scope | None" = None
    ):
        self.program, self.depth, self.outer = program, depth, outer
        self.lines: list[str] = []
        self.known: dict[tuple[Var, Indices], str] = {}

    def add(self, line: str) -> None:
        self.lines.append("  " * self.depth + line)

    def let(self, type_: str, code: str) -> str:
        """Name a value."""
        name = self.program.name("t")
        self.add(f"const {type_} {name} = {code};")
        return name

    def find(self, key: tuple[Var, Indices]) -> str | None:
        """The name of an element that was computed here or further out."""
        scope: Scope | None = self
        while scope is not None:
            if key in scope.known:
                return scope.known[key]
            scope = scope.outer
        return None

    def inner(self, own: bool = False) -> "Scope":
        """A scope within this one; on its `own`, it knows none of its elements."""
        return Scope(self.program, self.depth + 1, None if own else self)

    def nest(
        self, counts: Sequence[int], pragma: str = "#pragma GCC ivdep"
    ) -> tuple["Scope", Indices]:
        """Open a loop for every count but ones; `close` it with the scope returned.

        Args:
            pragma: put before the innermost loop.
        """
        scope, index = self, []
        innermost = max((d for d, n in enumerate(counts) if n != 1), default=None)
        for d, n in enumerate(counts):
            if n == 1:
                index.append(Index())
                continue
            i = self.program.name("i")
            if d == innermost and pragma:
                scope.add(pragma)
            # Unrolled, a program takes a CUDA compiler minutes.
            rolled = "ROLLED " if n > 3 else ""
            scope.add(f"{rolled}for (long {i} = 0; {i} < {n}; ++{i}) {{")
            scope = scope.inner()
            index.append(Index(0, ((i, 1),)))
        if innermost is None:
            scope.add("{")
            scope = scope.inner()
        return scope, tuple(index)

    def close(self, scope: "Scope") -> None:
        """End the loops that `nest` opened."""
        while scope is not self:
            outer = scope.outer
            assert outer is not None
            outer.lines += scope.lines
            outer.add("}")
            scope = outer


def copy(scope: Scope, to: Buffer, source: Buffer, mask: str | None = None) -> None:
    """Copy storage, in the lanes of `mask`."""
    inner, index = scope.nest(to.shape)
    inner.add(to.put(index, source.at(index), mask))
    scope.close(inner)
