"""What of a block is stored, in which loop it is computed, and what varies by lane."""

from dataclasses import dataclass
from fractions import Fraction

from .._jax import Atom, Var, shape
from ._elements import (
    is_contiguous,
    is_free,
    is_fusible,
    is_view,
    shares_index,
    stored_inputs,
)
from ._flatten import Block, Op
from ._values import size, wide

Share = int | Fraction
"""How often elements are computed, as a mean over an array."""


def varying(block: Block, inputs: list[bool]) -> set[Var]:
    """Which variables of a block differ from lane to lane, if `inputs` do."""
    found = {v for v, varies in zip(block.inputs, inputs, strict=True) if varies}
    for op in block.ops:
        flags = zip(op.outputs, _outputs_vary(op, found), strict=True)
        found.update(v for v, varies in flags if varies)
    return found


def _among(atoms: list[Atom], found: set[Var]) -> list[bool]:
    return [isinstance(a, Var) and a in found for a in atoms]


def loop_varying(op: Op, inputs: list[bool]) -> list[bool]:
    """Which inputs of a loop's body vary, given which inputs of the loop do."""
    if op.name == "while":
        cond, body = op.bodies
        first = op.params["cond_nconsts"]
        start = first + op.params["body_nconsts"]
        flags = inputs[first:]
        while True:
            n = start - first
            test = varying(cond, inputs[:first] + flags[n:])
            # Lanes that leave a loop at different times carry different values.
            if _among(cond.outputs, test)[0]:
                return inputs[first:start] + [True] * len(flags[n:])
            found = varying(body, flags)
            out = _among(body.outputs, found)
            new = flags[:n] + [a or b for a, b in zip(flags[n:], out, strict=True)]
            if new == flags:
                return flags
            flags = new
    (body,) = op.bodies
    n, k = op.params["num_consts"], op.params["num_carry"]
    flags = list(inputs)
    while True:
        found = varying(body, flags)
        out = _among(body.outputs[:k], found)
        new = [a or b for a, b in zip(flags[n : n + k], out, strict=True)]
        if new == flags[n : n + k]:
            return flags
        flags[n : n + k] = new


def _outputs_vary(op: Op, found: set[Var]) -> list[bool]:
    inputs = _among(op.inputs, found)
    if op.name == "while":
        flags = loop_varying(op, inputs)
        return flags[op.params["body_nconsts"] :]
    if op.name == "scan":
        (body,) = op.bodies
        within = varying(body, loop_varying(op, inputs))
        return _among(body.outputs, within)
    return [any(inputs)] * len(op.outputs)


@dataclass(eq=False)
class Unit:
    """A loop over `shape` for several results, a scalar, or (no shape) one operation."""

    op: Op
    results: list[Var]
    shape: tuple[int, ...] | None = None
    is_scalar: bool = False


class Plan:
    """What is stored and where it is computed.

    Attributes:
        defined: the operation and output number that make a variable.
        readers: the operations that read a variable.
        stored: variables that have storage or a name of their own; the elements of
            others are computed where they are read.
        units: what to emit, in order.
        place: the unit that computes a stored variable.
        outside: stored variables that are read outside their own unit.
        finished: stored variables that are last read by a unit, by unit.
    """

    def __init__(self, block: Block):
        self.block = block
        self.defined = {
            v: (op, k) for op in block.ops for k, v in enumerate(op.outputs)
        }
        self.readers: dict[Var, list[Op]] = {}
        for op in block.ops:
            for a in op.inputs:
                if isinstance(a, Var):
                    self.readers.setdefault(a, []).append(op)
        self.stored: set[Var] = set()
        for a in block.outputs:
            self._store(a)
        for op in block.ops:
            for a in stored_inputs(op):
                self._store(a)
        self._store_shared()
        self.units: list[Unit] = []
        self.place: dict[Var, int] = {}
        self.outside: set[Var] = set()
        self._group()

    def _store(self, atom: Atom) -> None:
        """Have `atom` in a buffer, its own or a part of its operand's."""
        while isinstance(atom, Var) and atom in self.defined:
            op, _ = self.defined[atom]
            contiguous = (is_view(op) and is_contiguous(op)) or op.name == "reshape"
            if not contiguous or () in (shape(atom), shape(op.inputs[0])):
                self.stored.add(atom)
                return
            atom = op.inputs[0]

    def _store_shared(self) -> None:
        """Store what would otherwise be computed more than once."""
        times: dict[Var, Share] = {}
        for op in reversed(self.block.ops):
            for v in op.outputs:
                readers = self.readers.get(v, [])
                times[v] = sum(self._times(v, reader, times) for reader in readers)
                costs = not is_free(op)
                if not is_fusible(op) or (costs and (times[v] > 1 or not shape(v))):
                    self.stored.add(v)

    def _times(self, v: Var, reader: Op, times: dict[Var, Share]) -> Share:
        """How often elements would be computed for `reader` if they were not stored.

        An average over the elements: slices side by side read each of them once.
        """
        if is_view(reader):
            read = sum(
                size(o) * (1 if o in self.stored else times[o]) for o in reader.outputs
            )
            return Fraction(read, max(size(v), 1))
        grows = reader.name == "pad" and size(reader.outputs[0]) > size(v)
        return 2 if reader.name == "dot_general" or grows else 1

    def _group(self) -> None:
        """Share loops between results of one shape as far as their order allows."""
        open_: dict[tuple[int, ...], list[int]] = {}
        memo: dict[Var, tuple[int, frozenset[int], frozenset[Var]]] = {}

        def reach(atom: Atom) -> tuple[int, frozenset[int], frozenset[Var]]:
            """The last unit that must come before; loops to share; what is read."""
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
                if not shares_index(op, k):
                    b, s = max([b, *s]), frozenset()
                    self.outside |= r
                before, shared, read = max(before, b), shared | s, read | r
            return before, shared, read

        last: dict[Var, int] = {}
        for op in self.block.ops:
            results = [v for v in op.outputs if v in self.stored]
            if not results:
                continue
            before, shared, read = through(op)
            if is_fusible(op):
                first = max([before + 1, *shared])
                at = [self._join(op, v, first, open_) for v in results]
            else:
                at = [len(self.units)] * len(results)
                self.units.append(Unit(op, results))
            for v, k in zip(results, at, strict=True):
                self.place[v] = k
                self.outside |= {r for r in read if self.place[r] != k}
                last |= {r: max(k, last[r]) for r in read} | {v: k}
        for a in self.block.outputs:
            self.outside |= reach(a)[2]
            last |= dict.fromkeys(reach(a)[2], -1)
        self.finished: dict[int, list[Var]] = {}
        for v, k in last.items():
            self.finished.setdefault(k, []).append(v)

    def _join(
        self, op: Op, v: Var, first: int, open_: dict[tuple[int, ...], list[int]]
    ) -> int:
        """Find or open a loop at or behind `first`; the unit's place."""
        if shape(v):
            groups = open_.setdefault(wide(v), [])
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
