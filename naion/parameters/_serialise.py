"""Write cells as JSON and read them back, with every number at full precision."""

import dataclasses
import difflib
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import jaxtyped

from .. import properties
from ..physics.kinetics import AbstractKinetics
from ..physics.sei import AbstractGrowth
from ..physics.store import AbstractStore
from ..physics.surface import AbstractSurfaceProcess
from . import _cell
from ._cell import Cell
from ._check import check

_OPEN = (
    properties.AbstractCurve,
    properties.AbstractTemperatureLaw,
    AbstractKinetics,
    AbstractGrowth,
    AbstractSurfaceProcess,
    AbstractStore,
)
"""Base classes of parts that users can write."""


def _types() -> dict[str, list[type]]:
    """Classes that a cell may consist of, by name, users' classes included.

    Users may have several classes of one name, the latest last: a class in a notebook cell
    that was executed again, or classes of two modules.
    """
    own = {
        name: [item]
        for module in (properties, _cell)
        for name, item in vars(module).items()
        if isinstance(item, type) and issubclass(item, eqx.Module)
    }
    others: dict[str, list[type]] = {}
    more = list(_OPEN)
    while more:
        kind = more.pop(0)
        others.setdefault(kind.__name__, []).append(kind)
        more += kind.__subclasses__()
    found = others | own
    return {name: kinds for name, kinds in found.items() if name[:8] != "Abstract"}


def _of_name(kinds: list[type], given: set[str]) -> type:
    """The latest class that has the given fields, or the latest one if none has."""
    fit = [kind for kind in kinds if _holds(kind, given)]
    return (fit or kinds)[-1]


def _holds(kind: Any, given: set[str]) -> bool:
    """Whether a class has all of the given fields and needs no others."""
    fields = {f.name for f in dataclasses.fields(kind)}
    return fields - set(_usual(kind)) <= given <= fields


def _usual(kind: Any) -> dict[str, Any]:
    """Default values of a class's fields, which files of earlier versions may lack."""
    fields, missing = dataclasses.fields(kind), dataclasses.MISSING
    made = {
        f.name: f.default_factory() for f in fields if f.default_factory is not missing
    }
    return made | {f.name: f.default for f in fields if f.default is not missing}


def to_json(node: Any) -> Any:
    """A pytree of naion modules as plain JSON data.

    Floats are read back unchanged, as Python writes the shortest text that does so.
    """
    if isinstance(node, eqx.Module):
        fields = {
            f.name: to_json(getattr(node, f.name)) for f in dataclasses.fields(node)
        }
        return {"type": type(node).__name__, **fields}
    if node is None or isinstance(node, str | bool | int | float):
        return node
    if isinstance(node, tuple):
        return [to_json(item) for item in node]
    return np.asarray(node).tolist()


def from_json(data: Any) -> Cell:
    """The cell that `to_json` wrote.

    Raises:
        ValueError: for an unknown type, missing or unknown fields, a field of another
            type, or impossible numbers, naming them.
    """
    cell = _decode(data, "cell")
    if not isinstance(cell, Cell):
        raise ValueError(
            "cell: Expected the JSON form of a naion Cell ('type': 'Cell'), as written "
            f"by `naion fit`; got {_shown(data)}."
        )
    check(cell)
    return cell


def _decode(data: Any, where: str) -> Any:
    if isinstance(data, dict):
        return _decode_module(data, where)
    if isinstance(data, list) and all(isinstance(d, dict) for d in data):
        return tuple(_decode(d, f"{where}[{i}]") for i, d in enumerate(data))
    if not isinstance(data, int | float | list) or isinstance(data, bool):
        return data
    try:
        numbers = np.asarray(data, dtype=float)
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise ValueError(
            f"{where}: expected numbers, in lists of equal length, got {_shown(data)}."
        ) from None
    if not np.all(np.isfinite(numbers)):
        raise ValueError(f"{where}: {_shown(data)} is not finite.")
    return jnp.asarray(numbers)


def _decode_module(data: dict[str, Any], where: str) -> Any:
    name = data.get("type")
    types = _types()
    if not isinstance(name, str) or name not in types:
        near = difflib.get_close_matches(str(name)[:80], types, cutoff=0.4)
        raise ValueError(
            f"{where}: unknown type {_shown(name)}; known are "
            f"{', '.join(near or sorted(types))}. If it is a part of yours, import its "
            "module first."
        )
    given = set(data) - {"type"}
    cls: Any = _of_name(types[name], given)
    fields = {f.name: f for f in dataclasses.fields(cls)}
    usual = _usual(cls)
    if not _holds(cls, given):
        missing = sorted(set(fields) - set(usual) - given)
        unknown = [_shown(k) for k in sorted(given - set(fields))]
        raise ValueError(
            f"{where}: {name} has fields {', '.join(fields)}; missing: "
            f"{', '.join(missing) or 'none'}; unknown: {', '.join(unknown) or 'none'}."
        )
    instance = object.__new__(cls)
    hints = get_type_hints(cls)
    # Within this context, fields that must have one length, such as x and y of a table, are
    # checked together.
    with jaxtyped("context"):
        for key, field in fields.items():
            value = usual.get(key)
            if key in given and field.metadata.get("static"):
                value = data[key]
                value = tuple(value) if isinstance(value, list) else value
            elif key in given:
                value = _decode(data[key], f"{where}.{key}")
            if not _fits(value, hints[key]):
                raise ValueError(
                    f"{where}.{key}: expected {_words(hints[key])}, got "
                    f"{_shown(data.get(key))}."
                )
            object.__setattr__(instance, key, value)
    check_part(instance, where)
    return instance


def check_part(instance: Any, where: str) -> None:
    """Run a part's own checks, and see whether its formula can be evaluated.

    Raises:
        ValueError: naming the place and what is wrong.
    """
    try:
        for hook in ("__post_init__", "__check_init__"):
            if hook in vars(type(instance)):
                getattr(instance, hook)()
        if isinstance(instance, properties.AbstractCurve) and not isinstance(
            instance, properties.Constant
        ):
            # Fails for lists of numbers that are too short for the formula.
            jax.eval_shape(instance, jnp.asarray(0.5))
    except (ValueError, TypeError, IndexError, ArithmeticError) as error:
        raise ValueError(f"{where}: {error}") from None


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of the annotated type of a field."""
    origin, of = get_origin(hint), get_args(hint)
    if origin is Literal:
        return any(value == o and type(value) is type(o) for o in of)
    if origin in (Union, UnionType):
        return any(_fits(value, o) for o in of)
    if origin is tuple:
        return isinstance(value, tuple) and all(_fits(v, of[0]) for v in value)
    if hint in (int, float):
        wanted = int if hint is int else int | float
        return isinstance(value, wanted) and not isinstance(value, bool)
    return isinstance(value, hint)


def _words(hint: Any) -> str:
    """An annotation in words, for messages."""
    origin, of = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " or ".join(map(repr, of))
    if origin in (Union, UnionType):
        return " or ".join(map(_words, of))
    if origin is tuple:
        return f"a list of {_words(of[0])}"
    if hint is type(None):
        return "null"
    shape = getattr(hint, "dim_str", None)
    if shape is not None:
        same = "a list of numbers, as many as in the lists beside it"
        return same if shape.strip() else "a number"
    part = hint.__name__.removeprefix("Abstract")
    return {str: "a text", bool: "true or false"}.get(hint, f"the part {part}")


def _shown(data: Any) -> str:
    text = repr(data)
    return text if len(text) <= 60 else text[:57] + "..."
