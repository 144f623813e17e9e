"""Simulations of any length: in parts, with what was asked to be kept, rows without steps."""

import re

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion.protocol import Mode
from naion.simulation import _parts, driver

CYCLE = (
    "Discharge at 1C until 2.0 V",
    "Charge at 1C until 4.0 V",
    "Hold at 4.0 V until C/20",
)


@pytest.fixture(scope="module")
def cycles(cell, model):
    """Long enough for several parts; kept whole, as sums, and as an end."""
    protocol = na.Protocol(CYCLE, cycles=8)
    return {
        keep: na.simulate(cell, protocol, model=model, keep=keep)
        for keep in ("steps", "cycles", "end")
    }


def test_parts_are_one_solve(cell, model, cycles, monkeypatch):
    """The same as with room for all of it."""
    whole = cycles["steps"]
    n = int(whole.n_steps)
    assert n > driver.LEAST_ROOM and whole.record.t.shape == (n,)
    monkeypatch.setattr(driver, "LEAST_ROOM", 2048)
    one = na.simulate(cell, na.Protocol(CYCLE, cycles=8), model=model)
    assert int(one.n_steps) == n and int(one.n_rejected) == int(whole.n_rejected)
    for name in one.record._fields:
        np.testing.assert_array_equal(
            getattr(one.record, name)[:n], getattr(whole.record, name)
        )
    assert one.least == whole.least and one.greatest == whole.greatest
    assert float(one.capacity) == float(whole.capacity)


def test_what_is_kept(cycles):
    whole, sums, end = (cycles[k] for k in ("steps", "cycles", "end"))
    np.testing.assert_allclose(sums.cycles, whole.cycles, rtol=1e-12, equal_nan=True)
    assert len(whole.cycles) == 8 and np.isnan(whole.cycles["Coulombic efficiency"][0])
    for s in (sums, end):
        assert s.result is na.Result.COMPLETED
        assert float(s.capacity) == float(whole.capacity)
        assert float(s.energy) == float(whole.energy)
        assert int(s.n_steps) == int(whole.n_steps)
        assert s.least == whole.least and s.greatest == whole.greatest
        with pytest.raises(ValueError, match="keep='steps'"):
            _ = s.voltage
        assert s.keys() == [] and s.search("voltage") == []
    with pytest.raises(ValueError, match="kept its end only"):
        _ = end.cycles
    V = whole.record.outputs[:, :2, 0]
    assert [whole.least.voltage, whole.greatest.voltage] == [V.min(), V.max()]


def test_cycles_that_were_kept_are_saved(cycles, tmp_path):
    cycles["cycles"].save(tmp_path / "cycles.npz")
    again = na.Solution.load(tmp_path / "cycles.npz")
    np.testing.assert_array_equal(again.cycles, cycles["cycles"].cycles)


def test_progress_of_long_runs(cell, model, monkeypatch):
    monkeypatch.setattr(_parts, "EVERY", 0.0)
    said: list[str] = []
    protocol = na.Protocol(CYCLE, cycles=8)
    s = na.simulate(cell, protocol, model=model, keep="cycles", progress=said.append)
    with pytest.raises(TypeError, match="progress=True.*such as `print`"):
        na.simulate(cell, "Rest for 1 s", model=model, progress=True)
    assert len(said) == int(s.n_steps) // driver.LEAST_ROOM
    assert all(re.fullmatch(r"step \d+ of 24, [\d.]+ h", text) for text in said)


def test_max_steps_is_a_limit(cell, model):
    s = na.simulate(cell, CYCLE[0], model=model, max_steps=7, throw=False)
    assert s.result is na.Result.STEP_LIMIT and int(s.n_steps) == 7
    with pytest.raises(RuntimeError, match="max_steps"):
        na.simulate(cell, CYCLE[0], model=model, max_steps=7)
    for wrong in (0, -3, 2.5, True):
        with pytest.raises(ValueError, match="max_steps"):
            na.simulate(cell, CYCLE[0], model=model, max_steps=wrong)


def slower(cell, scale):
    return eqx.tree_at(lambda c: c.negative.particle.rate_constant.scale, cell, scale)


def energy_and_warmth(s):
    return jnp.stack([s.energy, s.greatest.temperature])


