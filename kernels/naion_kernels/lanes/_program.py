"""What a function does, as JAX traced it: now, or in an earlier process.

Of a program that was traced before, its shapes are enough until a library has to be
made of it. So most processes trace nothing.
"""

import functools
import logging
import pickle
import weakref
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import jax
from jax import Array

from .. import _jax
from .. import block_tridiagonal as _block_tridiagonal
from .._folders import nothing_kept
from .._jax import ClosedJaxpr, ShapedArray, Tracer
from . import _kept
from ._identity import UnknownFunctionError, are_as_before, identity, with_constants

_log = logging.getLogger(__name__)


@_jax.hold_weakly
class Program:
    """A function of arrays of given shapes.

    Attributes:
        in_avals, out_avals: shapes and types of what it takes and gives.
        out: the structure of what the function returns, with a number for each array.
        key: stands for it in every process; none if nothing does.
        constants: of modules that were loaded when it was traced; see `identity`.
    """

    def __init__(
        self,
        in_avals: Sequence[ShapedArray],
        out_avals: Sequence[ShapedArray],
        out: Any,
        trace: Callable[[], ClosedJaxpr],
        key: str | None = None,
        constants: Mapping[str, str] = MappingProxyType({}),
    ):
        self.in_avals, self.out_avals = tuple(in_avals), tuple(out_avals)
        self.out, self._trace = out, trace
        self.key, self.constants = key, constants

    @functools.cached_property
    def traced(self) -> ClosedJaxpr:
        """Its operations; what it captured comes first among its inputs."""
        return self._trace()


def program_of(
    fn: Callable[..., Any], args: tuple[Any, ...], packages: tuple[str, ...]
) -> tuple[Program, list[Array]]:
    """The program of a function, and its operands.

    Args:
        fn: of pytrees of arrays.
        args: its arguments.
        packages: see `per_lane`.
    """
    leaves, structure = jax.tree.flatten(args)
    operands = [jax.numpy.asarray(a) for a in leaves]
    shapes = jax.tree.unflatten(structure, map(_jax.shape_of, leaves))
    if packages:
        try:
            return _known_or_traced(fn, shapes, packages), operands
        except UnknownFunctionError as reason:
            _log.debug("%s is traced in each process: %s", fn, reason)
    program, captured = _trace(fn, shapes)
    return program, [*captured, *operands]


def _known_or_traced(
    fn: Callable[..., Any], shapes: tuple[Any, ...], packages: tuple[str, ...]
) -> Program:
    """The program of a function that captures nothing, traced if it must be.

    Raises:
        UnknownFunctionError: if it cannot be recognised.
    """
    key, constants = identity(fn, shapes, packages)
    known = _in_this_process.get(key) or _from_before(key, fn, shapes)
    if known is not None and not are_as_before(constants, known.constants):
        key = with_constants(key, constants)
        known = _in_this_process.get(key) or _from_before(key, fn, shapes)
    if known is None:
        known, _ = _trace(fn, shapes, key, constants)
        _keep(known)
    return _in_this_process.setdefault(key, known)


_in_this_process: weakref.WeakValueDictionary[str, Program] = (
    weakref.WeakValueDictionary()
)


def _trace(
    fn: Callable[..., Any],
    shapes: tuple[Any, ...],
    key: str | None = None,
    constants: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Program, list[Tracer]]:
    """A program, and the values being traced that it captured."""
    with _block_tridiagonal.one_lane():
        closed, out = jax.make_jaxpr(fn, return_shape=True)(*shapes)
    closed, captured = _jax.with_captures_as_inputs(closed)
    structure = jax.tree.structure(out)
    out = jax.tree.unflatten(structure, range(structure.num_leaves))
    avals = closed.in_avals, closed.out_avals
    return Program(*avals, out, lambda: closed, key, constants), captured


def _file_of(key: str) -> str:
    return f"{key}.known"


def _from_before(
    key: str, fn: Callable[..., Any], shapes: tuple[Any, ...]
) -> Program | None:
    """The program of a key, if it was kept."""
    found = _kept.read(_file_of(key))
    if found is None:
        return None
    constants, *avals, out = pickle.loads(found[1])
    ins, outs = ([ShapedArray(*a) for a in some] for some in avals)
    return Program(ins, outs, out, lambda: _trace(fn, shapes)[0].traced, key, constants)


def _keep(program: Program) -> None:
    """For later processes."""
    assert program.key is not None
    avals = program.in_avals, program.out_avals
    ins, outs = ([(a.shape, a.dtype) for a in some] for some in avals)
    try:
        content = pickle.dumps((program.constants, ins, outs, program.out))
    except Exception as reason:  # whatever somebody's class does when it is pickled
        _log.debug("what %s returns cannot be kept: %s", program.key, reason)
        return
    try:
        _kept.write(_file_of(program.key), content)
    except OSError as problem:
        nothing_kept(problem)
