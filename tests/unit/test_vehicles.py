"""From speed to the power of a battery: hand calculation, sums, published results."""

import numpy as np
import pytest

from naion.duty import (
    Cycle,
    Vehicle,
    Weather,
    _cycle,
    battery_power,
    cycles,
    load_cycle,
    wheel_power,
)

KWH_PER_100_KM = 1e5 / 3.6e6


def consumption(vehicle, cycle):
    power = battery_power(vehicle, cycle)
    return np.sum(power * np.diff(cycle.time)) / cycle.distance * KWH_PER_100_KM


def test_wltc_is_the_regulations():
    # Sums that are printed beside the cycle in UN GTR 15.
    wltc = load_cycle("wltc_3b")
    assert wltc.speed.size == 1801
    assert 3.6 * np.sum(wltc.speed) == pytest.approx(83_758.6, abs=0.05)
    assert 3.6 * wltc.speed.max() == pytest.approx(131.3)
    assert wltc.distance == pytest.approx(23_266, abs=1.0)


def test_a_changed_file_is_refused(tmp_path, monkeypatch):
    text = (_cycle.FOLDER / "udds.csv").read_text()
    (tmp_path / "udds.csv").write_text(text.replace("91.25", "91.26"))
    about = _cycle._about()
    monkeypatch.setattr(_cycle, "FOLDER", tmp_path)
    monkeypatch.setattr(_cycle, "_about", lambda: about)
    with pytest.raises(ValueError, match="was changed"):
        load_cycle.__wrapped__.__wrapped__("udds")  # neither kept nor checked


def test_power_by_hand():
    """1000 kg from 10 to 12 m/s on a rise of 3 %, and braking the same way."""
    rise = np.full(3, 0.03)
    cycle = Cycle("by hand", np.arange(3.0), np.array([10.0, 12.0, 10.0]), rise)
    vehicle = Vehicle(1000.0, 0.5, 0.01, 300.0, 1.1, 0.8, 0.5, 1e8)
    angle = np.arctan(0.03)
    steady = 9810.0 * (0.01 * np.cos(angle) + np.sin(angle)) + 0.3 * 121.0
    expected = np.array([2200.0 + steady, -2200.0 + steady]) * 11.0
    np.testing.assert_allclose(wheel_power(vehicle, cycle), expected, rtol=1e-12)
    at_battery = [expected[0] / 0.8 + 300.0, expected[1] * 0.8 * 0.5 + 300.0]
    np.testing.assert_allclose(battery_power(vehicle, cycle), at_battery, rtol=1e-12)


def test_energy_balance_without_losses():
    """From rest to rest a perfect vehicle spends what the road takes, and no more."""
    wltc = load_cycle("wltc_3b")
    vehicle = Vehicle(1500.0, 0.0, 0.01, 0.0, 1.05, 1.0, 1.0, 1e8)
    spent = np.sum(wheel_power(vehicle, wltc))
    assert spent == pytest.approx(1500.0 * 9.81 * 0.01 * wltc.distance, rel=1e-12)


@pytest.mark.parametrize(
    "vehicle, cycle, kwh, most",
    [
        ("car", load_cycle("wltc_3b"), 13.2, 1.1),
        ("car", load_cycle("udds"), 11.5, None),
        ("van", load_cycle("wltc_3b").capped(100 / 3.6), 24.8, 1.85),
        ("van", load_cycle("udds"), 21.3, None),
        ("truck", load_cycle("long_haul_hour"), 166.0, 0.81),
    ],
)
def test_consumption(vehicle, cycle, kwh, most):
    """Another implementation of the same equations with the same numbers."""
    vehicle = Vehicle.load(vehicle)
    assert consumption(vehicle, cycle) == pytest.approx(kwh, rel=0.01)
    if most is not None:
        rate = battery_power(vehicle, cycle).max() * 3600.0 / vehicle.battery
        assert rate == pytest.approx(most, rel=0.01)


def test_weather():
    cold = Weather.at(253.15)
    assert cold.density == pytest.approx(1.39, abs=0.005)
    assert (cold.stiffening, cold.cabin) == pytest.approx((1.3, 3000.0))
    assert Weather.at(293.15) == Weather(1.2, 1.0, 0.0)


def test_bad_input_is_named():
    with pytest.raises(KeyError, match="wltc_3b"):
        load_cycle("wltc")
    with pytest.raises(ValueError, match="km/h"):
        Cycle("fast", np.arange(2.0), np.array([0.0, 130.0]), np.zeros(2))
    with pytest.raises(ValueError, match="increase"):
        Cycle("back", np.zeros(2), np.ones(2), np.zeros(2))
    with pytest.raises(ValueError, match="efficiency"):
        Vehicle.load("car", efficiency=90.0)
    assert set(cycles()) == {"wltc_3b", "udds", "long_haul_hour"}
