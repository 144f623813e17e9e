"""Stages, many starts, and what to measure next."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion.fit import (
    STAGES,
    FreeParameter,
    Problem,
    Specimen,
    agreement,
    candidate_test,
    discharge,
    errors_of,
    least_squares,
    left_out,
    multi_start,
    nearly_left_out,
    optimise_candidate,
    rank_candidates,
    staged,
    uncertainty_of,
    with_ocp_correction,
)
from naion.fit._certainty import linear_prediction
from naion.fit._experimental_design import _changed, _Worth
from naion.parameters import Role, role_of

MODEL = na.DFN(na.Mesh(4, 3, 4, 10))
FREE = (
    FreeParameter(("cell.area",), (0.03, 0.15), "log", prior=0.3),
    FreeParameter(("cell.contact_resistance.scale",), (0.1, 10.0), "log", prior=0.7),
    FreeParameter(
        ("cell.positive.particle.diffusivity.scale",), (0.05, 20.0), "log", prior=0.7
    ),
)
TRUTH = (1.1, 1.6, 0.6)


@pytest.fixture(scope="module")
def problem(cell):
    """Two discharges of a cell that is larger, more resistive and slower."""
    free = dataclasses.replace(FREE[0]), *FREE[1:]
    known = Problem(
        Specimen(cell, [0.0]), free, (candidate_test("", "Rest for 1 s", 298.15, 1.0),)
    )
    z = known.start + np.log(TRUTH)
    true = known.specimen_at(z).cell
    rng, tests = np.random.default_rng(0), []
    for current in (0.75, 3.0):
        s = na.simulate(true, f"Discharge at {current} A until 1.5 V", model=MODEL)
        q = np.linspace(0.05, 0.85 * float(s.capacity), 30)
        V = np.asarray(s.voltage_at_charge(q)) + 2e-3 * rng.standard_normal(30)
        tests.append(discharge(f"{current} A", q, V, current, 298.15, sigma=2e-3))
    return Problem(Specimen(cell, [0.0]), free, tuple(tests), MODEL)


@pytest.fixture(scope="module")
def fit(problem):
    return least_squares(problem)


def test_stages_are_those_of_roles(cell):
    """Each role is fitted in one stage; roles come from the fields, not from names."""
    every = [role for roles in STAGES.values() for role in roles]
    assert sorted(every) == sorted(Role)
    corrected = with_ocp_correction(cell, "negative", [0.2, 0.5, 0.8])
    specimen = Specimen(corrected, [0.0])
    paths = {
        "cell.published.negative": "balance",
        "cell.negative.particle.ocp.curve.correction.y": "balance",
        "gain": "balance",
        "cell.contact_resistance.scale": "resistances",
        "cell.positive.particle.rate_constant.scale": "resistances",
        "cell.electrolyte.conductivity.scale": "transport",
        "cell.positive.particle.diffusivity.scale": "transport",
        "cell.contact_resistance.temperature.energy": "temperature",
        "cell.positive.particle.dudt.scale": "temperature",
    }
    for path, stage in paths.items():
        assert role_of(specimen, path) in STAGES[stage]


def test_staged_ends_where_all_at_once_does(problem, fit):
    """In three stages and a last one, each said; the same answer, the same priors."""
    said = []
    found = staged(problem, progress=said.append)
    stages = [line.split(":")[0] for line in said if line.startswith("stage")]
    assert stages == ["stage balance", "stage resistances", "stage transport"]
    sd = np.sqrt(np.diag(fit.covariance))
    np.testing.assert_allclose(found.z, fit.z, atol=0.1 * sd.max())
    assert found.cost == pytest.approx(fit.cost, rel=1e-2)
    with pytest.raises(ValueError, match="Unknown stages"):
        staged(problem, stages=["heat"])


def test_many_starts_agree(problem, fit):
    fits = multi_start(problem, 6, spread=0.7)
    assert len(fits) == 6 and fits[0].cost <= fits[-1].cost
    assert fits[0].cost == pytest.approx(fit.cost, rel=1e-2)
    np.testing.assert_allclose(np.exp(fits[0].z - problem.start), TRUTH, rtol=0.25)
    said = agreement(fits, 7)
    alike = sum(f.cost <= 1.01 * fits[0].cost for f in fits)
    assert said.startswith(f"{alike} of 7 starts reach the least cost, ")
    assert said.endswith("1 could not be simulated.")


def test_what_is_left_out_is_predicted_by_the_others(problem, fit):
    """By a fit that has not seen it; bands are as wide as such predictions are wrong."""
    left = left_out(fit)
    assert list(left.conditions) == ["0.75 A", "3.0 A"]
    alone = dataclasses.replace(problem, experiments=problem.experiments[1:])
    z = least_squares(alone).z
    np.testing.assert_allclose(
        left.predictions[0], problem.predictions(z)[0], atol=1e-4
    )
    # The model is right here: what is predicted is worse by what one test leaves open.
    own = uncertainty_of(fit).discrepancy
    assert own < left.rmse < 0.02
    assert uncertainty_of(fit, left).discrepancy == left.rmse
    # Without fits it is said at once, and nearly the same.
    at_once = nearly_left_out(fit)
    assert at_once.failed == [] and at_once.conditions == left.conditions
    for own, near, refitted in zip(
        fit.predictions, at_once.predictions, left.predictions, strict=True
    ):
        assert np.max(np.abs(near - refitted)) < 0.2 * np.max(np.abs(own - refitted))
    rows = [row[0] for row in left.rows]
    assert rows == ["0.75 A", "3.0 A"] and "predicted" in str(left)
    refits = {**left.refits, "3.0 A": ValueError("no simulation")}
    (said,) = dataclasses.replace(left, refits=refits).failed
    assert said.startswith("3.0 A is not predicted") and said.endswith("no simulation")


def test_leaving_out_needs_conditions(problem, fit):
    one = dataclasses.replace(problem, experiments=problem.experiments[:1])
    with pytest.raises(ValueError, match="two conditions or more; this fit has one"):
        left_out(dataclasses.replace(fit, problem=one))
    with pytest.raises(ValueError, match="each of these tests once: 0.75 A, 3.0 A"):
        left_out(fit, {"slow": ["0.75 A"], "fast": ["2 A"]})


def test_tests_are_ranked_by_what_they_tell(fit):
    """For diffusion a fast discharge tells more than a rest; a test that ends at once
    tells nothing."""

    def slow(cell):
        return jnp.log(cell.positive.particle.diffusivity.scale)

    short = candidate_test("nothing", "Discharge at 1C until 4.5 V", 298.15, 600.0)
    rest = candidate_test("rest", "Rest for 1 h", 298.15, 3600.0)
    fast = candidate_test("3C", "Discharge at 3C until 1.5 V", 298.15, 1200.0)
    ranked = rank_candidates(fit, slow, [short, rest, fast])
    assert [r.test.name for r in ranked][0] == "3C"
    assert all(r.after <= r.before * (1.0 + 1e-9) for r in ranked)
    by_name = {r.test.name: r for r in ranked}
    assert by_name["3C"].after < 0.9 * by_name["3C"].before
    assert "narrower" in str(ranked[0])


def test_rank_foretells_the_width(problem, fit):
    """With the test made, the interval is as wide as predicted, to within a third."""

    def resistance(cell):
        return jnp.log(cell.contact_resistance.scale)

    current = 4.5
    test = candidate_test(
        "3C", f"Discharge at {current} A until 0.3 V", 298.15, 700.0, points=30
    )
    test = dataclasses.replace(
        test,
        observations=tuple(
            dataclasses.replace(o, sigma=np.full(30, 2e-3)) for o in test.observations
        ),
    )
    (promised,) = rank_candidates(fit, resistance, [test])
    done = dataclasses.replace(problem, experiments=(test,))
    V = done.predictions(problem.start + np.log(TRUTH))[0]
    V = V + 2e-3 * np.random.default_rng(5).standard_normal(30)
    seen = tuple(dataclasses.replace(o, value=V) for o in test.observations)
    test = dataclasses.replace(test, observations=seen)
    more = dataclasses.replace(problem, experiments=(*problem.experiments, test))
    found = least_squares(more)
    k = problem.vector.names.index("contact_resistance.scale")
    width = float(np.sqrt(found.covariance[k, k]))
    assert promised.after < promised.before
    assert width == pytest.approx(promised.after, rel=0.35)
    assert errors_of(found).variances.shape == (3,)


def test_a_test_is_sharpened_along_its_gradient(fit):
    """The gradient through the protocol against differences; the best test tells more."""

    def slow(cell):
        return jnp.log(cell.positive.particle.diffusivity.scale)

    test = candidate_test(
        "pulse", "Discharge at 1C until 1.5 V", 298.15, 600.0, points=30
    )
    vary = {"value[0]": (0.5, 3.0), "temperature": (283.15, 313.15)}
    worth = _Worth(fit, linear_prediction(fit, slow)[1])

    def after(rate, T):
        return worth.of(_changed(test, {"value[0]": rate, "temperature": T})).after

    slopes = worth.slope(test, worth.of(test), tuple(vary))
    h = np.array([0.02, 0.5])
    by_hand = [
        (after(1.0 + h[0], 298.15) - after(1.0 - h[0], 298.15)) / (2 * h[0]),
        (after(1.0, 298.15 + h[1]) - after(1.0, 298.15 - h[1])) / (2 * h[1]),
    ]
    np.testing.assert_allclose(slopes, by_hand, rtol=0.05)
    best = optimise_candidate(fit, slow, test, vary, max_evaluations=8)
    assert best.after < 0.9 * worth.of(test).after
    assert "value[0] = " in best.test.name
    with pytest.raises(ValueError, match="such as 'value"):
        optimise_candidate(fit, slow, test, {"rate": (0.5, 3.0)})
    with pytest.raises(ValueError, match="has 1 steps"):
        optimise_candidate(fit, slow, test, {"value[3]": (0.5, 3.0)})
