"""Charge stored at the particle surfaces."""

from jaxtyping import Array, Float

from .._shapes import Alike, Each, Scalar
from .surface import AbstractSurfaceProcess


class DoubleLayer(AbstractSurfaceProcess):
    """What the reactions leave of the current charges a capacitor.

    Attributes:
        capacitance: C_dl, for each area of particle [F.m-2].
    """

    capacitance: Float[Array, ""]

    def differential_capacitance(self, drop: Alike, T: Scalar) -> Each:
        return self.capacitance
