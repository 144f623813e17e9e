"""Diffusion driven by the potential: its ideal limit, and the diffusivity it implies."""

import dataclasses

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion._constants import F, R
from naion.physics.solid import shell_flux_by_potential
from naion.properties import MSMR, Property, constant

IDEAL = MSMR(*(jnp.asarray([v]) for v in (0.4, 1.0, 1.0)))


def driven(cell, by):
    """The cell with an ideal negative electrode whose diffusion limits."""
    particle = dataclasses.replace(
        cell.negative.particle,
        ocp=Property(IDEAL),
        diffusivity=constant(jnp.asarray(8e-15)),
        driven_by=by,
    )
    return eqx.tree_at(lambda c: c.negative.particle, cell, particle)


@pytest.mark.parametrize("rate", ["C/3", "2C"])
def test_an_ideal_solution_diffuses_with_D_0(cell, rate):
    """U = U0 - RT/F ln(x/(1-x)): both forms are Fick's law, on fine shells."""
    model = na.DFN(na.Mesh(4, 3, 4, 40))
    step = na.Protocol(f"Discharge at {rate} until 2.2 V")
    sto = na.parameters.Stoichiometry(jnp.asarray(0.9), jnp.asarray(0.45))
    a, b = (
        na.simulate(driven(cell, by), step, model=model, start=sto, rtol=1e-5)
        for by in ("composition", "potential")
    )
    assert abs(float(b.capacity / a.capacity) - 1.0) < 2e-3
    q = jnp.linspace(0.0, 0.95 * a.capacity, 60)
    difference = b.voltage_at_charge(q) - a.voltage_at_charge(q)
    assert np.sqrt(np.mean(difference**2)) < 1e-3


def test_implied_diffusivity():
    """Between near shells: D_0 x (1-x) F/RT (-dU/dx)."""
    carbon = MSMR(*map(jnp.asarray, ([0.7, 0.07], [4.5, 0.4], [0.5, 0.6])))
    T, x, dx = jnp.asarray(290.0), jnp.linspace(0.1, 0.9, 9), 1e-5
    N = shell_flux_by_potential(
        x - dx, x + dx, lambda x: 1e-14 * jnp.ones_like(x), carbon, jnp.asarray(1e-7), T
    )
    D = -N * 1e-7 / (2.0 * dx)
    expected = 1e-14 * x * (1.0 - x) * F / (R * T) * -1.0 / carbon.slope(carbon(x))
    np.testing.assert_allclose(D, expected, rtol=1e-5)
    assert np.all(D > 0.0)
