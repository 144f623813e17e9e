"""PyBaMM parameter values as cells."""

import jax.numpy as jnp
import numpy as np
import pybamm
import pytest

import naion as na
from naion.io import from_pybamm


def test_chen_is_our_chen(model):
    """The same published set, by two ways: tables against expressions, 0.2 mV."""
    ours = na.parameters.load("nmc811_chen2020")
    theirs = from_pybamm(pybamm.ParameterValues("Chen2020"))
    one, two = (
        na.simulate(c, "Discharge at 1C until 2.5 V", model=model, start="published")
        for c in (ours, theirs)
    )
    q = jnp.linspace(0.0, 0.98, 50) * one.capacity
    np.testing.assert_allclose(
        two.voltage_at_charge(q), one.voltage_at_charge(q), atol=2e-4
    )


@pytest.mark.parametrize("name", ["Marquis2019", "Chayambuka2022"])
def test_other_sets_simulate(name, model):
    cell = from_pybamm(pybamm.ParameterValues(name))
    s = na.simulate(cell, "Discharge at C/3", model=model, start="published")
    assert s.result.is_success
    assert 0.6 < float(s.capacity / cell.nominal_capacity) < 1.5


def test_what_cannot_be_said_is_listed():
    values = pybamm.ParameterValues("Ecker2015")
    with pytest.raises(
        ValueError, match="law in temperature of Electrolyte conductivity"
    ):
        from_pybamm(values)
    bare = pybamm.ParameterValues({"Nominal cell capacity [A.h]": 1.0})
    with pytest.raises(ValueError, match="missing are .*Separator thickness"):
        from_pybamm(bare)
