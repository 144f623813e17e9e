"""Experiment strings, steps and profiles."""

import datetime
import math
import time
from decimal import Decimal

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import naion as na
from naion.protocol import Mode, Step, parse_step
from naion.protocol._protocol import goes_on

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
    # The prefix keeps its case: six and nine orders of magnitude.
    "Discharge at 1 MW until 1.5 V": dict(
        mode=Mode.POWER, value=1e6, lower_voltage=1.5
    ),
    "Discharge at 1 mW until 1.5 V": dict(
        mode=Mode.POWER, value=1e-3, lower_voltage=1.5
    ),
    "Discharge at 5 MOHM for 1 s": dict(mode=Mode.RESISTANCE, value=5e6, duration=1.0),
    "Discharge at 10 Ω for 1 s": dict(mode=Mode.RESISTANCE, value=10.0, duration=1.0),
    "Discharge at 10 ohms for 1 s": dict(
        mode=Mode.RESISTANCE, value=10.0, duration=1.0
    ),
    "Discharge at 1 KA until 2 kAh": dict(
        mode=Mode.CURRENT, value=1e3, capacity=2000.0
    ),
    "Discharge at 100 µA until 1 A h or 2 A.h": dict(
        mode=Mode.CURRENT, value=1e-4, capacity=1.0
    ),
    "Discharge at 2 amps until 2 volts": dict(
        mode=Mode.CURRENT, value=2.0, lower_voltage=2.0
    ),
    "Charge at 5 milliamps until 4 V": dict(
        mode=Mode.CURRENT, value=-0.005, upper_voltage=4.0
    ),
    "Discharge at 1/3C": dict(mode=Mode.CURRENT, value=1.0 / 3.0, in_c_rate=True),
    "Discharge at 2C/3": dict(mode=Mode.CURRENT, value=2.0 / 3.0, in_c_rate=True),
    # Of two conditions of one kind the first to be met ends the step.
    "Discharge at 1 A until 3 V or 2 V": dict(
        mode=Mode.CURRENT, value=1.0, lower_voltage=3.0
    ),
    "Discharge at 1 A until 2 V or 3 V": dict(
        mode=Mode.CURRENT, value=1.0, lower_voltage=3.0
    ),
    "Charge at 1 A until 4.2 V or 4.0 V": dict(
        mode=Mode.CURRENT, value=-1.0, upper_voltage=4.0
    ),
    "Discharge at 1 A for 10 minutes or until 0.5 h": dict(
        mode=Mode.CURRENT, value=1.0, duration=600.0
    ),
    "Discharge at 1 A until 2 V or for 1 hour": dict(
        mode=Mode.CURRENT, value=1.0, lower_voltage=2.0, duration=3600.0
    ),
    "Discharge at 1 A until 1 Ah or 0.1 Ah": dict(
        mode=Mode.CURRENT, value=1.0, capacity=0.1
    ),
    "Hold at 4 V until C/20 or C/10 or 50 mA or 20 mA": dict(
        mode=Mode.VOLTAGE, value=4.0, c_rate_below=0.1, current_below=0.05
    ),
    "Discharge at 1 A until 60 degC or 50 degC or below 0 degC or below 5 degC": dict(
        mode=Mode.CURRENT, value=1.0, temperature_above=323.15, temperature_below=278.15
    ),
    "Discharge at 1C until 2.0 V at 25 degC": dict(
        mode=Mode.CURRENT,
        value=1.0,
        in_c_rate=True,
        lower_voltage=2.0,
        temperature=298.15,
    ),
    "Rest at −10 °C for 1 hour": dict(
        mode=Mode.CURRENT, temperature=263.15, duration=3600.0
    ),
    "Rest for 1 hour at 263.15 K": dict(
        mode=Mode.CURRENT, temperature=263.15, duration=3600.0
    ),
    "Rest until below 25 degC": dict(mode=Mode.CURRENT, temperature_below=298.15),
    "Rest for 1 day or until above 300 K": dict(
        mode=Mode.CURRENT, duration=86400.0, temperature_above=300.0
    ),
    "Discharge at 1C until below 2 V.": dict(
        mode=Mode.CURRENT, value=1.0, in_c_rate=True, lower_voltage=2.0
    ),
}

