"""Predictions of tests that no fit has seen."""

import numpy as np

from naion import fit
from naion.demo import hina_problem
from naion.demo._hina import pulses
from naion.demo._not_fitted import (
    BETWEEN,
    LEFT_OUT,
    nvpf_without,
    of_hakadi,
    of_hakadi_pulses,
    of_hakadi_rests,
    of_hina,
    of_tuberlin,
    predicted,
    rested,
)
from naion.fit import Specimen, discharge
from naion.models import DFN
from naion.parameters import load, open_circuit_voltage, stoichiometry_at_soc


def test_an_error_that_is_made_is_found():
    """A discharge of the cell itself, measured 10 mV too low."""
    cell = load("nfm_hc_18650")
    q = np.linspace(0.1, 1.2, 12)
    blank = discharge("C/2", q, np.zeros(12), 0.75, 298.15)
    V = fit.Tested(blank).repeated(cell, DFN(), calibrated=False)
    test = discharge("C/2", q, V - 0.010, 0.75, 298.15)
    assert predicted(cell, [test], "shifted") == ("shifted", "12 voltages", "10 mV")


def test_a_model_that_ends_too_early_is_not_spared():
    cell = load("nfm_hc_18650")
    q = np.linspace(0.1, 2.5, 12)
    test = discharge("C/2", q, np.full(12, 3.0), 0.75, 298.15)
    assert float(predicted(cell, [test], "long").off.removesuffix(" mV")) > 1000.0


def test_embedded_tests_are_read():
    """All of them, on the published sets: their errors are no one's promise."""
    oxide, hina = load("nfm_hc_18650"), load("cfm_hc_32140")
    assert of_hakadi(oxide).what == "59 voltages"
    assert of_hakadi_pulses(oxide).what == "10 resistances"
    assert of_hakadi_rests(oxide).what == "17 voltages"
    assert of_tuberlin(oxide).what == "9 resistances"
    assert of_hina(hina).what == "18 resistances"
    fitted = {e.name for e in hina_problem().experiments}
    assert not fitted & {e.name for e in pulses(BETWEEN)}


def test_rests_are_on_the_open_circuit_curve():
    """Of a cell that relaxes: within 20 mV, from full to empty."""
    cell = load("nfm_hc_18650")
    soc, V = rested(cell)
    assert soc[0] > 0.9 and soc[-1] == 0.0 and np.all(np.diff(soc) < 0.0)
    assert np.all(np.diff(V) < 0.0)
    T = cell.temperature
    U = [
        float(open_circuit_voltage(cell, stoichiometry_at_soc(cell, x), T)) for x in soc
    ]
    middle = (soc > 0.3) & (soc < 0.9)
    np.testing.assert_allclose(V[middle], np.array(U)[middle], atol=0.02)


def test_the_rate_that_is_predicted_is_not_fitted():
    problem = nvpf_without()
    assert len(problem.experiments) == 2
    assert not any(e.name.startswith(LEFT_OUT) for e in problem.experiments)
    assert isinstance(problem.specimen, Specimen)