def test_derivatives_without_a_record(cell, lumped):
    """Of what is left when nothing was kept: those of the simulation with its steps."""

    def of(keep, scale):
        options = {"model": lumped, "keep": keep, "temperature": 298.15}
        s = na.simulate(slower(cell, scale), CYCLE[0], throw=False, **options)
        return energy_and_warmth(s)

    for mode in (jax.jacfwd, jax.jacrev):
        with_steps, without = (
            jax.jit(mode(lambda x, k=k: of(k, x)))(jnp.asarray(0.8))
            for k in ("steps", "end")
        )
        np.testing.assert_allclose(without, with_steps, rtol=1e-9)
        assert np.all(np.asarray(without) != 0.0)


def test_steps_that_are_over_at_once(cell, model):
    """A charge of a full cell is a row, with its reason, and changes nothing after it."""
    steps = ["Charge at 1C until 4.0 V", "Discharge at 1C until 2.0 V"]
    s = na.simulate(cell, steps, model=model)
    plain = na.simulate(cell, steps[1], model=model)
    assert list(s.skipped) == [0] and s.skipped[0].startswith("already at 4.")
    assert float(s.began(1)) == 0.0 and float(s.record.h[0]) == 0.0
    assert list(s.to_pandas()["Step"][:2]) == [0, 1]
    np.testing.assert_allclose(s.capacity, plain.capacity, rtol=1e-9)
    np.testing.assert_allclose(s.at(100.0), plain.at(100.0), rtol=1e-9)
    alone = na.simulate(cell, steps[0], model=model)
    assert alone.result is na.Result.COMPLETED and len(alone.cycles) == 1
    assert float(alone.t_end) == 0.0 and alone.cycles["Duration [h]"][0] == 0.0


def test_derivatives_through_a_skipped_step(cell, lumped):
    """In both modes those without the step."""

    def of(steps, scale):
        s = na.simulate(slower(cell, scale), steps, model=lumped, throw=False)
        return energy_and_warmth(s)

    steps = ["Charge at 1C until 4.0 V", "Discharge at 1C until 2.0 V"]
    one = jnp.asarray(1.0)
    for mode in (jax.jacfwd, jax.jacrev):
        with_it = jax.jit(mode(lambda x: of(steps, x)))(one)
        without = jax.jit(mode(lambda x: of(steps[1:], x)))(one)
        np.testing.assert_allclose(with_it, without, rtol=1e-7)


def test_outside_of_time(cell, model):
    s = na.simulate(cell, "Discharge at 1C for 60 s", model=model)
    assert np.all(np.isnan(np.asarray(s.at([-60.0, -1.0, 60.1]).voltage)))
    assert np.all(np.isfinite(np.asarray(s.at([0.0, 60.0]).voltage)))


def test_what_was_not_computed_is_nan(cell, model):
    full = na.parameters.Stoichiometry(jnp.asarray(1.2), jnp.asarray(0.4))
    s = na.simulate(cell, "Discharge at 1C", model=model, start=full, throw=False)
    assert s.result is na.Result.START_OUT_OF_REACH and int(s.n_steps) == 0
    for values in (s.voltage, s.current, s.temperature, s.plating_margin, *s.least):
        assert np.all(np.isnan(np.asarray(values)))
    assert np.isnan(float(s.at(0.0).voltage)) and s.cycles.empty


@pytest.mark.parametrize(
    ("name", "voltage", "soc"),
    [
        ("lfp_aboutenergy", 3.65, 0.0),
        ("nvpf_hc_chayambuka2022", 4.2, 0.0),
        ("nvpf_hc_chayambuka2022", 2.0, 1.0),
    ],
)
def test_holds_far_from_the_state(model, name, voltage, soc):
    """Hundreds of times the 1C current at first; then it falls."""
    cell = na.parameters.load(name)
    step = f"Hold at {voltage} V for 2 hours or until C/20"
    s = na.simulate(cell, step, model=model, start=soc)
    assert s.result is na.Result.COMPLETED
    one_c = float(cell.nominal_capacity)
    current = np.abs(np.asarray(s.current)) / one_c
    assert current[0] > 100.0
    assert current[-1] == pytest.approx(0.05) or float(s.t_end) == 7200.0