TIMES = {
    "10 ms": 0.01,
    "30 secs": 30.0,
    "30s": 30.0,
    "90 mins": 5400.0,
    "1 hr": 3600.0,
    "2 hrs": 7200.0,
    "an hour": 3600.0,
    "1/2 hour": 1800.0,
    "1 h 30 min": 5400.0,
    "1h30min": 5400.0,
    "1 hour and 30 minutes": 5400.0,
    "1 day, 2 h": 93600.0,
    "1:30:05": 5405.0,
    "2 weeks": 1209600.0,
}


@pytest.mark.parametrize("text", TIMES)
def test_reads_times(text):
    assert parse_step(f"Rest for {text}").duration == pytest.approx(
        TIMES[text], rel=1e-15
    )


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
    "Rest for -5 min": "duration must be positive",
    "Rest for 1e-9 s": "duration = 1e-09 s: expected",
    "Rest for 2000 weeks": "neither milliseconds nor points in time",
    "Discharge at 1 A for 1e999 h": "'1e999 h' is an infinite number",
    "Rest for 1:30": "may be hours or minutes: write '1 h 30 min'",
    "Rest for 1 h 1 h": "'1 h 1 h' is not a number with a unit",
    "Rest for 5 m": "'5 m' is not a number with a unit",
    "Rest for 10 MS": "'10 MS' is not a number with a unit",
    "Rest until 25 degC": "write 'until below 25 degC' or 'until above 25 degC'",
    "Rest at 20 degC at 30 degC for 1 s": "a second temperature",
    "Rest for 1 h until C/20": "a constant current does not fall",
    "Rest until 1 Ah": "no charge passes in a rest",
    "Rest 1 hour": "'1 hour' after 'rest' needs 'at', 'for' or 'until'",
    "Discharge at 1 A until 0.5 A": "a constant current does not fall",
    "Discharge at 1C until 50% SOC": "use the charge that passes",
    "Discharge at 1C until SOC 0.5": "use the charge that passes",
    "Discharge at 5 W until 5 Wh": "does not end by energy; use a charge",
    "Discharge at 0,5C until 2 V": "decimals with a point",
    "Discharge at 1C until 2 V at 25 C": "a temperature is '25 degC'",
    "Discharge at 1C until 2 V and 60 degC": "is not a number with a unit",
    "Discharge at 1C until 500 degC": "no cell works above 450 K",
    "Discharge at 1C until above 2 V": "'until above 2 V' is not a cut-off",
    "Discharge at 1C until 2500 MV": "M is mega; milli is a small m",
    "Discharge at 500 MA until 2 V": "M is mega; milli is a small m",
    "Discharge at 1C until 4100 V": "2500 mV is 2.5",
    "Discharge at 1C until 0 Ah": "capacity must be positive",
    "Discharge at 1C or 2 A": "'or 2 A' does not follow a condition",
    "Discharge at 1C until": "nothing follows 'until'",
    "Discharge at 1C until 2 V or": "nothing follows 'or'",
    "Discharge at 1C until 2 V or at 25 degC": "'or' stands between conditions",
    "Discharge at 1C until 2 V (5 minute period)": "naion chooses its own time steps",
    "Discharge at 1C; Rest for 1 h": "give several steps as a list",
    "Discharge at 1C\nRest for 1 h": "give several steps as a list",
    "Hold at 4.1 V until 0 A": "current_below must be positive",
    "Hold at -1 V for 1 s": "Step.value = -1 V: expected 0 to",
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


def test_long_texts_are_shortened():
    with pytest.raises(
        ValueError, match=r"\(20018 characters\): it has more"
    ) as caught:
        parse_step("Discharge at 1C " + "x" * 20000)
    assert len(str(caught.value)) < 500


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


WORDS = (
    "discharge charge hold rest at for until or below and 1 2.5 -3 C/2 C / : , ( % "
    "A mV W ohm Ah h min s degC K 1C 2V 0,5 1e999"
)
sentence = st.lists(st.sampled_from(WORDS.split()), max_size=9).map(" ".join)


@given(st.text(max_size=60) | sentence)
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


@pytest.mark.parametrize(
    "number",
    [2, np.float16(2), np.float32(2), np.int8(2), Decimal(2), jnp.asarray(2.0)]
    + [jnp.asarray(2, jnp.bfloat16), np.asarray(2.0)],
    ids=lambda x: type(x).__name__,
)
def test_step_takes_numbers_of_any_type(number):
    step = Step(Mode.CURRENT, number, lower_voltage=number)
    assert type(step.value) is float and step.value == step.lower_voltage == 2.0


