"""Lane programs as JAX operations."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import jax
from jax.core import ShapedArray, Tracer
from jax.extend.core import ClosedJaxpr, Primitive
from jax.interpreters import batching, mlir

from .. import block_tridiagonal as _block_tridiagonal
from ._build import WIDTH, build
from ._emit import emit
from ._flatten import flatten

Out = TypeVar("Out")

_lane = Primitive("lane_program")
_lane.multiple_results = True


def per_lane(fn: Callable[..., Out]) -> Callable[..., Out]:
    """`fn`, compiled to native code that runs one lane of a batch after the other.

    `fn` takes and returns pytrees of arrays. `jax.vmap` of the result runs every lane
    through the same program, on all CPUs; each takes its own branches and its own number
    of iterations. Not differentiable: give it a rule of its own.
    """

    @functools.wraps(fn)
    def wrapped(*args: Any) -> Out:
        flat, tree = jax.tree.flatten(args)
        with _block_tridiagonal.one_lane():
            closed, out = jax.make_jaxpr(
                lambda *flat: fn(*jax.tree.unflatten(tree, flat)), return_shape=True
            )(*flat)
        closed, captured = _without_captures(closed)
        operands = [*captured, *map(jax.numpy.asarray, flat)]
        results = _lane.bind(*operands, program=closed, lanes=None)
        return jax.tree.unflatten(jax.tree.structure(out), results)

    return wrapped


def _without_captures(closed: ClosedJaxpr) -> tuple[ClosedJaxpr, list[Tracer]]:
    """Turn what `fn` captured from its surroundings into leading arguments."""
    pairs = list(zip(closed.jaxpr.constvars, closed.consts, strict=True))
    captured = [(v, c) for v, c in pairs if isinstance(c, Tracer)]
    known = [(v, c) for v, c in pairs if not isinstance(c, Tracer)]
    jaxpr = closed.jaxpr.replace(
        constvars=[v for v, _ in known],
        invars=[*(v for v, _ in captured), *closed.jaxpr.invars],
        debug_info=closed.jaxpr.debug_info.with_unknown_names(),
    )
    return ClosedJaxpr(jaxpr, [c for _, c in known]), [c for _, c in captured]


def _abstract(*operands, program: ClosedJaxpr, lanes: int | None):
    del operands
    lead = () if lanes is None else (lanes,)
    return [ShapedArray((*lead, *a.shape), a.dtype) for a in program.out_avals]


_lane.def_abstract_eval(_abstract)
_lane.def_impl(
    lambda *operands, **params: jax.jit(functools.partial(_lane.bind, **params))(
        *operands
    )
)


def _batch(operands, axes, *, program: ClosedJaxpr, lanes: int | None):
    """One more axis of lanes; operands without it are shared by all its lanes."""
    width = next(
        x.shape[a] for x, a in zip(operands, axes, strict=True) if a is not None
    )
    inner = () if lanes is None else (lanes,)
    moved = []
    for x, axis, own in zip(operands, axes, program.in_avals, strict=True):
        if axis is not None:
            x = jax.numpy.moveaxis(x, axis, 0)
        elif x.ndim > len(own.shape):
            x = jax.numpy.broadcast_to(x[None], (width, *x.shape))
        else:
            moved.append(x)
            continue
        if inner and x.ndim == len(own.shape) + 1:
            x = jax.numpy.broadcast_to(x[:, None], (width, *inner, *own.shape))
        moved.append(x.reshape(-1, *own.shape) if inner else x)
    total = width * (lanes or 1)
    results = _lane.bind(*moved, program=program, lanes=total)
    split = [r.reshape(width, *inner, *r.shape[1:]) for r in results]
    return split, [0] * len(split)


batching.primitive_batchers[_lane] = _batch


@functools.cache
def _library(program: ClosedJaxpr, shared: tuple[bool, ...], width: int) -> str:
    """Compile and register a program; the name of its custom call."""
    key, library = build(emit(flatten(program), shared, width))
    name = f"naion_lane_{key}"
    jax.ffi.register_ffi_target(
        name, jax.ffi.pycapsule(library.run_lanes), platform="cpu"
    )
    return name


def _lower(ctx, *operands, program: ClosedJaxpr, lanes: int | None):
    width = WIDTH if lanes is not None and lanes >= WIDTH else 1
    own = zip(ctx.avals_in, program.in_avals, strict=True)
    shared = tuple(width == 1 or len(a.shape) == len(b.shape) for a, b in own)
    return jax.ffi.ffi_lowering(_library(program, shared, width))(ctx, *operands)


mlir.register_lowering(_lane, _lower, platform="cpu")
