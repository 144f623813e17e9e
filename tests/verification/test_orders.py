"""Observed orders of the whole model, by regression against a fine mesh."""

import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion.simulation._system import Output

TIMES = jnp.array([60.0, 300.0, 900.0])


def voltages(cell, mesh: na.Mesh) -> np.ndarray:
    """At times between which nothing jumps; time errors far below those of space."""
    solution = na.simulate(
        cell,
        "Discharge at 2C for 1000 s",
        model=na.DFN(mesh=mesh),
        start=0.9,
        rtol=1e-7,
        max_steps=1500,
    )
    return np.asarray(solution.at(TIMES)[:, Output.VOLTAGE])


def observed_order(cell, counts, mesh_of) -> tuple[float, list[float]]:
    """Slope of the largest difference from the finest mesh, which is four times finer."""
    fine = voltages(cell, mesh_of(4 * counts[-1]))
    errors = [np.abs(voltages(cell, mesh_of(n)) - fine).max() for n in counts]
    return -np.polyfit(np.log(counts), np.log(errors), 1)[0], errors


@pytest.mark.slow
def test_order_in_x(cell):
    order, errors = observed_order(
        cell, (3, 6, 12), lambda n: na.Mesh(n, 2 * n // 3, n, 6)
    )
    assert 1.7 < order < 2.4, (order, errors)


@pytest.mark.slow
def test_order_in_r(cell):
    order, errors = observed_order(cell, (8, 16, 32), lambda n: na.Mesh(2, 2, 2, n))
    assert 1.7 < order < 2.4, (order, errors)
