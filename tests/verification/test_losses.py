"""The voltage and where it goes."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion._constants import F, R
from naion.parameters import with_hysteresis, with_plating, with_sei

CYCLE = na.Protocol(
    [
        "Discharge at 1C until 1.5 V",
        "Rest for 30 min",
        "Charge at 1C until 4.1 V",
        "Hold at 4.1 V until C/5",
    ]
)


@pytest.mark.parametrize("parts", [False, True], ids=["plain", "all parts"])
def test_contributions_add_up(cell, lumped, parts):
    """To the terminal voltage at every step, hot and cold, through every mode."""
    if parts:
        cell = with_sei(with_plating(with_hysteresis(cell, initial=(-1.0, 1.0))))
    for T in (298.15, 253.15):
        s = na.simulate(cell, CYCLE, model=lumped, temperature=T, keep_states=True)
        total = np.sum(np.stack(s.losses(cell)), axis=0)
        np.testing.assert_allclose(total, s.voltage, atol=1e-9)


def test_signs_and_sizes(cell, model):
    """In the middle of a discharge every process costs; charge transfer by its law."""
    step = na.Protocol("Discharge at 1C until 1.5 V")
    s = na.simulate(cell, step, model=model, keep_states=True)
    found = s.losses(cell)
    k = int(s.n_steps) // 2
    for name in found._fields:
        value = float(getattr(found, name)[k])
        if name in ("film", "hysteresis"):
            assert value == 0.0
        elif name != "open_circuit":
            assert value < 0.0, name
    R_c = cell.contact_resistance(cell.temperature, cell.temperature)
    np.testing.assert_allclose(found.contact[k], -float(s.current[k]) * R_c)


def test_charge_transfer_has_the_resistance_of_the_set(cell, model):
    """16.6 ohm.cm2 at small currents and mid composition."""
    small = na.Protocol("Discharge at C/100 for 1 min")
    s = na.simulate(cell, small, model=model, start=0.5, keep_states=True)
    x = float(s.states.sto[-1, -1, 0])
    i = float(s.current[-2]) / float(cell.area)
    expected = -i * 16.6e-4 * 0.5 / np.sqrt(x * (1.0 - x))
    found = s.losses(cell).kinetics_negative[-2]
    np.testing.assert_allclose(found, expected, rtol=2e-2)


def test_rest_costs_nothing(cell, model):
    rest = na.Protocol(["Discharge at 1C for 10 min", "Rest for 300 h"])
    s = na.simulate(cell, rest, model=model, keep_states=True)
    found = s.losses(cell)
    for name in found._fields[1:]:
        assert abs(float(getattr(found, name)[-1])) < 2e-4, name


def test_diffusion_potential_has_its_closed_form(cell, model):
    """2RT/F (1-t+) chi ln(c_p/c_n) for a conductivity proportional to the salt."""
    from naion.properties import PowerSeries, Property

    kappa = Property(PowerSeries(jnp.asarray([1.0]), (1.0,)))
    cell = eqx.tree_at(lambda c: c.electrolyte.conductivity, cell, kappa)
    fine = na.DFN(na.Mesh(20, 10, 20, 10))
    step = na.Protocol("Discharge at 1C for 10 min")
    s = na.simulate(cell, step, model=fine, keep_states=True)
    c_e = np.asarray(s.states.c_e[-1])
    n, p = np.mean(np.log(c_e[:20])), np.mean(np.log(c_e[-20:]))
    e, T = cell.electrolyte, 298.15
    chi, t_plus = e.thermodynamic_factor(1e3, T), e.t_plus(1e3, T)
    expected = 2.0 * R * T / F * (1.0 - t_plus) * chi * (p - n)
    np.testing.assert_allclose(s.losses(cell).concentration[-2], expected, rtol=1e-3)
