"""Parts of the physics at the particle surface: limits, conservation, laws."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion._constants import F, R
from naion.parameters import (
    stoichiometry_at_soc,
    with_hysteresis,
    with_plating,
    with_sei,
)
from naion.physics.sei import Interstitial, ReactionLimited

TIGHT = 1e-6
DISCHARGE = na.Protocol("Discharge at 1C until 1.5 V")
CYCLE = na.Protocol(
    ["Discharge at 1C until 1.5 V", "Rest for 1 h", "Charge at 1C until 4.1 V"]
)

IDLE = ReactionLimited(*map(jnp.asarray, (0.0, 0.5, 0.4)))


def everything(cell, **plating):
    cell = with_hysteresis(cell, initial=(-1.0, 1.0))
    return with_sei(with_plating(cell, **plating), conductivity=1e-4)


@pytest.mark.parametrize(
    "absent",
    [
        lambda c: with_hysteresis(c, 0.0, 0.0),
        lambda c: with_plating(c, rate_constant=0.0),
        lambda c: with_sei(c, IDLE, conductivity=1e9),
    ],
    ids=["hysteresis", "plating", "SEI"],
)
def test_a_part_that_does_nothing_changes_nothing(cell, model, absent):
    one = na.simulate(cell, DISCHARGE, model=model, rtol=TIGHT)
    two = na.simulate(absent(cell), DISCHARGE, model=model, rtol=TIGHT)
    q = jnp.linspace(0.0, 0.97 * one.capacity, 50)
    # Steps differ, as more states are under error control.
    np.testing.assert_allclose(
        two.voltage_at_charge(q), one.voltage_at_charge(q), atol=2e-6
    )
    assert abs(float(two.capacity / one.capacity - 1.0)) < 1e-7


def test_hysteresis_parts_the_branches(cell, model):
    """Slow charge and discharge differ by 2 H at one state of charge, and rests by less:
    what the reaction left uneven goes back at rest, part of the way to the other branch.
    """
    H = 0.015, 0.010
    # Branches move the ends of the window, and with them what a state of charge is.
    emptier, fuller = (stoichiometry_at_soc(cell, soc) for soc in (0.4, 0.8))

    def gaps(c):
        up = na.Protocol(["Charge at C/20 for 4 h", "Rest for 40 h"])
        down = na.Protocol(["Discharge at C/20 for 4 h", "Rest for 40 h"])
        t = jnp.asarray([4 * 3600.0, 44 * 3600.0 - 1.0])
        after_charge = na.simulate(c, up, start=emptier, model=model).at(t).voltage
        after_discharge = na.simulate(c, down, start=fuller, model=model).at(t).voltage
        return after_charge - after_discharge

    two = gaps(with_hysteresis(cell, *H, decay=80.0))
    loaded, rested = two - gaps(with_hysteresis(cell, 0.0, 0.0))
    np.testing.assert_allclose(loaded, 2.0 * sum(H), rtol=5e-3)
    assert 0.7 * loaded < rested < loaded


def test_partial_loops_lie_inside(cell, model):
    """A small discharge within a charge moves part of the way to the other branch."""
    cell = with_hysteresis(cell, 0.015, 0.010, decay=20.0)
    protocol = na.Protocol(["Charge at C/5 for 1 h", "Discharge at C/5 for 0.1 h"])
    s = na.simulate(cell, protocol, start=0.4, model=model, keep_states=True)
    h = s.equations.named(s.states)["hysteresis"][-1]
    n = model.mesh.n_neg
    assert np.all((h[:n] > -0.99) & (h[:n] < 0.0))
    assert np.all((h[n:] < 0.99) & (h[n:] > 0.0))


def amounts(s, cell, state):
    """Charge in the negative electrode's solid, metal, dead metal, SEI [C]."""
    m = s.model.mesh
    e = cell.negative
    volume = cell.area * e.thickness * e.active_fraction * e.particle.c_max * F
    shells = 3.0 * np.asarray(m.shells().volumes)[:, None]
    solid = volume * np.mean(np.sum(shells * state.sto[:, : m.n_neg], axis=0))
    rows = {
        name: volume * float(np.mean(value[: m.n_neg]))
        for name, value in s.equations.named(state).items()
    }
    return solid, rows


