"""A property in one line."""

from typing import Any

import equinox as eqx
import jax
import numpy as np
from jax.core import Tracer

from ._curves import Constant, Table
from ._temperature import Invariant


def in_short(p: Any) -> str:
    """What a property is, with numbers: its curve, times its scale, and its law.

    Numbers that JAX traces are named so; a tree of anything but numbers is shown as one.
    """
    if not all(map(_known, jax.tree.leaves(p))):
        return eqx.tree_pformat(p)
    curve, scale = p.curve, p.scale
    if isinstance(curve, Constant):
        told = [_times(scale, curve.value)]
    elif isinstance(curve, Table):
        n = np.shape(curve.x)[-1]
        told = [
            f"table of {n} points, {_times(scale, curve.y)} at x {_times(1.0, curve.x)}"
        ]
    else:
        told = [type(curve).__name__]
        if isinstance(scale, Tracer) or np.any(np.asarray(scale) != 1.0):
            told += [f"scale {_times(1.0, scale)}"]
    if not isinstance(p.temperature, Invariant):
        told.append(f"{type(p.temperature).__name__} in temperature")
    if p.valid is not None:
        told.append("measured at {:.5g} to {:.5g} K".format(*p.valid))
    return f"<Property: {', '.join(told)}>"


def _known(leaf: Any) -> bool:
    return isinstance(leaf, Tracer | jax.Array | np.ndarray | np.generic | float | int)


def _times(scale: Any, numbers: Any) -> str:
    """A product of numbers, or the range of many."""
    if isinstance(scale, Tracer) or isinstance(numbers, Tracer):
        return "traced"
    scale, numbers = np.asarray(scale), np.asarray(numbers)
    values = scale.reshape(scale.shape + (1,) * (numbers.ndim - scale.ndim)) * numbers
    least, most = f"{np.min(values):.5g}", f"{np.max(values):.5g}"
    return least if least == most else f"{least} to {most}"
