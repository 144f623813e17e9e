"""Measured data become experiments: nothing is lost without a word."""

import numpy as np
import pytest

import naion as na
from naion.fit import (
    COMPARED,
    Experiment,
    FreeParameter,
    Kind,
    Observations,
    Part,
    Problem,
    Specimen,
    discharge,
    measured_profile,
    measured_pulses,
    pulse,
    recorded,
    segments,
)
from naion.fit._measured_profile import compared

HALF_HOUR = np.arange(0.0, 1801.0)


def flowed(protocol) -> float:
    """Net charge of a protocol [A.s]."""
    q = protocol
    mean = np.asarray(q.value) + 0.5 * np.asarray(q.slope) * np.asarray(q.duration)
    return float(np.sum((mean * np.asarray(q.duration))[: int(q.count)]))


@pytest.mark.parametrize("period", [3.0, 7.0, 17.0, 600.0])
def test_all_measured_current_flows(period):
    current = 1.5 + 3.0 * np.sign(np.sin(2.0 * np.pi * HALF_HOUR / period))
    e = measured_profile("x", HALF_HOUR, current, 3.9 - 0.01 * current, 298.15)
    whole = float(np.trapezoid(current, HALF_HOUR))
    assert flowed(e.protocol) == pytest.approx(whole, rel=1e-12)
    assert e.n_observations == COMPARED
    assert f"{COMPARED} of 1801 measured voltages are compared" in e.note
    (seen,) = e.observations
    assert seen.axis == "Time [h]" and seen.x[-1] == pytest.approx(0.5)
    assert np.all(np.diff(seen.b) > 0.0) and seen.b[-1] == 1800.0


def test_pulses_keep_their_points():
    t = np.arange(0.0, 36000.0)
    current = np.where(t % 6000.0 < 20.0, 2.0, 0.0)
    rows = compared(t, current)
    assert len(rows) == COMPARED and np.all(np.diff(rows) > 0)
    for edge in np.flatnonzero(np.diff(current) != 0.0):
        assert {edge, edge + 1, edge + 2, edge + 3} <= set(rows) | {0}
    # The rests between are covered as well.
    assert np.max(np.diff(rows)) < 36000.0 / 100.0


def test_few_rows_are_all_compared():
    t = np.array([0.0, 10.0, 10.0, 20.0, 30.0])
    np.testing.assert_array_equal(compared(t, np.zeros(5)), [1, 3, 4])
    e = measured_profile("x", t, np.ones(5), np.full(5, 3.0), 298.15, note="warm")
    assert e.note.startswith("3 of 5 measured") and e.note.endswith("; warm")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sigma": 0.0}, "sigma = 0; expected more than zero"),
        ({"sigma": -1.0}, "sigma = -1"),
        ({"sigma": float("nan")}, "sigma = nan"),
        ({"temperature": 25.0}, "temperature = 25 K.*Temperatures are in kelvin"),
        ({"temperature": float("nan")}, "kelvin"),
        ({"voltage": [4.0, 3.9]}, "3 times and 2 voltages"),
        ({"current": [1.0, np.nan, 1.0]}, "row 2 is not finite"),
        ({"time": [0.0, 2.0, 1.0]}, "row 3 is at 1 s.*Sort the rows"),
        ({"time": [0.0, 0.0, 1.0]}, "three or more times"),
        ({"discharged": float("inf")}, "discharged = inf"),
    ],
)
def test_profiles_that_cannot_be(change, said):
    usual = {
        "time": [0.0, 1.0, 2.0],
        "current": [1.0, 1.0, 1.0],
        "voltage": [4.0, 3.9, 3.8],
        "temperature": 298.15,
    }
    with pytest.raises(ValueError, match=said):
        measured_profile("x", **(usual | change))


def test_other_tests_that_cannot_be():
    q, V = [0.1, 0.2, 0.3], [3.9, 3.8, 3.7]
    with pytest.raises(ValueError, match="sigma = -1"):
        discharge("x", q, V, 1.0, 298.15, sigma=-1.0)
    with pytest.raises(ValueError, match="3 charges and 2 voltages"):
        discharge("x", q, V[:2], 1.0, 298.15)
    with pytest.raises(ValueError, match="2 times and 1 resistances"):
        pulse("x", 1.0, [1.0, 2.0], [0.1], 298.15, 0.0)
    with pytest.raises(ValueError, match="times must be finite and above zero"):
        pulse("x", 1.0, [-1.0, 2.0], [0.1, 0.1], 298.15, 0.0)
    with pytest.raises(ValueError, match="resistances must be"):
        pulse("x", 1.0, [1.0, 2.0], [0.1, 0.0], 298.15, 0.0)
    with pytest.raises(ValueError, match="current = 0"):
        pulse("x", 0.0, [1.0], [0.1], 298.15, 0.0)
    with pytest.raises(ValueError, match="1 loaded voltages for 3 segments"):
        segments("x", [0, 1, 2], 60.0, 60.0, 1.0, [3.9], V, 298.15)
    with pytest.raises(ValueError, match="whole numbers"):
        segments("x", [0, 0.5, 1], 60.0, 60.0, 1.0, V, V, 298.15)
    with pytest.raises(ValueError, match="rest = 0"):
        segments("x", [0, 1, 2], 60.0, 0.0, 1.0, V, V, 298.15)
    step = na.Step(na.Mode.CURRENT, 1.0, duration=10.0)
    with pytest.raises(ValueError, match="part 1: sigma = 0"):
        recorded("x", [Part(step, [1, 2, 3], V, sigma=0.0)], 298.15)


