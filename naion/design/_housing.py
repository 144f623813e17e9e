"""Cans and pouches: mass, volume, and the room for a stack."""

import abc

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Scalar = Float[Array, ""]

STEEL, ALUMINIUM = 7850.0, 2700.0
"""Densities of cans [kg.m-3]."""


def _number() -> Scalar:
    return eqx.field(converter=lambda x: jnp.asarray(x, float))


class AbstractHousing(eqx.Module):
    """What is around a stack.

    Attributes:
        filling: volume of the stack over the room inside: without head room, core,
            uncoated margins and room for swelling [-].
    """

    filling: eqx.AbstractVar[Scalar]

    @property
    @abc.abstractmethod
    def volume(self) -> Array:
        """Outer [m3]."""

    @property
    @abc.abstractmethod
    def surface(self) -> Array:
        """Outer [m2]."""

    @property
    @abc.abstractmethod
    def room(self) -> Array:
        """Volume inside the walls [m3]."""

    @property
    @abc.abstractmethod
    def mass(self) -> Array:
        """Walls, lid, terminals, tabs [kg]."""


class Cylinder(AbstractHousing):
    """A round can.

    Attributes:
        diameter, height: outer [m].
        fittings: cap, tabs, insulation [kg].
        filling: see `AbstractHousing`.
        wall: [m].
        density: of the can [kg.m-3].
    """

    diameter: Scalar = _number()
    height: Scalar = _number()
    fittings: Scalar = _number()
    filling: Scalar = _number()
    wall: Scalar = eqx.field(converter=lambda x: jnp.asarray(x, float), default=0.2e-3)
    density: Scalar = eqx.field(
        converter=lambda x: jnp.asarray(x, float), default=STEEL
    )

    @property
    def volume(self) -> Array:
        return 0.25 * np.pi * self.diameter**2 * self.height

    @property
    def surface(self) -> Array:
        return np.pi * self.diameter * (self.height + 0.5 * self.diameter)

    @property
    def room(self) -> Array:
        inner = self.diameter - 2.0 * self.wall
        return 0.25 * np.pi * inner**2 * (self.height - 2.0 * self.wall)

    @property
    def mass(self) -> Array:
        return self.density * (self.volume - self.room) + self.fittings


class Prismatic(AbstractHousing):
    """A box.

    Attributes:
        width, depth, height: outer [m].
        fittings: terminals, valve, collectors, insulation [kg].
        filling: see `AbstractHousing`.
        wall: [m].
        density: of the can [kg.m-3].
    """

    width: Scalar = _number()
    depth: Scalar = _number()
    height: Scalar = _number()
    fittings: Scalar = _number()
    filling: Scalar = _number()
    wall: Scalar = eqx.field(converter=lambda x: jnp.asarray(x, float), default=0.8e-3)
    density: Scalar = eqx.field(
        converter=lambda x: jnp.asarray(x, float), default=ALUMINIUM
    )

    @property
    def volume(self) -> Array:
        return self.width * self.depth * self.height

    @property
    def surface(self) -> Array:
        faces = self.width * self.depth + self.depth * self.height
        return 2.0 * (faces + self.width * self.height)

    @property
    def room(self) -> Array:
        w, d, h = (x - 2.0 * self.wall for x in (self.width, self.depth, self.height))
        return w * d * h

    @property
    def mass(self) -> Array:
        return self.density * (self.volume - self.room) + self.fittings


class Pouch(AbstractHousing):
    """Laminate on both faces of a stack, sealed around it.

    Attributes:
        width, height: of the stack [m].
        depth: of the stack [m].
        fittings: tabs [kg].
        seal: width of the sealed rim [m].
        filling: see `AbstractHousing`.
        laminate: [kg.m-2]; of 153 um.
    """

    width: Scalar = _number()
    height: Scalar = _number()
    depth: Scalar = _number()
    fittings: Scalar = _number()
    seal: Scalar = eqx.field(converter=lambda x: jnp.asarray(x, float), default=8e-3)
    filling: Scalar = eqx.field(converter=lambda x: jnp.asarray(x, float), default=0.97)
    laminate: Scalar = eqx.field(
        converter=lambda x: jnp.asarray(x, float), default=0.24
    )

    @property
    def volume(self) -> Array:
        return self.surface * 153e-6 + self.room

    @property
    def surface(self) -> Array:
        rim = 2.0 * self.seal
        return 2.0 * (self.width + rim) * (self.height + self.depth + rim)

    @property
    def room(self) -> Array:
        return self.width * self.height * self.depth

    @property
    def mass(self) -> Array:
        return self.laminate * self.surface + self.fittings
