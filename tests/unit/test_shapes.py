"""Shapes of arrays in the equations, as annotations say: run by `make shapes`.

Everything is traced and nothing compiled: arrays have shapes in a trace.
"""

import dataclasses

import jax
import jax.numpy as jnp
import pytest
from jaxtyping import TypeCheckError

import naion as na
from naion import parameters as p
from naion.parameters import stoichiometry_at_soc
from naion.physics import heat, kinetics
from naion.protocol import Protocol
from naion.systems import CellSystem, segments_of


@pytest.fixture(autouse=True)
def _checked(request):
    if not request.config.getoption("--jaxtyping-packages"):
        pytest.skip("shapes are checked by `make shapes`")


def _of(form):
    return lambda cell: dataclasses.replace(cell, kinetics=form(jnp.asarray(0.5)))


VARIANTS = {
    "plain": lambda cell: cell,
    "hysteresis": p.with_hysteresis,
    "plating": p.with_plating,
    "SEI": p.with_sei,
    "double layer": p.with_double_layer,
    "all at surfaces": lambda c: p.with_double_layer(p.with_sei(p.with_plating(c))),
    "reactions": p.with_reactions,
    "pores": lambda c: p.with_pore_filling(p.with_reactions(c)),
    "Landesfeind": p.with_landesfeind,
    "freezing": lambda c: p.with_freezing(c, 260.0),
    "asymmetric": _of(kinetics.AsymmetricButlerVolmer),
    "Chayambuka": _of(kinetics.ChayambukaButlerVolmer),
    "Marcus": _of(kinetics.MarcusHushChidsey),
}


def _all_of_a_step(model):
    """What a step needs: rates, the matrix and its transpose, outputs, events."""

    def found(cell):
        system = CellSystem(model.for_cell(cell))
        args = system.discretise(cell)
        segments = segments_of(Protocol("Discharge at 1C"), cell, cell.temperature)
        control = jax.tree.map(lambda a: a[0], segments.control)
        tau, T = jnp.asarray(1.0), cell.temperature
        y = system.equilibrium(args, stoichiometry_at_soc(cell, jnp.asarray(0.5)), T)
        y = system.start_guess(tau, y, args, control)
        f = system.rates(tau, y, args, control)
        factors = system.factor(jnp.asarray(0.1), tau, y, args, control)
        error = system.error_ratio(factors.solve(f), y, args, control, tau)
        outputs = system.outputs(tau, y, args, control)
        ends = system.events(tau, y, args, control)
        return factors.solve_transposed(f), error, (outputs, ends)

    return found


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_step_has_the_shapes_that_it_says(variant, cell, lumped):
    step, given = _all_of_a_step(lumped), VARIANTS[variant](cell)
    y, error, _ = jax.eval_shape(step, given)
    assert y.shape == (lumped.for_cell(given).layout.size,) and error.shape == ()


@pytest.mark.parametrize("name", p.available())
def test_sets(name, lumped):
    jax.eval_shape(_all_of_a_step(lumped), na.load(name))


def test_spectra(cell, model):
    """Complex numbers through the step matrix."""
    f = jnp.geomspace(1e3, 1e-2, 5)
    found = jax.eval_shape(lambda c, f: na.impedance(c, f, model=model), cell, f)
    assert found.shape == (5,) and jnp.iscomplexobj(found)


def test_layers(mesh):
    flat = p.with_heat_through_stack(na.load("nfm_hc_prismatic"), 0.027)
    model = na.DFN(mesh, na.ThroughStack(3))

    def end(cell):
        done = na.simulate(cell, "Discharge at 1C", model=model, throw=False)
        return done.layer_temperature[-1]

    assert jax.eval_shape(end, flat).shape == (3,)


def test_a_wrong_shape_is_seen():
    with pytest.raises(TypeCheckError):
        heat.ohmic(jnp.ones(3), jnp.ones(4))
