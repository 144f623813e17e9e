"""The whole C++ of a lane program, from the block of operations that a lane does.

One program runs a block of lanes at once. What differs between lanes is a vector with one
entry for each, what does not is a plain number; with blocks of one lane everything is.
"""

from collections.abc import Sequence

import numpy as np

from .._jax import Atom, dtype, shape
from ._arrays import ARRAYS
from ._emitter import Emitter, Rules
from ._flatten import Block
from ._loops import LOOPS
from ._pick import ELEMENTS
from ._primitives import check
from ._values import (
    UNIFORM,
    VARYING,
    WORKSPACE,
    Buffer,
    Scalar,
    Scope,
    TranslationUnit,
    Value,
    kind,
    size,
)


def emit(
    block: Block, uniform: Sequence[bool], width: int, runner: str = "run_cpu.hpp"
) -> str:
    """C++ that runs the block for lanes, and the XLA custom call that does so.

    Args:
        block: what a lane does.
        uniform: which inputs are the same for all lanes that run at once.
        width: how many lanes a thread runs at once.
        runner: header that runs the program over all lanes.
    """
    _check(block)
    program = TranslationUnit(doubles=np.dtype(np.float64) in _types(block))
    scope = Scope(program, 1)
    varies = [width > 1 and not u for u in uniform]
    values: list[Value] = []
    for k, (v, by_lane) in enumerate(zip(block.inputs, varies, strict=True)):
        type_ = _EXTERNAL[dtype(v).name]
        own = (VARYING if by_lane else UNIFORM)[kind(v)]
        scope.add(f"const {type_}* const in{k} = (const {type_}*)in[{k}];")
        source = Buffer(f"in{k}", own, shape(v))
        # Threads of a GPU would read far apart.
        scattered = runner == "run_cuda.hpp" and not uniform[k]
        if by_lane or scattered or own != {"double": "real"}.get(type_, type_):
            target = program.buffer(own, shape(v), scope)
            inner, index = scope.nest(shape(v))
            where = source.place(index)
            code = f"load<{own}>(in{k} + {where}, in_step[{k}], lanes)"
            inner.add(target.put(index, code, None))
            scope.close(inner)
            source = target
        if shape(v) == ():
            source = Scalar(scope.let(own, source.at(())))
        values.append(source)
    e = Emitter(RULES, program, block, values, varies, scope)
    e.run()
    for k, a in enumerate(block.outputs):
        type_ = _EXTERNAL[dtype(a).name]
        scope.add(f"{type_}* const out{k} = ({type_}*)out[{k}];")
        inner, index = scope.nest(shape(a))
        where = Buffer("", "", shape(a)).place(index)
        value = e.at(a, index, inner)
        inner.add(f"save(out{k} + {where}, out_step[{k}], lanes, {value});")
        scope.close(inner)
    layout, total = [], "0"
    for type_, name in WORKSPACE.items():
        layout.append(f"  const auto {name} = place<{type_}>(memory, {total});")
        total += f" + {program.workspaces[type_].most} * sizeof({type_})"
    return "\n".join(
        [
            f"#define WIDTH {width}",
            f"#define REAL_BITS {64 if program.doubles else 32}",
            f"typedef {'double' if program.doubles else 'float'} real;",
            '#include "lane.hpp"',
            "namespace {",
            _table("input", block.inputs),
            _table("output", block.outputs),
            f"const long workspace_bytes = {total};",
            *program.definitions,
            "PROGRAM void run_block(const char* const* in, const long* in_step,",
            "    char* const* out, const long* out_step, long lanes, Memory memory) {",
            *layout,
            *scope.lines,
            "}",
            "}  // namespace",
            f'#include "{runner}"',
            "",
        ]
    )


RULES = Rules(whole=ARRAYS | LOOPS, element=ELEMENTS)


def _check(block: Block) -> None:
    """Refuse a block with an operation, in its loops too, that has no rule here."""
    for op in block.ops:
        check(op)
        for body in op.bodies:
            _check(body)


def _types(block: Block) -> set[np.dtype]:
    """Of all numbers in a block and in its loops."""
    made = (v for op in block.ops for v in op.outputs)
    found = {dtype(a) for a in (*block.inputs, *block.outputs, *made)}
    return found.union(*(_types(body) for op in block.ops for body in op.bodies))


def _table(name: str, atoms: Sequence[Atom]) -> str:
    """Constants that describe operands: their count and their sizes in bytes."""
    items = [dtype(a).itemsize for a in atoms]
    whole = [n * size(a) for n, a in zip(items, atoms, strict=True)]
    return (
        f"const long n_{name}s = {len(items)};\n"
        f"const long {name}_items[] = {{{', '.join(map(str, [*items, 0]))}}};\n"
        f"const long {name}_bytes[] = {{{', '.join(map(str, [*whole, 0]))}}};"
    )


_EXTERNAL = {
    "float64": "double",
    "float32": "float",
    "int64": "long",
    "int32": "int",
    "bool": "bool",
}
