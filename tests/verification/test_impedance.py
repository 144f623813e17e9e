"""Impedance against closed forms and against a simulated alternating current."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion._constants import F, R
from naion.properties import constant
from tests.verification.test_porous_electrode import STO, newman_tobias


def test_fast_limit_is_the_resistance_of_porous_electrodes(cell):
    """At 1 MHz nothing diffuses: Newman and Tobias' electrodes, separator, contacts."""
    T, sep = cell.temperature, cell.separator
    kappa = float(cell.electrolyte.conductivity(cell.electrolyte.concentration, T))
    expected = newman_tobias(cell, cell.negative, 0.5)
    expected += newman_tobias(cell, cell.positive, 0.6)
    expected += float(sep.thickness / (sep.transport_efficiency * kappa))
    expected = expected / float(cell.area) + float(cell.contact_resistance(T, T))
    fine = na.DFN(na.Mesh(40, 20, 40, 30))
    Z = na.impedance(cell, 1e6, model=fine, start=STO)
    np.testing.assert_allclose(Z.real, expected, rtol=2e-3)
    assert abs(Z.imag) < 1e-2 * Z.real


def test_diffusion_in_the_particles(cell, model):
    """Without a liquid's resistance: charge transfer and spheres in series.

        Z = 1/(a L A) (RT/(F j_0) - U' R/(F D c_max) / (psi coth(psi) - 1)),
        psi = R sqrt(i omega / D)

    Reference: Jacobsen and West, Electrochim. Acta 40 (1995) 255.
    """
    cell = eqx.tree_at(
        lambda c: (
            c.electrolyte.conductivity.scale,
            c.electrolyte.diffusivity.scale,
            c.negative.conductivity,
            c.positive.conductivity,
            c.negative.particle.diffusivity,
            c.contact_resistance.scale,
        ),
        cell,
        (
            *map(jnp.asarray, (1e7, 1e7, 1e9, 1e9)),
            constant(jnp.asarray(2e-15)),
            jnp.asarray(0.0),
        ),
    )
    T = float(cell.temperature)
    f = np.geomspace(1.0, 1e-4, 9)
    expected = 0.0
    for e, x in ((cell.negative, 0.5), (cell.positive, 0.6)):
        p = e.particle
        slope = float(jax.grad(lambda x, p=p: p.ocp(x, T))(x))
        D, radius, c_max = float(p.diffusivity(x, T)), float(p.radius), float(p.c_max)
        j_0 = F * float(p.rate_constant(x, T)) * c_max * np.sqrt(x * (1.0 - x))
        psi = radius * np.sqrt(2j * np.pi * f / D)
        sphere = radius / (F * D * c_max) / (psi / np.tanh(psi) - 1.0)
        own = R * T / (F * j_0) - slope * sphere
        expected = expected + own / float(e.interface * e.thickness * cell.area)
    fine = na.DFN(na.Mesh(4, 3, 4, 80))
    Z = na.impedance(cell, f, model=fine, start=STO)
    np.testing.assert_allclose(Z, expected, rtol=5e-3)


@pytest.mark.parametrize("frequency", [0.2, 2e-3])
def test_equals_a_simulated_alternating_current(cell, frequency):
    """The last of some periods of a small sine, by its Fourier coefficients."""
    mesh = na.DFN(na.Mesh(6, 4, 6, 24))
    Z = complex(na.impedance(cell, frequency, model=mesh, start=0.6))
    n, periods, size = 48, 6, 0.02
    t = np.arange(n * periods + 1) / (n * frequency)
    sine = size * np.sin(2.0 * np.pi * frequency * t)
    protocol = na.Protocol.profile(t, sine)
    s = na.simulate(cell, protocol, model=mesh, start=0.6, rtol=1e-7)
    last = np.linspace(periods - 1, periods, 1201)[:-1] / frequency
    V, current, *_ = map(np.asarray, s.at(last))
    turn = np.exp(-2j * np.pi * frequency * last)
    found = -np.mean(V * turn) / np.mean(current * turn)
    np.testing.assert_allclose(found, Z, rtol=1e-2)


def test_temperature_start_shape_and_refusals(cell, model):
    f = jnp.geomspace(1e3, 1e-3, 6).reshape(2, 3)
    warm, cold = (
        na.impedance(cell, f, model=model, start="charged", temperature=T)
        for T in (298.15, 263.15)
    )
    assert warm.shape == cold.shape == (2, 3)
    assert np.all(cold.real > 1.5 * warm.real)
    # A passive cell: current lags behind the voltage of diffusion.
    assert np.all(warm.imag < 1e-9)
    lumped = na.impedance(cell, f, model=na.DFN(model.mesh, na.Lumped()))
    # At rest entropy is all that heats, to first order: a per mille.
    np.testing.assert_allclose(lumped, na.impedance(cell, f, model=model), rtol=2e-2)
    for wrong in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="positive"):
            na.impedance(cell, [1.0, wrong], model=model)
    with pytest.raises(ValueError, match="in kelvin"):
        na.impedance(cell, 1.0, model=model, temperature=25.0)


def test_gradient(cell, model):
    """Of a squared impedance, both modes and differences."""

    def size(k):
        c = eqx.tree_at(lambda c: c.negative.particle.rate_constant.scale, cell, k)
        return jnp.abs(na.impedance(c, 0.1, model=model)) ** 2

    one = jnp.asarray(1.0)
    forward, reverse = jax.jacfwd(size)(one), jax.grad(size)(one)
    np.testing.assert_allclose(forward, reverse, rtol=1e-8)
    difference = (size(one + 1e-4) - size(one - 1e-4)) / 2e-4
    np.testing.assert_allclose(forward, difference, rtol=1e-5)
