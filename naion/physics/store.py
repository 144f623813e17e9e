"""Sites inside particles that fill from others, as parts that others can add."""

import abc

import equinox as eqx
import jax.numpy as jnp

from .._shapes import Alike, Scalar
from ..properties import Property


class AbstractPopulations(eqx.Module):
    """Sodium in the sites through which it diffuses, and in a store beside them.

    In every shell the store exchanges sodium with the other sites alone; compositions of
    both are in units of all sites. Methods are elementwise in shells and particles.
    """

    def split(self, x: Alike, T: Scalar) -> tuple[Alike, Alike]:
        """Compositions of the diffusing sites and of the store at the start.

        Args:
            x: stoichiometry of the whole host, (n,).
            T: temperature [K].
        """
        return x, jnp.zeros_like(x)

    def whole(self, mobile: Alike, T: Scalar) -> Alike:
        """Composition by which properties of the host go, from the diffusing sites'."""
        return mobile

    def potential(self, ocp: Property, mobile: Alike, T: Scalar) -> Alike:
        """Open-circuit potential by the composition of the diffusing sites [V]."""
        return ocp(mobile, T)

    @abc.abstractmethod
    def filling(self, mobile: Alike, held: Alike, T: Scalar) -> Alike:
        """How fast the store fills from the diffusing sites [s-1]."""


class AbstractStore(eqx.Module):
    """Parameters of a store; put one into a cell with `parameters.with_process`."""

    @abc.abstractmethod
    def ready(self, ocp: Property) -> AbstractPopulations:
        """Its equations in a host, with what is worked out once for each solve.

        Args:
            ocp: open-circuit potential of the host.

        Raises:
            ValueError: for a host in which it cannot be.
        """
