"""Half cells and electrodes against a reference, beside PyBaMM's DFN, solved here."""

import jax.numpy as jnp
import numpy as np
import pybamm
import pytest

import naion as na
from benchmarks.half_cells import compared


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("Xu2019", 1.0),
        pytest.param("Ecker2015_graphite_halfcell", 1.0, marks=pytest.mark.slow),
        pytest.param("OKane2022_graphite_SiOx_halfcell", 0.5, marks=pytest.mark.slow),
    ],
)
def test_half_cells_of_pybamm(name, rate):
    """Voltage and the working electrode's potential, both on fine meshes."""
    found = compared(pybamm, name, rate)
    print(f"{name} {rate:g}C: {found.voltage:.3f}, {found.potential:.3f} mV RMSE")
    # Measured: 0.02 and 0.07, 0.04 and 0.05, 0.5 and 0.5 mV.
    assert max(found.voltage, found.potential) < 1.0 and found.points > 100


def test_electrodes_of_a_full_cell():
    """Chen2020 at 1C: both potentials against the middle of the separator."""
    values = pybamm.ParameterValues("Chen2020")
    model = pybamm.lithium_ion.DFN()
    model.insert_reference_electrode()
    points = {"x_n": 20, "x_s": 20, "x_p": 20, "r_n": 40, "r_p": 40}
    theirs = pybamm.Simulation(
        model, parameter_values=values, C_rate=1, var_pts=points
    ).solve([0, 1800])
    s = na.simulate(
        na.load("nmc811_chen2020"),
        "Discharge at 1C for 30 min",
        model=na.DFN(na.Mesh(20, 6, 20, 40)),
        start="published",
    )
    t = np.linspace(10.0, 1790.0, 100)
    at = s.at(jnp.asarray(t))
    for side, ours in (
        ("Negative", at.negative_potential),
        ("Positive", at.positive_potential),
    ):
        name = f"{side} electrode 3E potential [V]"
        off = np.asarray(ours) - theirs[name](t)
        print(f"{name}: {1e3 * np.sqrt(np.mean(off**2)):.3f} mV RMSE")
        assert np.sqrt(np.mean(off**2)) < 1e-3
        ends = s[name]
        assert ends.shape == s["Voltage [V]"].shape
