"""Observed orders of the whole model, by regression against a fine mesh."""

from itertools import pairwise

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion.parameters import (
    with_double_layer,
    with_heat_through_stack,
    with_hysteresis,
    with_plating,
    with_pore_filling,
    with_reactions,
    with_sei,
    with_sizes,
)

TIMES = jnp.array([60.0, 300.0, 900.0])


def with_surface_parts(cell):
    """Two branches, metal, a film that clogs the pores, a double layer."""
    film = with_sei(cell, thickness=50e-9)
    return with_plating(with_hysteresis(with_double_layer(film)))


def with_particle_parts(cell):
    """Pores that fill from the other sites, and particles of two sizes."""
    carbon = with_pore_filling(with_reactions(cell), 3e-3)
    return with_sizes(carbon, "positive", [1.0, 2.0], [0.6, 0.4])


VARIANTS = {
    "plain": lambda cell: cell,
    "surface": with_surface_parts,
    "particles": with_particle_parts,
}


@pytest.fixture(params=VARIANTS)
def variant(request):
    """The prismatic cell without further parts, with those of surfaces, of particles."""
    return VARIANTS[request.param](na.parameters.load("nfm_hc_prismatic"))


def voltages(cell, mesh: na.Mesh, thermal=None) -> np.ndarray:
    """At times between which nothing jumps; time errors far below those of space."""
    solution = na.simulate(
        cell,
        "Discharge at 2C for 1000 s",
        model=na.DFN(mesh, thermal or na.Isothermal()),
        start=0.9,
        rtol=1e-7,
        max_steps=1500,
    )
    return np.asarray(solution.at(TIMES).voltage)


def observed_order(cell, counts, mesh_of) -> tuple[float, list[float]]:
    """Slope of the largest difference from the finest mesh, which is four times finer."""
    fine = voltages(cell, mesh_of(4 * counts[-1]))
    errors = [np.abs(voltages(cell, mesh_of(n)) - fine).max() for n in counts]
    return -np.polyfit(np.log(counts), np.log(errors), 1)[0], errors


@pytest.mark.slow
def test_order_in_x(variant):
    order, errors = observed_order(
        variant, (3, 6, 12), lambda n: na.Mesh(n, 2 * n // 3, n, 6)
    )
    assert 1.7 < order < 2.4, (order, errors)


@pytest.mark.slow
def test_order_in_r(variant):
    order, errors = observed_order(variant, (8, 16, 32), lambda n: na.Mesh(2, 2, 2, n))
    assert 1.7 < order < 2.4, (order, errors)


@pytest.mark.slow
def test_order_through_the_stack():
    """In the number of layers, with all cooling at one face."""
    flat = with_heat_through_stack(
        na.parameters.load("nfm_hc_prismatic"), 0.027, first=1.0, last=0.0
    )
    cold = eqx.tree_at(lambda c: c.thermal.cooling, flat, 40.0 * flat.thermal.cooling)
    counts = (2, 4, 8, 16)
    found = [voltages(cold, na.Mesh(2, 2, 2, 6), na.ThroughStack(n)) for n in counts]
    errors = [np.abs(V - finer).max() for V, finer in pairwise(found)]
    order = -np.polyfit(np.log(counts[:-1]), np.log(errors), 1)[0]
    assert 1.7 < order < 2.4, (order, errors)
