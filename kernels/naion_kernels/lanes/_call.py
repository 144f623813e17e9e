"""Lane programs as JAX operations."""

import functools
import math
import os
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

import jax
from jax import Array

from .. import _jax
from .._cautions import Caution, caution_once
from .._jax import ShapedArray
from ._build import WIDTH, Source, build, build_cuda, has_long_vectors
from ._emit import emit
from ._flatten import flatten
from ._program import Program, program_of
from ._programs import TARGET, Build, LoadedProgram, hold

Out = TypeVar("Out")


def per_lane(
    fn: Callable[..., Out], alike: bool = False, packages: tuple[str, ...] = ()
) -> Callable[..., Out]:
    """`fn`, compiled to native code that runs one lane of a batch after the other.

    `fn` takes and returns pytrees of arrays. `jax.vmap` of the result runs every lane
    through the same program, on all CPUs; each takes its own branches and its own number
    of iterations. Not differentiable: give it a rule of its own.

    What cannot be made into native code runs through XLA, all lanes side by side, with a
    `Caution` that says why; with `NAION_KERNELS=on` that is a `RuntimeError`.

    Args:
        fn: of one lane.
        alike: whether most of the work is the same in lanes that are mapped together, as
            for directions of one derivative. Few of them then already fill a vector.
        packages: of Python, in which all code is on which `fn` depends, besides JAX,
            NumPy and Equinox. If there are any, and `fn` is a function of a module, what
            JAX traced is kept for later processes, until a file of a package changes.
    """

    @functools.wraps(fn)
    def wrapped(*args: Any) -> Out:
        program, operands = program_of(fn, args, packages)
        results = _lane.bind(*operands, program=program, alike=alike, groups=0, lanes=0)
        return jax.tree.unflatten(jax.tree.structure(program.out), results)

    return wrapped


# Lanes come in groups: `groups` of `lanes` each, both 0 for a single lane. An operand has
# a leading axis of groups x lanes, or of groups if it is the same in all lanes of a group,
# or none if it is the same everywhere.


def _abstract(*operands, program: Program, alike: bool, groups: int, lanes: int):
    del operands, alike
    lead = (groups * lanes,) if lanes else ()
    return [ShapedArray((*lead, *a.shape), a.dtype) for a in program.out_avals]


