"""Curves given as text, as in BPX files."""

import ast
import operator
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from .._shapes import Alike
from ._curves import AbstractCurve

_OPERATORS: dict[type, Callable] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_FUNCTIONS: dict[str, Callable] = {"exp": jnp.exp, "tanh": jnp.tanh, "cosh": jnp.cosh}


class Expression(AbstractCurve):
    """A curve in the syntax of BPX: numbers, x, + - * / **, exp, tanh and cosh.

    Its numbers are not parameters: they take no derivatives and cannot be fitted.

    Attributes:
        text: such as "0.1 + 2.3 * exp(-4.5 * x)".
    """

    text: str = eqx.field(static=True)

    def __post_init__(self):
        _evaluate(self._tree(), jnp.zeros(()))

    def _tree(self) -> ast.expr:
        try:
            return ast.parse(self.text, mode="eval").body
        except SyntaxError as error:
            raise ValueError(f"{self.text!r} is not an expression: {error}.") from None

    def __call__(self, x: Alike) -> Alike:
        return _evaluate(self._tree(), x) * jnp.ones_like(x)

    def prepared(self) -> AbstractCurve:
        return self


def _evaluate(node: ast.expr, x: Array) -> Any:
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.Name(id="x"):
            return x
        case ast.BinOp(op=op) if type(op) in _OPERATORS:
            left, right = _evaluate(node.left, x), _evaluate(node.right, x)
            return _OPERATORS[type(op)](left, right)
        case ast.UnaryOp(op=op) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_evaluate(node.operand, x))
        case ast.Call(func=ast.Name(id=name), args=[inner]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](_evaluate(inner, x))
    raise ValueError(
        f"{ast.unparse(node)!r} cannot be used in an expression: only numbers, x, "
        f"+ - * / ** and {', '.join(_FUNCTIONS)}."
    )
