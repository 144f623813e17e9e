"""Posteriors by sampling, beside what is known of them without."""

import dataclasses
import sys

import numpy as np
import pytest

import naion as na
from naion.fit import (
    FreeParameter,
    Problem,
    Specimen,
    discharge,
    errors_of,
    least_squares,
    posterior,
)
from naion.fit._posterior import _arviz

PATHS = ("contact_resistance.scale", "positive.particle.rate_constant.scale")
FREE = tuple(FreeParameter((f"cell.{p}",), (0.2, 5.0), "log", prior=0.5) for p in PATHS)


@pytest.fixture(scope="module")
def fit(cell):
    """Two resistances, from one noisy discharge at each of two rates."""
    model = na.DFN(na.Mesh(4, 3, 4, 10))
    rng, tests = np.random.default_rng(2), []
    for current in (0.75, 3.0):
        s = na.simulate(cell, f"Discharge at {current} A until 1.5 V", model=model)
        q = np.linspace(0.05, 0.8 * float(s.capacity), 25)
        V = np.asarray(s.voltage_at_charge(q)) + 3e-3 * rng.standard_normal(25)
        tests.append(
            discharge(
                f"{current} A", q, V, current, 298.15, sigma=3e-3, sigma_charge=0.0
            )
        )
    return least_squares(Problem(Specimen(cell, [0.0]), FREE, tuple(tests), model))


@pytest.mark.slow
def test_posterior_is_the_gaussian_where_the_model_is_nearly_linear(fit):
    drawn = posterior(fit, chains=2, draws=400, tune=60)
    summary = _arviz().summary(drawn)
    assert list(summary.index) == list(fit.problem.vector.names)
    assert np.all(summary["r_hat"] <= 1.03) and np.all(summary["ess_bulk"] > 100)
    assert int(drawn["sample_stats"]["diverging"].sum()) < 8
    z = np.stack([np.log(drawn["posterior"][p].values.ravel()) for p in PATHS], axis=1)
    J, n = fit.problem.jacobian(fit.z), 50
    S = errors_of(fit).covariance(fit.problem.experiments)
    precision = J[:n].T @ np.linalg.solve(S, J[:n])
    C = np.linalg.inv(precision + J[n:].T @ J[n:])
    np.testing.assert_allclose(np.cov(z.T), C, rtol=0.35, atol=0.15 * C.max())
    sd = np.sqrt(np.diag(C))
    np.testing.assert_allclose(z.mean(axis=0), fit.z, atol=0.6 * sd.max())


def test_too_many_parameters(fit):
    with pytest.raises(ValueError, match="at most 6"):
        posterior(dataclasses.replace(fit, z=np.zeros(7)))


def test_a_tight_tolerance_gets_the_time_steps_it_needs(fit):
    problem = dataclasses.replace(fit.problem, rtol=1e-8)
    pairs = zip(problem.predictions(fit.z), fit.predictions, strict=True)
    for fine, coarse in pairs:
        np.testing.assert_allclose(fine, coarse, atol=3e-3)


def test_processes_that_import_arviz_at_once(tmp_path, monkeypatch):
    """Its stamp of the day is taken away by another one, once."""
    (tmp_path / "arviz.py").write_text(
        "from pathlib import Path\n"
        "stamp = Path(__file__).with_name('stamp')\n"
        "if not stamp.exists():\n"
        "    stamp.touch()\n"
        "    raise FileNotFoundError('daily_warning.tmp')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "arviz", None)
    del sys.modules["arviz"]
    assert _arviz().stamp.exists()
