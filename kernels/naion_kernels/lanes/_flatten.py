"""A jaxpr as a straight list of operations: calls inlined, dead code removed."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import _jax
from .._jax import Atom, ClosedJaxpr, Equation, Jaxpr, Literal, Var

ALIASES = {"stop_gradient", "copy", "optimization_barrier", "reshard"}
"""Operations that give what they get."""


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
    """Inline every call of a closed jaxpr and drop what nothing depends on.

    Raises:
        NotImplementedError: if it does something else than to compute.
    """
    if kinds := ", ".join(_jax.effects(closed)):
        raise NotImplementedError(f"A lane program cannot have effects ({kinds}).")
    block = Block(_jax.inputs(closed), [], [], {})
    names: dict[Var, Atom] = {v: v for v in block.inputs}
    block.outputs = _inline(closed, names, block)
    _sum_in_place(block)
    _drop_dead(block)
    return block


def _drop_dead(block: Block) -> None:
    alive = {a for a in block.outputs if isinstance(a, Var)}
    kept = []
    for op in reversed(block.ops):
        if not alive.isdisjoint(op.outputs):
            kept.append(op)
            alive.update(a for a in op.inputs if isinstance(a, Var))
    block.ops = kept[::-1]


def _sum_in_place(block: Block) -> None:
    """Let a + scatter(zeros) be a scatter into a.

    So reverse mode sums what it finds about a table: every lookup gives zeros, and a few
    numbers among them, to be added to what other lookups gave.
    """
    made: dict[Var, Op] = {v: op for op in block.ops for v in op.outputs}
    uses = Counter(a for op in block.ops for a in op.inputs if isinstance(a, Var))
    uses.update(a for a in block.outputs if isinstance(a, Var))

    def scatters(atom: Atom) -> list[Op]:
        """What is scattered into zeros to make `atom`, first things first."""
        op = made.get(atom) if isinstance(atom, Var) and uses[atom] == 1 else None
        if op is None or op.name != "scatter-add":
            return []
        if _is_zero(op.inputs[0], made):
            return [op]
        before = scatters(op.inputs[0])
        return [*before, op] if before else []

    ops = []
    for op in block.ops:
        if op.name not in ("add_any", "add"):
            ops.append(op)
            continue
        into, other = op.inputs
        chain = scatters(other)
        if not chain:
            into, chain = other, scatters(into)
        outputs = [_jax.variable_like(op.outputs[0]) for _ in chain[1:]] + op.outputs
        if not chain:
            ops.append(op)
        for scatter, out in zip(chain, outputs, strict=False):
            new = Op(scatter.name, [into, *scatter.inputs[1:]], [out], scatter.params)
            ops.append(new)
            made[out], into = new, out
            uses.setdefault(out, 1)
    block.ops = ops


def _is_zero(atom: Atom, made: dict[Var, Op]) -> bool:
    if isinstance(atom, Literal):
        return bool(np.all(np.asarray(atom.val) == 0.0))
    if atom not in made or made[atom].name != "broadcast_in_dim":
        return False
    return _is_zero(made[atom].inputs[0], made)


def _inline(closed: ClosedJaxpr, names: dict[Var, Atom], block: Block) -> list[Atom]:
    """Append a jaxpr's operations to `block`; `names` says what its inputs are there."""

    def named(atom: Atom) -> Atom:
        return atom if isinstance(atom, Literal) else names[atom]

    for var, value in _jax.constants(closed):
        own = names[var] = _jax.variable_like(var)
        block.constants[own] = np.asarray(value)
    for eqn in _jax.equations(closed):
        inputs, called = [named(a) for a in eqn.inputs], _jax.call(eqn)
        if eqn.name in ALIASES:
            outputs = inputs
        elif called:
            program, own = called
            outputs = _inline_call(program, [inputs[k] for k in own], block)
        elif eqn.name == "cond" and not any(map(_may_not_end, _jax.bodies(eqn))):
            outputs = _inline_branches(eqn, inputs, block)
        else:
            outputs = [_jax.variable_like(v) for v in eqn.outputs]
            op = Op(eqn.name, inputs, outputs, eqn.params)
            op.bodies = [flatten(body) for body in _jax.bodies(eqn)]
            block.ops.append(op)
        names.update(zip(eqn.outputs, outputs, strict=True))
    return [named(a) for a in _jax.outputs(closed)]


def _inline_branches(eqn: Equation, inputs: list[Atom], block: Block) -> list[Atom]:
    """Compute all branches, as lanes may take different ones, and select."""
    which, *operands = inputs
    cases = [_inline_call(branch, operands, block) for branch in _jax.bodies(eqn)]
    outputs: list[Atom] = []
    for v, *values in zip(eqn.outputs, *cases, strict=True):
        out = _jax.variable_like(v)
        block.ops.append(Op("select_n", [which, *values], [out], {}))
        outputs.append(out)
    return outputs


def _may_not_end(branch: Jaxpr | ClosedJaxpr) -> bool:
    """Whether a branch has a loop that may run for ever in lanes that do not take it."""
    return any(
        eqn.name == "while" or any(map(_may_not_end, _jax.programs_within(eqn)))
        for eqn in _jax.equations(branch)
    )


def _inline_call(program: ClosedJaxpr, inputs: list[Atom], block: Block) -> list[Atom]:
    names: dict[Var, Atom] = dict(zip(_jax.inputs(program), inputs, strict=True))
    return _inline(program, names, block)