C, V, P, R, _ = Mode
HOUR = datetime.timedelta(hours=1)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(mode="current"), "'current' is not a mode.*Did you mean Mode.CURRENT"),
        (dict(mode=0), "use one of Mode.CURRENT, Mode.VOLTAGE, Mode.POWER, Mode.RES"),
        (dict(mode=None), "None is not a mode"),
        (dict(mode=C, value=math.nan), "Step.value is NaN"),
        (dict(mode=C, value=np.float32("nan")), "Step.value is NaN"),
        (dict(mode=C, value=jnp.asarray(jnp.inf)), "Step.value is infinite"),
        (dict(mode=C, value="5"), "'5' is text"),
        (dict(mode=C, value=True), "True is not a number"),
        (dict(mode=C, value=None), "None is not a number"),
        (dict(mode=C, value=1j), "1j is not a number"),
        (dict(mode=C, value=10**400), "characters\\) is not a number"),
        (dict(mode=C, value=[1.0]), "must be one number, got an array of shape"),
        (dict(mode=C, value=1e7), "expected -1e\\+06 to 1e\\+06 A"),
        (dict(mode=C, in_c_rate="yes"), "expected True or False"),
        (dict(mode=P, value=1.0, in_c_rate=True), "is for Mode.CURRENT"),
        (dict(mode=R), "Step.value must be positive, got 0 ohm"),
        (dict(mode=R, value=1.0, slope=-1.0, duration=1.0), "The end of Step.value"),
        (dict(mode=V, value=4100.0, duration=1.0), "Voltages are in volts"),
        (dict(mode=V, value=4.0, slope=1.0, duration=3600.0), "The end of Step.value"),
        (dict(mode=V, value=4.0, lower_voltage=2.0), "does not end at a voltage"),
        (dict(mode=V, value=4.0), "would never end"),
        (dict(mode=V, value=4.0, current_below=-1.0), "current_below must be positive"),
        (dict(mode=V, value=4.0, c_rate_below=0.0), "c_rate_below must be positive"),
        (
            dict(mode=C, value=1.0, current_below=2.0),
            "a constant current does not fall",
        ),
        (dict(mode=C, lower_voltage=2.0), "would never end"),
        (dict(mode=C, value=1.0, capacity=0.0), "capacity must be positive"),
        (dict(mode=C, value=1.0, slope=math.inf), "slope is infinite"),
        (dict(mode=C, value=1.0, lower_voltage=2500.0), "2500 mV is 2.5"),
        (dict(mode=C, lower_voltage=4.0, upper_voltage=2.0), "must be less than"),
        (dict(mode=C, temperature=25.0), "25 degC is 298.15"),
        (dict(mode=C, temperature=500.0), "no cell works above 450 K"),
        (dict(mode=C, temperature="25"), "'25' is text"),
        (dict(mode=C, temperature_above=60), "temperature_above = 60 K: no cell"),
        (dict(mode=C, temperature_below=jnp.asarray(0.0)), "temperature_below = 0 K"),
        (dict(mode=C, temperature_below=310, temperature_above=300), "less than"),
        (
            dict(mode=C, temperature=300.0, temperature_slope=1.0, duration=1e3),
            "The end of Step.temperature .* = 1300 K",
        ),
        (dict(mode=C, duration=1.7e9), "neither milliseconds nor points in time"),
        (dict(mode=C, duration=0.0), "duration must be positive"),
        (dict(mode=C, duration=HOUR), "give it as a number of seconds"),
        (dict(mode=C, duration=np.timedelta64(1, "h")), "a number of seconds"),
        (dict(mode=C, duration=np.datetime64("2024-01-01")), "a number of seconds"),
    ],
    ids=str,
)
def test_step_names_what_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        Step(**arguments)


def test_ramp_to_zero_volts_is_no_rounding_error():
    step = Step(V, 0.3, slope=-0.1, duration=3.0)
    assert step.value + step.slope * step.duration < 0.0


def test_traced_numbers_pass_through_steps():
    @jax.grad
    def slope(x):
        step = Step(C, x, duration=3.0 * x, lower_voltage=x, temperature=x)
        p = na.Protocol(["Rest for 1 s", step], cycles=2)
        return jnp.sum(p.value * p.duration)

    assert slope(2.0) == 24.0


PAIR = ("Discharge at 1 A until 2 V", "Charge at 1 A until 4 V")


