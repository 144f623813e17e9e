"""Operations whose results can be computed element by element."""

import math
from typing import Any

from jax.lax import GatherScatterMode, RoundingMethod

from .._jax import Literal, dtype, shape
from ._flatten import Op
from ._values import Index, Indices, kind, size, wide

FEW = 8
"""Sums of up to this many terms are written out."""

INFIX = {
    "add": "+", "add_any": "+", "sub": "-", "mul": "*",
    "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!=",
    "and": "&", "or": "|", "xor": "^",
}  # fmt: skip
FUNCTIONS = {
    "max": "larger", "min": "smaller", "abs": "magnitude", "div": "quotient_of",
    "rem": "remainder_of",
    "exp": "exp", "exp2": "exp2", "expm1": "expm1", "log": "log", "log1p": "log1p",
    "sqrt": "sqrt", "pow": "pow", "erf": "erf", "logistic": "logistic",
    "sin": "sin", "cos": "cos", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh",
    "tan": "tan", "asin": "asin", "acos": "acos", "atan": "atan", "atan2": "atan2",
    "asinh": "asinh", "acosh": "acosh", "atanh": "atanh", "cbrt": "cbrt",
    "erfc": "erfc", "floor": "floor", "ceil": "ceil", "sign": "sign",
    "is_finite": "is_finite",
}  # fmt: skip
EXACT = {
    *("max", "min", "abs", "div", "rem", "sqrt", "floor", "ceil", "sign", "is_finite"),
}
"""Functions that have one right result."""
_OTHER = {
    "neg", "not", "square", "rsqrt", "integer_pow", "select_n", "clamp", "round",
    "convert_element_type",
}  # fmt: skip
ELEMENTWISE = {*INFIX, *FUNCTIONS, *_OTHER}

_CHOOSING = {
    *("max", "min", "select_n", "clamp", "not", "sign", "floor", "ceil", "round"),
    *("and", "or", "xor", "reduce_max", "reduce_min"),
    *("scatter", "scatter-min", "scatter-max"),
}
"""Results that fit a type if the operands do."""

VIEWS = {
    "broadcast_in_dim",
    "squeeze",
    "transpose",
    "slice",
    "rev",
    "split",
    "unstack",
}

_PICKED = {"iota", "pad", "dynamic_slice", "gather"}


def elementwise(op: Op, a: list[str], type_: str) -> str:
    """C++ for one element, of C++ type `type_`, from those of the operands."""
    name = op.name
    if name in INFIX:
        return f"{a[0]} {INFIX[name]} {a[1]}"
    if name in FUNCTIONS:
        return f"{FUNCTIONS[name]}({', '.join(a)})"
    if name == "neg":
        return f"-{a[0]}"
    if name == "not":
        return f"!{a[0]}" if kind(op.outputs[0]) == "b" else f"~{a[0]}"
    if name == "square":
        return f"{a[0]} * {a[0]}"
    if name == "round":
        even = op.params["rounding_method"] == RoundingMethod.TO_NEAREST_EVEN
        return f"{'rint' if even else 'round'}({a[0]})"
    if name == "rsqrt":
        return f"real(1) / sqrt({a[0]})"
    if name == "integer_pow":
        return _integer_pow(a[0], op.params["y"])
    if name == "clamp":
        return f"smaller(larger({a[1]}, {a[0]}), {a[2]})"
    if name == "select_n":
        which, *cases = a
        if kind(op.inputs[0]) == "b":
            return f"choose<{type_}>({which}, {cases[1]}, {cases[0]})"
        code = cases[-1]
        for i in range(len(cases) - 2, -1, -1):
            code = f"choose<{type_}>({which} <= {i}L, {cases[i]}, {code})"
        return code
    assert name == "convert_element_type", name
    of, to = kind(op.inputs[0]), kind(op.outputs[0])
    if of == to:
        return a[0]
    if (of, to) == ("r", "i"):
        return f"as_int<{_highest(op.outputs[0])}>({a[0]})"
    return f"{ ({'r': 'as_real', 'i': 'as_int', 'b': 'as_bool'}[to]) }({a[0]})"


def may_leave_its_type(op: Op) -> bool:
    """Whether a result may have to be wrapped or rounded to be of its type."""
    return op.name not in _CHOOSING


def _highest(integer: Any) -> str:
    """The largest number of an integer's type, at which XLA's conversions end."""
    return "INT_MAX" if dtype(integer).itemsize == 4 else "LONG_MAX"


def _integer_pow(a: str, y: int) -> str:
    n = abs(y)
    code = " * ".join([a] * n) if 0 < n <= 4 else f"power({a}, {n})"
    return f"real(1) / ({code})" if y < 0 else code


