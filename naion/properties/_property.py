"""A property: scale times curve in composition times law in temperature."""

from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from .._shapes import Alike, Scalar
from ._curves import AbstractCurve, Constant
from ._temperature import AbstractTemperatureLaw, Invariant
from ._words import in_short

Tree = TypeVar("Tree")


class Property(eqx.Module):
    """A material property.

    Attributes:
        curve: dependence on composition at the reference temperature; carries the unit.
        temperature: dimensionless factor in temperature.
        scale: dimensionless factor by which a fit moves the whole curve.
        valid: lowest and highest temperature [K] at which it was measured, where that is
            known. Outside it is used all the same; `parameters.cautions` says so.
    """

    curve: AbstractCurve
    temperature: AbstractTemperatureLaw
    scale: Scalar
    valid: tuple[float, float] | None = eqx.field(static=True, default=None)

    def __init__(
        self,
        curve: AbstractCurve,
        temperature: AbstractTemperatureLaw | None = None,
        scale: float | Array = 1.0,
        valid: tuple[float, float] | None = None,
    ):
        if valid is not None and not 0.0 < valid[0] <= valid[1]:
            raise ValueError(f"valid={valid}: expected two temperatures [K] in order.")
        self.curve = curve
        self.temperature = Invariant() if temperature is None else temperature
        self.scale = jnp.asarray(scale, dtype=float)
        self.valid = valid

    def __repr__(self) -> str:
        return in_short(self)

    def __call__(self, x: Alike, T: Scalar) -> Alike:
        """Value at composition `x` (any shape) and temperature `T` [K], a scalar."""
        return self.scale * self.temperature(T) * self.curve.at(T)(x)


def constant(
    value: float | Array,
    temperature: AbstractTemperatureLaw | None = None,
    *,
    valid: tuple[float, float] | None = None,
) -> Property:
    """A property that does not depend on composition."""
    curve = Constant(jnp.asarray(value, dtype=float))
    return Property(curve, temperature, valid=valid)


def prepare(tree: Tree) -> Tree:
    """Work out the interpolation coefficients of every curve in a pytree, once.

    Differentiable: gradients reach the tabulated values.
    """

    def is_curve(node: object) -> bool:
        return isinstance(node, AbstractCurve)

    return jax.tree.map(
        lambda node: node.prepared() if is_curve(node) else node, tree, is_leaf=is_curve
    )
