"""Cells to and from JSON, with every number at full precision."""

import dataclasses
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from .. import properties
from ..physics import kinetics, sei
from . import _cell
from ._cell import Cell

_TYPES: dict[str, type] = {
    name: item
    for module in (properties, kinetics, sei, _cell)
    for name, item in vars(module).items()
    if isinstance(item, type) and issubclass(item, eqx.Module)
}


def to_json(node: Any) -> Any:
    """A pytree of naion modules as plain JSON data.

    Floats survive unchanged: Python writes the shortest text that reads back the same.
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
        ValueError: for an unknown type or missing or unknown fields, naming them.
    """
    cell = _decode(data, "cell")
    if not isinstance(cell, Cell):
        raise ValueError(
            "Expected the JSON form of a naion Cell ('type': 'Cell'), as written by "
            f"`naion fit`; got {type(cell).__name__}."
        )
    return cell


def _decode(data: Any, where: str) -> Any:
    if isinstance(data, dict):
        name = data.get("type")
        if name not in _TYPES:
            raise ValueError(
                f"{where}: unknown type {name!r}; known are {', '.join(sorted(_TYPES))}."
            )
        cls: Any = _TYPES[name]
        fields = {f.name: f for f in dataclasses.fields(cls)}
        # Parts that a file of an earlier version does not know are absent.
        usual = {
            key: field.default
            for key, field in fields.items()
            if field.default is not dataclasses.MISSING
        } | {
            key: field.default_factory()
            for key, field in fields.items()
            if field.default_factory is not dataclasses.MISSING
        }
        given = set(data) - {"type"}
        if not set(fields) - set(usual) <= given <= set(fields):
            raise ValueError(
                f"{where}: {name} has fields {sorted(fields)}, got {sorted(given)}."
            )
        instance = object.__new__(cls)
        for key, field in fields.items():
            if key not in given:
                object.__setattr__(instance, key, usual[key])
                continue
            value = data[key]
            if field.metadata.get("static"):
                value = tuple(value) if isinstance(value, list) else value
            else:
                value = _decode(value, f"{where}.{key}")
            object.__setattr__(instance, key, value)
        return instance
    if isinstance(data, list) and not any(isinstance(d, int | float) for d in data):
        nested = bool(data) and isinstance(data[0], list)
        if not nested:
            return tuple(_decode(d, f"{where}[{i}]") for i, d in enumerate(data))
    if isinstance(data, int | float | list):
        return jnp.asarray(data, dtype=float)
    return data
