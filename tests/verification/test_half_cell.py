"""A half cell is what it stands for: a working electrode and a plane of metal."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion._constants import F, R
from naion.parameters import Stoichiometry, equilibrium_potential, stoichiometry_at_soc

MODEL = na.DFN(na.Mesh(2, 3, 4, 10))


@pytest.fixture(scope="module")
def half(cell):
    return na.half_cell(cell, "negative", area=2.01e-4)


@pytest.fixture(scope="module")
def solution(half):
    """A discharge at C/4 from rest at SOC 0.9, and a rest."""
    steps = ["Discharge at C/4 for 20 min", "Rest for 10 min"]
    return na.simulate(half, steps, model=MODEL, start=0.9, rtol=1e-6, keep_states=True)


def test_sodium_and_salt_are_kept(half, solution, with_end):
    states = with_end(solution)
    volumes = 3.0 * solution.model.mesh.shells().volumes
    mean = np.einsum("r,tre->te", volumes, np.asarray(states.sto))
    e = half.positive
    sites = half.area * e.thickness * e.active_fraction * e.particle.c_max
    filled = float(sites) * (mean[:, 2:] - mean[0, 2:]).mean(axis=1)
    passed = np.asarray(states.charge) / F
    # 1e-16 of the metal's inventory, which is 1e4 of the electrode's.
    assert np.abs(filled - passed).max() < 1e-9 * passed[-1]
    assert passed[-1] == pytest.approx(float(half.nominal_capacity) * 300 / F, rel=1e-6)
    # The metal stays what it is.
    assert np.abs(mean[:, :2] - 0.5).max() < 1e-4
    m, parts = solution.model.mesh, (half.negative, half.separator, half.positive)
    liquid = np.repeat(
        [
            float(p.thickness * p.porosity) / n
            for p, n in zip(parts, (2, 3, 4), strict=True)
        ],
        (m.n_neg, m.n_sep, m.n_pos),
    )
    salt = np.asarray(states.c_e) @ liquid
    assert np.abs(salt / salt[0] - 1.0).max() < 1e-11


def test_metal_is_a_plane(half, solution):
    """Its whole loss is that of charge transfer, with the current density of the cell."""
    s = solution.states
    i = np.asarray(s.current) / float(half.area)
    salt = np.asarray(s.c_e)[:, 0] * float(half.electrolyte.concentration)
    j_0 = half.negative.kinetics.exchange_current(jnp.asarray(salt), 298.15)
    T = float(half.temperature)
    expected = 2.0 * R * T / F * np.arcsinh(i / (2.0 * np.asarray(j_0)))
    found = -np.asarray(solution.losses(half).kinetics_negative)[:-1]
    assert np.abs(expected).max() > 0.02
    # What falls along 10 nm of metal and liquid, and the means of its two volumes.
    np.testing.assert_allclose(found, expected, atol=1e-6)
    at = solution.at(600.0)
    metal = at.negative_potential + at.voltage - at.positive_potential
    assert float(metal) == pytest.approx(0.0, abs=1e-12)


def test_resistances_of_metals_add_up(half):
    """At rest Z of two metals differ by RT/F (1/j_a - 1/j_b) for each area."""
    a, b = (
        dataclasses.replace(
            half,
            negative=dataclasses.replace(half.negative, kinetics=na.sodium_metal(j)),
        )
        for j in (2.0, 20.0)
    )
    f = jnp.array([1e-2, 1.0])
    apart = na.impedance(a, f, model=MODEL) - na.impedance(b, f, model=MODEL)
    T = float(half.temperature)
    expected = R * T / F * (1.0 / 2.0 - 1.0 / 20.0) / float(half.area)
    np.testing.assert_allclose(np.real(apart), expected, rtol=1e-4)
    assert np.abs(np.imag(apart)).max() < 1e-3 * expected


def test_at_rest_it_is_the_working_electrode(half):
    sto = stoichiometry_at_soc(half, jnp.asarray(0.4))
    s = na.simulate(half, "Rest for 1 minute", model=MODEL, start=sto)
    U = equilibrium_potential(half.positive, sto.positive, *[half.temperature] * 2)
    assert float(s.end.voltage) == pytest.approx(float(U), abs=1e-9)
    assert float(s.end.positive_potential) == pytest.approx(float(U), abs=1e-9)


def test_signs_and_ends(half):
    """A discharge fills hard carbon and goes down to 0 V, a charge empties it."""
    into = na.simulate(half, "Discharge at C/10", model=MODEL)
    assert into.result is na.Result.CUT_OFF
    assert float(into.end.voltage) == pytest.approx(0.0, abs=1e-6)
    assert 0.8 < float(into.capacity / half.nominal_capacity) <= 1.0
    # At 0 V the surface can plate: the margin is the working electrode's.
    assert -0.02 < float(into.end.plating_margin) < 0.03
    out = na.simulate(half, "Charge at C/10", model=MODEL, start="discharged")
    assert float(out.end.voltage) > 1.0 and float(out.capacity) < 0.0


@pytest.mark.parametrize("position", [None, 0.0, 0.3, 1.0])
def test_reference_in_the_separator(cell, model, position):
    """Potentials against it follow phi_e, which is nearly straight in the separator."""
    if position is not None:
        place = dataclasses.replace(cell.separator, reference=jnp.asarray(position))
        cell = dataclasses.replace(cell, separator=place)
    s = na.simulate(
        cell,
        "Discharge at 1C for 60 s",
        model=model,
        start=Stoichiometry(jnp.asarray(0.6), jnp.asarray(0.7)),
        rtol=1e-6,
        keep_states=True,
    )
    phi = np.asarray(s.states.phi_e)[:, 4:7]
    middles = (np.arange(3) + 0.5) / 3.0
    place = 0.5 if position is None else position
    line = [np.polynomial.Polynomial.fit(middles, row, 1)(place) for row in phi]
    E_n, E_p = s.negative_potential[:-1], s.positive_potential[:-1]
    drop = np.ptp(phi, axis=1).max()
    np.testing.assert_allclose(E_n, -np.array(line), atol=0.02 * drop)
    R_c = float(cell.contact_resistance(298.15, 298.15))
    V = s.voltage[:-1] + s.current[:-1] * R_c
    np.testing.assert_allclose(E_p - E_n, V, atol=1e-12)
