"""Forms of charge-transfer kinetics: limits, and the textbook's explicit currents."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion._constants import F, R
from naion.physics.kinetics import (
    AsymmetricButlerVolmer,
    ButlerVolmer,
    ChayambukaButlerVolmer,
    Interface,
    MarcusHushChidsey,
)

T = 263.15
AT = Interface(*map(jnp.asarray, (2e-10, 0.8, 0.35, 0.4, 15e3, T, 800.0)))
ETA = jnp.linspace(-0.4, 0.4, 81)
J_0 = float(F * AT.k_0 * AT.c_max * jnp.sqrt(AT.c_e * AT.x * (1.0 - AT.x)))
HALF = jnp.asarray(0.5)


def solved(form, eta):
    """The current density that belongs to an overpotential, by bisection."""
    low, high = jnp.full_like(eta, -1e6), jnp.full_like(eta, 1e6)
    for _ in range(200):
        middle = 0.5 * (low + high)
        too_small = form.residual(middle, eta, AT) > 0.0
        low, high = (
            jnp.where(too_small, middle, low),
            jnp.where(too_small, high, middle),
        )
    return 0.5 * (low + high)


def test_symmetric():
    expected = 2.0 * J_0 * np.sinh(F * ETA / (2.0 * R * T))
    np.testing.assert_allclose(
        solved(ButlerVolmer(), ETA), expected, rtol=1e-6, atol=1e-8
    )


def test_asymmetric():
    a = 0.3
    sites = AT.c_e**a * (1.0 - AT.x) ** a * AT.x ** (1.0 - a)
    j_0 = F * AT.k_0 * AT.c_max * sites
    f = F * ETA / (R * T)
    expected = j_0 * (jnp.exp(a * f) - jnp.exp((a - 1.0) * f))
    found = solved(AsymmetricButlerVolmer(jnp.asarray(a)), ETA)
    # The floors of the powers take 1e-8 of the sites.
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)


def test_chayambuka():
    f = F * ETA / (R * T)
    j_0 = F * AT.k_0 * AT.c_max * jnp.sqrt(AT.x_mean * (1.0 - AT.x_mean))
    out = AT.x / AT.x_mean * jnp.exp(0.5 * f)
    into = (1.0 - AT.x) / (1.0 - AT.x_mean) * AT.c_e * jnp.exp(-0.5 * f)
    found = solved(ChayambukaButlerVolmer(HALF), ETA)
    np.testing.assert_allclose(found, j_0 * (out - into), rtol=1e-6, atol=1e-8)


def test_asymmetric_with_one_half_is_symmetric():
    j = jnp.linspace(-5.0, 5.0, 41)
    for eta in ETA[::10]:
        a = AsymmetricButlerVolmer(HALF).residual(j, eta, AT)
        np.testing.assert_allclose(a, ButlerVolmer().residual(j, eta, AT), atol=1e-8)


def test_marcus_tends_to_butler_volmer_and_levels_off():
    """Equal slope at zero; by wide margins less at large overpotentials."""
    form = MarcusHushChidsey(jnp.asarray(40e3))
    slope = solved(form, jnp.asarray([1e-4])) / 1e-4
    np.testing.assert_allclose(slope, F * J_0 / (R * T), rtol=1e-3)
    # The exact integrals. The closed form misses them by up to 8 % here, at h = 0 too,
    # where both are brought to one slope: 15 % together.
    l = 40e3 / (R * T)
    x = np.linspace(-400.0, 400.0, 400001)

    def half(h):
        return np.trapezoid(
            np.exp(-((x - l - h) ** 2) / (4.0 * l)) / (1.0 + np.exp(x)), x
        )

    small = F * 1e-4 / (R * T)
    unit = (half(-small) - half(small)) / small
    for eta in (0.05, 0.15, 0.3):
        h = F * eta / (R * T)
        expected = J_0 * (half(-h) - half(h)) / unit
        np.testing.assert_allclose(
            solved(form, jnp.asarray([eta])), expected, rtol=0.15
        )
    assert solved(form, jnp.asarray([0.4]))[0] < 0.2 * 2.0 * J_0 * np.sinh(
        F * 0.4 / (2.0 * R * T)
    )


@pytest.mark.parametrize(
    "form",
    [
        AsymmetricButlerVolmer(jnp.asarray(0.4)),
        ChayambukaButlerVolmer(HALF),
        MarcusHushChidsey(jnp.asarray(60e3)),
    ],
    ids=lambda f: type(f).__name__,
)
def test_discharges_with_every_form(cell, model, form, derivatives):
    """They run, warm and cold, differ little from Butler-Volmer when warm, and have
    gradients."""
    other = eqx.tree_at(lambda c: c.kinetics, cell, form)
    step = na.Protocol("Discharge at 1C until 1.5 V")
    for celsius, near in ((25.0, 0.01), (-40.0, 1.0)):
        s, plain = (
            na.simulate(c, step, model=model, temperature=celsius + 273.15)
            for c in (other, cell)
        )
        assert s.result is na.Result.COMPLETED
        assert abs(float(s.capacity / plain.capacity) - 1.0) < near

    def energy(k):
        c = eqx.tree_at(lambda c: c.negative.particle.rate_constant.scale, other, k[0])
        return na.simulate(c, step, model=model).energy

    forward, reverse, difference = derivatives(energy, [1.0], 0.02)
    np.testing.assert_allclose(forward, reverse, rtol=1e-6)
    np.testing.assert_allclose(forward, difference, rtol=2e-2)


def test_mean_composition_is_the_mean(cell, model):
    """The state that one form asks for is the mean of the shells at all times."""
    other = eqx.tree_at(lambda c: c.kinetics, cell, ChayambukaButlerVolmer(HALF))
    step = na.Protocol("Discharge at 2C until 1.5 V")
    s = na.simulate(other, step, model=model, keep_states=True)
    shells = 3.0 * np.asarray(model.mesh.shells().volumes)[:, None]
    mean = np.sum(shells * np.asarray(s.states.sto), axis=1)
    kept = np.asarray(s.equations.named(s.states)["mean_sto"][:])
    np.testing.assert_allclose(kept, mean, atol=1e-11)
