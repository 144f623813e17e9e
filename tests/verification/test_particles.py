"""Blends, particle sizes, pores that fill from other sites, double layers."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion._constants import F
from naion.parameters import (
    Stoichiometry,
    compositions,
    open_circuit_voltage,
    stoichiometry_at_soc,
    with_double_layer,
    with_hysteresis,
    with_plating,
    with_pore_filling,
    with_reactions,
    with_second_material,
    with_sei,
    with_sizes,
)
from naion.properties import MSMR, Property, Table, WholeOfPart, constant

DISCHARGE = na.Protocol("Discharge at 1C until 1.5 V")
TIGHT = 1e-6


@pytest.fixture(scope="module")
def blended(cell):
    """A layered oxide with a fifth of a polyanion."""
    other = na.parameters.load("nfpp_hc_32140").positive.particle
    return with_second_material(cell, "positive", other, 0.2)


@pytest.fixture(scope="module")
def porous_cell():
    """Hard carbon of five reactions whose solid diffusion matters."""
    cell = with_reactions(na.parameters.load("nfm_hc_prismatic"))
    return put_diffusivity(cell, constant(D_SLOPE))


D_SLOPE = 1.2e-14


def put_diffusivity(cell, diffusivity):
    def where(c):
        return c.negative.particle.diffusivity

    return eqx.tree_at(where, cell, diffusivity)


def test_equal_sizes_are_one_size(cell, model):
    many = with_sizes(cell, "negative", [1.0, 1.0, 1.0], [0.2, 0.5, 0.3])
    one, other = (na.simulate(c, DISCHARGE, model=model) for c in (cell, many))
    q = jnp.linspace(0.0, 0.97 * one.capacity, 40)
    np.testing.assert_allclose(
        other.voltage_at_charge(q), one.voltage_at_charge(q), atol=1e-8
    )


def test_large_particles_lag_behind(cell, model):
    """Less capacity at once, all of it slowly."""
    slow = eqx.tree_at(
        lambda c: c.positive.particle.diffusivity.scale, cell, jnp.asarray(0.02)
    )
    mixed = with_sizes(slow, "positive", [1.0, 4.0], [0.7, 0.3])
    rates = ("C/50", "2C")
    of_one, of_mixed = (
        [
            float(na.simulate(c, f"Discharge at {r} until 1.5 V", model=model).capacity)
            for r in rates
        ]
        for c in (slow, mixed)
    )
    assert of_mixed[0] > 0.99 * of_one[0] and of_mixed[1] < 0.97 * of_one[1]


def test_blend_at_rest_has_one_potential(blended):
    T = blended.temperature
    e = blended.positive
    for soc in (0.02, 0.3, 0.7, 0.99):
        sto = stoichiometry_at_soc(blended, soc)
        each = compositions(e, sto.positive, T, T)
        U = [
            float(m.particle.ocp(x, T)) for m, x in zip(e.materials, each, strict=True)
        ]
        assert abs(U[0] - U[1]) < 1e-9
        sites = [float(m.active_fraction * m.particle.c_max) for m in e.materials]
        mean = np.average([float(x) for x in each], weights=sites)
        assert abs(mean - float(sto.positive)) < 1e-12
    top = stoichiometry_at_soc(blended, 1.0)
    assert abs(float(open_circuit_voltage(blended, top, T)) - 4.1) < 1e-9


def test_derivative_of_a_blend_at_rest(blended):
    """Through the solve for a common potential, against differences."""

    def voltage(share):
        e = blended.positive
        c = eqx.tree_at(
            lambda c: c.positive.others[0].active_fraction,
            blended,
            share * e.others[0].active_fraction,
        )
        sto = Stoichiometry(jnp.asarray(0.5), jnp.asarray(0.6))
        return open_circuit_voltage(c, sto, c.temperature)

    one = jnp.asarray(1.0)
    difference = (voltage(one + 1e-4) - voltage(one - 1e-4)) / 2e-4
    np.testing.assert_allclose(jax.grad(voltage)(one), difference, rtol=1e-6)


def solid_charge(solution, cell, state, electrode):
    """Sodium in an electrode's particles [C]."""
    e = getattr(cell, electrode)
    grid = solution.model.discretise(cell)
    side = ("negative", "positive").index(electrode)
    shells = 3.0 * jnp.asarray(solution.model.mesh.shells().volumes)[:, None]
    mean = jnp.sum(shells * state.total_sto, axis=0)
    sites = grid.interface * grid.radius * grid.c_max / 3.0
    n = (solution.model.mesh.n_neg, solution.model.mesh.n_pos)[side]
    both = grid.of_sides(mean * sites)[side]
    return float(cell.area * e.thickness * F * jnp.sum(both) / n)


