"""The MSMR potential: its inverse, its prepared curve, its derivatives."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion._constants import F, R
from naion.parameters import (
    Stoichiometry,
    from_json,
    open_circuit_voltage,
    to_json,
    with_pore_filling,
    with_reactions,
)
from naion.parameters._hard_carbon import HARD_CARBONS
from naion.properties import MSMR, Corrected, Property, Table, Walled, constant


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


def test_inverse_does_not_go_to_and_fro():
    """Newton's steps alone stay between 0.38 and -0.07 V here; the answer is 0.083 V."""
    host = MSMR(*map(jnp.asarray, HARD_CARBONS["D1"])).part((0, 1, 2))
    host = host.at(jnp.asarray(253.15, float))
    x = jnp.linspace(0.005, 0.98, 400) * jnp.sum(host.amount)
    np.testing.assert_allclose(host.composition(host(x)), x, atol=1e-13)


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

    @jax.jit
    def exact(v):
        return eqx.tree_at(lambda c: getattr(c, name), carbon, v)(x)

    def prepared(v):
        return eqx.tree_at(lambda c: getattr(c, name), carbon, v).prepared()(x)

    J = np.asarray(jax.jit(jax.jacfwd(exact))(value))
    for k in range(len(value)):
        step = 1e-5 * np.eye(len(value))[k]
        difference = (exact(value + step) - exact(value - step)) / 2e-5
        np.testing.assert_allclose(J[:, k], difference, rtol=1e-4, atol=1e-6)
    scale = np.abs(J).max()
    np.testing.assert_allclose(
        jax.jit(jax.jacrev(prepared))(value), J, atol=5e-3 * scale
    )


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


COLD = pytest.mark.parametrize("T", [253.15, 233.15])


def put(cell, **changes):
    """The cell with other fields of its negative particle."""
    particle = dataclasses.replace(cell.negative.particle, **changes)
    return eqx.tree_at(lambda c: c.negative.particle, cell, particle)


@COLD
def test_cell_in_the_cold(cell, model, carbon, T):
    """Open-circuit voltage, potentials on the grid and heat see the carbon at T."""
    T, added, n = jnp.asarray(T), 1e-4, model.mesh.n_neg
    warm = with_reactions(cell, "A")
    c = put(warm, dudt=constant(added))
    sto = Stoichiometry(jnp.asarray(0.15), jnp.asarray(0.8))
    moved = carbon.at(T)(sto.negative) - carbon(sto.negative)
    assert 0.035 < -float(moved) < 0.06
    voltage = [open_circuit_voltage(w, sto, T) for w in (warm, c)]
    at_reference = open_circuit_voltage(warm, sto, warm.temperature)
    positive = warm.positive.particle.dudt(sto.positive, T) * (T - warm.temperature)
    np.testing.assert_allclose(voltage[0], at_reference - moved + positive, atol=1e-9)
    shift = added * (T - c.temperature)
    np.testing.assert_allclose(voltage[1], voltage[0] - shift, atol=1e-9)
    grid = model.discretise(c)
    x = jnp.full_like(grid.radius, 0.15)
    np.testing.assert_allclose(
        grid.ocp(x, T)[:n], carbon.at(T)(sto.negative) + shift, atol=3e-5
    )
    # What the heat sees is the derivative of what the voltage sees, once.
    own = jax.grad(lambda T: carbon.at(T)(sto.negative))(T)
    np.testing.assert_allclose(grid.entropic(x, T)[:n], own + added, atol=5e-6)
    step = grid.ocp(x, T + 0.05) - grid.ocp(x, T - 0.05)
    np.testing.assert_allclose(grid.entropic(x, T), step / 0.1, atol=1e-9)


@COLD
def test_pores_in_the_cold(cell, model, carbon, T):
    """At rest nothing fills: pores and slope have one potential, that of the host at T."""
    T = jnp.asarray(T)
    grid = model.discretise(with_pore_filling(with_reactions(cell, "A")))
    x, n = jnp.linspace(0.1, 0.9, 9), model.mesh.n_neg

    @jax.jit
    def at_rest(each):
        slope, filled = grid.populate(jnp.full_like(grid.radius, each), T)
        whole = grid.composition(slope, T), grid.ocp(slope, T), carbon.at(T)(each)
        rest = grid.pore_filling(slope, filled, T)[0]
        back = jax.grad(lambda b: grid.pore_filling(slope, b, T)[0])(filled)[0]
        return slope + filled, *whole, rest / back

    for each in x:
        both, composition, potential, of_host, apart = at_rest(each)
        np.testing.assert_allclose(both[:n], each, atol=1e-12)
        np.testing.assert_allclose(composition[:n], each, atol=1e-4)
        np.testing.assert_allclose(potential[:n], of_host, atol=2e-5)
        # How far the pores are from where they would rest, in composition.
        assert abs(float(apart)) < 1e-5


@COLD
def test_diffusion_by_potential_in_the_cold(cell, model, carbon, T):
    """The flux is down the potential at T."""
    T, D_0 = jnp.asarray(T), 1e-14
    c = put(
        with_reactions(cell, "A"),
        diffusivity=constant(D_0),
        driven_by="potential",
    )
    grid, n = model.discretise(c), model.mesh.n_neg
    low = jnp.full_like(grid.shell_gap, 0.20)
    flux = grid.shell_flux(low, low + 0.01, T)[:, :n]
    fall = carbon.at(T)(jnp.asarray(0.21)) - carbon.at(T)(jnp.asarray(0.20))
    expected = D_0 * 0.205 * 0.795 * F / (R * T) * fall / grid.shell_gap[:, :n]
    np.testing.assert_allclose(flux, expected, rtol=2e-3)


def test_files_of_before_are_of_25_degC(cell, carbon):
    """A file that does not know a host's temperature."""
    data = to_json(with_reactions(cell, "A"))
    del data["negative"]["particle"]["ocp"]["curve"]["T"]
    host = from_json(data).negative.particle.ocp.curve
    np.testing.assert_array_equal(host(X), carbon(X))
