"""What a fit claims to know is what it knows: identifiability, intervals, profiles."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion.fit import (
    FreeParameter,
    Problem,
    Specimen,
    discharge,
    fleet,
    identifiability,
    interval,
    least_squares,
    profile,
)
from naion.fit._errors import found_errors
from naion.parameters import leaf

MODEL = na.DFN(na.Mesh(4, 3, 4, 10))
PATHS = (
    "contact_resistance.scale",
    "positive.particle.rate_constant.scale",
    "electrolyte.conductivity.scale",
)
BELIEVED = 0.3
FREE = tuple(
    FreeParameter((f"cell.{p}",), (0.1, 10.0), "log", prior=BELIEVED) for p in PATHS
)
RATES = (0.5, 1.5)
NOISE, MEMORY, POINTS = 3e-3, 0.8, 40
SHARES = jnp.linspace(0.03, 0.85, POINTS)


def moved(cell, factors):
    return eqx.tree_at(lambda c: [leaf(c, p) for p in PATHS], cell, list(factors))


def rough(rng, shape):
    """Noise with a memory along each curve, as the errors of models and sensors have."""
    white = rng.standard_normal(shape)
    errors = [white[..., 0]]
    for k in range(1, shape[-1]):
        new = MEMORY * errors[-1] + np.sqrt(1.0 - MEMORY**2) * white[..., k]
        errors.append(new)
    return NOISE * np.stack(errors, axis=-1)


def made(cell, factors, rng):
    """Problems of cells with known factors, (N, 3), each tested at two rates."""
    nominal = float(cell.nominal_capacity)

    def voltages(lane):
        own, rate = lane
        step = na.Protocol("Discharge at 1C until 1.5 V")
        step = eqx.tree_at(lambda p: p.value, step, rate[None])
        done = na.simulate(moved(cell, own), step, model=MODEL, rtol=1e-4, throw=False)
        q = SHARES * done.capacity
        return q, done.voltage_at_charge(q)

    lanes = np.repeat(factors, len(RATES), axis=0), np.tile(RATES, len(factors))
    q, V = (np.asarray(a) for a in na.batch.run(voltages, lanes))
    V = V + rough(rng, V.shape)
    tests = [
        discharge(f"{r:g}C", *curve, r * nominal, 298.15, sigma=NOISE, sigma_charge=0.0)
        for r, *curve in zip(lanes[1], q, V, strict=True)
    ]
    specimen, n = Specimen(cell, [0.0]), len(RATES)
    return {
        f"cell {i}": Problem(specimen, FREE, tuple(tests[n * i : n * i + n]), MODEL)
        for i in range(len(factors))
    }


def warm_energy(cell):
    """Prediction: energy of a discharge at 1C, between the tested rates [W.h]."""
    return na.simulate(cell, "Discharge at 1C for 40 minutes", model=MODEL).energy


@pytest.fixture(scope="module")
def fit(cell):
    (problem,) = made(
        cell, np.array([[1.3, 0.8, 1.1]]), np.random.default_rng(4)
    ).values()
    return least_squares(problem)


def test_combinations_are_those_of_the_resistances(fit):
    """Curves at two rates see the sum of the resistances, hardly each of them."""
    best, *_, worst = identifiability(fit)
    assert best.remains < 0.2 and "determined" in str(best)
    assert worst.remains > 2.0 * best.remains
    for c in (best, worst):
        assert np.sum(c.weights**2) == pytest.approx(1.0)
        assert c.names == tuple(f"ln {p}" for p in PATHS)
    # More resistance of the contacts is like slower charge transfer: opposite in sign.
    assert best.weights[0] * best.weights[1] < 0.0


def test_what_is_not_measured_keeps_its_prior(fit):
    """A parameter that no test feels remains as believed."""
    blind = FreeParameter(("cell.thermal.cooling",), (0.001, 1.0), "log", prior=0.5)
    wider = dataclasses.replace(fit.problem, free=(*FREE, blind))
    found = identifiability(least_squares(wider, max_evaluations=3))[-1]
    assert found.remains == pytest.approx(1.0, abs=1e-6)
    assert abs(found.weights[-1]) == pytest.approx(1.0, abs=1e-6)
    assert "thermal.cooling: not determined" in str(found)


def test_profile_of_a_nearly_linear_prediction(fit):
    """It agrees with the interval from the covariance, and refits everything."""
    linear = interval(fit, warm_energy)
    found = profile(fit, warm_energy, points=6)
    assert found.best == pytest.approx(linear[1])
    assert np.all(np.diff(found.values) > 0.0)
    below, above = found.interval()
    assert below == pytest.approx(linear[0], abs=0.15 * (linear[1] - linear[0]))
    assert above == pytest.approx(linear[2], abs=0.15 * (linear[2] - linear[1]))
    cells = [fit.problem.vector.set(fit.problem.specimen, z).cell for z in found.z]
    energies = [float(warm_energy(c)) for c in cells]
    np.testing.assert_allclose(energies, found.values, rtol=1e-6)


def test_intervals_need_something_to_depend_on(fit):
    with pytest.raises(ValueError, match="depends on"):
        interval(fit, lambda cell: cell.area)


def test_coverage(cell):
    """Of 120 made-up cells, 90 % intervals hold 80 to 97 % of the truths.

    Of every parameter and of a prediction; errors of the voltages are correlated.
    """
    rng = np.random.default_rng(0)
    truth = np.exp(BELIEVED * rng.standard_normal((120, len(PATHS))))
    fits = fleet(made(cell, truth, rng))
    z = np.array([f.z for f in fits.values()])
    C = np.array([f.covariance for f in fits.values()])
    half = 1.645 * np.sqrt(np.diagonal(C, axis1=1, axis2=2))
    inside = np.mean(np.abs(z - np.log(truth)) < half, axis=0)
    assert np.all((inside > 0.80) & (inside < 0.97)), inside

    def energy(z):
        return warm_energy(moved(cell, jnp.exp(z)))

    value, slope = (np.asarray(a) for a in na.batch.run(jax.value_and_grad(energy), z))
    right = np.asarray(na.batch.run(energy, np.log(truth)))
    half = 1.645 * np.sqrt(np.einsum("ni,nij,nj->n", slope, C, slope))
    covered = np.mean(np.abs(value - right) < half)
    assert 0.80 < covered < 0.97, covered
    # Knowing nothing but the priors, the interval would be several times as wide.
    prior = 1.645 * BELIEVED * np.linalg.norm(slope, axis=1)
    assert np.median(half / prior) < 0.4


def test_scatter_of_sensors_is_found_from_many_tests(cell):
    """Errors of sensors scatter as in the tests, not as believed, and count once.

    Linear tests, so that the truth is known: 8 curves see two common parameters and an
    offset each, which scatters by a fifth of what is believed.
    """
    tests, n, scatter, rng = 8, POINTS, 0.2, np.random.default_rng(3)
    offset = FreeParameter(("offset",), (-0.1, 0.1), "linear", prior=0.01)
    curves = [
        discharge(f"{k}", SHARES, 3.0 - SHARES, 1.0, 298.15, sigma=NOISE, group=k)
        for k in range(tests)
    ]
    specimen = Specimen(cell, np.zeros(tests), offset=np.zeros(tests))
    problem = Problem(specimen, (*FREE[:2], offset), tuple(curves), MODEL)
    common = np.tile(np.stack([np.ones(n), np.linspace(-1.0, 1.0, n)], 1), (tests, 1))
    own = np.kron(np.eye(tests), np.ones((n, 1))) / NOISE
    priors = np.diag([1.0 / BELIEVED] * 2 + [1.0 / 0.01] * tests)
    data = np.hstack([common, own])
    J = np.vstack([data, priors])
    found = []
    for _ in range(40):
        truth = np.append(
            BELIEVED * rng.standard_normal(2),
            scatter * 0.01 * rng.standard_normal(tests),
        )
        e = rough(rng, (tests, n)).ravel() / NOISE
        z = np.linalg.solve(J.T @ J, data.T @ (data @ truth - e))
        r = np.append(data @ (z - truth) + e, priors @ z)
        found.append(found_errors(problem, r, J))
    own = np.array([e.own["offset"] for e in found])
    assert np.mean(own) == pytest.approx(scatter, rel=0.15)
    variance = np.mean([e.variances for e in found])
    assert variance == pytest.approx(1.0, rel=0.1)
    assert np.mean([e.correlation for e in found]) == pytest.approx(MEMORY, abs=0.05)