def _batch(operands, axes, *, program: Program, alike: bool, groups: int, lanes: int):
    """One more axis of lanes, or of groups around those that are there."""
    width = next(
        x.shape[a] for x, a in zip(operands, axes, strict=True) if a is not None
    )
    old = groups * lanes
    arrays, counts = [], []
    for x, axis, own in zip(operands, axes, program.in_avals, strict=True):
        x = jax.numpy.asarray(x, own.dtype)  # numbers in a program come as literals
        x = x[None] if axis is None else jax.numpy.moveaxis(x, axis, 0)
        arrays.append(x)
        counts.append(_count(x.shape[1:], own))
    # What the lanes of a group share is computed once for each vector of lanes.
    keeps = _width(lanes, alike) > 1 and any(
        axis is not None and n < old for axis, n in zip(axes, counts, strict=True)
    )
    if not lanes:
        new_groups, new_lanes = 1, width
    else:
        new_groups, new_lanes = (width * groups, lanes) if keeps else (1, width * old)

    moved = []
    for x, axis, n, own in zip(arrays, axes, counts, program.in_avals, strict=True):
        if axis is None and n == 0:
            moved.append(x[0])
            continue
        # Operands that were the same in all lanes of a group get an axis of lanes where
        # they are not to stay so.
        inner = groups if keeps and n < old else max(old, 1)
        n = max(n, 1)
        x = x.reshape(x.shape[0], n, 1, *own.shape)
        x = jax.numpy.broadcast_to(x, (width, n, inner // n, *own.shape))
        moved.append(x.reshape(width * inner, *own.shape))
    results = _lane.bind(
        *moved, program=program, alike=alike, groups=new_groups, lanes=new_lanes
    )
    inner = (old,) if lanes else ()
    split = [
        r.reshape(width, *inner, *a.shape)
        for r, a in zip(results, program.out_avals, strict=True)
    ]
    return split, [0] * len(split)


def _width(lanes: int, alike: bool) -> int:
    """Lanes that run at once, for groups of `lanes`."""
    in_vectors = lanes >= 2 if alike else lanes >= WIDTH and has_long_vectors()
    return WIDTH if in_vectors else 1


def _is_most(shared: tuple[bool, ...], program: Program) -> bool:
    """Whether lanes share most of their numbers. Those of different cells do not."""
    sizes = [math.prod(a.shape) for a in program.in_avals]
    return 2 * sum(n for n, s in zip(sizes, shared, strict=True) if s) > sum(sizes)


def _count(shape: tuple[int, ...], own: ShapedArray) -> int:
    """Length of an operand's axis of lanes or groups; 0 if it has none."""
    return shape[0] if len(shape) > len(own.shape) else 0


def _or_reason(
    make: Callable[..., LoadedProgram],
) -> Callable[..., LoadedProgram | Exception]:
    """`make`, giving the exception that it meets, once for each program.

    Whatever goes wrong, be it in writing C++ or in compiling it, XLA can run the program.
    What was made is forgotten with the traced program.
    """
    known: weakref.WeakKeyDictionary[Program, dict] = weakref.WeakKeyDictionary()

    @functools.wraps(make)
    def made(program: Program, *args: Any) -> LoadedProgram | Exception:
        own = known.setdefault(program, {})
        if args not in own:
            try:
                own[args] = make(program, *args)
            except Caution:
                raise  # where users ask for warnings as errors
            except Exception as reason:
                # Tracebacks would hold the traced program.
                own[args] = reason.with_traceback(None)
                reason.__context__ = reason.__cause__ = None
        return own[args]

    return made


@_or_reason
def _on_cpu(program: Program, uniform: tuple[bool, ...], width: int) -> LoadedProgram:
    """Compile and load a program."""
    source = Source(
        lambda: emit(flatten(program.traced), uniform, width),
        program.key and f"{program.key} {uniform} {width}",
    )
    return _loaded(source, "cpu", build)


@_or_reason
def _on_gpu(
    program: Program, uniform: tuple[bool, ...], capability: str
) -> LoadedProgram:
    source = Source(
        lambda: emit(flatten(program.traced), uniform, 1, "run_cuda.hpp"),
        program.key and f"{program.key} {uniform} {capability}",
    )
    return _loaded(source, "CUDA", functools.partial(build_cuda, capability=capability))


def _loaded(source: Source, platform: str, build: Build) -> LoadedProgram:
    return hold(*build(source), platform, build)


def _lower_cpu(ctx, *operands, program: Program, alike: bool, groups: int, lanes: int):
    shared = _uniform(ctx, program, groups * lanes)
    width = _width(lanes, alike and _is_most(shared, program))
    uniform = tuple(width == 1 or s for s in shared)
    made = _on_cpu(program, uniform, width)
    return _lower(made, program, groups, lanes, ctx, *operands)


def _lower_gpu(ctx, *operands, program: Program, alike: bool, groups: int, lanes: int):
    """One thread a lane."""
    del alike
    made = _on_gpu(
        program, _uniform(ctx, program, groups * lanes), _jax.cuda_capability()
    )
    return _lower(made, program, groups, lanes, ctx, *operands)


def make_small_program() -> None:
    """Make one for the device that JAX computes on.

    Raises:
        RuntimeError: with the reason, if it cannot be made.
    """
    program, _ = program_of(jax.numpy.sin, (1.0,), ())
    if jax.default_backend() == "cpu":
        made = _on_cpu(program, (True,), 1)
    else:
        made = _on_gpu(program, (True,), _jax.cuda_capability())
    if isinstance(made, Exception):
        raise RuntimeError(str(made)) from made


def _lower(
    made: LoadedProgram | Exception,
    program: Program,
    groups: int,
    lanes: int,
    ctx: Any,
    *operands: Any,
):
    """The call of a native program, or the program itself if there is a reason for it.

    Raises:
        RuntimeError: if there is, and native programs are asked for.
    """
    if isinstance(made, LoadedProgram):
        return _jax.lower_call(TARGET, {"program": made.key}, made, ctx, *operands)
    kind = "" if isinstance(made, _EXPECTED) else f"{type(made).__name__}: "
    reason = f"{kind}{made}".rstrip(".")
    if os.environ.get("NAION_KERNELS") == "on":
        raise RuntimeError(
            f"NAION_KERNELS=on, but a native kernel cannot be made: {reason}."
        ) from made
    caution_once(
        "A program runs through XLA, which takes several times as long as a native "
        f"kernel, for that cannot be made: {reason}. NAION_KERNELS=off says that this is "
        "meant."
    )
    run = functools.partial(_side_by_side, program, groups, lanes)
    return _jax.lower_function(run, ctx, *operands)


_EXPECTED = NotImplementedError, RuntimeError, OSError
"""Exceptions whose message says enough."""


def _side_by_side(program: Program, groups: int, lanes: int, *operands: Array):
    """The program as JAX runs it, mapped over the axes that its operands have."""
    run = _jax.as_function(program.traced)
    if not lanes:
        return run(*operands)
    arrays, by_group, by_lane = [], [], []
    for x, own in zip(operands, program.in_avals, strict=True):
        n = _count(x.shape, own)
        each = n == groups * lanes
        split = (groups, lanes) if each else (groups,) if n else ()
        arrays.append(x.reshape(*split, *own.shape))
        by_group.append(0 if n else None)
        by_lane.append(0 if each else None)
    run = jax.vmap(run, in_axes=tuple(by_lane), axis_size=lanes)
    run = jax.vmap(run, in_axes=tuple(by_group), axis_size=groups)
    return [r.reshape(groups * lanes, *r.shape[2:]) for r in run(*arrays)]


def _uniform(ctx, program: Program, all_lanes: int) -> tuple[bool, ...]:
    """Which operands are the same in all lanes of a group."""
    pairs = zip(_jax.operand_shapes(ctx), program.in_avals, strict=True)
    return tuple(_count(shape, own) < max(all_lanes, 1) for shape, own in pairs)


_lane = _jax.new_primitive(
    "lane_program", _abstract, _batch, {"cpu": _lower_cpu, "cuda": _lower_gpu}
)
