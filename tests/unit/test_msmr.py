"""The MSMR potential: its inverse, its prepared curve, its derivatives."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion.properties import MSMR, Property


@pytest.fixture(scope="module")
def carbon() -> MSMR:
    """Our fit of hard carbon A: plateau and slope."""
    return MSMR(
        potential=jnp.asarray([0.9379, 0.7003, 0.0739, 0.0680, 0.0]),
        width=jnp.asarray([1.7472, 4.5518, 0.2544, 0.9963, 9.1237]),
        amount=jnp.asarray([0.0144, 0.1099, 0.3123, 0.3308, 0.5532]),
    )


X = jnp.linspace(0.005, 0.99, 401)


def test_inverse(carbon):
    U = carbon(X)
    np.testing.assert_allclose(carbon.composition(U), X, atol=1e-13)
    assert np.all(np.diff(U) < 0.0)


def test_slope_is_the_derivative(carbon):
    U = jnp.linspace(-0.05, 1.1, 50)
    expected = jax.vmap(jax.grad(carbon.composition))(U)
    np.testing.assert_allclose(carbon.slope(U), expected, rtol=1e-12)


def test_follows_the_tabulated_centre_line(carbon):
    """The set's table holds the same fit, rounded to 0.1 mV."""
    table = na.parameters.load("nfm_hc_prismatic").negative.particle.ocp
    x = table.curve.x
    # Coefficients carry four digits: steep ends move by some millivolts.
    inside = (x > 0.02) & (x < 0.99)
    np.testing.assert_allclose(carbon(x)[inside], table.curve.y[inside], atol=1.5e-3)


def test_prepared_curve_is_close(carbon):
    np.testing.assert_allclose(carbon.prepared()(X), carbon(X), atol=2e-5)


@pytest.mark.parametrize("name", ["potential", "width", "amount"])
def test_derivatives(carbon, name):
    """Of the inverse and of the prepared curve, against differences."""
    value = getattr(carbon, name)
    x = jnp.linspace(0.03, 0.97, 30)

    def exact(v):
        return eqx.tree_at(lambda c: getattr(c, name), carbon, v)(x)

    def prepared(v):
        return eqx.tree_at(lambda c: getattr(c, name), carbon, v).prepared()(x)

    J = jax.jacfwd(exact)(value)
    for k in range(len(value)):
        step = 1e-5 * jnp.zeros_like(value).at[k].set(1.0)
        difference = (exact(value + step) - exact(value - step)) / 2e-5
        np.testing.assert_allclose(J[:, k], difference, rtol=1e-4, atol=1e-6)
    scale = np.abs(J).max()
    np.testing.assert_allclose(jax.jacrev(prepared)(value), J, atol=5e-3 * scale)


def test_simulates_like_its_table(cell, model, carbon):
    """A discharge with the function and one with a fine table of it."""
    from naion.properties import Table

    x = jnp.concatenate([jnp.geomspace(1e-4, 0.02, 60), jnp.linspace(0.025, 1.0, 300)])
    step = na.Protocol("Discharge at C/2 until 1.5 V")
    sto = na.parameters.Stoichiometry(jnp.asarray(0.9), jnp.asarray(0.45))
    capacity = []
    for curve in (carbon, Table(x, carbon(x))):
        c = eqx.tree_at(lambda c: c.negative.particle.ocp, cell, Property(curve))
        s = na.simulate(c, step, model=model, start=sto)
        capacity.append(float(s.capacity))
    assert abs(capacity[0] / capacity[1] - 1.0) < 2e-4
