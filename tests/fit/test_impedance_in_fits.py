"""Measured impedance in fits: beside discharges, exactly, and refused where it cannot be."""

import dataclasses
import warnings

import equinox as eqx
import numpy as np
import pytest
from matplotlib.figure import Figure

import naion as na
from naion import fit
from naion.cli._predict import not_in_the_band
from naion.fit import (
    FreeParameter,
    Kind,
    Problem,
    Specimen,
    discharge,
    doubts,
    ensemble,
    least_squares,
    measured_impedance,
    scores,
    spectra_of,
    uncertainty_of,
)
from naion.fit._fit import fit_at
from naion.parameters import leaf, with_double_layer

MODEL = na.DFN(na.Mesh(4, 3, 4, 10))
F = np.geomspace(1e3, 0.05, 12)
STATES = {"40 %": (0.8, 298.15), "cold": (0.4, 283.15)}
"""Discharged [A.h] and temperature [K] of each spectrum."""

TRUTH = {
    "positive.particle.rate_constant.scale": 0.7,
    "negative.double_layer.capacitance": 0.15,
    "negative.double_layer.exponent": 0.8,
}
FREE = (
    *(FreeParameter((f"cell.{p}",), (0.01, 10.0), "log") for p in list(TRUTH)[:2]),
    FreeParameter(("cell.negative.double_layer.exponent",), (0.5, 1.0)),
)
INDUCTANCE = 2e-7
LEAD = FreeParameter(("lead_inductance",), (0.0, 1e-5), prior=1e-6)


def spectrum(name, Z, **more):
    out, T = STATES[name]
    more = {"relative_sigma": 0.005, "discharged": out} | more
    return measured_impedance(name, F, Z, T, **more)


@pytest.fixture(scope="module")
def problem():
    """A discharge and two spectra of a cell, with noise as large as is said."""
    cell = with_double_layer(na.load("nfm_hc_18650"), 0.2, 0.95)
    true = eqx.tree_at(
        lambda c: [leaf(c, p) for p in TRUTH],
        cell,
        [np.asarray(v) for v in TRUTH.values()],
    )
    rng = np.random.default_rng(1)
    sol = na.simulate(true, "Discharge at 1.5 A until 1.5 V", model=MODEL)
    q = np.linspace(0.05, 1.2, 20)
    V = np.asarray(sol.voltage_at_charge(q)) + 1e-3 * rng.standard_normal(20)
    tests = [discharge("1C", q, V, 1.5, 298.15, sigma=1e-3)]
    specimen = Specimen(true, [0.0], lead_inductance=INDUCTANCE)
    for name in STATES:
        test = fit.Tested.of(specimen, spectrum(name, np.ones(12)))
        assert test.off == {"lead_inductance": INDUCTANCE}
        n = test.repeated(true, MODEL, calibrated=True)
        Z = n[:12] + 1j * n[12:]
        noise = rng.standard_normal(12) + 1j * rng.standard_normal(12)
        tests.append(spectrum(name, Z + 0.005 * np.abs(Z) * noise))
    return Problem(Specimen(cell, [0.0]), (*FREE, LEAD), tuple(tests), MODEL)


@pytest.fixture(scope="module")
def fitted(problem):
    return least_squares(problem)


def test_a_joint_fit_finds_what_made_the_data(fitted):
    """Each within its 99 % interval, and known to a few per cent."""
    assert fitted.converged and fitted.at_bound == ()
    k_0, C, a = TRUTH.values()
    truth = [np.log(k_0), np.log(C), a, INDUCTANCE]
    sd = np.sqrt(np.diag(fitted.covariance))
    assert np.all(np.abs(fitted.z - truth) < 2.58 * sd)
    assert np.all(sd[:3] < 0.05) and sd[3] < 1e-7
    assert doubts(fitted) == []


def test_a_capacitance_at_the_top_of_the_arc_is_apart_from_the_exponent(fitted):
    """At another frequency errors of the exponent would be errors of the capacitance.

    ln C(f) = ln C + (a - 1) ln(f/f_0), here at 100 f_0.
    """
    both = fitted.covariance[1:3, 1:3]
    move = np.array([[1.0, np.log(100.0)], [0.0, 1.0]])

    def correlation(C):
        return abs(C[0, 1]) / np.sqrt(C[0, 0] * C[1, 1])

    assert correlation(both) < 0.4 < 0.8 < correlation(move @ both @ move.T)