def test_observations_are_columns():
    t = np.arange(3.0)
    with pytest.raises(ValueError, match="3, 3, 2, 3, 3; expected as many"):
        Observations(Kind.VOLTAGE, t, t, t[:2], t + 1.0, "voltage", t)
    with pytest.raises(ValueError, match="above zero, got 0"):
        Observations(Kind.VOLTAGE, t, t, t, t, "voltage", t)
    with pytest.raises(ValueError, match="a time is not finite"):
        Observations(Kind.VOLTAGE, t, t * np.nan, t, t + 1, "v", t)
    rest = na.Protocol("Rest for 1 hour")
    with pytest.raises(ValueError, match="x: temperature = 25 K"):
        Experiment("x", rest, 25.0, ())


TEN, ONES = np.arange(10.0), np.ones(10)


def _q(**changed):
    given = {"charge": [0.1, 0.2, 0.3], "voltage": [3.0, 2.5, 2.0], "current": 1.5}
    return discharge("d", **{**given, "temperature": 298.0, **changed})


def _profile(**options):
    return measured_profile("p", TEN, ONES, 3.0 * ONES, 298.0, **options)


def _pulses(**options):
    flows = np.r_[0.0, 0.0, np.ones(8)]
    given = {"times": 1.0, **options}
    return measured_pulses("p", TEN, flows, 3.0 - 0.1 * flows, 298.0, **given)


def _recorded(since=0, **part):
    step = na.Step(na.Mode.CURRENT, 1.0, duration=9.0)
    parts = [Part(step, [1.0, 2.0, 3.0], [3.0] * 3, **part)]
    return recorded("r", parts, 298.0, since=since)


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda: _q(temperature=298150.0), "no cell works above 450 K"),
        (lambda: _q(temperature="298"), "temperature: '298' is no number"),
        (lambda: _q(current="1.5 A"), "positive current, got '1.5 A'"),
        (lambda: _q(charge=["a", "b", "c"]), "charges: 'a' is no number"),
        (lambda: _q(voltage=[3000.0, 2500.0, 2000.0]), "reach 3000 V.*in millivolt"),
        (lambda: _q(sigma=10.0), "sigma = 10 V; expected at most 1 V.*millivolt"),
        (lambda: _q(sigma_charge=-1.0), "sigma_charge = -1"),
        (lambda: _q(capacity=float("nan")), "capacity = nan"),
        (lambda: _q(group=-1), "group = -1; expected a whole number from 0"),
        (lambda: _profile(most=0), "most = 0; expected two voltages"),
        (lambda: _profile(among=[True] * 3), "among is of 3 rows; expected all 10"),
        (lambda: _pulses(times=[]), "no times after which"),
        (lambda: _pulses(longest=-1.0), "longest = -1"),
        (lambda: _pulses(relative_sigma=3.0), "expected at most 1. Is it in percent"),
        (
            lambda: _recorded(temperature=[25.0] * 3),
            "temperature = 25 K: no cell works",
        ),
        (lambda: _recorded(lasted=-5.0), "part 1: lasted = -5"),
        (
            lambda: _recorded(since=1),
            "since = 1; expected a whole number from 0, below 1",
        ),
        (
            lambda: segments("s", [0, 1], 9.0, 9.0, 1.0, [3e3, 2e3], [3.1, 2.9], 298.0),
            "loaded voltages reach 3000 V",
        ),
    ],
)
def test_other_units_and_counts_are_refused(act, said):
    with pytest.raises(ValueError, match=said):
        act()


def test_a_test_is_of_its_specimen():
    """Groups that the specimen has, and charge that its electrodes hold."""
    cell = na.load("nfm_hc_18650")
    free = (FreeParameter(("cell.area",), (0.01, 1.0)),)
    with pytest.raises(ValueError, match="p: group = 1; the specimen has 1, counted"):
        Problem(Specimen(cell, [0.0]), free, (_profile(group=1),))
    with pytest.raises(
        ValueError, match="discharged = 800 A.h; the negative electrode"
    ):
        Problem(Specimen(cell, [0.0]), free, (_profile(discharged=800.0),))
    with pytest.raises(ValueError, match="missing is of shape"):
        Problem(Specimen(cell, 0.0), free, (_profile(),))