@pytest.mark.parametrize(
    "steps, cycles, expected",
    [
        ([PAIR] * 2, 1, [0, 0, 1, 1]),
        ([list(PAIR), PAIR], 2, [0, 0, 1, 1, 2, 2, 3, 3]),
        (PAIR, 2, [0, 0, 1, 1]),
        (["Rest for 1 s", *PAIR, PAIR, "Rest for 1 s"], 1, [0, 0, 0, 1, 1, 2]),
        (iter(PAIR), np.int64(2), [0, 0, 1, 1]),
        (np.array(PAIR), 2.0, [0, 0, 1, 1]),
    ],
)
def test_tuples_are_cycles(steps, cycles, expected):
    np.testing.assert_array_equal(na.Protocol(steps, cycles).cycle, expected)


@pytest.mark.parametrize(
    "steps, cycles, message",
    [
        ({"a": 1}, 1, "got {'a': 1} \\(dict\\)"),
        (b"Rest for 1 s", 1, "bytes"),
        (None, 1, "got None"),
        (42, 1, "got 42"),
        ([PAIR[0], 3], 1, "Protocol item 2: 3 \\(int\\) is not a step"),
        ([PAIR[0], None], 1, "Protocol item 2: None"),
        ([PAIR[0], "Go"], 1, "Protocol item 2: Cannot read the step 'Go'"),
        ([PAIR, (PAIR[0], "Go")], 1, "Protocol item 2, step 2: Cannot read"),
        ([PAIR, ()], 1, "Protocol item 2 is a cycle without steps"),
        ([[PAIR]], 1, "Cycles cannot hold cycles"),
        (PAIR, 2.5, "cycles = 2.5: expected a whole number of at least 1"),
        (PAIR, "2", "cycles = '2': expected a whole number"),
        (PAIR, True, "cycles = True: expected a whole number"),
        (PAIR, None, "cycles = None: expected a whole number"),
        (PAIR, math.inf, "cycles = inf: expected a whole number"),
        (PAIR, math.nan, "cycles = nan: expected a whole number"),
        (PAIR, 10**9, "2 step\\(s\\) are more than 10000000 rows"),
    ],
    ids=str,
)
def test_protocol_names_the_item(steps, cycles, message):
    with pytest.raises(ValueError, match=message):
        na.Protocol(steps, cycles=cycles)


def seconds_of(function):
    """Processor time of the quickest of three calls."""
    function()
    took = []
    for _ in range(3):
        start = time.thread_time()
        function()
        took.append(time.thread_time() - start)
    return min(took)


def test_long_protocols_are_cheap():
    steps = [*PAIR, "Rest for 1 s"]
    # Measured 5 and 0.15 ms.
    assert seconds_of(lambda: na.Protocol(steps, cycles=10_000)) < 0.05
    few = na.Protocol(steps)
    assert seconds_of(lambda: [few.padded(8) for _ in range(100)]) < 0.1


def test_padded_repeats_the_last_row():
    p = na.Protocol(PAIR)
    assert p.padded(2) is p
    for longer in (p.padded(4), jax.jit(lambda p: p.padded(4))(p)):
        np.testing.assert_array_equal(longer.value, [1.0, -1.0, -1.0, -1.0])
        np.testing.assert_array_equal(longer.lower_voltage, [2.0] + [np.nan] * 3)
        assert longer.mode.dtype == p.mode.dtype and int(longer.count) == 2
        assert isinstance(longer.value, jax.Array)
    with pytest.raises(ValueError, match="Cannot pad 2 steps to 1"):
        p.padded(1)


GOING_ON = [
    (Step(C, 1.0, slope=0.1, duration=10.0), False),
    (Step(C, 2.0, slope=-0.2, duration=10.0), True),
    (Step(C, 0.0, duration=1.0), True),
    (Step(C, 1e-9, duration=1.0), False),
    (Step(C, 1e-9, in_c_rate=True, duration=1.0), False),
    (Step(P, 1e-9, duration=1.0), False),
    (Step(P, 1e-9, duration=1.0, temperature=300.0, temperature_slope=1.0), False),
    (Step(P, 1e-9, duration=1.0, temperature=301.0), True),
    (Step(P, 1e-9, duration=1.0, temperature=301.1), False),
    (Step(P, 1e-9, temperature_slope=1.0, duration=1.0), False),
    (Step(P, 1e-9, duration=1.0), False),
    (Step(P, 1e-9), True),
    (Step(P, 1e-9), True),
]


def test_goes_on():
    """Where mode, set point and temperature are what the row before ends with."""
    steps, expected = zip(*GOING_ON, strict=True)
    p = na.Protocol(steps)
    np.testing.assert_array_equal(goes_on(p), expected)
    assert p.n_joined == sum(expected)
