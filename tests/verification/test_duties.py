"""Duties scaled to cells and served: sums by hand, energy balance, what is missed."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion import duty

ROOM = 298.15


@pytest.fixture(scope="module")
def own(cell, lumped):
    return duty.ready(cell, lumped)


def blocks(power, temperature=ROOM, start=0.5):
    """A battery of 1 kWh, a quarter of an hour each."""
    time = 900.0 * np.arange(len(power) + 1)
    return duty.Duty(
        "blocks", "by hand", time, np.asarray(power, float), 3.6e6, start, temperature
    )


@pytest.mark.parametrize("name", duty.duties())
@pytest.mark.parametrize("T", [238.15, ROOM, 313.15])
def test_every_duty_stands(cell, name, T):
    """Rows, sources, ranges of what is assumed, and the power of a cell."""
    one = duty.load(name, T)
    protocol = one.protocol(cell)
    assert protocol.n_steps <= 4096 and one.numbers
    assert float(np.sum(protocol.duration)) == pytest.approx(one.time[-1])
    energy = float(np.sum(protocol.value * protocol.duration)) * one.cells(cell)
    asked, offered = one.asked
    assert energy == pytest.approx(asked - offered, rel=1e-9)
    if one.distance is not None:
        assert one.sources


def test_rated_energy_is_the_area_under_the_open_circuit_voltage(cell, model):
    full = float(duty.full_charge(cell))
    mean = float(duty.rated_energy(cell)) / full
    low, high = float(cell.limits.lower_voltage), float(cell.limits.upper_voltage)
    assert low < mean < high
    slow = na.simulate(
        cell, "Discharge at C/200 until 1.5 V", model=na.DFN(na.Mesh(4, 3, 4, 10))
    )
    assert 3600.0 * float(slow.energy) == pytest.approx(mean * full, rel=0.01)


def test_what_is_asked_is_given(own):
    served = duty.serve(own, blocks([500.0, 0.0, -500.0]))
    assert served.result is na.Result.COMPLETED
    assert served.asked == served.offered == 500.0 * 900.0
    assert served.given == pytest.approx(served.asked, rel=2e-3)
    assert served.taken == pytest.approx(served.offered, rel=2e-3)
    assert served.time_missed == served.most_missed == 0.0
    assert 0.8 < served.efficiency < 1.0


def test_energy_balance(cell, lumped):
    """Without heat of entropy all that is lost, and no more, warms cell and air."""
    cell = eqx.tree_at(
        lambda c: [e.particle.dudt.scale for e in (c.negative, c.positive)],
        cell,
        [jnp.zeros(())] * 2,
    )
    own = duty.ready(cell, lumped)
    served = duty.serve(own, blocks([800.0, -400.0, 0.0, 0.0]), keep=True)
    s = served.solution
    t, T = np.asarray(s.t), np.asarray(s.temperature)
    warming = np.trapezoid(T - ROOM, t) * float(cell.thermal.cooling)
    warming += (T[-1] - T[0]) * float(cell.thermal.mass * cell.thermal.specific_heat)
    lost = served.taken + served.from_store - served.given
    # The model's heat leaves out that of mixing in the particles, a few per cent.
    assert warming == pytest.approx(lost / served.duty.cells(cell), rel=0.05)


def test_too_much_is_counted(own):
    """20C in the cold: cut, counted, and nothing is more than was asked for."""
    power = 20e3
    served = duty.serve(own, blocks([power, 100.0, -power], 253.15), keep=True)
    assert served.result is na.Result.COMPLETED
    assert 0.3 < served.missed < 1.0 and 0.3 < served.refused < 1.0
    assert served.most_missed > served.missed
    low, high = duty.limits(own.cell)
    V = np.asarray(served.solution.voltage)
    assert V.min() > low - 2e-3 and V.max() < high + 2e-3
    assert served.time_missed <= 900.0 * 2


def test_a_month_in_days():
    """Representative days keep the number of days and their mean temperature."""
    climate = duty.CLIMATES["harbin"]
    T = climate.all_days()
    assert len(T) == 365
    for month in (1, 7):
        assert climate.days(month).mean() == pytest.approx(climate.months[month - 1])
    days = duty.representative(T, 5)
    assert days.weight.sum() == 365
    assert np.average(days.temperature, weights=days.weight) == pytest.approx(T.mean())
    with pytest.raises(ValueError, match="365"):
        duty.representative(T, 0)


def test_regulation_is_neutral():
    signal = duty.regulation_signal(1800, 4.0, 0.4, 120.0)
    assert np.abs(signal).max() <= 1.0
    np.testing.assert_allclose(signal.reshape(4, 450).mean(axis=1), 0.0, atol=0.01)


def test_bad_input_is_named():
    with pytest.raises(KeyError, match="truck"):
        duty.load("trucks")
    with pytest.raises(ValueError, match="298.15"):
        duty.load("car", 25.0)
    with pytest.raises(ValueError, match="one more time"):
        duty.Duty("x", "x", np.arange(2.0), np.ones(2), 1.0, 0.5, ROOM)


def _duty(time=(0.0, 1.0, 2.0), power=(1.0, 1.0), energy=3.6e6, around=None, T=ROOM):
    return duty.Duty("x", "x", time, power, energy, 0.5, T, around)


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda: _duty(power=(1.0, float("nan"))), "power 2 is nan; expected finite"),
        (lambda: _duty(power=("1 W", "2 W")), "power 1 is '1 W'; expected finite"),
        (lambda: _duty(time=(0.0, 2.0, 1.0)), "times must increase"),
        (lambda: _duty(time=(0.0, 1.0, 1.0)), "times must increase"),
        (lambda: _duty(T=25.0), "temperature=25.0: expected 200 to 340 K"),
        (lambda: _duty(around=(ROOM, 25.0)), "around=25.0: expected 200 to 340 K"),
        (lambda: _duty(power=(1e4, 1e4), energy=45.0), "Is the energy in kWh"),
        (lambda: duty.Weather.at(25.0), "25 degC is 298.15"),
        (lambda: duty.Vehicle.load("car", battery=45.0), "45 kWh are"),
        (lambda: duty.Vehicle.load("car", mass="1600 kg"), "mass = '1600 kg'"),
        (lambda: duty.representative([1.0, float("nan")], 1), "not finite"),
        (lambda: duty.Climate("x", (9.0,) * 11, 4.0, "me").all_days(), "expected 12"),
        (
            lambda: duty.ready(na.half_cell(na.load("nfm_hc_18650"))),
            "needs a full cell",
        ),
    ],
)
def test_numbers_of_other_units_are_refused(act, said):
    with pytest.raises(ValueError, match=said):
        act()


def test_what_is_no_cell_and_no_duty_is_named():
    with pytest.raises(KeyError, match="A Vehicle has no weight"):
        duty.Vehicle.load("car", weight=1600.0)
    with pytest.raises(TypeError, match="'nfm_hc_18650' is a str: expected a `Cell`"):
        duty.ready("nfm_hc_18650")
    with pytest.raises(TypeError, match="cells are a list"):
        duty.compare([], ["car"])
    with pytest.raises(TypeError, match="expected a `Duty`"):
        duty.serve(na.load("nfm_hc_18650"), "car")
