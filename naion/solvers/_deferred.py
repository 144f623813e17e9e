"""Calls that are traced when they are compiled, not before, and once.

JAX traces a function with a derivative of its own, and a linear map with a transpose of
its own, whether or not they turn out to be needed. A simulation takes seconds to trace,
and its gradient needs neither the simulation without records nor the tangents.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

Out = TypeVar("Out")


def deferred(fn: Callable[..., Out], out: Out, *args: Any) -> Out:
    """`fn(*args)`, for any pytrees; can be batched, but not differentiated.

    Args:
        fn: may refer to no traced arrays but its arguments.
        out: what `fn` returns, or anything with the same shapes.
        args: what it takes.
    """
    leaves, flat = _of_leaves(fn, args)
    call = _Call(flat, tuple(map(_shape, jax.tree.leaves(out))))
    results = _deferred.bind(*leaves, call=call, batches=())
    return jax.tree.unflatten(jax.tree.structure(out), results)


def deferred_map(
    along: Callable[[Any, Array], Array],
    against: Callable[[Any, Array], Array],
    tree: Any,
    b: Array,
    out: Array,
) -> Array:
    """`along(tree, b)`, linear in the vector b, whose transpose is `against(tree, c)`.

    Args:
        along: gives a vector like `out`; may refer to no traced arrays but its arguments.
        against: its transpose, likewise; gives a vector like `b`.
        tree: what the map hangs on. The map can be transposed, not differentiated: it is
            for tangents.
        b: (n_in,).
        out: any vector like the result, (n_out,).
    """
    leaves, flat_along = _of_leaves(along, (tree, b))
    _, flat_against = _of_leaves(against, (tree, out))
    forwards, backwards = (
        _Call(flat_along, (_shape(out),)),
        _Call(flat_against, (_shape(b),)),
    )
    forwards.transpose, backwards.transpose = backwards, forwards
    return _deferred.bind(*leaves, call=forwards, batches=())[0]


@dataclass(eq=False)
class _Call:
    """A function of arrays, shapes of its results, and its transpose in the last array."""

    fn: Callable[..., list[Array]]
    out: tuple[jax.ShapeDtypeStruct, ...]
    transpose: "_Call | None" = None


@dataclass(frozen=True)
class _Batch:
    """One `vmap`: its size and the axis of every array that it maps."""

    size: int
    axes: tuple[int | None, ...]


def _of_leaves(fn: Callable[..., Any], args: tuple[Any, ...]):
    """The arrays among `args`, and `fn` as a function of them."""
    arrays, rest = eqx.partition(args, eqx.is_array)
    leaves, structure = jax.tree.flatten(arrays)

    def flat(*leaves: Array) -> list[Array]:
        arrays = jax.tree.unflatten(structure, leaves)
        return jax.tree.leaves(fn(*eqx.combine(arrays, rest)))

    # Keeps what was traced, for when it is compiled again in another batch.
    return leaves, jax.jit(flat, inline=True)


def _shape(a: Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(a.shape, a.dtype)


_deferred = Primitive("deferred")
_deferred.multiple_results = True


def _compute(*operands: Array, call: _Call, batches: tuple[_Batch, ...]) -> list[Array]:
    fn = call.fn
    for batch in batches:
        fn = jax.vmap(fn, in_axes=batch.axes)
    return fn(*operands)


def _abstract(*operands: Any, call: _Call, batches: tuple[_Batch, ...]):
    del operands
    lead = [batch.size for batch in reversed(batches)]
    return [ShapedArray((*lead, *a.shape), a.dtype) for a in call.out]


def _batched(operands, axes, *, call: _Call, batches: tuple[_Batch, ...]):
    pairs = zip(operands, axes, strict=True)
    size = next(x.shape[axis] for x, axis in pairs if axis is not None)
    if call.transpose is not None:
        # As cotangents come: batched, along the first axis.
        *operands, b = operands
        whole = axes[-1] is None
        b = (
            jnp.broadcast_to(b, (size, *b.shape))
            if whole
            else jnp.moveaxis(b, axes[-1], 0)
        )
        operands, axes = [*operands, b], [*axes[:-1], 0]
    batches = (*batches, _Batch(size, tuple(axes)))
    results = _deferred.bind(*operands, call=call, batches=batches)
    return results, [0] * len(results)


def _transpose(cotangents, *operands, call: _Call, batches: tuple[_Batch, ...]):
    *leaves, b = operands
    (c,) = cotangents
    back = ad.Zero(b.aval)
    if type(c) is not ad.Zero:
        (back,) = _deferred.bind(*leaves, c, call=call.transpose, batches=batches)
    return [*[None] * len(leaves), back]


_deferred.def_abstract_eval(_abstract)
_deferred.def_impl(
    lambda *operands, **params: jax.jit(lambda *x: _deferred.bind(*x, **params))(
        *operands
    )
)
batching.primitive_batchers[_deferred] = _batched
ad.primitive_transposes[_deferred] = _transpose
mlir.register_lowering(_deferred, mlir.lower_fun(_compute, multiple_results=True))
