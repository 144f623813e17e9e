"""The MSMR potential: its inverse, its prepared curve, its derivatives."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion._constants import F, R
from naion.parameters._variants import HARD_CARBONS
from naion.properties import MSMR, Corrected, Property, Table, Walled


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


@pytest.mark.parametrize("T", [313.15, 253.15, 233.15])
def test_formula_at_temperature(carbon, T):
    """x(U) = sum X / (1 + exp(F (U - U0) / (R T w))), also in its table."""
    T = jnp.asarray(T)
    for curve, error in ((carbon, 1e-9), (carbon.prepared(), 2e-5)):
        U = Property(curve)(X, T)
        driven = F * (U[:, None] - carbon.potential) / (R * T * carbon.width)
        x = jnp.sum(carbon.amount / (1.0 + jnp.exp(driven)), axis=-1)
        slope = carbon.at(T).slope(U)
        np.testing.assert_allclose((x - X) / slope, 0.0, atol=error)


@pytest.mark.parametrize("name", HARD_CARBONS)
def test_tables_hold_from_hot_to_deep_cold(name):
    """Of all carbons, and of the parts that pore filling makes of them."""
    host = MSMR(*map(jnp.asarray, HARD_CARBONS[name]))
    pores = {"A": (2, 3), "B": (3, 4), "D1": (3, 4)}[name]
    slope = tuple(i for i in range(5) if i not in pores)
    for curve in (host, host.part(slope)):
        x = X * jnp.sum(curve.amount) / jnp.sum(host.amount)
        table = curve.prepared()
        for T in map(jnp.asarray, (213.15, 243.15, 253.15, 273.15, 298.15, 343.15)):
            np.testing.assert_allclose(table.at(T)(x), curve.at(T)(x), atol=8e-5)


def test_parts_of_curves_follow_the_temperature(carbon):
    """However a curve is put together, and in whatever order it is prepared."""
    T, x = jnp.asarray(243.15), jnp.linspace(0.05, 0.95, 20)
    shift = Table(jnp.asarray([0.0, 1.0]), jnp.asarray([0.01, -0.01]))
    corrected = Corrected(carbon, shift)
    walled = Walled(corrected, jnp.asarray(2e-3))
    cold = carbon.at(T)(x)
    np.testing.assert_allclose(corrected.at(T)(x), cold + shift(x), rtol=1e-12)
    for curve in (walled.at(T), walled.prepared().at(T), walled.at(T).prepared()):
        np.testing.assert_allclose(curve(x), walled.at(T)(x), atol=2e-5)
        np.testing.assert_allclose(curve(x), cold + shift(x), atol=2e-5)


def test_entropy_is_the_derivative_by_temperature(carbon):
    """Of the exact curve, of the table, and beyond the table's temperatures."""
    table, x = carbon.prepared(), jnp.linspace(0.05, 0.95, 30)
    for T in (233.15, 273.15, 298.15, 333.15):
        exact, tabled = (
            jax.jvp(lambda T, c=c: c.at(T)(x), (jnp.asarray(T),), (jnp.ones(()),))[1]
            for c in (carbon, table)
        )
        step = carbon.at(jnp.asarray(T + 0.1))(x) - carbon.at(jnp.asarray(T - 0.1))(x)
        np.testing.assert_allclose(exact, step / 0.2, rtol=1e-5, atol=1e-9)
        np.testing.assert_allclose(tabled, exact, atol=3e-6)
    far = [table.at(jnp.asarray(T))(x) for T in (380.0, 390.0, 400.0)]
    np.testing.assert_allclose(far[2] - far[1], far[1] - far[0], rtol=1e-9)


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
    x = jnp.concatenate([jnp.geomspace(1e-4, 0.02, 60), jnp.linspace(0.025, 1.0, 300)])
    step = na.Protocol("Discharge at C/2 until 1.5 V")
    sto = na.parameters.Stoichiometry(jnp.asarray(0.9), jnp.asarray(0.45))
    capacity = []
    for curve in (carbon, Table(x, carbon(x))):
        c = eqx.tree_at(lambda c: c.negative.particle.ocp, cell, Property(curve))
        s = na.simulate(c, step, model=model, start=sto)
        capacity.append(float(s.capacity))
    assert abs(capacity[0] / capacity[1] - 1.0) < 2e-4
