"""Measured profiles as protocols."""

import datetime
import math
import time

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import naion as na
from naion.protocol import Mode


def test_profile():
    """Two rows at one time are a jump; everything else is a ramp."""
    p = na.Protocol.profile(
        [0.0, 10.0, 10.0, 30.0],
        [1.0, 1.0, -2.0, 0.0],
        temperature=[300.0, 301.0, 301.0, 299.0],
        lower_voltage=2.0,
    )
    np.testing.assert_allclose(p.value, [1.0, -2.0])
    np.testing.assert_allclose(p.slope, [0.0, 0.1])
    np.testing.assert_allclose(p.duration, [10.0, 20.0])
    np.testing.assert_allclose(p.temperature, [300.0, 301.0])
    np.testing.assert_allclose(p.temperature_slope, [0.1, -0.1])
    np.testing.assert_array_equal(p.lower_voltage, [2.0, 2.0])
    assert np.all(np.isnan(p.upper_voltage))


@pytest.mark.parametrize(
    "time, value, settings, message",
    [
        ([0.0], [1.0], {}, "at least two rows, got 1"),
        ([0.0, 1.0], [1.0], {}, "2 times but 1 of value"),
        ([0.0, 1.0], [1.0, 2.0], {"temperature": [300.0] * 3}, "2 times but 3 of temp"),
        ([0.0, 2.0, 1.0], [1.0, 1.0, 1.0], {}, "row 3: time 1 s is before"),
        ([0.0, 1.0], [1.0, math.nan], {}, "row 2 is not finite"),
        ([0.0, math.inf], [1.0, 1.0], {}, "row 2 is not finite"),
        ([0.0, 1.0], [1.0, 1.0], {"temperature": [300.0, math.nan]}, "row 2 is not"),
        ([1.0, 1.0], [1.0, 2.0], {}, "at least one stretch of time"),
        (
            [0, 1],
            [1, 1],
            {"temperature": [300, 25]},
            "row 2: temperature = 25 K.*298.15",
        ),
        ([0, 1], [1, 1], {"temperature": 25}, "row 1: temperature = 25 K"),
        ([0, 1], [1, 1], {"temperature": [300, 500]}, "row 2: .*above 450 K"),
        ([0, 1], [1, 1], {"lower_voltage": 2500}, "Profile: Step.lower_voltage = 2500"),
        ([0, 1], [4, 4100], {"mode": Mode.VOLTAGE}, "row 2: value = 4100 V"),
        ([0, 1], [1, 0], {"mode": Mode.RESISTANCE}, "row 2: value must be positive"),
        ([0, 1], [1, 1], {"mode": "current"}, "'current' is not a mode"),
        ([0, 1, 2], [1, "x", 2], {}, "row 2: value = 'x' is not a number"),
        ([0, 1, None], [1, 1, 2], {}, "row 3: time = None is not a number"),
        (["2024-01-01", "2024-01-02"], [1, 1], {}, "row 1: time = .*to_datetime"),
        (pd.to_datetime(["2024-01-01", None]), [1, 1], {}, "row 2 is not finite"),
        (np.array([0, 1], "timedelta64[M]"), [1, 1], {}, "are no seconds"),
        (np.array([0, 1], "timedelta64"), [1, 1], {}, "are no seconds"),
        (np.ma.array([0.0, 1.0], mask=[0, 1]), [1, 1], {}, "row 2 is not finite"),
        ([1.7e18, 1.7e18 + 6e10], [1, 1], {}, "more than 30 years"),
        ([[0, 1]], [1, 1], {}, "time must be one column"),
        ([0, 1], [[1], [1]], {}, "2 times but an array of shape \\(2, 1\\) of value"),
        (None, [1, 1], {}, "at least two rows"),
        (np.arange(9) * 5e-7, np.ones(9), {}, "row 3: several rows"),
    ],
    ids=str,
)
def test_profile_errors_name_the_row(time, value, settings, message):
    with pytest.raises(ValueError, match=message):
        na.Protocol.profile(time, value, **settings)


STAMPS = pd.to_datetime(["2024-01-01 10:00:00", "2024-01-01 10:01:00"])
MINUTE = {
    "index": STAMPS,
    "series": pd.Series(STAMPS),
    "zone": pd.Series(STAMPS.tz_localize("Europe/Berlin")),
    "objects": list(STAMPS),
    "ns": STAMPS.to_numpy().astype("datetime64[ns]"),
    "s": STAMPS.to_numpy().astype("datetime64[s]"),
    "m": STAMPS.to_numpy().astype("datetime64[m]"),
    "timedelta": pd.to_timedelta(["5s", "65s"]),
    "timedelta64": np.array([1, 2], "timedelta64[m]"),
    "python": [x.to_pydatetime() for x in STAMPS],
    "of day": [datetime.time(10, 0), datetime.time(10, 1)],
    "differences": [datetime.timedelta(0), datetime.timedelta(minutes=1)],
    "Unix": [1.7e9, 1.7e9 + 60.0],
    "integers": pd.Series([1_700_000_000, 1_700_000_060], dtype="Int64"),
    "jax": jnp.asarray([3.0, 63.0]),
}