def test_charge_is_conserved_with_every_part(cell, model):
    """What left the negative electrode is what was discharged, whatever it became."""
    parts = everything(cell, rate_constant=1e-8, loss=1e-4)
    protocol = na.Protocol(
        ["Charge at 3C until 4.1 V", "Rest for 1 h", "Discharge at C/2 until 2 V"]
    )
    s = na.simulate(
        parts, protocol, start=0.3, model=model, temperature=268.15, keep_states=True
    )
    first = jax.tree.map(lambda a: np.asarray(a[0]), s.states)
    last = s.equations.layout.unpack(s.final, jnp.asarray(268.15))
    before, rows_before = amounts(s, parts, first)
    after, rows = amounts(s, parts, last)
    gained = (
        after
        - before
        + sum(rows[k] - rows_before[k] for k in ("plated", "dead", "lost"))
    )
    assert rows["dead"] > 1e-3 * before and rows["lost"] > 0.0
    scale = abs(3600.0 * cell.nominal_capacity)
    assert abs(gained + float(last.charge)) < 1e-9 * scale
    # It plated while charging, and most of that was stripped.
    metal = np.asarray(s.equations.named(s.states)["plated"][:, 0])
    assert metal.max() > 5.0 * abs(metal[-1]) and np.min(s.plating_margin) < 0.0


def test_film_grows_with_the_square_root_of_time(cell, model):
    parts = with_sei(cell)
    days = 86400.0 * jnp.asarray([1.0, 10.0])
    grown = []
    for t in days:
        s = na.simulate(parts, na.Protocol(f"Rest for {t} s"), start=0.5, model=model)
        last = s.equations.layout.unpack(s.final, parts.temperature)
        grown.append(s.equations.named(last)["sei"][0])
    p = parts.negative.sei
    rate = 2.0 * p.molar_volume * p.growth.permeability / p.electrons
    expected = jnp.sqrt(1.0 + rate * days / p.thickness**2)
    np.testing.assert_allclose(np.asarray(grown), expected, rtol=2e-4)


@pytest.mark.parametrize(
    "law",
    [
        ReactionLimited(*map(jnp.asarray, (1e-13, 0.5, 0.4))),
        Interstitial(jnp.asarray(1e-20)),
    ],
    ids=lambda law: type(law).__name__,
)
def test_laws_that_feel_the_potential_grow_faster_when_charged(cell, model, law):
    parts = with_sei(cell, law)
    lost = []
    for soc in (0.2, 0.9):
        s = na.simulate(parts, na.Protocol("Rest for 240 h"), start=soc, model=model)
        last = s.equations.layout.unpack(s.final, parts.temperature)
        lost.append(float(s.equations.named(last)["lost"][0]))
    assert lost[1] > 1.05 * lost[0] > 0.0


def test_metal_in_equilibrium_is_that_of_the_reversible_form(model):
    """O'Kane's: c_0 m exp((1-a) F eta/RT) = c_e exp(-a F eta/RT), within 0.1 %."""
    cell = with_plating(na.parameters.load("nmc811_chen2020"))
    e, p = cell.negative, cell.negative.plating
    sites = e.active_fraction * e.particle.c_max
    for soc, least, most in ((0.9, 0.5, 2.0), (0.3, 0.01, 0.1)):
        s = na.simulate(
            cell, "Rest for 20 h", start=soc, model=model, rtol=1e-6, keep_states=True
        )
        last = jax.tree.map(lambda a: a[-1], s.states)
        metal = float(sites * s.equations.named(last)["plated"][0])
        drop = last.phi_s[0] - last.phi_e[0]
        share = jnp.exp(-F * drop / (R * cell.temperature))
        expected = float(sites * p.saturation * share / (1.0 - share))
        assert least < expected < most
        np.testing.assert_allclose(metal, expected, rtol=1e-3)


