"""Heat through the stack: limits, a slab by hand, currents that add up, derivatives."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import naion as na
from naion.models import ThroughStack
from naion.parameters import stoichiometry_at_soc, with_heat_through_stack
from naion.physics import heat
from naion.protocol import Mode
from naion.systems import Members, PackSystem, in_layers, in_parallel, segments_of

DISCHARGE = "Discharge at 2C until 2.0 V"
THICKNESS = 0.027


@pytest.fixture(scope="module")
def flat():
    """A prismatic cell, 27 mm of layers, cooled at its faces."""
    return with_heat_through_stack(
        na.parameters.load("nfm_hc_prismatic"), THICKNESS, conductivity=0.7
    )


@pytest.fixture(scope="module")
def stack(mesh):
    return na.DFN(mesh, ThroughStack(3))


@pytest.fixture(scope="module")
def one_sided(flat):
    """On a cold plate at one face: a large Biot number."""
    thermal = flat.thermal
    at = dataclasses.replace(
        thermal.through_plane, first=jnp.asarray(1.0), last=jnp.asarray(0.0)
    )
    cold = dataclasses.replace(
        thermal, cooling=20.0 * thermal.cooling, through_plane=at
    )
    return dataclasses.replace(flat, thermal=cold)


def at(where, cell, value):
    return eqx.tree_at(where, cell, jnp.asarray(value, float))


def conductance(cell):
    return cell.thermal.through_plane.conductance


def end(cell, model, rtol=1e-6, **options):
    options = {"max_steps": 1000} | options
    return na.simulate(cell, DISCHARGE, model=model, rtol=rtol, **options)


def test_conducts_well_is_lumped(flat, stack, lumped):
    """One temperature where heat goes through at once."""
    well = at(conductance, flat, 1e7)
    one, many = end(well, lumped), end(well, stack)
    assert_allclose(many.capacity, one.capacity, rtol=1e-6)
    assert_allclose(many.temperature[-1], one.temperature[-1], rtol=1e-6)


def test_cooled_at_the_edges_is_lumped(flat, stack, lumped):
    """Layers that are all cooled alike stay alike, however badly heat goes through."""
    edges = at(lambda c: c.thermal.through_plane.first, flat, 0.0)
    edges = at(lambda c: c.thermal.through_plane.last, edges, 0.0)
    one, many = end(edges, lumped), end(edges, stack)
    layers = np.asarray(many.layer_temperature)
    assert_allclose(layers, layers[:, :1] * np.ones(3), rtol=1e-10)
    assert_allclose(many.capacity, one.capacity, rtol=1e-7)


@pytest.mark.parametrize("n", [4, 8])
def test_slab_by_hand(n):
    """Steady slab with uniform heat, h at both faces: order two in its thickness."""
    conductance, faces, source = 3.0, 20.0, 50.0

    def middle(n):
        X, g = heat.between_layers(
            *(jnp.asarray(a) for a in (conductance, faces, faces, 0.0)), n
        )
        # What leaves a layer enters its neighbours or the surroundings.
        assert_allclose(jnp.sum(X, axis=1), -g, atol=1e-12)
        assert_allclose(X, X.T)
        T = jnp.linalg.solve(X, -jnp.full(n, source / n))
        return np.asarray(T)

    z = (np.arange(n) + 0.5) / n
    exact = source / (2.0 * faces) + source / (2.0 * conductance) * z * (1.0 - z)
    coarse = np.max(np.abs(middle(n) - exact))
    z = (np.arange(2 * n) + 0.5) / (2 * n)
    exact = source / (2.0 * faces) + source / (2.0 * conductance) * z * (1.0 - z)
    fine = np.max(np.abs(middle(2 * n) - exact))
    assert coarse / fine == pytest.approx(4.0, rel=1e-6)


def test_currents_add_up(one_sided, stack):
    """One voltage; warm layers carry more; the sum is what is imposed."""
    s = end(one_sided, stack, keep_states=True, temperature=263.15)
    states = s.states
    assert states.current.shape == (int(s.n_steps), 3)
    assert_allclose(jnp.sum(states.current, axis=1), 2.0 * one_sided.nominal_capacity)
    layer = one_sided.layer(3)
    grid = stack.discretise(layer)
    V = jax.vmap(jax.vmap(lambda y: s.equations.terminal_voltage(y, grid)))(states)
    assert_allclose(V, V[:, :1] * np.ones(3), atol=1e-9)
    # Later the cold layers catch up: they have more sodium left.
    early = int(jnp.searchsorted(s.t, 300.0))
    assert np.all(np.diff(np.asarray(s.layer_temperature)[early]) > 0.5)
    assert np.all(np.diff(np.asarray(states.current)[early]) > 1.0)
    assert_allclose(jnp.sum(states.charge, axis=1) / 3600.0, s.discharged[:-1])


def test_heat_is_kept(flat, mesh):
    """Without cooling, the heat of all layers warms them and nothing else."""
    model = na.DFN(mesh, ThroughStack(3))
    closed = at(lambda c: c.thermal.cooling, flat, 0.0)
    s = end(closed, model, rtol=1e-8, keep_states=True)
    layer = closed.layer(3)
    grid = model.discretise(layer)
    heat_of = jax.vmap(jax.vmap(lambda y: s.equations.heat_source(y, grid)))
    power = np.asarray(jnp.sum(heat_of(s.states), axis=1))
    # Trapezia over the steps of a tight solve, without the last one.
    released = np.trapezoid(power, np.asarray(s.t)[:-1])
    t = closed.thermal
    warmed = t.mass * t.specific_heat * (s.temperature[-2] - s.temperature[0])
    assert_allclose(released, warmed, rtol=2e-4)


def test_step_matrix(one_sided, stack):
    """Solves with it and with its transpose, against the dense matrix."""
    equations = stack.for_cell(one_sided)
    system = PackSystem(Members((equations,), in_parallel(3)))
    args = system.discretise(in_layers(one_sided, 3))
    sto = stoichiometry_at_soc(one_sided, jnp.asarray(0.6))
    sto = jax.tree.map(lambda a: jnp.broadcast_to(a, 3), sto)
    y = system.equilibrium(args, (sto,), jnp.asarray(298.15))
    rng = np.random.default_rng(1)
    n = 3 * equations.layout.size
    layers = y[:n].reshape(3, -1)
    layers = layers.at[:, equations.layout.current_at].set(
        jnp.asarray([40.0, 60.0, 90.0])
    )
    layers = layers.at[:, equations.layout.temperature_at].add(
        jnp.asarray([0.0, 3.0, 5.0])
    )
    y = jnp.concatenate([layers.ravel(), y[n:]])
    y = y * (1.0 + 1e-3 * rng.uniform(-1.0, 1.0, y.shape))
    protocol = na.Protocol("Discharge at 500 W until 2.0 V")
    assert int(protocol.mode[0]) == int(Mode.POWER)
    control = jax.tree.map(
        lambda a: a[0], segments_of(protocol, one_sided, jnp.asarray(298.15)).control
    )
    tau, shift = jnp.asarray(0.3), 0.02

    # Two programs: XLA takes far longer over both in one.
    jacobian = jax.jit(jax.jacfwd(lambda y: system.rates(tau, y, args, control)))(y)

    @jax.jit
    def solved(y, b):
        factors = system.factor(jnp.asarray(shift), tau, y, args, control)
        return factors.solve(b), factors.solve_transposed(b)

    b = rng.uniform(-1.0, 1.0, y.shape)
    x, z = map(np.asarray, solved(y, b))
    A = shift * np.diag(system.mass) - np.asarray(jacobian)
    for left, got in ((A, x), (A.T, z)):
        scale = np.abs(left) @ np.abs(got) + np.abs(b)
        # Wires are eliminated after the layers: their rows inherit rounding errors of
        # unknowns that are some thousand times larger.
        assert np.max(np.abs(left @ got - b) / scale) < 1e-11


def test_derivatives(one_sided, stack, derivatives):
    """Both modes agree, and with differences: energy by how well heat goes through."""

    def energy(factor):
        cell = at(conductance, one_sided, 1.0)
        given = conductance(one_sided) * factor[0]
        cell = eqx.tree_at(conductance, cell, given)
        steps = ["Discharge at 1C for 20 minutes", "Hold at 2.8 V for 10 minutes"]
        options = {"rtol": 1e-7, "max_steps": 1000, "temperature": 258.15}
        s = na.simulate(cell, steps, model=stack, **options)
        return s.energy + s.temperature[-1]

    forward, reverse, difference = derivatives(energy, [1.0], 1e-2)
    assert_allclose(forward, reverse, rtol=1e-8)
    assert_allclose(forward, difference, rtol=2e-3)


def test_many_protocols(flat, stack):
    """Charge, hold, rest and power, with cut-offs on the cell's current and warmth."""
    steps = [
        "Discharge at 1C for 10 minutes",
        "Rest for 5 minutes",
        "Charge at 1C until 3.9 V",
        "Hold at 3.9 V until C/5",
        "Discharge at 300 W for 5 minutes",
    ]
    s = na.simulate(flat, steps, model=stack)
    assert s.result.name == "COMPLETED"
    held = float(s.began(4))
    current = s.at(held).current
    assert_allclose(current, -float(flat.nominal_capacity) / 5.0, rtol=1e-6)


def test_results_of_layers(flat, stack, tmp_path):
    """Files, labelled arrays and losses know the layers."""
    s = na.simulate(flat, DISCHARGE, model=stack, keep_states=True)
    s.save(tmp_path / "s.npz")
    again = na.Solution.load(tmp_path / "s.npz")
    assert again.model.thermal == stack.thermal
    assert_allclose(again.layer_temperature, s.layer_temperature)
    data = again.to_xarray(flat)
    assert data["Layer temperature [K]"].dims == ("time", "layer")
    assert data["Electrolyte potential [V]"].dims == ("step_time", "layer", "x")
    assert_allclose(sum(s.losses(flat)), s.voltage, atol=1e-6)
    axes = na.plot.overview(s)
    assert len(axes[1, 0].get_lines()) == 3
    na.plot.fields(s, flat)


def test_says_what_is_missing(cell, stack):
    with pytest.raises(ValueError, match="with_heat_through_stack"):
        na.simulate(cell, DISCHARGE, model=stack)
    with pytest.raises(ValueError, match="metres"):
        with_heat_through_stack(cell, 1e-5)
    with pytest.raises(ValueError, match="together at most one"):
        with_heat_through_stack(cell, 0.02, first=0.7, last=0.7)
