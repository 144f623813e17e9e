"""Between which numbers integers lie: those that stay in their type need no wrapping."""

import math

import numpy as np

from .._jax import Atom, Literal, Var, dtype, shape
from ._elements import is_view
from ._flatten import Block, Op

Range = tuple[int, int]

_KEPT = {"reshape", "reduce_max", "reduce_min", "dynamic_slice"}
_JOINED = {"concatenate", "stack"}


class Ranges:
    """Ranges of the integers of a block."""

    def __init__(self, block: Block):
        self._known: dict[Var, Range] = {}
        for op in block.ops:
            for v in op.outputs:
                if dtype(v).kind in "ib" and (exact := self._exact(op)):
                    self._known[v] = exact if self.fits(v, op) else _all(v)

    def fits(self, v: Var, op: Op) -> bool:
        """Whether the exact result of an operation is in the range of its type."""
        low, high = self._exact(op) or (-math.inf, math.inf)
        least, most = _all(v)
        return least <= low and high <= most

    def _of(self, atom: Atom) -> Range:
        if isinstance(atom, Literal):
            return int(atom.val), int(atom.val)
        return self._known.get(atom) or _all(atom)

    def _exact(self, op: Op) -> Range | None:
        """Of a result before it is wrapped; none where nothing is known."""
        name, p = op.name, op.params
        if name == "iota":
            return 0, max(shape(op.outputs[0])[p["dimension"]] - 1, 0)
        if any(dtype(a).kind not in "ib" for a in op.inputs):
            return None
        of = [self._of(a) for a in op.inputs]
        if is_view(op) or name in _KEPT or name == "convert_element_type":
            return of[0]
        if name in _JOINED:
            return _hull(of)
        if name == "max":
            return _larger(*of)
        if name == "min":
            return _smaller(*of)
        if name == "clamp":
            return _smaller(_larger(of[0], of[1]), of[2])
        if name == "select_n":
            return _hull(of[1:])
        if name == "add":
            return of[0][0] + of[1][0], of[0][1] + of[1][1]
        if name == "sub":
            return of[0][0] - of[1][1], of[0][1] - of[1][0]
        if name == "neg":
            return -of[0][1], -of[0][0]
        if name == "mul":
            ends = [a * b for a in of[0] for b in of[1]]
            return min(ends), max(ends)
        return None


def _all(atom: Atom) -> Range:
    """What a type can hold."""
    if dtype(atom).kind == "b":
        return 0, 1
    info = np.iinfo(dtype(atom))
    return int(info.min), int(info.max)


def _larger(a: Range, b: Range) -> Range:
    return max(a[0], b[0]), max(a[1], b[1])


def _smaller(a: Range, b: Range) -> Range:
    return min(a[0], b[0]), min(a[1], b[1])


def _hull(ranges: list[Range]) -> Range:
    return min(low for low, _ in ranges), max(high for _, high in ranges)
