"""Capacities of the sets against those of another solver, from the published starts.

The numbers were made with PyBaMM 26.10.1.1 on 16/6/16 volumes with 30 and 20 uniform
shells, linear tables and a slightly regularised exchange current; the sets carry a few
digits. So half a percent is the agreement to expect.
"""

import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion.batch import run, stack
from naion.demo._tables import EMBEDDED, columns
from naion.fit import ensemble, uncertainty_of_set

NAMES = ("charge_Ah", "voltage_V")

CASES = {
    # set: (lowest voltage, {current [A]: capacity [A.h]})
    "nvpf_hc_chayambuka2022": (2.0, {2.54e-4: 2.726e-3}),
    "nfm_hc_18650": (1.5, {0.15: 1.534, 0.5: 1.527, 1.5: 1.513, 4.5: 1.464}),
    "nfm_hc_prismatic": (1.5, {26.0: 260.0, 87.0: 259.2, 260.0: 257.0, 780.0: 250.7}),
    "nfpp_hc_32140": (1.5, {0.8: 7.90, 8.0: 7.80, 24.0: 7.60}),
    "pw_hc_prismatic": (1.8, {19.0: 192.4, 190.0: 190.0, 570.0: 183.8}),
}

MEAN = {0.15: 3.06, 0.5: 3.02, 1.5: 2.93, 4.5: 2.71}
"""Mean voltages of nfm_hc_18650 by current [V]."""


def discharged(name: str, current: float, until: float, **options) -> na.Solution:
    return na.simulate(
        na.parameters.load(name),
        na.Protocol(f"Discharge at {current} A until {until} V"),
        start="published",
        **options,
    )


@pytest.mark.parametrize("name", CASES)
def test_capacity(name):
    until, expected = CASES[name]
    for current, capacity in expected.items():
        found = float(discharged(name, current, until).capacity)
        assert abs(found / capacity - 1.0) < 5e-3, (current, found)


def test_capacity_on_the_mesh_of_the_other_solver():
    """NVPF at 12 A/m2: 2.085 mA.h is that of 20 uniform shells, 0.5 % too much."""
    case = "nvpf_hc_chayambuka2022", 12 * 2.54e-4, 2.0
    model = na.DFN(na.Mesh(10, 5, 10, 20, grading=0.0))
    coarse = float(discharged(*case, model=model).capacity)
    assert abs(coarse / 2.085e-3 - 1.0) < 5e-3
    assert coarse > float(discharged(*case).capacity)


def test_mean_voltage():
    for current, expected in MEAN.items():
        s = discharged("nfm_hc_18650", current, 1.5)
        # Two decimals were kept.
        np.testing.assert_allclose(s.energy / s.capacity, expected, atol=7e-3)


def test_cfm_follows_the_slow_curve_it_was_made_from():
    """The set's potential is that of the mean of both C/50 branches of the cell."""
    q, V = (columns(EMBEDDED, "hina/discharge_0p02C.csv")[k] for k in NAMES)
    back, V_back = (columns(EMBEDDED, "hina/charge_0p02C.csv")[k] for k in NAMES)
    mean = 0.5 * (V + np.interp(q, 10.85 - back[::-1], V_back[::-1]))
    model = discharged("cfm_hc_32140", 0.2, 1.5).voltage_at_charge(q)
    middle = (q > 0.5) & (q < 10.3)
    # 7 mV is the error of the digitised curves.
    assert np.sqrt(np.mean((model - mean)[middle] ** 2)) < 7e-3