def test_impossible_numbers(cell, model):
    """A lane with one gets an outcome of its own; alone it is refused, by name."""

    def outcome(porosity):
        c = eqx.tree_at(lambda c: c.negative.porosity, cell, porosity)
        return na.simulate(c, CYCLE[0], model=model, throw=False, keep="end").outcome

    lanes = jax.jit(jax.vmap(outcome))(jnp.asarray([0.3, 1.5, -0.1]))
    assert list(lanes) == [0, na.Result.IMPOSSIBLE_NUMBER, na.Result.IMPOSSIBLE_NUMBER]
    bad = eqx.tree_at(lambda c: c.negative.porosity, cell, jnp.asarray(1.5))
    with pytest.raises(ValueError, match=r"negative\.porosity = 1\.5"):
        na.simulate(bad, CYCLE[0], model=model, throw=False)


def test_cautions_are_said(model):
    """A set that was measured at 25 degC, in the cold."""
    cell = na.parameters.load("nvpf_hc_chayambuka2022")
    with pytest.warns(na.Caution, match="25 degC .* -20 degC") as said:
        s = na.simulate(cell, "Discharge at 1C", model=model, temperature=253.15)
    assert len(s.cautions) == 1
    assert said[0].filename == __file__  # and no line of naion's own
    assert na.simulate(cell, "Discharge at 1C", model=model).cautions == ()
    with pytest.warns(na.Caution, match=r"reach 1 A, 472.*C of a cell of 0\.00211"):
        s = na.simulate(cell, "Discharge at 1 A", model=model, throw=False)
    assert len(s.cautions) == 1


@pytest.mark.parametrize("rtol", [0.0, -1.0, float("nan"), 10.0, 1e-16])
def test_tolerances_that_mean_nothing(cell, rtol):
    with pytest.raises(ValueError, match="rtol"):
        na.simulate(cell, CYCLE[0], rtol=rtol)


def test_what_is_no_cell(cell, model):
    """Each error says what was given and what to do."""
    many = na.batch.stack([cell, cell])
    for given, error, said in (
        ("nfm_hc_18650", TypeError, "parameters.load"),
        (None, TypeError, "is a NoneType"),
        (many, ValueError, "batch.simulate"),
    ):
        with pytest.raises(error, match=said):
            na.simulate(given, CYCLE[0], model=model)
    with pytest.raises(TypeError, match="expected a `DFN`"):
        na.simulate(cell, CYCLE[0], model=na.Mesh(4, 3, 4, 10))
    for temperature in ([298.0, 308.0], "warm", 25.0):
        with pytest.raises(ValueError, match="temperature"):
            na.simulate(cell, CYCLE[0], model=model, temperature=temperature)


def test_a_long_profile_is_seen_in_windows(cell, model):
    """Parts see some of its rows only; the end, without parts, sees all at once."""
    n = driver.WINDOW + 400
    t, current = np.arange(float(n)), 0.3 * np.random.default_rng(1).standard_normal(n)
    profile = na.Protocol.profile(t, current)
    by_steps, by_cycles, at_once = (
        na.simulate(cell, profile, model=model, start=0.5, keep=keep)
        for keep in ("steps", "cycles", "end")
    )
    assert profile.n_steps == n - 1 > driver.WINDOW
    segments = np.asarray(by_steps.record.segment)
    np.testing.assert_array_equal(np.unique(segments), np.arange(n - 1))
    assert np.all(np.diff(segments) >= 0)
    for s in (by_steps, by_cycles):
        np.testing.assert_allclose(s.end.voltage, at_once.end.voltage, atol=1e-12)
        np.testing.assert_allclose(s.t_end, t[-1], rtol=1e-12)
    row = driver.WINDOW + 100
    np.testing.assert_allclose(by_steps.began(row), t[row], atol=1e-6)


def test_a_power_that_no_voltage_gives_is_proved_behind_the_first_window(cell, model):
    n = driver.WINDOW + 400
    t, power = np.arange(float(n)), 0.5 * np.random.default_rng(1).standard_normal(n)
    late = driver.WINDOW + 50
    power[late:] = 400.0
    profile = na.Protocol.profile(t, power, mode=Mode.POWER, lower_voltage=0.01)
    s = na.simulate(cell, profile, model=model, start=0.5)
    assert s.result is na.Result.POWER_INFEASIBLE
    assert abs(float(s.t_end) - t[late]) < 1.0
