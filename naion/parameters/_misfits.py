"""Find parts and numbers of a cell that do not have the type or shape that is declared."""

import dataclasses
import functools
import typing
from collections.abc import Iterator
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import AbstractArray, jaxtyped


def misfits(part: Any, path: str, expected: Any) -> Iterator[str]:
    """Sentences on all that does not fit, with what is expected.

    Args:
        part: a cell, or a part of one.
        path: path of the part in the cell, for messages.
        expected: declared type of the part.
    """
    name = path or "cell"
    if typing.get_origin(expected) is typing.Literal:
        if part not in typing.get_args(expected):
            known = " or ".join(map(repr, typing.get_args(expected)))
            yield f"{name} = {part!r}: expected {known}."
    elif isinstance(expected, type) and issubclass(expected, AbstractArray):
        yield from _misfit_array(part, name, expected)
    elif typing.get_origin(expected) is tuple and isinstance(part, tuple):
        inner = typing.get_args(expected)
        if len(inner) == 2 and inner[1] is Ellipsis:
            for i, item in enumerate(part):
                yield from misfits(item, f"{path}[{i}]", inner[0])
    elif _is_part(expected) and not isinstance(part, expected):
        text = getattr(expected, "__name__", str(expected))
        yield f"{name} = {_short(part)}: expected a part of type {text}."
    elif isinstance(part, eqx.Module):
        yield from _misfits_within(part, path)


def _misfit_array(part: Any, name: str, expected: Any) -> Iterator[str]:
    """What is wrong with numbers that should be an array of a declared shape."""
    array = _as_array(part)
    if not isinstance(array, jax.Array):
        yield f"{name} = {_short(part)}: expected numbers."
    elif not isinstance(array, expected):
        dims = expected.dim_str
        wanted = f"({dims}), as long as its neighbours" if dims else "one number"
        yield f"{name} of shape {array.shape}: expected {wanted}."


def _misfits_within(part: eqx.Module, path: str) -> Iterator[str]:
    """What does not fit in the fields of a part."""
    hints = _hints(type(part))
    # Within this context, dimensions of one name must have one length in all fields.
    with jaxtyped("context"):
        for field in dataclasses.fields(part):
            where = f"{path}.{field.name}" if path else field.name
            hint = hints.get(field.name)
            yield from misfits(getattr(part, field.name), where, hint)


def _is_part(expected: Any) -> bool:
    kinds = typing.get_args(expected) or (expected,)
    return any(
        isinstance(kind, type) and issubclass(kind, eqx.Module) for kind in kinds
    )


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(kind)
    except NameError:
        # A user's class may have annotations that only a type checker can resolve.
        return {}


def _as_array(value: Any) -> Any:
    return jnp.asarray(value, float) if is_number(value) else value


def is_number(value: Any) -> bool:
    kinds = int | float | np.ndarray | np.generic | jax.Array
    return isinstance(value, kinds) and np.dtype(jnp.result_type(value)).kind in "iuf"


def _short(value: Any) -> str:
    if isinstance(value, eqx.Module):
        return f"{type(value).__name__}(...)"
    text = repr(value)
    return text if len(text) < 60 else f"{text[:57]}..."
