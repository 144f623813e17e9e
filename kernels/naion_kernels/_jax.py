"""What this package uses of JAX beyond its documented functions, and nowhere else.

Programs as JAX traces them, primitive operations with rules of their own, and calls of
foreign functions. tests/kernels/test_jax.py says of each what a new JAX has changed.
"""

import enum
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

import jax
import jaxlib.version
import numpy as np
from jax._src import config
from jax._src.util import weakref_cache_key_types
from jax.core import ShapedArray, Tracer
from jax.extend.core import (
    ClosedJaxpr,
    Jaxpr,
    Literal,
    Primitive,
    Var,
    jaxpr_as_fun,
    jaxprs_in_params,
)
from jax.interpreters import batching, mlir

Atom = Var | Literal
Kind = TypeVar("Kind")


# Traced programs ----------------------------------------------------------------------


class Equation(NamedTuple):
    """One operation of a traced program."""

    name: str
    inputs: list[Atom]
    outputs: list[Var]
    params: dict[str, Any]


def equations(program: Jaxpr | ClosedJaxpr) -> Iterator[Equation]:
    """A program's operations, in order."""
    for eqn in program.eqns:
        yield Equation(
            eqn.primitive.name, list(eqn.invars), list(eqn.outvars), dict(eqn.params)
        )


def closed(program: Jaxpr | ClosedJaxpr) -> ClosedJaxpr:
    """A program with its constants, of which a bare one has none."""
    return program if isinstance(program, ClosedJaxpr) else ClosedJaxpr(program, ())


def constants(program: ClosedJaxpr) -> list[tuple[Var, Any]]:
    """What a program knows from its surroundings: numbers, or values being traced."""
    return list(zip(program.jaxpr.constvars, program.consts, strict=True))


def inputs(program: ClosedJaxpr) -> list[Var]:
    return list(program.jaxpr.invars)


def outputs(program: ClosedJaxpr) -> list[Atom]:
    return list(program.jaxpr.outvars)


def effects(program: ClosedJaxpr) -> list[str]:
    """Kinds of what a program does besides computing, such as printing."""
    return sorted(type(effect).__name__ for effect in program.jaxpr.effects)


def variable_like(atom: Atom) -> Var:
    """A new variable of the same shape and type."""
    return Var(atom.aval)


def shape(atom: Atom) -> tuple[int, ...]:
    aval: Any = atom.aval
    return tuple(aval.shape)


def dtype(atom: Atom) -> np.dtype:
    """What XLA stores it as."""
    aval: Any = atom.aval
    return np.dtype(aval.dtype)


CALLS = {
    "jit": "jaxpr",
    "remat2": "jaxpr",
    "custom_jvp_call": "call_jaxpr",
    "custom_vjp_call": "call_jaxpr",
}
"""Operations that are calls of a program, and the parameter that holds it."""


def call(equation: Equation) -> tuple[ClosedJaxpr, list[int]] | None:
    """The program that an operation calls and which of its inputs go there, if any."""
    if equation.name in CALLS:
        program = equation.params[CALLS[equation.name]]
        return closed(program), list(range(len(equation.inputs)))
    if equation.name == "custom_linear_solve":
        # Inputs are what the four programs close over, then the right-hand sides.
        counts = equation.params["const_lengths"]
        first = counts.matvec + counts.vecmat
        rest = first + counts.solve + counts.transpose_solve
        own = range(first, first + counts.solve)
        return (
            closed(equation.params["jaxprs"].solve),
            [*own, *range(rest, len(equation.inputs))],
        )
    return None


def bodies(equation: Equation) -> list[ClosedJaxpr]:
    """Programs of control flow: test and body of a loop, or branches."""
    p = equation.params
    if equation.name == "while":
        return [closed(p["cond_jaxpr"]), closed(p["body_jaxpr"])]
    if equation.name == "scan":
        return [closed(p["jaxpr"])]
    if equation.name == "cond":
        return [closed(branch) for branch in p["branches"]]
    return []


def programs_within(equation: Equation) -> Iterator[Jaxpr]:
    """All programs among an operation's parameters."""
    return jaxprs_in_params(equation.params)


def shape_of(value: Any) -> jax.ShapeDtypeStruct:
    """Shape and type of an array or a number, with which it can be traced."""
    aval = jax.typeof(value)
    return jax.ShapeDtypeStruct(aval.shape, aval.dtype, weak_type=aval.weak_type)


def settings() -> str:
    """All of JAX's settings on which it depends what is traced.

    Those that are objects, of axes that have names, are none here.
    """
    plain = bool, int, str, float, enum.Enum
    return repr([s for s in config.trace_context() if isinstance(s, plain)])