CYCLE = na.Protocol(
    ["Discharge at 1C for 30 min", "Rest for 1 h", "Charge at C/2 for 20 min"]
)


@pytest.mark.parametrize("kind", ["blend", "pores"])
def test_charge_is_conserved(kind, blended, porous_cell, model):
    cell = blended if kind == "blend" else with_pore_filling(porous_cell, 1e-3)
    s = na.simulate(cell, CYCLE, model=model, keep_states=True)
    assert s.result.is_success
    first = jax.tree.map(lambda a: a[0], s.states)
    last = s.equations.layout.unpack(s.final, cell.temperature)
    for electrode, sign in (("negative", -1.0), ("positive", 1.0)):
        before, after = (solid_charge(s, cell, x, electrode) for x in (first, last))
        passed = sign * float(last.charge)
        assert abs(after - before - passed) < 1e-9 * abs(passed)
    assert abs(float(last.charge)) > 0.3 * 3600.0 * float(cell.nominal_capacity)


def test_charge_is_conserved_with_every_part_at_once(porous_cell, model):
    """What passed is in the particles, in pores, metal, dead metal, film or double layer."""
    cell = with_pore_filling(with_double_layer(porous_cell), 1e-3)
    cell = with_sizes(cell, "negative", [1.0, 1.5], [0.7, 0.3])
    cell = with_plating(with_hysteresis(cell), rate_constant=1e-8, loss=1e-4)
    cell = with_sei(cell, conductivity=1e-3)
    protocol = na.Protocol(
        ["Charge at 2C for 10 min", "Rest for 10 min", "Discharge at 1C for 5 min"]
    )
    s = na.simulate(
        cell, protocol, model=model, start=0.6, temperature=273.15, keep_states=True
    )
    grid, m = s.model.discretise(cell), s.equations
    first = jax.tree.map(lambda a: a[0], s.states)
    last = m.layout.unpack(s.final, jnp.asarray(273.15))
    e = cell.negative
    before, after = (solid_charge(s, cell, x, "negative") for x in (first, last))
    u = m.named(last._replace(local=last.local - first.local))
    sites = grid.interface * grid.radius * grid.c_max / 3.0
    side = sum(u[k] for k in ("plated", "dead", "lost")) * sites * F
    layer = -grid.interface * e.double_layer.capacitance * u["surface_potential"]
    beside = grid.of_sides(side + layer)[0]
    beside = float(cell.area * e.thickness * jnp.sum(beside) / m.mesh.n_neg)
    passed = -float(last.charge)
    assert abs(beside) > 1e-4 * passed
    assert abs(after - before + beside - passed) < 1e-8 * abs(passed)


def test_fast_pores_are_one_solid_solution(porous_cell):
    """k_pf to infinity: diffusion with D_a dc_a/dc in all sites. Both codes' meshes are
    coarse where the plateau begins: the difference falls by four on twice the shells.
    """
    host = porous_cell.negative.particle.ocp.curve
    slope = host.part((0, 1, 4))
    U = jnp.linspace(1.3, -0.25, 600)
    x = host.composition(U)
    inside = (x > 2e-4) & (x < 0.999)
    total = D_SLOPE * slope.slope(U) / host.slope(U)
    single = put_diffusivity(porous_cell, Property(Table(x[inside], total[inside])))
    errors = []
    for shells in (30, 60):
        model = na.DFN(na.Mesh(4, 3, 4, shells))

        def run(cell, model=model):
            return na.simulate(cell, DISCHARGE, model=model, rtol=TIGHT, max_steps=2000)

        one, two = run(single), run(with_pore_filling(porous_cell, 100.0))
        q = jnp.linspace(0.01, 0.95, 60) * one.capacity
        apart = two.voltage_at_charge(q) - one.voltage_at_charge(q)
        errors.append(float(jnp.sqrt(jnp.mean(apart**2))))
    assert errors[1] < 3e-4 and errors[1] < 0.4 * errors[0]


def test_slow_pores_cost_voltage_at_a_rate(porous_cell, model):
    """Finite k_pf: a loss at 1C that all but vanishes at C/50."""

    def mean_voltage(cell, rate):
        s = na.simulate(cell, f"Discharge at {rate} until 1.5 V", model=model)
        return float(s.energy / s.capacity)

    fast, slow = (with_pore_filling(porous_cell, k) for k in (0.1, 1e-3))
    at_1C, at_C50 = (
        mean_voltage(fast, r) - mean_voltage(slow, r) for r in ("1C", "C/50")
    )
    assert at_1C > 10e-3 and 0.0 < at_C50 < 0.1 * at_1C