def test_what_time_does_not_know_of_exponents_is_said_once(problem):
    """By problems made of problems too, and not of spectra alone."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("default")
        for _ in range(2):
            dataclasses.replace(problem, rtol=2e-3)
        dataclasses.replace(problem, experiments=problem.experiments[1:])
    assert ["ideal capacitors" in str(w.message) for w in said] == [True]
    one = with_double_layer(problem.specimen.cell)
    for free, count in ((problem.free[:2], 0), (problem.free[:3], 1)):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            Problem(Specimen(one, [0.0]), free, problem.experiments, MODEL)
        assert len(said) == count


def test_scores_are_in_per_cent_of_the_modulus(fitted):
    rows = {name: (what, text) for name, what, text in scores(fitted)}
    assert rows["1C"][0] == "voltage" and rows["cold"][0] == "impedance"
    f, Z, model = spectra_of(fitted.problem.experiments[2], fitted.predictions[2])
    off = 100.0 * np.abs(model - Z) / np.abs(Z)
    rms = np.sqrt(np.mean(off**2))
    assert rows["cold"][1].startswith(f"{rms:.2g} % of |Z|, most {off.max():.2g} %")
    # 0.5 % of noise in both parts.
    assert 0.4 < rms < 1.1 and "impedance" in str(fitted)


def test_derivatives_are_exact(problem, fitted):
    """Of the spectra, against differences; voltages do not depend on leads at all."""
    z, J = fitted.z, fitted.near.jacobian
    np.testing.assert_allclose(problem.residuals(z), fitted.near.residuals, atol=1e-8)
    for k, h in enumerate((1e-4, 1e-4, 1e-4, 1e-9)):
        step = h * np.eye(4)[k]
        high, low = (problem.linearised(z + s * step).residuals for s in (1, -1))
        found = (high - low)[20:] / (2.0 * h)
        np.testing.assert_allclose(
            found, J[20:, k], atol=1e-5 * np.abs(J[20:, k]).max()
        )
    # Nor on exponents: in time the layer is a capacitor.
    assert np.all(J[:20, 2:] == 0.0)


def test_a_spectrum_of_a_fit_survives_json_and_is_predicted(fitted):
    known = uncertainty_of(fitted)
    test = known.tests[1]
    again = fit.Tested.from_json(test.to_json())
    assert again.experiment.is_spectrum and again.calibration == test.calibration
    as_fitted = again.repeated(fitted.specimen.cell, MODEL, calibrated=True)
    np.testing.assert_allclose(as_fitted, fitted.predictions[1], rtol=1e-9)
    new = again.repeated(fitted.specimen.cell, MODEL, calibrated=False)
    f, _, Z = spectra_of(test.experiment, as_fitted - new)
    inductance = fitted.specimen.lead_inductance[0]
    np.testing.assert_allclose(Z, 2j * np.pi * f * inductance, atol=1e-12)
    # A fit of before leads were known, and a new test, which has none.
    del (old := test.to_json())["calibration"]["lead_inductance"]
    assert fit.Tested.from_json(old).off == {}
    drawn = ensemble(fitted.specimen.cell, known, 3)
    assert all(np.all(s.lead_inductance == 0.0) for s in drawn.specimens)


def test_bands_of_fits_to_spectra_say_what_is_not_in_them(fitted):
    known = uncertainty_of(fitted)
    assert not_in_the_band(known) == []
    # Without voltages; and of leads alone.
    (said,) = not_in_the_band(dataclasses.replace(known, discrepancy=0.0))
    assert "compared no voltage" in said
    vector, _ = known.vector.part([False] * len(known.vector.free))
    (said,) = not_in_the_band(dataclasses.replace(known, vector=vector))
    assert "Nothing of the cell was fitted" in said


def test_a_spectrum_is_drawn_with_equal_axes(fitted):
    e, m = fitted.problem.experiments[1], fitted.predictions[1]
    axes = na.plot.fit(e, m)
    below = axes.figure.axes[1]
    assert axes.get_aspect() == 1.0 and below.get_ylabel() == "Off [% of |Z|]"
    _, Z, model = spectra_of(e, m)
    np.testing.assert_allclose(axes.get_lines()[0].get_xdata(), 1e3 * Z.real)
    off = below.get_lines()[2].get_ydata()
    np.testing.assert_allclose(off, 100.0 * (model - Z).imag / np.abs(Z))
    one = Figure().add_subplot()
    assert na.plot.fit(e, m, one) is one and len(one.figure.axes) == 1


def test_what_makes_no_sense_is_told(problem):
    """Milliohm taken for ohm, and the sign of the imaginary part."""
    wrong = []
    for turn in (lambda Z: 1e3 * Z, np.conj):
        tests = []
        for e in problem.experiments[1:]:
            Z = spectra_of(e, np.zeros(24))[1]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", na.Caution)
                tests.append(spectrum(e.name, turn(Z)))
        one = dataclasses.replace(problem, experiments=(problem.experiments[0], *tests))
        wrong.append(doubts(fit_at(one, problem.start)))
    in_mohm, turned = wrong
    assert len(in_mohm) == len(turned) == 2
    assert "in ohm, of the whole cell (not mohm" in in_mohm[0]
    assert "opposite ways" in turned[0] and 'imaginary = "-Im"' in turned[0]


def test_a_cell_without_double_layers_is_refused_where_they_matter(problem):
    bare = Specimen(na.load("nfm_hc_18650"), [0.0])
    free = (problem.free[0],)
    with pytest.raises(ValueError, match=r"1e\+03 Hz.* double_layer = 0\.2"):
        Problem(bare, free, problem.experiments, MODEL)
    slow = spectrum("cold", np.ones(12), between=(0.01, 0.1))
    Problem(bare, free, (slow,), MODEL)
    # At these frequencies the charge of the layers is less than the data's error.
    with_layers = problem.specimen
    shown = [
        fit.Tested.of(s, slow).repeated(s.cell, MODEL, calibrated=True)
        for s in (bare, with_layers)
    ]
    _, _, Z = spectra_of(slow, shown[0])
    _, _, Z_layers = spectra_of(slow, shown[1])
    assert np.max(np.abs(Z / Z_layers - 1.0)) < 0.02


def test_weights_and_what_is_compared():
    Z = np.linspace(0.1, 1e-3, 12) * (1.0 - 0.1j)
    e = spectrum("cold", Z[::-1], relative_sigma=0.01, between=(0.05, 500.0))
    real, imaginary = e.observations
    assert [o.kind for o in e.observations] == [
        Kind.IMPEDANCE_REAL,
        Kind.IMPEDANCE_IMAGINARY,
    ]
    assert np.all(np.diff(real.b) < 0.0) and len(real.b) == 11
    expected = np.maximum(0.01 * np.abs(Z[::-1][1:]), 1e-5)
    np.testing.assert_allclose(real.sigma, expected)
    np.testing.assert_allclose(imaginary.sigma, expected)
    assert "at 11 of 12 frequencies" in e.note and e.is_spectrum


@pytest.mark.parametrize(
    ("f", "Z", "more", "said"),
    [
        ([], [], {}, "one at least"),
        ([1.0, 2.0], [0.1], {}, "2 frequencies and 1 impedances"),
        ([1.0, -2.0], [0.1, 0.1], {}, "frequency 2 is -2 Hz"),
        ([1.0, 0.0], [0.1, 0.1], {}, "frequency 2 is 0 Hz"),
        ([1.0, 2.0], [0.1, np.nan], {}, "at 2 Hz is not finite"),
        ([1.0, 2.0], [0.1, -0.1], {}, "-0.1 ohm at 2 Hz"),
        ([1.0], [0.1], {"between": (10.0, 20.0)}, "measured are 1 Hz"),
        ([1.0], [0.1], {"between": (20.0, 10.0)}, "the lowest first"),
        ([1.0], [0.1], {"relative_sigma": 0.0}, "relative_sigma = 0"),
        ([1.0], [0.1], {"floor": -1.0}, "floor = -1"),
    ],
)
def test_spectra_that_cannot_be(f, Z, more, said):
    with pytest.raises(ValueError, match=said):
        measured_impedance("x", f, Z, 298.15, **more)


def test_upside_down_is_cautioned():
    Z = 0.1 - 0.05j * np.ones(12)
    with pytest.warns(na.Caution, match="looks upside down"):
        spectrum("cold", np.conj(Z))
    # A coil at high frequencies alone is what leads are.
    spectrum("cold", Z + 2j * np.pi * F * 1e-4)


def test_impedances_and_voltages_are_two_tests(problem):
    slow, fast = problem.experiments[:2]
    both = (*slow.observations, *fast.observations)
    with pytest.raises(ValueError, match="make two tests"):
        dataclasses.replace(slow, observations=both)


def test_a_state_that_cannot_be_has_no_impedance(problem):
    """A search turns back from it, and a fit that ends there says so."""
    # More than the charged electrode takes, and less than all that it could hold.
    far = spectrum("cold", np.full(12, 0.1), discharged=-1.2)
    tests = (problem.experiments[0], problem.experiments[1], far)
    near = dataclasses.replace(problem, experiments=tests).linearised(problem.start)
    assert np.all(np.isnan(near.predictions[2]))
    assert np.all(np.isfinite(near.residuals)) and np.all(np.isfinite(near.jacobian))


@pytest.fixture(scope="module")
def planned(fitted):
    """A spectrum that has not been measured."""
    more = {"discharged": 0.4, "relative_sigma": 0.005}
    return fit.candidate_spectrum("planned", fitted, F, 298.15, **more)


def capacitance(cell):
    return cell.negative.double_layer.capacitance


def test_a_candidate_spectrum_weighs_as_a_measured_one(fitted, planned):
    """Errors are a share of what the fitted cell shows there, its leads included."""
    f, Z, shown = spectra_of(
        planned,
        fit.Tested.of(fitted.specimen, planned).repeated(
            fitted.specimen.cell, MODEL, calibrated=True
        ),
    )
    np.testing.assert_allclose(shown, Z, rtol=1e-6)
    real, imaginary = planned.observations
    np.testing.assert_allclose(real.sigma, np.maximum(0.005 * np.abs(Z), 1e-5))
    np.testing.assert_allclose(imaginary.sigma, real.sigma)
    with pytest.raises(ValueError, match="no impedance at 25 degC with -1.2 A.h taken"):
        fit.candidate_spectrum("far", fitted, F, 298.15, discharged=-1.2)
    with pytest.raises(ValueError, match=r"9 A\.h; the negative electrode holds"):
        fit.candidate_spectrum("far", fitted, F, 298.15, discharged=9.0)


def test_candidate_spectra_are_ranked_by_what_they_tell(fitted, planned):
    """Frequencies at which the layer short-circuits everything say nothing of it."""
    f = np.geomspace(5e5, 1e6, 12)
    high = fit.candidate_spectrum("high", fitted, f, 298.15, discharged=0.4)
    ranked = fit.rank_candidates(fitted, capacitance, [high, planned])
    assert [r.test.name for r in ranked] == ["planned", "high"]
    first, last = ranked
    assert first.after < 0.95 * first.before
    assert last.after == pytest.approx(last.before, rel=0.01)
    # The layer's own number: its logarithm is free, so that its slope is its value.
    C = float(capacitance(fitted.specimen.cell))
    sd = np.sqrt(fitted.covariance[1, 1])
    assert first.before == pytest.approx(C * sd, rel=1e-6)


def test_the_state_of_a_candidate_spectrum_is_optimised(fitted, planned):
    """Not worse than at any corner of what may be chosen; a share of |Z| is a share."""
    vary = {"temperature": (283.15, 303.15), "discharged": (0.3, 0.9)}
    best = fit.optimise_candidate(fitted, capacitance, planned, vary)
    corners = [
        fit.candidate_spectrum("c", fitted, F, T, discharged=q, relative_sigma=0.005)
        for T in vary["temperature"]
        for q in vary["discharged"]
    ]
    ranked = fit.rank_candidates(fitted, capacitance, [planned, *corners])
    assert best.after <= ranked[0].after * 1.01 and best.after < best.before
    assert "temperature = " in best.test.name and best.test.is_spectrum
    _, Z, _ = spectra_of(best.test, np.zeros(24))
    assert 0.3 <= best.test.discharged <= 0.9 and len(Z) == 12
    with pytest.raises(ValueError, match="without a protocol to change; it has temper"):
        fit.optimise_candidate(fitted, capacitance, planned, {"value[0]": (0.0, 1.0)})
