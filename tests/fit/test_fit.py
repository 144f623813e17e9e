"""Fits find what made the data, and say what they do not know."""

import dataclasses
import json

import equinox as eqx
import jax
import numpy as np
import pytest

import naion as na
from naion.cli import main
from naion.fit import (
    FreeParameter,
    Problem,
    Specimen,
    Uncertainty,
    discharge,
    ensemble,
    least_squares,
    off_limits,
    uncertainty_of,
    voltage_band,
    with_ocp_correction,
    write_fitted_cell,
)
from naion.fit._ensemble import draws
from naion.fit._fit import fit_at
from naion.io import read_cell
from naion.parameters import leaf

MODEL = na.DFN(na.Mesh(4, 3, 4, 10))
TRUTH = {"contact_resistance.scale": 1.4, "positive.particle.rate_constant.scale": 0.7}


@pytest.fixture(scope="module")
def fitted():
    cell = na.parameters.load("nfm_hc_18650")
    paths = list(TRUTH)
    true = eqx.tree_at(
        lambda c: [leaf(c, p) for p in paths],
        cell,
        [np.asarray(v) for v in TRUTH.values()],
    )
    rng = np.random.default_rng(0)
    tests = []
    for current in (0.75, 1.5):
        sol = na.simulate(
            true, na.Protocol(f"Discharge at {current} A until 1.5 V"), model=MODEL
        )
        q = np.linspace(0.05, 1.3, 25)
        V = np.asarray(sol.voltage_at_charge(q)) + 1e-3 * rng.standard_normal(25)
        tests.append(discharge(f"{current} A", q, V, current, 298.15, sigma=1e-3))
    free = tuple(FreeParameter((f"cell.{p}",), (0.1, 10.0), "log") for p in paths)
    return least_squares(Problem(Specimen(cell, [0.0]), free, tuple(tests), MODEL))


def test_fit_recovers_what_made_the_data(fitted):
    values = {row["name"]: row["value"] for row in fitted.table()}
    for name, truth in TRUTH.items():
        # 1 mV of noise on 50 points: a few per cent.
        assert values[name] == pytest.approx(truth, rel=0.05)


def test_printed(fitted):
    lines = str(fitted).splitlines()
    assert lines[0].startswith("converged after ")
    assert lines[1].split()[:3] == ["0.75", "A", "voltage"] and "mV" in lines[1]
    numbers = lines[lines.index("free parameters, with 90 % intervals:") + 1 :]
    assert [n.split()[0] for n in numbers] == [row["name"] for row in fitted.table()]


def test_intervals_hold_the_truth_and_nothing_is_at_a_bound(fitted):
    assert fitted.at_bound == ()
    for row in fitted.table():
        assert row["low"] < row["value"] < row["high"]
        assert row["high"] / row["low"] < 1.5


def test_a_fitted_cell_simulates_with_the_model_of_its_fit(fitted, tmp_path):
    write_fitted_cell(tmp_path / "cell.json", fitted, "a cell")
    cell, _ = read_cell(tmp_path / "cell.json")
    assert na.simulate(cell, "Discharge at 1C for 60 s").model == MODEL.of(cell)


def test_a_test_of_a_fit_can_be_repeated_with_and_without_its_calibration(
    fitted, tmp_path, capsys
):
    """Without it, a test starts at SOC 1 with an ideal sensor, as new tests are predicted."""
    off = dataclasses.replace(
        uncertainty_of(fitted).tests[0],
        calibration={"missing": 0.05, "gain": 1.02, "gain_on_charge": 1.0}
        | {"offset": 0.0, "size": 1.0},
    )
    test = type(off).from_json(off.to_json())
    protocols = test.experiment.protocol, off.experiment.protocol
    jax.tree.map(np.testing.assert_array_equal, *protocols)
    cell = MODEL.kept_in(fitted.specimen.cell)
    new = test.repeated(cell, na.DFN(), calibrated=False)
    np.testing.assert_allclose(new, fitted.predictions[0], atol=1e-3)
    as_fitted = test.repeated(cell, na.DFN(), calibrated=True)
    assert np.nanmax(np.abs(as_fitted - new)) > 5e-3

    file, out = str(tmp_path / "cell.json"), str(tmp_path / "out.csv")
    write_fitted_cell(file, fitted, "a cell")
    name = fitted.problem.experiments[0].name
    assert main(["predict", file, "--like", name, "--out", out]) == 0
    said = capsys.readouterr().out
    assert "as a new test is predicted" in said and "no calibration of its own" in said
    assert main(["predict", file, "--like", "none", "--out", out]) == 2
    assert name in capsys.readouterr().err
    for more in (["--temperature", "-20"], ["--start", "soc=0.5"], ["--cycles", "2"]):
        assert main(["predict", file, "--like", name, "--out", out, *more]) == 2
        assert f"{more[0]} {more[1]} with --like" in capsys.readouterr().err.replace(
            "-20.0", "-20"
        )
    assert main(["predict", "nfm_hc_18650", "--like", "none", "--out", out]) == 2
    assert "keeps no tests" in capsys.readouterr().err


