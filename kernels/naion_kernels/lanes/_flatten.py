"""A jaxpr as a straight list of operations: calls inlined, dead code removed."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal, Var

Atom = Var | Literal

_CALLS = {
    "jit": "jaxpr",
    "closed_call": "call_jaxpr",
    "core_call": "call_jaxpr",
    "remat": "jaxpr",
    "checkpoint": "jaxpr",
    "custom_jvp_call": "call_jaxpr",
    "custom_vjp_call": "call_jaxpr",
}
_ALIASES = {"stop_gradient", "copy", "optimization_barrier", "reshard"}


@dataclass(eq=False)
class Op:
    """One primitive operation; `bodies` are the sub-programs of control flow."""

    name: str
    inputs: list[Atom]
    outputs: list[Var]
    params: dict[str, Any]
    bodies: list["Block"] = field(default_factory=list)


@dataclass(eq=False)
class Block:
    """Operations in order, from `inputs` to `outputs`."""

    inputs: list[Var]
    outputs: list[Atom]
    ops: list[Op]
    constants: dict[Var, np.ndarray]


def flatten(closed: ClosedJaxpr) -> Block:
    """Inline every call of a closed jaxpr and drop what nothing depends on."""
    jaxpr = closed.jaxpr
    block = Block(list(jaxpr.invars), [], [], {})
    names: dict[Var, Atom] = {v: v for v in jaxpr.invars}
    block.outputs = _inline(closed, names, block)
    alive = {a for a in block.outputs if isinstance(a, Var)}
    kept = []
    for op in reversed(block.ops):
        if not alive.isdisjoint(op.outputs):
            kept.append(op)
            alive.update(a for a in op.inputs if isinstance(a, Var))
    block.ops = kept[::-1]
    return block


def _inline(closed: ClosedJaxpr, names: dict[Var, Atom], block: Block) -> list[Atom]:
    """Append a jaxpr's operations to `block`; `names` says what its inputs are there."""

    def named(atom: Atom) -> Atom:
        return atom if isinstance(atom, Literal) else names[atom]

    for var, value in zip(closed.jaxpr.constvars, closed.consts, strict=True):
        own = names[var] = Var(var.aval)
        block.constants[own] = np.asarray(value)
    for eqn in closed.jaxpr.eqns:
        name, params = eqn.primitive.name, eqn.params
        inputs = [named(a) for a in eqn.invars]
        if name in _ALIASES:
            outputs = inputs
        elif name in _CALLS:
            outputs = _inline_call(params[_CALLS[name]], inputs, block)
        elif name == "custom_linear_solve":
            counts = params["const_lengths"]
            first = counts.matvec + counts.vecmat
            rest = first + counts.solve + counts.transpose_solve
            inputs = inputs[first : first + counts.solve] + inputs[rest:]
            outputs = _inline_call(params["jaxprs"].solve, inputs, block)
        else:
            outputs = [Var(v.aval) for v in eqn.outvars]
            op = Op(name, inputs, outputs, dict(params))
            op.bodies = [flatten(_closed(j)) for j in _bodies(name, params)]
            block.ops.append(op)
        names.update(zip(eqn.outvars, outputs, strict=True))
    return [named(a) for a in closed.jaxpr.outvars]


def _inline_call(jaxpr, inputs: list[Atom], block: Block) -> list[Atom]:
    closed = _closed(jaxpr)
    names = dict(zip(closed.jaxpr.invars, inputs, strict=True))
    return _inline(closed, names, block)


def _closed(jaxpr: Jaxpr | ClosedJaxpr) -> ClosedJaxpr:
    return jaxpr if isinstance(jaxpr, ClosedJaxpr) else ClosedJaxpr(jaxpr, ())


def _bodies(name: str, params: dict[str, Any]) -> list[Any]:
    if name == "while":
        return [params["cond_jaxpr"], params["body_jaxpr"]]
    if name == "scan":
        return [params["jaxpr"]]
    if name == "cond":
        return list(params["branches"])
    return []
