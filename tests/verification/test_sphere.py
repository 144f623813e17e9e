"""Diffusion in a sphere with a constant flux, against its series."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm
from scipy.optimize import brentq

import naion as na
from naion.physics import solid
from naion.solvers import Settings, beginning, integrate

from .dense import DenseSystem, segments

RADIUS, DIFFUSIVITY = 5e-6, 1e-14
TIME_SCALE = RADIUS**2 / DIFFUSIVITY
FLUX = 1e-10
"""Outward flux of stoichiometry, j/(F c_max) [m.s-1]."""


def surface_minus_mean(fo: float) -> float:
    """x_surface - x_mean over -N R/D, at time fo R^2/D (Carslaw and Jaeger 9.6)."""
    roots = [
        brentq(lambda z: np.sin(z) - z * np.cos(z), k * np.pi + 0.1, (k + 0.5) * np.pi)
        for k in range(1, 400)
    ]
    z2 = np.square(roots)
    return 0.2 - 2.0 * np.sum(np.exp(-z2 * fo) / z2)


def rates(x, mesh: na.Mesh, flux: float):
    """The shell equations of the library for one particle."""
    shells = mesh.shells()
    gap = jnp.asarray(np.diff(shells.nodes) * RADIUS)[:, None]
    between = solid.shell_flux(
        x[:-1, None], x[1:, None], lambda s: DIFFUSIVITY * jnp.ones_like(s), gap
    )
    out = solid.shell_rates(between, jnp.array([flux]), shells, jnp.array([RADIUS]))
    return out[:, 0]


class Sphere(DenseSystem):
    """One particle under a constant flux."""

    mesh: na.Mesh

    @property
    def algebraic(self):
        return (False,) * self.mesh.n_r

    def rates(self, tau, y, args, control):
        return rates(y, self.mesh, FLUX)


@pytest.mark.parametrize("grading", [0.0, 2.0])
def test_order_in_r(grading):
    """The series, with exact time integration, at three times: order 2 in dr."""
    counts, errors = np.array([10, 20, 40, 80]), []
    for n in counts:
        mesh = na.Mesh(2, 2, 2, int(n), grading)
        matrix = np.asarray(
            jax.jit(jax.jacfwd(lambda x, mesh=mesh: rates(x, mesh, 0.0)))(jnp.zeros(n))
        )
        source = np.asarray(rates(jnp.zeros(n), mesh, FLUX))
        volumes = 3.0 * mesh.shells().volumes
        # Without a flux nothing is lost: rounding of rates of the size D/dr^2.
        assert np.abs(volumes @ matrix).max() < 1e-14 * np.abs(matrix).max()
        row = []
        for fo in (0.02, 0.1, 0.5):
            # exp of the augmented matrix gives the response to a constant source.
            augmented = np.zeros((n + 1, n + 1))
            augmented[:n, :n], augmented[:n, n] = matrix, source
            x = expm(augmented * fo * TIME_SCALE)[:n, n]
            numeric = (x[-1] - volumes @ x) / (-FLUX * RADIUS / DIFFUSIVITY)
            row.append(abs(numeric - surface_minus_mean(fo)) / surface_minus_mean(fo))
        errors.append(max(row))
    order = -np.polyfit(np.log(counts - 1), np.log(errors), 1)[0]
    assert 1.8 < order < 2.3, (order, errors)
    # 80 shells: 0.05 % of the polarisation of the particle.
    assert errors[-1] < 1e-3, errors


def test_series_through_the_integrator():
    """The same in time steps of 1e-6: the error is that of 40 shells."""
    mesh = na.Mesh(2, 2, 2, 40)
    settings = Settings(jnp.asarray(1e-6), jnp.asarray(1.0), 400, 400)
    fo = 0.1
    done = jax.jit(
        lambda y0: integrate(
            Sphere(mesh), beginning(y0, 1.0), (), segments(fo * TIME_SCALE), settings
        )
    )(jnp.full(40, 0.5))
    x, volumes = np.asarray(done.y), 3.0 * mesh.shells().volumes
    numeric = (x[-1] - volumes @ x) / (-FLUX * RADIUS / DIFFUSIVITY)
    # 40 shells: 0.1 % by the test above.
    assert abs(numeric / surface_minus_mean(fo) - 1.0) < 2e-3
    mean = 0.5 - 3.0 * FLUX / RADIUS * fo * TIME_SCALE
    # Rosenbrock methods keep linear invariants exactly.
    assert abs(volumes @ x - mean) < 1e-13