def test_a_cell_that_does_not_rest_at_its_limits_is_no_finished_fit(fitted):
    """Its potential was bent where there are no data; the parameter that did it is named."""
    assert off_limits(fitted) == []
    cell = with_ocp_correction(fitted.specimen.cell, "positive", [0.4, 0.6, 0.9, 1.0])
    path = "cell.positive.particle.ocp.curve.correction.y"
    free = (FreeParameter((path,), (-3.0, 3.0)),)
    problem = dataclasses.replace(
        fitted.problem, specimen=Specimen(cell, [0.0]), free=free
    )
    assert off_limits(fit_at(problem, problem.start)) == []
    (said,) = off_limits(fit_at(problem, np.array([-2.9, 0.0, 0.0, 0.0])))
    assert said.startswith("charged, the cell rests at") and path in said


def test_a_new_test_differs_as_those_of_the_fit_do(fitted):
    """Start and sensor are drawn for every new test; the best fit is given ideal ones."""
    cell, known = fitted.specimen.cell, uncertainty_of(fitted)
    usual = {"offset": 0.0, "gain_on_charge": 1.0, "size": 1.0}
    own = [{"missing": m, "gain": g, **usual} for m, g in ((0.0, 0.98), (0.04, 1.02))]
    tests = tuple(
        dataclasses.replace(known.tests[0], calibration=calibration)
        for calibration in own
    )
    drawn = ensemble(cell, dataclasses.replace(known, tests=tests), 200)
    assert [
        float(a[0]) for a in (drawn.specimens[0].missing, drawn.specimens[0].gain)
    ] == [
        0.0,
        1.0,
    ]
    gains, missing = (
        np.array([float(getattr(s, k)[0]) for s in drawn.specimens[1:]])
        for k in ("gain", "missing")
    )
    assert np.mean(gains) == pytest.approx(1.0, abs=0.01)
    assert np.std(gains) == pytest.approx(0.02 * np.sqrt(2.0), rel=0.2)
    assert missing.min() >= 0.0 and np.mean(missing) > 0.01
    at = np.linspace(0.0, 3000.0, 20)
    step = "Discharge at 1C until 1.5 V"
    _, low, high = voltage_band(drawn, at, step)
    _, low_0, high_0 = voltage_band(ensemble(cell, known, 50), at, step)
    assert np.nanmedian(high - low) > 1.5 * np.nanmedian(high_0 - low_0)


def test_uncertainty_survives_json_and_draws_stay_in_bounds(fitted):
    known = uncertainty_of(fitted)
    again = Uncertainty.from_json(known.to_json(), fitted.specimen.cell)
    np.testing.assert_array_equal(again.covariance, known.covariance)
    assert (again.vector, again.model) == (
        known.vector,
        fitted.problem.model.of(fitted.specimen.cell),
    )
    assert again.to_json() == known.to_json()
    assert [t.name for t in known.tests] == [e.name for e in fitted.problem.experiments]
    assert known.tests[0].calibration["gain"] == 1.0
    drawn = ensemble(fitted.specimen.cell, again, 8)
    scales = [float(c.contact_resistance.scale) for c in drawn.cells]
    assert scales[0] == pytest.approx(
        float(fitted.specimen.cell.contact_resistance.scale)
    )
    assert np.std(scales) > 0.0 and min(scales) >= 0.1 and max(scales) <= 10.0