def test_cfm_has_the_resistances_of_measured_pulses():
    """Half charged, where their decomposition is; and they fall with current alike.

    8 %: what one resistance for all states leaves, and cells of the type differ by 5 %.
    """
    measured = columns(EMBEDDED, "hina/pulses.csv")
    cell = na.load("cfm_hc_32140")
    names, after = ("r_0p1s_mohm", "r_1s_mohm"), np.array([0.1, 1.0])
    for soc in (50, 60):
        at = measured["soc_percent"] == soc
        found, expected = [], []
        for row in np.flatnonzero(at)[1:]:
            I, T = (float(measured[k][row]) for k in ("current_A", "temperature_degC"))
            T += 273.15
            sto = na.parameters.stoichiometry_at_soc(cell, jnp.asarray(soc / 100.0))
            rest = na.parameters.open_circuit_voltage(cell, sto, T)
            s = na.simulate(
                cell, f"Discharge at {I} A for 2 s", start=sto, temperature=T
            )
            found.append((float(rest) - np.asarray(s.at(after).voltage)) / I * 1e3)
            expected.append([float(measured[k][row]) for k in names])
        found, expected = np.array(found), np.array(expected)
        assert np.all(np.abs(found / expected - 1.0) < 0.08), (found, expected)
        fall = (found[-1] / found[0])[0], (expected[-1] / expected[0])[0]
        assert abs(fall[0] - fall[1]) < 0.015


ALIKE = ("cfm_hc_32140", "nfpp_hc_32140", "pw_hc_prismatic", "nfm_hc_prismatic")
SODIUM = (*ALIKE, "nfm_hc_18650")


def test_what_is_assumed_alike_is_said():
    """Value or rule the same in all sodium sets that assume it; and nothing else is."""
    of = {name: na.parameters.load_set(name).provenance for name in SODIUM}
    names = {p.name for entries in of.values() for p in entries if p.same_in_all}
    assert "negative.particle.rate_constant.temperature.energy" in names
    assert "electrolyte.conductivity" in names
    for name in names:
        own = [p for entries in of.values() for p in entries if p.name == name]
        alike = [p for p in own if p.same_in_all]
        values, rules = {str(p.value) for p in alike}, {p.source for p in alike}
        assert len(alike) >= 3 and 1 in (len(values), len(rules)), name
        # What is not alike is somebody's own number.
        assert all(p.quality != "A" for p in own if not p.same_in_all), name
    # The other way round: an energy or a liquid that is assumed equal is marked.
    for entries in of.values():
        for p in entries:
            liquid = p.name.startswith("electrolyte.") or p.name.endswith(".energy")
            assert p.same_in_all or p.quality != "A" or not liquid, p.name
    with pytest.raises(ValueError, match="same_in_all is of assumed numbers"):
        na.parameters.Sourced("x", 1.0, "-", "M", "s", same_in_all=True)


def test_assumed_diffusion_times_of_nfpp_let_it_work():
    """Radius and diffusivity are drawn together: the range is of R^2 / D, and what one
    moves the other follows. Drawn apart, energies at C/3 spread from 38 to 110 W.h/kg.
    """
    found = na.parameters.load_set("nfpp_hc_32140")
    drawn = ensemble(found.cell, uncertainty_of_set(found), 400)

    def log_time(cell):
        p = cell.positive.particle
        D_s = p.diffusivity(jnp.asarray(0.5), cell.temperature)
        return float(jnp.log(p.radius**2 / D_s))

    given = next(
        p for p in found.provenance if p.name == "positive.particle.diffusivity"
    )
    assert given.follows == ("positive.particle.radius", 2.0)
    spread = np.std([log_time(c) for c in drawn.cells])
    # That of D alone, whatever the radius.
    assert spread < 1.2 * given.sd

    def energy(cell):
        step = "Discharge at C/3 until 1.5 V"
        model = na.DFN(na.Mesh(4, 3, 4, 10))
        s = na.simulate(cell, step, model=model, throw=False)
        return s.energy / cell.thermal.mass

    # 400 draws span 89 to 108; of 40, each seed has limits of its own (87 to 94 below).
    low, high = np.percentile(run(energy, stack(drawn.cells)), [5.0, 95.0])
    assert low > 85.0 and high - low < 24.0


def test_draws_are_possible_cells():
    """Ranges of porosity and of active fraction overlap beyond a sum of one."""
    found = na.parameters.load_set("cfm_hc_32140")
    drawn = ensemble(found.cell, uncertainty_of_set(found), 64)
    assert all(bool(na.parameters.possible(c)) for c in drawn.cells)
