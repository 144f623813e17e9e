"""Experiment strings, steps and profiles."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import naion as na
from naion.protocol import Mode, Step, parse_step

ACCEPTED = {
    "Discharge at C/10 until 2.0 V": dict(
        mode=Mode.CURRENT, value=0.1, in_c_rate=True, lower_voltage=2.0
    ),
    "Charge at 0.5C for 1 hour or until 4.1 V": dict(
        mode=Mode.CURRENT,
        value=-0.5,
        in_c_rate=True,
        duration=3600.0,
        upper_voltage=4.1,
    ),
    "Discharge at 2 A for 30 minutes": dict(
        mode=Mode.CURRENT, value=2.0, duration=1800.0
    ),
    "discharge with 250 mA until 2500 mV": dict(
        mode=Mode.CURRENT, value=0.25, lower_voltage=2.5
    ),
    "Discharge at 5 W until 1.5 V or 1.2 Ah": dict(
        mode=Mode.POWER, value=5.0, lower_voltage=1.5, capacity=1.2
    ),
    "Charge at 1.5 kW until 4 V": dict(
        mode=Mode.POWER, value=-1500.0, upper_voltage=4.0
    ),
    "Discharge at 10 mohm for 5 s": dict(
        mode=Mode.RESISTANCE, value=0.01, duration=5.0
    ),
    "Hold at 4.1 V until C/20": dict(mode=Mode.VOLTAGE, value=4.1, c_rate_below=0.05),
    "Hold at 4.1 V until 50 mA": dict(mode=Mode.VOLTAGE, value=4.1, current_below=0.05),
    "Hold at 4.1 V for 2 h or until 0.02C": dict(
        mode=Mode.VOLTAGE, value=4.1, duration=7200.0, c_rate_below=0.02
    ),
    "Rest for 1 hour": dict(mode=Mode.CURRENT, value=0.0, duration=3600.0),
    "REST FOR 2 DAYS": dict(mode=Mode.CURRENT, value=0.0, duration=172800.0),
    "  Rest   for  90 min ": dict(mode=Mode.CURRENT, value=0.0, duration=5400.0),
    "Discharge at C until 1e3 mAh": dict(
        mode=Mode.CURRENT, value=1.0, in_c_rate=True, capacity=1.0
    ),
    "Discharge at 3C until 60 degC": dict(
        mode=Mode.CURRENT, value=3.0, in_c_rate=True, temperature_above=333.15
    ),
    "Charge at 1C until 4 V or until 10 minutes": dict(
        mode=Mode.CURRENT, value=-1.0, in_c_rate=True, upper_voltage=4.0, duration=600.0
    ),
    "Discharge at 1C": dict(mode=Mode.CURRENT, value=1.0, in_c_rate=True),
}


@pytest.mark.parametrize("text", ACCEPTED)
def test_reads(text):
    step, expected = parse_step(text), Step(**ACCEPTED[text])
    for name in Step.__dataclass_fields__:
        got, want = getattr(step, name), getattr(expected, name)
        # Products of a number and a unit factor: rounding.
        assert got == (want if want is None else pytest.approx(want, rel=1e-15)), name


REFUSED = {
    "Explode at 1C": "does not start as a step",
    "": "does not start as a step",
    "Discharge": "needs 'at' and a set point",
    "Hold for 1 hour": "needs 'at' and a set point",
    "Rest at 2 A for 1 hour": "a rest has no set point",
    "Discharge at 1C for 2 V": "'for 2 V' is not a time",
    "Hold at 2 A for 1 hour": "'hold' needs a voltage",
    "Discharge at 4 V until 2 V": "'4 V' is not a current",
    "Charge at 3 ohm for 1 s": "'3 ohm' is not a current",
    "Discharge at -1 A until 2 V": "must be positive",
    "Discharge at 0 A until 2 V": "must be positive",
    "Discharge at 1 parsec until 2 V": "'1 parsec' is not a number with a unit",
    "Discharge at lots until 2 V": "'lots' is not a number with a unit",
    "Hold at 4 V until 4.1 V": "'until 4.1 V' is not a cut-off of a hold",
    "Rest for 1 hour until 2 V": "'until 2 V' is not a cut-off of a rest",
    "Rest": "never end",
    "Hold at 4.1 V": "never end",
    "Rest for 0 s": "duration must be positive",
}


@pytest.mark.parametrize("text", REFUSED)
def test_refuses_and_says_why(text):
    with pytest.raises(ValueError, match=REFUSED[text]) as caught:
        parse_step(text)
    # Whoever wrote the string sees which one it was.
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize("text", ["Discharge at C/0 until 2 V", "Charge at C/0.0"])
def test_infinite_rate_is_a_clear_error(text):
    with pytest.raises(ValueError):
        parse_step(text)


positive = st.floats(1e-6, 1e6, allow_nan=False)


@given(
    number=positive, unit=st.sampled_from(["A", "W", "C", "mA"]), charge=st.booleans()
)
def test_any_number_reads_back(number, unit, charge):
    verb = "Charge" if charge else "Discharge"
    step = parse_step(f"{verb} at {number!r} {unit} for 1 minute")
    factor = {"mA": 1e-3}.get(unit, 1.0) * (-1.0 if charge else 1.0)
    assert step.value == pytest.approx(factor * number, rel=1e-14)
    assert step.in_c_rate == (unit == "C")
    assert step.duration == 60.0


@given(st.text(max_size=60))
def test_any_text_gives_a_step_or_a_value_error(text):
    try:
        step = parse_step(text)
    except ValueError as error:
        assert "Examples" in str(error) or repr(text) in str(error)
    else:
        assert math.isfinite(step.value)


def test_protocol_is_rows():
    p = na.Protocol(["Discharge at 2 A until 2 V", "Rest for 1 hour"], cycles=3)
    assert p.n_steps == 6
    np.testing.assert_array_equal(p.value, [2.0, 0.0] * 3)
    np.testing.assert_array_equal(p.lower_voltage, [2.0, np.nan] * 3)
    assert na.Protocol("Rest for 1 s").n_steps == 1
    assert na.Protocol(Step(Mode.POWER, 2.0)).n_steps == 1


@pytest.mark.parametrize("steps, cycles", [([], 1), (["Rest for 1 s"], 0)])
def test_protocol_needs_steps(steps, cycles):
    with pytest.raises(ValueError, match="at least one step and one cycle"):
        na.Protocol(steps, cycles=cycles)


def test_step_refuses_nan():
    with pytest.raises(ValueError, match="Step.value is NaN"):
        Step(Mode.CURRENT, math.nan)


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
        ([0.0, 1.0], [1.0, 2.0], {"temperature": [300.0]}, "2 times but 1 of temper"),
        ([0.0, 2.0, 1.0], [1.0, 1.0, 1.0], {}, "row 3: time 1 s is before"),
        ([0.0, 1.0], [1.0, math.nan], {}, "row 2 is not finite"),
        ([0.0, math.inf], [1.0, 1.0], {}, "row 2 is not finite"),
        ([0.0, 1.0], [1.0, 1.0], {"temperature": [300.0, math.nan]}, "row 2 is not"),
        ([1.0, 1.0], [1.0, 2.0], {}, "at least one step"),
    ],
)
def test_profile_errors_name_the_row(time, value, settings, message):
    with pytest.raises(ValueError, match=message):
        na.Protocol.profile(time, value, **settings)