def test_a_cell_of_format_1_is_read(fitted, tmp_path):
    """It says neither with which model a fit was made nor to which tests."""
    file = tmp_path / "cell.json"
    write_fitted_cell(file, fitted, "a cell")
    now, _ = read_cell(file)
    first = json.loads(file.read_text()) | {"format": "naion-cell-1"}
    first["cell"]["charged"] = first["cell"].pop("published")
    for since in ("model", "tests"):
        del first["fit"][since]
    file.write_text(json.dumps(first))
    cell, data = read_cell(file)
    known = Uncertainty.read("cell.json", data["fit"], cell)
    assert known.model is None and known.tests == ()
    jax.tree.map(np.testing.assert_array_equal, cell, now)


def test_unknown_paths_list_the_nearest():
    cell = na.parameters.load("nfm_hc_18650")
    with pytest.raises(KeyError, match="contact_resistance"):
        leaf(Specimen(cell, [0.0]), "cell.contact_resistence.scale")


def test_discharge_refuses_bad_data():
    with pytest.raises(ValueError, match="increasing charge"):
        discharge("x", [0.0, 1.0, 0.5], [4.0, 3.0, 2.0], 1.0, 298.15)
    with pytest.raises(ValueError, match="positive current"):
        discharge("x", [0.0, 0.5, 1.0], [4.0, 3.0, 2.0], -1.0, 298.15)


def test_a_fit_of_no_number_of_the_cell_is_read_and_drawn_from(fitted):
    """As of leads alone: JSON has one empty list for a matrix without rows."""
    cell, known = fitted.specimen.cell, uncertainty_of(fitted)
    vector, keep = known.vector.part(False for _ in known.vector.free)
    none = dataclasses.replace(
        known,
        vector=vector,
        z=known.z[keep],
        covariance=known.covariance[np.ix_(keep, keep)],
        pull=known.pull.part(keep),
    )
    again = Uncertainty.read("cell.json", json.loads(json.dumps(none.to_json())), cell)
    assert again.covariance.shape == again.pull.hessian.shape == (0, 0)
    drawn = ensemble(cell, again, 3)
    assert {float(c.contact_resistance.scale) for c in drawn.cells} == {
        float(cell.contact_resistance.scale)
    }


def test_draws_of_a_fit_at_a_bound_are_fits_within_it(fitted):
    """Parameters that the data tie to one at a bound make up for it."""
    contact, rate = fitted.problem.free
    problem = dataclasses.replace(
        fitted.problem, free=(dataclasses.replace(contact, bounds=(0.1, 1.2)), rate)
    )
    held = least_squares(problem)
    assert held.at_bound == (contact.name,)
    known, (low, high) = uncertainty_of(held), problem.vector.bounds
    assert known.pull is not None
    again = Uncertainty.from_json(known.to_json(), held.specimen.cell).pull
    assert again is not None
    np.testing.assert_allclose(
        again.within(again.unconstrained[None], low, high)[0], held.z, atol=5e-3
    )
    # The quadratic cost knows from the bound where the fit without it ends.
    sd = np.sqrt(np.diag(fitted.covariance))
    assert np.all(np.abs(again.unconstrained - fitted.z) < 2.0 * sd)

    z = draws(held.specimen.cell, known, 40)
    assert np.all((z >= low) & (z <= high))
    moved = (
        known.pull.unconstrained
        + np.random.default_rng(0).standard_normal((40, 2)) @ known.root.T
    )
    cost = jax.jit(problem.loss)
    as_drawn, clipped = (
        np.array([float(cost(v)) - held.cost for v in each])
        for each in (z[1:], np.clip(moved, low, high))
    )
    assert np.median(as_drawn) < 3.0 < 10.0 < np.median(clipped)


def test_draws_hardly_move_where_the_covariance_hardly_does(fitted):
    """Its eigenvectors turn by a right angle here."""
    known, sd = uncertainty_of(fitted), np.array([1e-3, 1e3])
    roots = []
    for tilt in (1e-9, -1e-9):
        C = np.outer(sd, sd) * np.array([[1.0, tilt], [tilt, 1.0]])
        root = dataclasses.replace(known, covariance=C).root
        np.testing.assert_allclose(root @ root.T, C, rtol=1e-12, atol=1e-15)
        roots.append(root / sd[:, None])
    np.testing.assert_allclose(*roots, atol=1e-8)