def test_metal_and_dead_metal_are_those_of_the_reversible_form(model):
    """A charge that plates and a rest that strips, by hand along the same potential."""
    from scipy.integrate import solve_ivp

    cell = with_plating(na.parameters.load("nmc811_chen2020"), loss=1e-5)
    e, p, T = cell.negative, cell.negative.plating, float(cell.temperature)
    protocol = na.Protocol(["Charge at 1.5C until 4.2 V", "Rest for 2 h"])
    s = na.simulate(
        cell,
        protocol,
        start=0.3,
        model=model,
        rtol=1e-6,
        max_steps=9000,
        keep_states=True,
    )
    m = s.model.mesh.n_neg - 1
    t = np.asarray(s.t)[:-1]
    drop = np.asarray(s.states.phi_s - s.states.phi_e)[:, m]
    salt = np.asarray(s.states.c_e)[:, m] * float(cell.electrolyte.concentration)
    speed = 3.0 / float(e.particle.radius * e.particle.c_max)
    k, saturation, loss = (
        float(x) for x in (p.rate_constant(T, T), p.saturation, p.loss)
    )

    def rates(now, y):
        half = 0.5 * F * np.interp(now, t, drop) / (R * T)
        strips = 1000.0 * y[0] / (y[0] + saturation) * np.exp(half)
        dead = loss * y[0]
        plates = np.interp(now, t, salt) * np.exp(-half)
        return [speed * k * (plates - strips) - dead, dead]

    by_hand = solve_ivp(
        rates,
        (t[0], t[-1]),
        [0.0, 0.0],
        "LSODA",
        t,
        rtol=1e-8,
        atol=1e-14,
        max_step=20.0,
    ).y
    plated, dead = (
        np.asarray(s.equations.named(s.states)[name])[:, m]
        for name in ("plated", "dead")
    )
    assert np.max(plated) > 5.0 * plated[-1] > 0.0
    np.testing.assert_allclose(np.max(plated), np.max(by_hand[0]), rtol=5e-3)
    np.testing.assert_allclose(plated[-1], by_hand[0, -1], rtol=5e-3)
    np.testing.assert_allclose(dead[-1], by_hand[1, -1], rtol=5e-3)


def test_interstitials_feel_the_potential_outside_the_film(cell, model):
    """L dL/dt = V D c / z exp(-F (phi_s - phi_e) / RT), with a film of 1e-3 ohm.m2."""
    law = Interstitial(jnp.asarray(5e-17))
    parts = with_sei(cell, law, thickness=1e-8, conductivity=1e-5)
    protocol = na.Protocol(["Charge at 1C until 4.1 V"])
    s = na.simulate(
        parts,
        protocol,
        start=0.1,
        model=model,
        rtol=1e-6,
        max_steps=4000,
        keep_states=True,
    )
    t, states, p = np.asarray(s.t)[:-1], s.states, parts.negative.sei
    across = np.asarray(states.phi_s - states.phi_e)[:, 0]
    film = np.asarray(s.equations.named(states)["sei"][:, 0])
    j = np.asarray(s.equations.named(states)["j_total"][:, 0])
    pace = 2.0 * float(p.molar_volume / p.electrons * law.permeability / p.thickness**2)

    def grown(potential):
        steep = np.exp(-F * potential / (R * float(parts.temperature)))
        passed = np.sum(0.5 * (steep[1:] + steep[:-1]) * np.diff(t))
        return np.sqrt(1.0 + pace * passed) - 1.0

    assert film[-1] > 1.01
    np.testing.assert_allclose(film[-1] - 1.0, grown(across), rtol=2e-3)
    below = grown(across - j * film * float(p.thickness) / 1e-5)
    assert abs(below / grown(across) - 1.0) > 0.02


def test_film_resistance_shows_in_the_voltage(cell, model):
    thick = with_sei(cell, thickness=1e-7, conductivity=1e-5)
    none = with_sei(cell, thickness=1e-7, conductivity=1e9)
    short = na.Protocol("Discharge at 1C for 1 s")
    V = [float(na.simulate(c, short, model=model).voltage[-1]) for c in (none, thick)]
    e = cell.negative
    j = cell.nominal_capacity / (cell.area * e.interface * e.thickness)
    np.testing.assert_allclose(V[0] - V[1], j * 1e-7 / 1e-5, rtol=0.02)


def test_gradients(cell, model, derivatives):
    """Forward, reverse and differences agree through a cycle with all parts on."""
    numbers = {
        "half_width": lambda c: c.positive.particle.hysteresis.half_width.curve.value,
        "rate_constant": lambda c: c.negative.plating.rate_constant.scale,
        "permeability": lambda c: c.negative.sei.growth.permeability,
    }
    parts = everything(cell, rate_constant=1e-9)
    # A film that takes months would move the energy by less than steps scatter.
    larger = {"permeability": 3000.0}
    values = [where(parts) * larger.get(name, 1.0) for name, where in numbers.items()]

    def energy(k):
        moved = [value * k[i] for i, value in enumerate(values)]
        c = eqx.tree_at(
            lambda c: [where(c) for where in numbers.values()], parts, moved
        )
        return na.simulate(c, CYCLE, model=model, rtol=1e-5, temperature=273.15).energy

    found = derivatives(energy, np.ones(len(numbers)), 0.02)
    for name, forward, reverse, difference in zip(numbers, *found, strict=True):
        np.testing.assert_allclose(forward, reverse, rtol=1e-6, err_msg=name)
        np.testing.assert_allclose(forward, difference, rtol=2e-3, err_msg=name)
