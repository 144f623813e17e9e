"""A power as far as the voltage stays within limits: met where it can be, cut where not."""

import numpy as np
import pytest

import naion as na

MODE = na.Mode.POWER_WITHIN_LIMITS
LOW, HIGH = 2.4, 4.0


def profile(power, mode=MODE, **limits):
    """Four steps of 20 s each."""
    t = np.repeat(20.0 * np.arange(5), 2)[1:-1]
    return na.Protocol.profile(t, np.repeat(power, 2), mode=mode, **limits)


@pytest.fixture(scope="module")
def run(cell, model):
    def simulated(protocol, **options):
        return na.simulate(cell, protocol, model=model, throw=False, **options)

    return simulated


def test_what_can_be_had_is_given(run):
    power = np.array([3.0, 0.0, -2.0, 1.0])
    limited, plain = (
        run(profile(power, mode), start=0.5) for mode in (MODE, na.Mode.POWER)
    )
    assert limited.result is na.Result.COMPLETED
    t = np.array([5.0, 19.0, 25.0, 45.0, 59.0, 75.0])
    for name in ("voltage", "current"):
        got, expected = (getattr(s.at(t), name) for s in (limited, plain))
        np.testing.assert_allclose(got, expected, atol=1e-6)


def test_too_much_is_cut_at_the_limits(run):
    """Far too much, nothing, far too much into it, and a little: all of it goes on."""
    power = np.array([60.0, 0.0, -60.0, 1.0])
    protocol = profile(power, lower_voltage=LOW, upper_voltage=HIGH)
    solution = run(protocol, start=0.5, temperature=273.15)
    assert solution.result is na.Result.COMPLETED
    out, rest, into, little = (
        solution.at(20.0 * k + np.array([0.5, 10.0, 19.5])) for k in range(4)
    )
    np.testing.assert_allclose(out.voltage, LOW, atol=1e-3)
    np.testing.assert_allclose(into.voltage, HIGH, atol=1e-3)
    np.testing.assert_allclose(rest.current, 0.0, atol=1e-6)
    np.testing.assert_allclose(little.voltage * little.current, 1.0, atol=1e-3)
    given, taken = out.voltage * out.current, into.voltage * into.current
    assert np.all((given > 1.0) & (given < 60.0))
    assert np.all((taken < -1.0) & (taken > -60.0))


def test_a_limit_that_is_passed_at_rest_turns_no_current_round(run):
    """Full and empty beyond the limits: nothing is taken to get back."""
    protocol = profile(
        np.array([-1.0, 0.0, -1.0, 0.0]), lower_voltage=LOW, upper_voltage=3.5
    )
    np.testing.assert_allclose(run(protocol, start=0.95).current, 0.0, atol=1e-6)
    protocol = profile(
        np.array([1.0, 0.0, 1.0, 0.0]), lower_voltage=3.5, upper_voltage=HIGH
    )
    np.testing.assert_allclose(run(protocol, start=0.2).current, 0.0, atol=1e-6)


def test_it_needs_an_end():
    with pytest.raises(ValueError, match="duration"):
        na.Step(MODE, 1.0)
    assert na.Step(MODE, 1.0, duration=1.0).mode is MODE