@pytest.mark.parametrize("times", MINUTE)
def test_profile_reads_dates_as_seconds(times):
    p = na.Protocol.profile(MINUTE[times], [0.1, 0.2])
    np.testing.assert_array_equal(p.duration, [60.0])
    np.testing.assert_array_equal(p.slope, [0.1 / 60.0])


@pytest.mark.parametrize("gap", [0.0, 1e-9, 5e-7])
def test_nearly_equal_times_are_a_step(gap):
    p = na.Protocol.profile([0.0, 10.0, 10.0 + gap, 20.0], [1.0, 1.0, -1.0, -1.0])
    np.testing.assert_array_equal(p.duration, [10.0, 10.0])
    np.testing.assert_array_equal(p.value, [1.0, -1.0])
    np.testing.assert_array_equal(p.slope, [0.0, 0.0])


def test_profile_of_one_temperature():
    for T in (300.0, [300.0], np.float32(300.0)):
        p = na.Protocol.profile([0.0, 1.0, 2.0], [1.0, 2.0, 4.0], temperature=T)
        np.testing.assert_array_equal(p.temperature, [300.0, 300.0])


def test_profile_joins_what_goes_on():
    """Rows that are constant or on a line are one; charge is what it was."""
    t = np.array([0.0, 1.0, 2.5, 3.0, 3.0, 4.0, 6.0, 6.5, 7.0])
    v = np.array([1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 3.0, 3.0, 3.0])
    p = na.Protocol.profile(t, v)
    np.testing.assert_array_equal(p.duration, [3.0, 3.0, 1.0])
    np.testing.assert_array_equal(p.value, [1.0, 0.0, 3.0])
    np.testing.assert_array_equal(p.slope, [0.0, 1.0, 0.0])
    np.testing.assert_array_equal(p.cycle, [0, 0, 0])
    # Not where the temperature has a corner.
    T = 300.0 + np.array([0.0, 0.0, 0.0, 0.5, 0.5, 1.5, 3.5, 4.0, 5.0])
    p = na.Protocol.profile(t, v, temperature=T)
    np.testing.assert_array_equal(p.duration, [2.5, 0.5, 3.0, 0.5, 0.5])


@pytest.mark.parametrize("power", [1, 2])
def test_slow_curves_are_not_joined_to_a_line(power):
    """Each bend of this parabola is within 1e-12, its middle is not on the chord."""
    t = np.arange(1e5)
    v = (t / 1e6) ** power
    p = na.Protocol.profile(t, v)
    ends = np.cumsum(np.asarray(p.duration))
    at = np.asarray(p.value + p.slope * p.duration)
    assert p.n_steps == 1 if power == 1 else p.n_steps > 100
    # To 1e-12 of the largest value, and at rows in between too.
    np.testing.assert_allclose(at, (ends / 1e6) ** power, rtol=0.0, atol=1e-12 * v[-1])
    row = np.searchsorted(ends, t[:-1], side="right")
    start = np.append(0.0, ends)[row]
    between = np.asarray(p.value)[row] + np.asarray(p.slope)[row] * (t[:-1] - start)
    np.testing.assert_allclose(between, v[:-1], rtol=0.0, atol=1.1e-12 * v[-1])


@pytest.mark.parametrize("joint", ["constant", "noise"])
def test_a_long_profile_takes_no_loop(joint):
    n = 1_000_000
    v = np.random.default_rng(1).normal(size=n) if joint == "noise" else np.ones(n)
    t = np.arange(n) + 1.7e9
    start = time.thread_time()
    p = na.Protocol.profile(t, v)
    # Measured 0.2 s.
    assert time.thread_time() - start < 1.0
    assert p.n_steps == (n - 1 if joint == "noise" else 1)
    assert p.n_joined == p.n_steps - 1
    charge = np.sum(np.asarray((p.value + 0.5 * p.slope * p.duration) * p.duration))
    # Sums of a million numbers, in another order.
    assert charge == pytest.approx(np.trapezoid(v), rel=1e-10, abs=1e-10 * n)
