"""The primitives that a lane program may contain: of which numbers, and how exactly.

tests/kernels/test_primitives.py compares each by itself with what XLA computes, at the
edges of its numbers.
"""

from collections.abc import Iterator
from typing import NamedTuple

from .._jax import CALLS
from ._arrays import ARRAYS, UPDATES
from ._elements import ELEMENTWISE, EXACT, FUNCTIONS, INFIX, VIEWS
from ._flatten import ALIASES, Op
from ._loops import LOOPS
from ._pick import ELEMENTS
from ._values import kind

_KINDS = {
    **dict.fromkeys(FUNCTIONS, "r"),
    **dict.fromkeys(("add_any", "rsqrt", "round"), "r"),
    **dict.fromkeys(("add", "sub", "mul", "div", "rem", "neg", "abs", "sign"), "ri"),
    **dict.fromkeys(("square", "integer_pow", "clamp"), "ri"),
    **dict.fromkeys(("max", "min"), "rib"),
    **dict.fromkeys(("and", "or", "xor", "not"), "ib"),
    **dict.fromkeys(("reduce_sum", "reduce_prod", "dot_general", "iota"), "ri"),
    **dict.fromkeys(("scatter-add", "scatter-mul"), "ri"),
    **dict.fromkeys(("scatter-min", "scatter-max"), "ri"),
    **dict.fromkeys(("reduce_and", "reduce_or"), "b"),
    "custom_linear_solve": "r",
}
"""Kinds of numbers: "r" real, "i" integer, "b" boolean. What is not here takes all."""

_ULPS = {
    **dict.fromkeys(FUNCTIONS.keys() - EXACT, 4),
    **dict.fromkeys(("rsqrt", "integer_pow"), 4),
    **{"cbrt": 128, "sinh": 512, "cosh": 512, "erfc": 8, "exp2": 512},
}
"""Units in the last place between a result and XLA's; both approximate. XLA computes `exp2`,
`sinh`, `cosh` and `cbrt` from exponentials and powers, whose errors grow with the argument:
native results are within 2 of the exact ones (tests/kernels). What is not here
agrees in every bit, but for sums and products of many terms, whose order is not XLA's."""

_RULES = {
    **dict.fromkeys(ELEMENTWISE, "element by element"),
    **dict.fromkeys((*VIEWS, "reshape"), "another index into its operand"),
    **dict.fromkeys(ELEMENTS, "single elements, where they are read"),
    **dict.fromkeys(ARRAYS, "loops over whole arrays"),
    **dict.fromkeys(
        ("dot_general", "reduce_sum"), "loops; up to 8 terms are written out"
    ),
    **dict.fromkeys(UPDATES, "in place, if nobody reads the operand again"),
    **dict.fromkeys(LOOPS, "a loop; lanes that have ended wait"),
    **dict.fromkeys(CALLS, "inlined"),
    **dict.fromkeys(ALIASES, "gives what it gets"),
    "cond": "all branches and a choice; none may have a `while`",
    "custom_linear_solve": "its solve, inlined",
}

_NAMES = {"r": "real", "i": "integer", "b": "boolean"}


class Primitive(NamedTuple):
    """What a lane program makes of a primitive.

    Attributes:
        name: JAX's.
        rule: how it is computed, in words.
        kinds: of numbers: "r" real, "i" integer, "b" boolean.
        ulps: units in the last place by which results may differ from XLA's.
    """

    name: str
    rule: str
    kinds: str
    ulps: int


def primitives() -> Iterator[Primitive]:
    """All that a lane program may contain, by name."""
    for name in sorted(_RULES):
        rule = _RULES[name]
        if code := INFIX.get(name) or FUNCTIONS.get(name):
            rule += f", `{code}`".replace("|", "\\|")
        yield Primitive(name, rule, _KINDS.get(name, "rib"), _ULPS.get(name, 0))


def check(op: Op) -> None:
    """Refuse what has no rule here.

    Raises:
        NotImplementedError: for an operation, or a kind of numbers, without a rule.
    """
    if op.name not in _RULES:
        raise NotImplementedError(
            f"A lane program cannot contain the operation {op.name!r}."
        )
    allowed = _KINDS.get(op.name, "rib")
    for a in op.inputs:
        if kind(a) not in allowed:
            raise NotImplementedError(
                f"A lane program cannot contain the operation {op.name!r} of "
                f"{_NAMES[kind(a)]} numbers."
            )


def table() -> str:
    """The primitives in Markdown."""
    lines: list[str] = ["| primitive | numbers | rule | from XLA's, ulp |"]
    lines.append("| --- | --- | --- | --- |")
    for p in primitives():
        numbers = ", ".join(_NAMES[k] for k in p.kinds)
        lines.append(f"| `{p.name}` | {numbers} | {p.rule} | {p.ulps} |")
    return "\n".join(lines)


_BEGIN, _END = "<!-- primitives -->\n", "\n<!-- end of primitives -->"


def with_table(text: str) -> str:
    """A text with the table of primitives between its marks.

    Raises:
        ValueError: if it has no marks.
    """
    if _BEGIN not in text or _END not in text:
        raise ValueError(f"The text needs lines {_BEGIN.strip()} and {_END.strip()}.")
    before, rest = text.split(_BEGIN)
    return before + _BEGIN + table() + _END + rest.split(_END)[1]
