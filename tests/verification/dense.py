"""Small systems for the integrator: dense matrices, no batteries."""

import abc

import jax
import jax.numpy as jnp
import numpy as np

from naion.solvers import AbstractSystem, Segments
from naion.solvers._system import Factorised


class DenseSystem(AbstractSystem):
    """A DAE of few unknowns; subclasses give `rates`, `algebraic` and events."""

    @property
    @abc.abstractmethod
    def algebraic(self) -> tuple[bool, ...]:
        """Which rows are algebraic."""

    @property
    def mass(self) -> np.ndarray:
        return 1.0 - np.asarray(self.algebraic, float)

    def factor(self, shift, tau, y, args, control):
        jacobian = jax.jacfwd(lambda z: self.rates(tau, z, args, control))(y)
        matrix = shift * jnp.diag(jnp.asarray(self.mass)) - jacobian
        factors = jax.scipy.linalg.lu_factor(matrix)
        return Factorised(
            lambda b: jax.scipy.linalg.lu_solve(factors, b),
            lambda b: jax.scipy.linalg.lu_solve(factors, b, trans=1),
        )

    def begin(self, y):
        return y

    def start_guess(self, tau, y, args, control):
        return y

    def limit_update(self, dy, args):
        return jnp.ones(())

    def update_size(self, dy, args):
        return jnp.max(jnp.abs(dy)) / 1e-12

    def error_ratio(self, error, y, args, control, tau):
        return jnp.max(jnp.abs(error) / (1e-6 + jnp.abs(y)))

    def outputs(self, tau, y, args, control):
        return y

    def events(self, tau, y, args, control):
        return jnp.ones(1)


def segments(*durations: float, stops: bool = False) -> Segments:
    """Segments without a control."""
    n = len(durations)
    ends = jnp.full((n, 1), stops)
    apart = jnp.zeros(n, bool)
    return Segments((), jnp.asarray(durations, float), ends, apart, jnp.asarray(n))
