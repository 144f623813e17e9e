"""vmap and jit: a lane is its own solve, and numbers do not recompile."""

import logging

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion.parameters import Stoichiometry, stoichiometry_at_soc

DISCHARGE = na.Protocol("Discharge at 1C")


@pytest.fixture(scope="module")
def single(cell, model):
    """A discharge as a function of current [C-rate], start and a diffusivity scale."""

    def run(rate, sto, scale):
        protocol = eqx.tree_at(lambda p: p.value, DISCHARGE, rate[None])
        moved = eqx.tree_at(
            lambda c: c.negative.particle.diffusivity.scale, cell, scale
        )
        s = na.simulate(
            moved, protocol, model=model, start=Stoichiometry(*sto), throw=False
        )
        V = s.at(jnp.array([5.0, 60.0, 400.0])).voltage
        return {
            "voltage": V,
            "capacity": s.capacity,
            "energy": s.energy,
            "t_end": s.t_end,
            "final": s.final,
            "outcome": s.outcome,
            "n_steps": s.n_steps,
        }

    return run


@pytest.fixture(scope="module")
def lanes(cell):
    """Lanes that end at very different times; the third starts where nothing can be."""
    soc = jnp.array([1.0, 0.5, 1.0, 0.2, 0.9])
    sto = jax.vmap(lambda s: stoichiometry_at_soc(cell, s))(soc)
    sto = jnp.stack([sto.negative, sto.positive], axis=1).at[2].set([1.2, -0.3])
    rate = jnp.array([1.0, 3.0, 1.0, 0.5, 2.0])
    return rate, sto, jnp.array([1.0, 0.5, 1.0, 2.0, 1.0])


def test_lanes_equal_single_solves(single, lanes):
    """Lanes take the same steps as alone; the impossible one spoils nobody.

    1e-9: the same arithmetic in other orders, over some 60 steps of a stiff system.
    """
    together = jax.jit(jax.vmap(single))(*lanes)
    alone = jax.jit(single)
    assert na.Result(int(together["outcome"][2])) is na.Result.START_OUT_OF_REACH
    ends = np.asarray(together["t_end"])[[0, 1, 3, 4]]
    assert ends.max() > 5.0 * ends.min()
    for i in (0, 1, 3, 4):
        expected = alone(*(a[i] for a in lanes))
        assert na.Result(int(expected["outcome"])) is na.Result.CUT_OFF
        for name, value in expected.items():
            np.testing.assert_allclose(
                together[name][i], value, rtol=1e-9, atol=1e-9, err_msg=f"{i} {name}"
            )
        assert np.all(np.isfinite(together["final"][i]))


def test_impossible_start_is_an_outcome(cell, model):
    sto = Stoichiometry(jnp.asarray(1.2), jnp.asarray(-0.3))
    s = na.simulate(cell, DISCHARGE, model=model, start=sto, throw=False)
    assert s.result is na.Result.START_OUT_OF_REACH
    with pytest.raises(ValueError, match=r"negative stoichiometry is 1\.2.* between 0"):
        na.simulate(cell, DISCHARGE, model=model, start=sto)


def test_numbers_do_not_recompile(cell, caplog):
    """A second mesh of its own, so that the first call must compile."""
    model = na.DFN(mesh=na.Mesh(2, 2, 2, 4))

    def compiled(cell, protocol, **settings) -> int:
        caplog.clear()
        with caplog.at_level(logging.WARNING), jax.log_compiles():
            na.simulate(cell, protocol, model=model, **settings)
        texts = (r.getMessage() for r in caplog.records)
        return sum(t.startswith("Compiling") and "_program" in t for t in texts)

    assert compiled(cell, "Discharge at 1C", start=1.0) == 1
    thicker = eqx.tree_at(lambda c: c.negative.thickness, cell, jnp.asarray(1e-4))
    assert compiled(thicker, "Discharge at 1C", start=1.0) == 0
    assert compiled(cell, "Discharge at C/3 until 2.0 V", start=0.7) == 0
    assert compiled(cell, "Charge at 1 W until 3.5 V", start=0.1, rtol=1e-4) == 0
    assert compiled(cell, "Hold at 3.0 V for 1 minute", start=0.5) == 0
    assert compiled(cell, "Rest for 1 hour", start=0.5, temperature=280.0) == 0
    # Nor does the number of steps of a protocol, or of the solver.
    assert compiled(cell, ["Rest for 1 minute"] * 5, start=0.5) == 0
    assert compiled(cell, "Discharge at 1C", start=1.0, max_steps=9000) == 0
    assert compiled(cell, ["Rest for 1 minute"] * 9, start=0.5) == 1
    assert compiled(cell, ["Rest for 1 minute"] * 60, start=0.5) == 0


def test_fields_need_to_be_kept(cell, model):
    solution = na.simulate(cell, DISCHARGE, model=model)
    with pytest.raises(ValueError, match="keep_states"):
        _ = solution.states


def test_jit_of_a_simulation_equals_the_plain_call(cell, model, single, lanes):
    """Inside a user's jit the outputs are padded, the numbers the same."""
    args = tuple(a[0] for a in lanes)
    inside = jax.jit(single)(*args)
    plain = single(*args)
    # The same program inlined in another: fused differently, so rounding only.
    for name, value in plain.items():
        np.testing.assert_allclose(inside[name], value, rtol=1e-9, atol=1e-9)