def with_captures_as_inputs(program: ClosedJaxpr) -> tuple[ClosedJaxpr, list[Tracer]]:
    """Turn values being traced that a program captured into its leading inputs."""
    pairs = constants(program)
    captured = [(v, c) for v, c in pairs if isinstance(c, Tracer)]
    known = [(v, c) for v, c in pairs if not isinstance(c, Tracer)]
    jaxpr = program.jaxpr.replace(
        constvars=[v for v, _ in known],
        invars=[*(v for v, _ in captured), *program.jaxpr.invars],
        debug_info=program.jaxpr.debug_info.with_unknown_names(),
    )
    return ClosedJaxpr(jaxpr, [c for _, c in known]), [c for _, c in captured]


def as_function(program: ClosedJaxpr) -> Callable[..., list[Any]]:
    """What JAX itself computes for a program."""
    return jaxpr_as_fun(program)


# An operation of our own --------------------------------------------------------------


def new_primitive(
    name: str,
    results: Callable[..., list[ShapedArray]],
    batch: Callable[..., tuple[list[Any], list[int]]],
    lowerings: dict[str, Callable[..., Any]],
) -> Primitive:
    """An operation with several results.

    Args:
        name: of the operation.
        results: shapes and types of the results, from those of operands and parameters.
        batch: the rule of `jax.vmap`, of operands, their axes and parameters; gives
            results and their axes.
        lowerings: by platform, of a context, operands and parameters.
    """
    made = Primitive(name)
    made.multiple_results = True
    made.def_abstract_eval(results)
    made.def_impl(
        lambda *operands, **params: jax.jit(lambda *o: made.bind(*o, **params))(
            *operands
        )
    )
    batching.primitive_batchers[made] = batch
    for platform, lower in lowerings.items():
        mlir.register_lowering(made, lower, platform=platform)
    return made


def hold_weakly(kind: type[Kind]) -> type[Kind]:
    """A class of which JAX keeps no object for its being a parameter of operations."""
    weakref_cache_key_types.add(kind)
    return kind


def operand_shapes(ctx: Any) -> list[tuple[int, ...]]:
    """Shapes of the operands of an operation that is being lowered."""
    return [tuple(aval.shape) for aval in ctx.avals_in]


def lower_function(fn: Callable[..., list[Any]], ctx: Any, *operands: Any) -> Any:
    """Lower an operation to what XLA makes of a function."""
    return mlir.lower_fun(fn, multiple_results=True)(ctx, *operands)


def lower_call(
    target: str, attributes: dict[str, str], held: Any, ctx: Any, *operands: Any
) -> Any:
    """Lower an operation to the call of a registered foreign function.

    Args:
        target: its name.
        attributes: strings that it gets, by name.
        held: what has to live until an executable was made of the call.
        ctx: of the lowering.
        operands: of the operation.
    """
    ctx.module_context.add_keepalive(held)
    return jax.ffi.ffi_lowering(target)(ctx, *operands, **attributes)


# Foreign functions and the machine ------------------------------------------------------


def register_target(name: str, stages: dict[str, Any], platform: str) -> None:
    """Let XLA find functions of a loaded library by name, for good.

    Args:
        name: of the target.
        stages: functions of a library opened by `ctypes`, by "instantiate" and "execute".
        platform: "cpu" or "CUDA".
    """
    capsules = {stage: jax.ffi.pycapsule(f) for stage, f in stages.items()}
    jax.ffi.register_ffi_target(name, capsules, platform=platform)


def include_folder() -> str:
    """Where the headers of XLA's foreign functions are."""
    return jax.ffi.include_dir()


def versions() -> tuple[str, str]:
    """Of JAX and of its compiled part, on which foreign functions depend."""
    return jax.__version__, jaxlib.version.__version__


def cuda_capability() -> str:
    """Compute capability of the GPU, such as "9.0"."""
    return str(jax.local_devices(backend="cuda")[0].compute_capability)


__all__ = [
    "CALLS",
    "Atom",
    "ClosedJaxpr",
    "Equation",
    "Jaxpr",
    "Literal",
    "Primitive",
    "ShapedArray",
    "Tracer",
    "Var",
    "as_function",
    "bodies",
    "call",
    "closed",
    "constants",
    "cuda_capability",
    "dtype",
    "effects",
    "equations",
    "hold_weakly",
    "include_folder",
    "inputs",
    "lower_call",
    "lower_function",
    "new_primitive",
    "operand_shapes",
    "outputs",
    "programs_within",
    "register_target",
    "settings",
    "shape",
    "shape_of",
    "variable_like",
    "versions",
    "with_captures_as_inputs",
]
