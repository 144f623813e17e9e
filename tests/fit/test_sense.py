"""What a report says of a fit, and when it says that the fit makes no sense."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import naion as na
from naion.fit import Fit, doubts, measured_profile, pulse, scores

T = np.linspace(0.0, 3600.0, 61)
FALLS = 4.0 - 1.5 * T / 3600.0
"""Of a 1.5 A.h cell that is discharged in an hour [V]."""


class StandIn(SimpleNamespace):
    """What a report asks of a fit, without one."""

    __class__ = property(lambda self: Fit)


def fit(measured, model, current=1.5, time=T) -> Any:
    e = measured_profile("x", time, np.full(61, current), measured, 298.15)
    specimen = SimpleNamespace(cell=na.parameters.load("nfm_hc_18650"))
    problem = SimpleNamespace(experiments=[e])
    predictions = [np.asarray(model)[1:]]
    return StandIn(problem=problem, predictions=predictions, specimen=specimen)


def test_every_point_counts():
    measured = np.where(T < 3500.0, 3.0, 1.5)
    found = fit(measured, measured + np.where(T < 3500.0, 0.0, 0.3))
    rmse = 300.0 * np.sqrt(np.sum(T >= 3500.0) / 60)
    assert scores(found) == [["x", "voltage", f"{rmse:.1f} mV"]]


def test_points_after_the_end_are_told():
    model = np.where(T < 3500.0, FALLS, np.nan)
    ((_, _, text),) = scores(fit(FALLS, model))
    assert text == "0.0 mV; 2 of 60 after the model's end"
    assert scores(fit(FALLS, T * np.nan))[0][2].startswith("not reached; 60 of 60")


def test_every_resistance_is_shown():
    e = pulse("p", 1.0, [1.0, 10.0], [0.1, 0.2], 298.15, 0.0)
    model = np.array([0.11, 0.18])
    found: Any = StandIn(problem=SimpleNamespace(experiments=[e]), predictions=[model])
    assert (
        scores(found)[0][2] == "100 mohm measured, +10.0 %, 200 mohm measured, -10.0 %"
    )
    assert doubts(found) == []
    found.predictions = [np.array([0.11, 0.9])]
    assert "0.2 ohm were measured, the model has 0.9" in doubts(found)[0]


def test_a_fit_that_could_be_one():
    assert doubts(fit(FALLS, FALLS + 0.04)) == []
    # Flat data are missed by more than their spread, but by little.
    assert doubts(fit(np.full(61, 3.3), np.full(61, 3.33))) == []


def test_a_fit_that_is_hardly_better_than_a_constant():
    """Hours under the name of seconds: nothing moves in the model, 1.5 V in the data."""
    model = np.mean(FALLS) + 0.05 * (FALLS - np.mean(FALLS))
    (said,) = doubts(fit(FALLS, model, time=T / 3600.0))
    assert "a constant" in said and "are times in hours" in said


@pytest.mark.parametrize(
    ("found", "wrong", "cause"),
    [
        (fit(FALLS, np.full(61, 3.9), time=T / 3600.0), "791 mV", "are times in hours"),
        (fit(FALLS, np.full(61, 3.9), current=1.5e-3), "791 mV", "0.1 % of"),
        (fit(FALLS, FALLS * np.nan, current=20.0), "100 % of", "13.3 times the cell's"),
        (fit(FALLS, FALLS[::-1]), "866 mV", "opposite ways"),
        (fit(2.5 + FALLS / 10, np.full(61, 3.0)), "and a constant 43 mV", "start"),
        (fit(FALLS, FALLS - 0.6), "600 mV from the data", "soc"),
    ],
)
def test_what_makes_no_sense_is_told_with_its_cause(found, wrong, cause):
    (text,) = doubts(found)
    assert text.startswith("x, voltage: ") and wrong in text and cause in text
