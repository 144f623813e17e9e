"""Starts: what a state means, and where cells rest in it."""

import pytest

import naion as na
from naion.parameters import (
    at_rest,
    available,
    load,
    open_circuit_voltage,
    with_hysteresis,
)

MODEL = na.DFN(na.Mesh(2, 2, 2, 4), na.Isothermal())


def two_branches():
    return with_hysteresis(load("nfm_hc_18650"), 0.010, 0.020, initial=(0.3, -0.2))


@pytest.mark.parametrize("name", available())
def test_every_set_rests_at_its_limits_at_the_ends_of_its_window(name):
    cell = load(name)
    for start, limit in (
        ("charged", cell.limits.upper_voltage),
        ("discharged", cell.limits.lower_voltage),
    ):
        own, sto = at_rest(cell, start)
        V = open_circuit_voltage(own, sto, own.temperature)
        assert abs(float(V - limit)) < 1e-4


@pytest.mark.parametrize("start", ["charged", "discharged", 1.0, 0.0])
def test_ends_are_on_the_branch_on_which_they_are_reached(start):
    """A charge ends where the next one would."""
    cell = two_branches()
    full = start in ("charged", 1.0)
    limit = cell.limits.upper_voltage if full else cell.limits.lower_voltage
    V = na.simulate(cell, "Rest for 1 s", start=start, model=MODEL).voltage[0]
    assert abs(float(V - limit)) < 1e-4


def test_hysteresis_starts_where_it_is_told_to_within_the_window():
    cell = two_branches()
    own, sto = at_rest(cell, 0.5)
    assert float(own.negative.particle.hysteresis.initial) == 0.3
    mean = open_circuit_voltage(cell, sto, cell.temperature)
    V = na.simulate(cell, "Rest for 1 s", start=0.5, model=MODEL).voltage[0]
    assert float(V - mean) == pytest.approx(-0.2 * 0.020 - 0.3 * 0.010, abs=1e-6)
    # Branches lie apart by the widths of both.
    apart = open_circuit_voltage(cell, sto, cell.temperature, 1.0) - mean
    assert float(apart) == pytest.approx(0.030)
