"""Predictions beyond the temperatures of the tests err by what no test there could tell."""

import numpy as np
import pytest

import naion as na
from naion.fit import (
    Ensemble,
    Specimen,
    beyond_tests,
    delivered,
    discharge,
    errors_beyond,
    pulse,
    simulate_test,
    voltage_band,
)
from naion.fit._beyond import UNSEEN_ENERGY, mean_overvoltage, rested_along, unseen
from naion.fit._seen import as_tested, less_full
from naion.parameters import at_rest, open_circuit_voltage

MODEL = na.DFN(na.Mesh(4, 3, 4, 10))
TESTED = 298.15, 318.15


@pytest.fixture(scope="module")
def specimen():
    return Specimen(na.load("nfm_hc_18650"), [0.0])


def test_what_is_between_the_tests_is_known_and_the_rest_is_not():
    assert unseen(TESTED, 298.15) == unseen(TESTED, 310.0) == unseen((), 200.0) == 0.0
    away = 1.0 / 288.15 - 1.0 / 298.15
    assert unseen(TESTED, 288.15) == pytest.approx(UNSEEN_ENERGY / 8.314 * away, 1e-3)
    # One test is a range, too; above it counts as below.
    assert unseen((298.15,), 318.15) == pytest.approx(unseen((318.15,), 298.15))


def test_what_is_lost_is_the_energy_that_an_equilibrium_would_have_delivered(specimen):
    test = discharge("1C", [0.2, 0.6, 1.0], [3.4, 3.0, 2.7], 1.5, 288.15)
    _, cell, start = as_tested(specimen, test)
    _, seen = simulate_test(specimen, test, MODEL)
    q = np.linspace(0.0, 1.0, 200)
    U = [
        float(open_circuit_voltage(cell, less_full(cell, start, x), 288.15)) for x in q
    ]
    equilibrium = float(np.sum(0.5 * (np.array(U[1:]) + U[:-1]) * np.diff(q)))
    # The ends of the solver's steps, of which a discharge takes a few dozen.
    lost = equilibrium - float(seen.energy)
    assert mean_overvoltage(cell, start, seen) == pytest.approx(lost, rel=0.03)


def test_voltages_err_by_a_share_of_what_is_lost_and_resistances_of_themselves(
    specimen,
):
    cold = discharge("cold", [0.2, 0.6, 1.0], [3.4, 3.0, 2.7], 1.5, 288.15)
    _, cell, start = as_tested(specimen, cold)
    _, seen = simulate_test(specimen, cold, MODEL)
    sd = errors_beyond(specimen, cold, np.full(3, 3.0), MODEL, TESTED)
    share = unseen(TESTED, 288.15)
    np.testing.assert_allclose(sd, share * mean_overvoltage(cell, start, seen))
    short = pulse("cold", 1.5, [1.0, 5.0], [0.1, 0.12], 288.15, 0.7)
    R = np.array([0.11, np.nan])
    sd = errors_beyond(specimen, short, R, MODEL, TESTED)
    np.testing.assert_allclose(sd, [share * 0.11, 0.0])
    warm = discharge("warm", [0.2, 0.6, 1.0], [3.4, 3.0, 2.7], 1.5, 308.15)
    assert not errors_beyond(specimen, warm, np.full(3, 3.0), MODEL, TESTED).any()


def test_bands_are_wider_where_it_is_colder_than_in_all_tests(specimen):
    t, step = np.linspace(60.0, 1800.0, 8), "Discharge at 1C for 40 minutes"

    def width(T: float, tested: tuple[float, ...]) -> np.ndarray:
        drawn = Ensemble((specimen,) * 3, 0.01, tested)
        _, low, high = voltage_band(drawn, t, step, model=MODEL, temperature=T)
        return high - low

    np.testing.assert_allclose(width(298.15, TESTED), 2.0 * 1.645 * 0.01)
    with pytest.warns(na.Caution, match="15 degC.*from 25 to 45 degC.*within 21 %"):
        cold = width(288.15, TESTED)
    assert np.all(cold > 1.5 * width(288.15, (288.15, 318.15)))
    # What no test tells is the same all along.
    np.testing.assert_allclose(cold, cold[0])


def test_cells_are_as_fitted_between_the_tests_and_slower_or_faster_beyond():
    cell = na.load("nfm_hc_18650")
    more = beyond_tests(cell, TESTED, 20e3)
    for own, other in (
        (cell.negative.particle.diffusivity, more.negative.particle.diffusivity),
        (cell.positive.particle.rate_constant, more.positive.particle.rate_constant),
    ):
        assert other(0.5, 298.15) == own(0.5, 298.15)
        assert other(0.5, 310.0) == own(0.5, 310.0)
        ratio = float(other(0.5, 253.15) / own(0.5, 253.15))
        away = 1.0 / 253.15 - 1.0 / 298.15
        assert ratio == pytest.approx(np.exp(-20e3 / 8.314462618 * away))
        assert float(other(0.5, 330.0) / own(0.5, 330.0)) > 1.0
    assert beyond_tests(cell, (), 20e3) is cell


def test_what_is_delivered_is_less_certain_where_nobody_tested(specimen):
    step = "Discharge at 1C until 2 V"

    def spread(T: float, tested: tuple[float, ...]) -> float:
        drawn = Ensemble((specimen,) * 3, 0.01, tested, (0.0, 15e3, -15e3))
        found = delivered(drawn, step, model=MODEL, temperature=T)
        assert np.all(found.energy > 2.0 * found.capacity)
        return float(np.ptp(found.capacity))

    assert spread(288.15, ()) == spread(298.15, TESTED) == 0.0
    assert spread(268.15, TESTED) > 2.0 * spread(288.15, TESTED) > 0.0


@pytest.mark.parametrize(
    "step, start, sign",
    [
        ("Discharge at 1C for 40 minutes", "charged", 1.0),
        ("Charge at 1C for 40 minutes", "discharged", -1.0),
    ],
)
def test_no_test_loses_less_than_nothing(specimen, step, start, sign):
    """Bands end at the open-circuit voltage, above on discharge and below on charge."""
    t, T = np.linspace(60.0, 300.0, 4), 243.15
    drawn = Ensemble((specimen,) * 3, 1e-6, TESTED)
    with pytest.warns(na.Caution, match="-30 degC"):
        best, low, high = voltage_band(
            drawn, t, step, start=start, model=MODEL, temperature=T
        )
    at, (cell, sto) = best.at(t), at_rest(specimen.cell, start)
    U = rested_along(cell, sto, at.charge / 3600.0, at.temperature, at.current)
    away, towards = (low, high) if sign > 0.0 else (high, low)
    most = 1.645 * unseen(TESTED, T) * mean_overvoltage(cell, sto, best)
    np.testing.assert_allclose(sign * (at.voltage - away), most, rtol=1e-6)
    lost = sign * (U - np.asarray(at.voltage))
    assert np.any((lost > 0.0) & (lost < most))
    np.testing.assert_allclose(
        sign * (towards - at.voltage), np.minimum(lost, most), atol=1e-5
    )