def is_view(op: Op) -> bool:
    """Whether the operation only changes the index at which its operand is read."""
    if op.name == "reshape":
        return wide(op.inputs[0]) == wide(op.outputs[0])
    return op.name in VIEWS


def viewed(op: Op, k: int, index: Indices) -> Indices:
    """Where output `k` of a view at `index` lies in its operand."""
    name, p, n_in = op.name, op.params, shape(op.inputs[0])
    if name == "broadcast_in_dim":
        dims = zip(n_in, p["broadcast_dimensions"], strict=True)
        return tuple(Index() if n == 1 else index[d] for n, d in dims)
    if name == "squeeze":
        kept = iter(index)
        gone = {d % len(n_in) for d in p["dimensions"]}
        return tuple(Index() if d in gone else next(kept) for d in range(len(n_in)))
    if name == "reshape":
        return with_ones(without_ones(index, shape(op.outputs[0])), n_in)
    if name == "transpose":
        back = dict(zip(p["permutation"], index, strict=True))
        return tuple(back[d] for d in range(len(n_in)))
    if name == "slice":
        strides = p["strides"] or (1,) * len(n_in)
        steps = zip(index, strides, p["start_indices"], strict=True)
        return tuple(i * s + b for i, s, b in steps)
    if name == "rev":
        return tuple(
            i * -1 + (n - 1) if d in p["dimensions"] else i
            for d, (i, n) in enumerate(zip(index, n_in, strict=True))
        )
    axis = p["axis"]
    if name == "split":
        before = sum(p["sizes"][:k])
        return tuple(i + before if d == axis else i for d, i in enumerate(index))
    assert name == "unstack", name
    return (*index[:axis], Index(k), *index[axis:])


def without_ones(index: Indices, n: tuple[int, ...]) -> Indices:
    """An index into an array of shape `n`, without its axes of one."""
    return tuple(i for i, m in zip(index, n, strict=True) if m != 1)


def with_ones(index: Indices, n: tuple[int, ...]) -> Indices:
    """The inverse of `without_ones`."""
    rest = iter(index)
    return tuple(Index() if m == 1 else next(rest) for m in n)


def is_contiguous(op: Op) -> bool:
    """Whether the result lies contiguously in its operand, if that does."""
    if op.name in ("squeeze", "reshape"):
        return True
    if op.name == "slice":
        n_in, n_out = shape(op.inputs[0]), shape(op.outputs[0])
        if any(s != 1 for s in op.params["strides"] or ()):
            return False
        cut = [d for d in range(len(n_in)) if n_in[d] != n_out[d]]
        return not cut or all(n == 1 for n in n_out[: max(cut)])
    if op.name in ("split", "unstack"):
        return all(n == 1 for n in shape(op.inputs[0])[: op.params["axis"]])
    if op.name == "broadcast_in_dim":
        return size(op.inputs[0]) == size(op.outputs[0])
    return False


def is_fusible(op: Op) -> bool:
    """Whether single elements of the result can be computed alone."""
    if op.name in ("dot_general", "reduce_sum"):
        return _n_terms(op) <= FEW
    return op.name in ELEMENTWISE or op.name in _PICKED or is_free(op)


def is_free(op: Op) -> bool:
    """Whether an element costs nothing but reading it."""
    return op.name in ("iota", "dynamic_slice", "reshape") or is_view(op)


def _n_terms(op: Op) -> int:
    """How many terms each element of a sum has."""
    n = shape(op.inputs[0])
    if op.name == "reduce_sum":
        return math.prod(n[d] for d in op.params["axes"])
    return math.prod(n[d] for d in op.params["dimension_numbers"][0][0])


def shares_index(op: Op, k: int) -> bool:
    """Whether an element of the result needs just the same element of input `k`."""
    a, out = op.inputs[k], op.outputs[0]
    if isinstance(a, Literal) or wide(a) != wide(out):
        return False
    if op.name == "gather":
        return k == 1 and not op.params["dimension_numbers"].offset_dims
    return op.name in ELEMENTWISE or op.name in (
        "squeeze",
        "reshape",
        "broadcast_in_dim",
    )


def stored_inputs(op: Op) -> list:
    """Inputs that must lie in buffers."""
    if op.name in ("while", "scan"):
        return [a for a in op.inputs if shape(a)]
    if op.name in ("gather", "dynamic_slice"):
        return op.inputs[:1]
    if op.name == "reshape" and not is_view(op):
        return op.inputs[:1]
    return []


FILL = GatherScatterMode.FILL_OR_DROP
"""Reads outside give a fill value, writes outside are dropped."""