def test_whole_of_part():
    host = MSMR(*map(jnp.asarray, ((0.7, 0.07, 0.0), (4.5, 0.3, 5.0), (0.3, 0.5, 0.4))))
    part = host.part((0, 2))
    U = jnp.linspace(0.9, -0.1, 30)
    whole = WholeOfPart(part, host.part((1,)))
    x = part.composition(U)
    np.testing.assert_allclose(whole(x), host.composition(U), rtol=1e-9)
    np.testing.assert_allclose(whole.prepared()(x), host.composition(U), atol=2e-4)


def test_pores_need_reactions(cell):
    with pytest.raises(ValueError, match="MSMR"):
        with_pore_filling(cell)
    with pytest.raises(ValueError, match="at least one"):
        with_pore_filling(with_reactions(cell), reactions=(0, 1, 2, 3, 4))
    with pytest.raises(ValueError, match="No hard carbon"):
        with_reactions(cell, "Z")
    with pytest.raises(ValueError, match="add up to one"):
        with_sizes(cell, "negative", [1.0, 2.0], [0.5, 0.6])


def test_double_layer_delays_charge_transfer(cell, model):
    """At once only the ohmic drop; after R_ct C_dl what the cell without it has."""
    t = jnp.asarray([1e-6, 5.0])
    without, layered = (
        na.simulate(c, "Discharge at 1C for 10 s", model=model, rtol=TIGHT)
        .at(t)
        .voltage
        for c in (cell, with_double_layer(cell))
    )
    drop = float(na.simulate(cell, "Rest for 1 s", model=model).voltage[0] - without[0])
    ohmic = float(layered[0] - without[0])
    assert 0.4 * drop < ohmic < drop
    assert abs(float(layered[1] - without[1])) < 2e-4


def test_film_clogs_the_pores(cell, model):
    """A thick film makes a resistance; its volume is what the pores lose."""
    grown = with_sei(cell, thickness=20e-9, conductivity=1e3)
    thick = eqx.tree_at(
        lambda c: c.negative.sei.growth.permeability, grown, jnp.asarray(5e-15)
    )
    protocol = na.Protocol(["Rest for 20 h", "Discharge at 1C until 1.5 V"])
    thin, clogged = (
        na.simulate(c, protocol, start=0.9, model=model, keep_states=True)
        for c in (grown, thick)
    )
    grid = clogged.model.discretise(thick)
    last = jax.tree.map(lambda a: a[-1], clogged.states)
    u = clogged.equations.named(last)
    film = float(thick.negative.sei.thickness * (u["sei"][0] - 1.0))
    expected = 1.0 - film * float(thick.negative.interface / thick.negative.porosity)
    openness = grid.openness(u)
    assert 0.2 < expected < 0.9
    np.testing.assert_allclose(float(openness[0]), expected, rtol=1e-9)
    np.testing.assert_array_equal(np.asarray(openness[model.mesh.n_neg :]), 1.0)
    # The sodium lost to the film is the other price of it; compare at equal charge.
    at = 3600.0 * 20.0 + 600.0
    assert float(clogged.at(at).voltage) < float(thin.at(at).voltage) - 1e-3


def test_gradients(model, derivatives):
    """Both modes and differences, of the energy of a pulse and a rest."""
    plain = put_diffusivity(
        with_reactions(na.parameters.load("nfm_hc_prismatic")), constant(D_SLOPE)
    )
    pores = with_pore_filling(plain).negative.particle.pores.reactions
    protocol = na.Protocol(["Discharge at 2C for 60 s", "Rest for 10 s"])
    # Sizes are numbers of the cell: a derivative passes through where they are arrays.
    at = {"size": 2.0, "capacitance": 1.0, "rate of pores": 1.0}

    def quantity(k):
        c = with_double_layer(plain, 0.2 * k[1])
        c = with_pore_filling(c, 1e-3 * k[2], reactions=pores)
        c = with_sizes(c, "negative", [1.0, k[0]], [0.5, 0.5])
        s = na.simulate(c, protocol, start=0.6, model=model, rtol=1e-7, throw=False)
        return s.voltage[-1] + s.energy

    found = derivatives(quantity, list(at.values()), 1e-3)
    for name, forward, reverse, difference in zip(at, *found, strict=True):
        np.testing.assert_allclose(forward, reverse, rtol=1e-6, err_msg=name)
        np.testing.assert_allclose(forward, difference, rtol=1e-3, err_msg=name)
