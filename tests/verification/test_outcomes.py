"""Every simulation ends, and says truly why; the deep cold and high rates included."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion.simulation import beyond_laws

COLD = 233.15


@pytest.fixture(scope="module")
def ends(cell, model):
    """How a step ends."""

    def run(step, start="charged", temperature=298.15, cell=cell):
        return na.simulate(
            cell,
            na.Protocol(step),
            model=model,
            start=start,
            temperature=temperature,
            throw=False,
        )

    return run


def final(solution):
    """The fields at the end."""
    return solution.equations.layout.unpack(solution.final, solution.temperature[-1])


@pytest.mark.parametrize("rate", [0.1, 1.0 / 3.0, 1.0, 3.0, 10.0])
def test_cold_starts(cell, ends, rate):
    """-40 degC with 67 kJ/mol: every discharge and charge starts and ends physically."""
    assert float(cell.negative.particle.rate_constant.temperature.energy) == 67e3
    one_c = float(cell.nominal_capacity)
    limits = cell.limits
    out = na.Step(
        na.Mode.CURRENT, rate * one_c, lower_voltage=float(limits.lower_voltage)
    )
    into = na.Step(
        na.Mode.CURRENT, -rate * one_c, upper_voltage=float(limits.upper_voltage)
    )
    discharged = ends(out, temperature=COLD)
    charged = ends(into, "discharged", COLD)
    for solution in (discharged, charged):
        assert solution.result is na.Result.COMPLETED
        assert np.all(np.isfinite(np.asarray(solution.voltage)))
    assert float(discharged.capacity) >= 0.0 >= float(charged.capacity)
    # At 3C and above the drop of the start alone passes the limit: no charge at all.
    delivers = rate <= 1.0
    assert (float(discharged.capacity) > 0.1) == delivers
    assert (float(charged.capacity) < -0.01) == delivers


def test_capacity_falls_with_rate_and_cold(ends):
    def capacity(rate, T):
        step = na.Step(na.Mode.CURRENT, rate * 1.5, lower_voltage=1.5)
        return float(ends(step, temperature=T).capacity)

    table = np.array([[capacity(r, T) for r in (0.1, 1.0)] for T in (298.15, COLD)])
    assert np.all(np.diff(table, axis=0) < 0.0) and np.all(np.diff(table, axis=1) < 0.0)


@pytest.mark.parametrize(
    ("power", "expected"),
    [
        (5.0, na.Result.CUT_OFF),
        (60.0, na.Result.POWER_INFEASIBLE),
        (1e5, na.Result.POWER_INFEASIBLE),
    ],
)
def test_power(ends, power, expected):
    """More than V^2/4R cannot be delivered: at once, or as the voltage falls."""
    solution = ends(na.Step(na.Mode.POWER, power))
    assert solution.result is expected and solution.result.is_physical
    n = int(solution.n_steps)
    delivered = np.asarray(solution.record.outputs[:n, 1, :2]).prod(axis=1)
    np.testing.assert_allclose(delivered, power, rtol=1e-4)
    if n == 0:
        assert np.isnan(float(solution.voltage[0])) and float(solution.capacity) == 0.0


def test_empty_surface(ends):
    """With a cut-off that no voltage meets, the particles run dry."""
    solution = ends(na.Step(na.Mode.CURRENT, 1.5, lower_voltage=-5.0))
    assert solution.result is na.Result.SURFACE_EMPTY
    assert float(final(solution).sto[-1].min()) < 0.0


def test_starved_liquid(cell, ends):
    """Without diffusion in the liquid the salt runs out behind the separator."""
    slow = eqx.tree_at(
        lambda c: c.electrolyte.diffusivity.scale, cell, jnp.asarray(0.01)
    )
    solution = ends(na.Step(na.Mode.CURRENT, 3.0, lower_voltage=-5.0), cell=slow)
    assert solution.result.is_physical and not solution.result.is_success
    salt = np.asarray(final(solution).c_e) * float(cell.electrolyte.concentration)
    assert salt.min() < 1.0


def test_start_beyond_the_electrodes(ends):
    full = na.parameters.Stoichiometry(jnp.asarray(1.2), jnp.asarray(0.4))
    solution = ends("Discharge at 1C", start=full)
    assert solution.result is na.Result.START_OUT_OF_REACH
    assert not solution.result.is_physical


def test_celsius_is_refused(ends):
    with pytest.raises(ValueError, match=r"in kelvin: 25 degC is 298\.15"):
        ends("Discharge at 1C", temperature=25.0)


def test_inside_of_a_step_is_as_good_as_its_ends():
    """A ramp from rest: the voltage bends where kinetics leave their linear range."""
    cell = na.parameters.load("nvpf_hc_chayambuka2022")
    I = float(cell.nominal_capacity)
    ramps = na.Protocol.profile([0.0, 5.0, 6.0, 7.0, 8.0], [0.5 * I, 0.0, I, 0.0, I])
    model = na.DFN(na.Mesh(5, 3, 5, 20))
    t = np.linspace(0.1, 8.0, 300)
    loose, tight = (
        na.simulate(cell, ramps, model=model, rtol=rtol, start=0.9).at(t).voltage
        for rtol in (2e-3, 1e-6)
    )
    # Three tolerances are allowed inside a step; without that check it is 20 mV.
    assert np.max(np.abs(loose - tight)) < 3.0 * 2e-3


def test_nothing_is_found_where_no_electrolyte_is_liquid(cell, model):
    """It is said of the temperature; the laws' ranges are said, too."""
    with pytest.warns(na.Caution, match="at -99 degC"):
        done = na.simulate(
            cell, "Discharge at C/5", model=model, temperature=174.15, throw=False
        )
    assert done.result is na.Result.BEYOND_LAWS and not done.result.is_physical
    with pytest.raises(RuntimeError, match="Expected are -60 to 100 degC"):
        na.simulate(cell, "Discharge at C/5", model=model, temperature=174.15)
    # Such a current is found nowhere: it is the solver that gives up, and says so.
    with pytest.warns(na.Caution, match="Currents reach 1.5e.06 A"):
        fast = na.simulate(cell, "Discharge at 1000000C", model=model, throw=False)
    assert fast.result is na.Result.START_NOT_FOUND


def test_lanes_beyond_laws():
    stuck, fine = na.Result.START_NOT_FOUND, na.Result.COMPLETED
    T = [[174.15, 298.15], [298.15, 298.15], [174.15, 174.15]]
    found = beyond_laws(np.array([stuck, stuck, fine]), T)
    assert found.tolist() == [na.Result.BEYOND_LAWS, stuck, fine]
