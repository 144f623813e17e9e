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
    of_hina,
    of_tuberlin,
    predicted,
)
from naion.fit import Specimen, discharge
from naion.models import DFN
from naion.parameters import load


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
    assert of_tuberlin(oxide).what == "9 resistances"
    assert of_hina(hina).what == "18 resistances"
    fitted = {e.name for e in hina_problem().experiments}
    assert not fitted & {e.name for e in pulses(BETWEEN)}


def test_the_rate_that_is_predicted_is_not_fitted():
    problem = nvpf_without()
    assert len(problem.experiments) == 2
    assert not any(e.name.startswith(LEFT_OUT) for e in problem.experiments)
    assert isinstance(problem.specimen, Specimen)
