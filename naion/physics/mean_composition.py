"""Mean stoichiometry of the particles, for kinetics that ask for it."""

from typing import ClassVar

from jaxtyping import Array

from .._shapes import Alike, Scalar
from .surface import AbstractSurfaceProcess, Named, Surface, Unknown, per_charge


class MeanComposition(AbstractSurfaceProcess):
    """What went through the surface, counted: d(mean x)/dt = -3 j / (F c_max R_p)."""

    unknowns: ClassVar = (Unknown("mean_sto", title="Mean stoichiometry"),)

    def start(self, x: Alike, T: Scalar) -> dict[str, Array]:
        return {"mean_sto": x}

    def rates(self, u: Named, at: Surface) -> dict[str, Array]:
        return {"mean_sto": -per_charge(at.sites) * at.j}
