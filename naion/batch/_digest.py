"""Hashes of inputs, by which a checkpoint knows that it belongs to the same problem."""

import dataclasses
import enum
import hashlib
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from .._version import __version__


def digest(*things: Any) -> str:
    """A hash of naion's version and of the content of `things`.

    Args:
        things: arrays, numbers, texts, dataclasses (all classes of naion are), and mappings
            and sequences of these. Functions count by their names.

    Raises:
        TypeError: for anything else, as a change of its content would go unnoticed.
    """
    total = hashlib.sha256(__version__.encode())
    _add(total, things)
    return total.hexdigest()


def _add(total: Any, x: Any) -> None:
    if isinstance(x, np.ndarray | np.generic | jax.Array):
        a = np.asarray(x)
        total.update(f"{a.shape}{a.dtype}".encode())
        total.update(np.ascontiguousarray(a).tobytes())
    elif x is None or isinstance(x, bool | int | float | str | bytes | enum.Enum):
        total.update(f"{type(x).__name__} {x!r};".encode())
    elif isinstance(x, Mapping):
        _add(total, list(x.items()))
    elif isinstance(x, tuple | list):
        total.update(f"{len(x)} of ".encode())
        for part in x:
            _add(total, part)
    elif dataclasses.is_dataclass(x) and not isinstance(x, type):
        total.update(type(x).__qualname__.encode())
        fields = [f.name for f in dataclasses.fields(x) if f.init]
        _add(total, [(name, getattr(x, name)) for name in fields])
    elif callable(x) and hasattr(x, "__qualname__"):
        total.update(f"{x.__module__}.{x.__qualname__};".encode())
    else:
        raise TypeError(f"cannot take a digest of {type(x).__name__}")
