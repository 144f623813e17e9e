"""Fits to half cells, and to the electrodes of a three-electrode cell."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion.fit import (
    FreeParameter,
    Kind,
    Problem,
    Specimen,
    discharge,
    doubts,
    least_squares,
    measured_profile,
    off_limits,
    scores,
    with_ocp_correction,
)
from naion.parameters import leaf, stoichiometry_at_soc

MODEL = na.DFN(na.Mesh(4, 3, 4, 10))
HALF = na.DFN(na.Mesh(2, 3, 4, 10))
PATHS = [
    f"{side}.particle.{what}.scale"
    for what in ("diffusivity", "rate_constant")
    for side in ("negative", "positive")
]
SLOW = 0.05
"""Diffusivities so low that neither electrode is done in a minute."""


@pytest.fixture(scope="module")
def pulse(cell):
    """A minute at 1C and SOC 0.3, seen with 1 mV of noise each second."""
    values = [jnp.asarray(v) for v in (SLOW, SLOW, 1.0, 1.0)]
    true = eqx.tree_at(lambda c: [leaf(c, p) for p in PATHS], cell, values)
    start = stoichiometry_at_soc(true, 0.3)
    s = na.simulate(
        true, "Discharge at 1C for 60 s", model=MODEL, start=start, rtol=1e-5
    )
    t = np.linspace(0.0, 60.0, 61)
    at, rng = s.at(t), np.random.default_rng(0)
    given = at.voltage, at.negative_potential, at.positive_potential
    seen = [np.asarray(v) + 1e-3 * rng.standard_normal(61) for v in given]
    full = stoichiometry_at_soc(true, 1.0)
    Q = na.parameters.electrode_capacities(true)[0]
    out = float((full.negative - start.negative) * Q)
    return t, np.asarray(at.current), seen, out


def fitted(cell, pulse, **which):
    t, current, (voltage, negative, positive), out = pulse
    given = {"voltage": voltage, "negative": negative, "positive": positive}
    given = {k: v if which.get(k) else None for k, v in given.items()}
    test = measured_profile(
        "pulse", t, current, temperature=298.15, sigma=1e-3, discharged=out, **given
    )
    free = tuple(
        FreeParameter((f"cell.{path}",), (0.001, 20.0), "log", prior=2.0)
        for path in PATHS
    )
    found = least_squares(
        Problem(Specimen(cell, [0.0]), free, (test,), MODEL, rtol=1e-4)
    )
    return found, np.sqrt(np.diag(found.covariance))


def test_three_electrodes_part_what_the_voltage_does_not(cell, pulse):
    """Both diffusivities move the voltage alike, as both rate constants do."""
    alone, of_voltage = fitted(cell, pulse, voltage=True)
    both, of_both = fitted(cell, pulse, negative=True, positive=True)
    truth = np.log([SLOW, SLOW, 1.0, 1.0])
    # Of the voltage a sum is known: with more of one the other must be less.
    corr = alone.covariance / np.outer(of_voltage, of_voltage)
    assert corr[0, 1] < -0.7 and corr[2, 3] < -0.99
    assert of_voltage[1] > 0.4 and np.all(of_voltage[2:] > 1.0)
    assert np.all(of_both < [0.05, 0.15, 0.03, 0.03])
    assert np.all(of_both < 0.2 * of_voltage)
    assert np.all(np.abs(both.z - truth) < 3.5 * of_both)
    corr = both.covariance / np.outer(of_both, of_both)
    assert abs(corr[0, 1]) < 0.1 and abs(corr[2, 3]) < 0.1
    kinds = [o.kind for o in both.problem.experiments[0].observations]
    assert kinds == [Kind.NEGATIVE_POTENTIAL, Kind.POSITIVE_POTENTIAL]
    labels = [row[1] for row in scores(both)]
    assert labels == ["negative electrode", "positive electrode"]
    assert doubts(both) == []


def test_a_half_cell_tells_its_potential_and_its_diffusivity(cell):
    half = na.half_cell(cell, "negative", area=2.01e-4)
    knots = [0.1, 0.3, 0.5, 0.7, 0.9]
    start = with_ocp_correction(half, "positive", knots)
    added = np.array([0.0, 0.01, 0.02, 0.01, 0.0])
    D, U = "positive.particle.diffusivity.scale", "positive.particle.ocp.curve"
    U = f"{U}.correction.y"
    true = eqx.tree_at(
        lambda c: (leaf(c, D), leaf(c, U)), start, (jnp.asarray(0.02), added)
    )
    tests = []
    one_c = float(half.nominal_capacity)
    for rate in (0.05, 0.5):
        s = na.simulate(true, f"Discharge at {rate}C until 0 V", model=HALF, rtol=1e-4)
        q = np.linspace(0.03, 0.97, 40) * float(s.capacity)
        V = s.voltage_at_charge(q)
        tests.append(discharge(f"{rate}C", q, V, rate * one_c, 298.15, sigma=1e-3))
    free = (
        FreeParameter((f"cell.{D}",), (1e-3, 10.0), "log", prior=3.0),
        FreeParameter((f"cell.{U}",), (-0.2, 0.2), prior=0.05),
    )
    problem = Problem(Specimen(start, [0.0]), free, tuple(tests), HALF, rtol=1e-4)
    fit = least_squares(problem)
    assert fit.converged and doubts(fit) == off_limits(fit) == []
    values = {row["name"]: row["value"] for row in fit.table()}
    assert values[D] == pytest.approx(0.02, rel=0.03)
    # A millivolt: what the cut-off and the weight of steep parts leave.
    np.testing.assert_allclose(fit.z[1:], added, atol=1e-3)
