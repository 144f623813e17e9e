"""What happens at particle surfaces beside intercalation, as parts that others can add.

Intercalation, the film and the double layer make one circuit, by area of particle:

    phi_s - phi_e = drop + j_total R_film
    j_total = j + (currents of all processes) + C_dl d(drop)/dt

A process adds to it what it has: a current, a resistance, a capacitance, a part of the
open-circuit potential; and unknowns of its own with their rates.
"""

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from .._constants import F
from .._shapes import Alike, Each, Scalar

Named = Mapping[str, Array]
"""Unknowns by name, each (n,) for the particles of one material."""


class Unknown(NamedTuple):
    """An unknown of the particle surfaces, one number for each particle.

    Attributes:
        name: by which equations call it.
        error_weight: what an error of it counts beside one of composition, which counts
            1; none: errors are not looked at.
        algebraic: whether its row is a residual, and not a rate.
        sodium: what one of it holds, in units of the electrode's sites; so that the
            sodium of a cell can be counted.
        title: in words, with a unit in brackets if it has one.
    """

    name: str
    error_weight: float | None = 1.0
    algebraic: bool = False
    sodium: float = 0.0
    title: str = ""


class Surface(NamedTuple):
    """What a process sees, each (n,) for the particles of one material, or ().

    Attributes:
        j: intercalation current density, positive on oxidation [A.m-2].
        across: phi_s - phi_e [V].
        drop: phi_s - phi_e - j_total R_film, what drives reactions below the film [V].
        salt: concentration in the liquid [mol.m-3].
        x: stoichiometry at the surface, of the whole host.
        sites: of the particle for each area of surface, c_max R_p / 3 [mol.m-2].
        T: temperature [K].
    """

    j: Each
    across: Each
    drop: Each
    salt: Each
    x: Each
    sites: Each
    T: Each


class AbstractSurfaceProcess(eqx.Module):
    """A process at the surface of particles. Its fields are its parameters.

    Put one on an electrode's surface with `parameters.with_process`. All methods are
    elementwise in the particles, so that the step matrix can be had node by node; what is
    not overridden is absent from the model.
    """

    unknowns: ClassVar[tuple[Unknown, ...]] = ()
    """Those of its own."""

    def start(self, x: Alike, T: Scalar) -> dict[str, Array]:
        """Its unknowns at rest, by name.

        Args:
            x: stoichiometry of the particles, (n,).
            T: temperature [K].
        """
        return {unknown.name: jnp.zeros_like(x) for unknown in self.unknowns}

    def rates(self, u: Named, at: Surface) -> dict[str, Array]:
        """Rates of its unknowns [s-1], residuals of those that are algebraic, by name.

        Args:
            u: its own unknowns and those of the other processes, by name.
            at: surroundings.
        """
        return {}

    def current(self, u: Named, at: Surface) -> Each:
        """Current density of a reaction of its own, positive on oxidation [A.m-2]."""
        return jnp.zeros_like(at.j)

    def potential(self, u: Named, x: Alike, T: Scalar) -> Alike:
        """What it adds to the open-circuit potential [V]."""
        return jnp.zeros_like(x)

    def resistance(self, u: Named, T: Scalar) -> Each:
        """What it adds to that of the film, at temperature T [ohm.m2]."""
        return jnp.zeros(())

    def film(self, u: Named) -> Each:
        """Thickness that it has put on the particles since the start, linear in `u` [m].

        It takes its volume from the pores of the electrode.
        """
        return jnp.zeros(())

    def differential_capacitance(self, drop: Alike, T: Scalar) -> Each:
        """What it adds to that of the double layer [F.m-2]."""
        return jnp.zeros(())

    def dispersion(self, frequency: Scalar) -> Scalar:
        """By what its capacitance is multiplied in impedance, complex; 1: a capacitor.

        Args:
            frequency: [Hz].
        """
        return jnp.ones(())

    def has(self, method: str) -> bool:
        """Whether it overrides one of the methods above."""
        return getattr(type(self), method) is not getattr(
            AbstractSurfaceProcess, method
        )


def per_charge(sites: Alike) -> Alike:
    """Change of mean stoichiometry for each charge through an area [m2.C-1]."""
    return 1.0 / (F * sites)
