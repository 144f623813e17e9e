"""Cans and pouches: mass, volume, and the room for a stack."""

import abc

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float

from ._number import number

Scalar = Float[Array, ""]

STEEL, ALUMINIUM = 7850.0, 2700.0
"""Densities of cans [kg.m-3]."""


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


class AbstractCan(AbstractHousing):
    """A housing of one wall.

    Attributes:
        wall: its thickness [m].
        density: [kg.m-3].
        fittings: what else belongs to it [kg].
    """

    wall: eqx.AbstractVar[Scalar]
    density: eqx.AbstractVar[Scalar]
    fittings: eqx.AbstractVar[Scalar]

    @property
    def mass(self) -> Array:
        return self.density * (self.volume - self.room) + self.fittings


class Cylinder(AbstractCan):
    """A round can.

    Attributes:
        diameter, height: outer [m].
        fittings: cap, tabs, insulation [kg].
        filling: see `AbstractHousing`.
        wall: [m].
        density: of the can [kg.m-3].
    """

    diameter: Scalar = number()
    height: Scalar = number()
    fittings: Scalar = number()
    filling: Scalar = number()
    wall: Scalar = number(0.2e-3)
    density: Scalar = number(STEEL)

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


class Prismatic(AbstractCan):
    """A box.

    Attributes:
        width, depth, height: outer [m].
        fittings: terminals, valve, collectors, insulation [kg].
        filling: see `AbstractHousing`.
        wall: [m].
        density: of the can [kg.m-3].
    """

    width: Scalar = number()
    depth: Scalar = number()
    height: Scalar = number()
    fittings: Scalar = number()
    filling: Scalar = number()
    wall: Scalar = number(0.8e-3)
    density: Scalar = number(ALUMINIUM)

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

    width: Scalar = number()
    height: Scalar = number()
    depth: Scalar = number()
    fittings: Scalar = number()
    seal: Scalar = number(8e-3)
    filling: Scalar = number(0.97)
    laminate: Scalar = number(0.24)

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
