"""Fits of many numbers end where the data say, not on kinks and noise of the cost."""

from dataclasses import replace

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion.batch import Checkpoint
from naion.demo._not_fitted import nvpf_without
from naion.fit import (
    FreeParameter,
    Problem,
    SearchState,
    Specimen,
    _least_squares,
    discharge,
    fleet,
    with_ocp_correction,
)

MODEL = na.DFN(na.Mesh(4, 2, 4, 10))
KNOTS = np.linspace(0.02, 0.98, 15)
PATH = "cell.positive.particle.ocp.curve.correction.y"
FREE = (
    FreeParameter((PATH,), (-0.3, 0.3), "linear", 0.05),
    FreeParameter(("cell.contact_resistance.scale",), (0.1, 10.0), "log"),
)


@pytest.fixture(scope="module")
def tests_of_true_cell(cell):
    """Two rates of a cell whose cathode's potential swings about the start's."""
    free = with_ocp_correction(cell, "positive", KNOTS)
    wave = 0.02 * jnp.sin(9.0 * jnp.asarray(KNOTS))

    def correction(c):
        return c.positive.particle.ocp.curve.correction.y

    true, rng, tests = (
        eqx.tree_at(correction, free, wave),
        np.random.default_rng(3),
        [],
    )
    for current in (0.3, 1.5):
        sol = na.simulate(
            true, f"Discharge at {current} A until 2 V", model=MODEL, rtol=1e-6
        )
        q = np.linspace(0.02, 0.97 * float(sol.capacity), 60)
        V = np.asarray(sol.voltage_at_charge(q)) + 2e-3 * rng.standard_normal(60)
        tests.append(discharge(f"{current} A", q, V, current, 298.15, sigma=2e-3))
    return free, tuple(tests)


def problem_of(free, tests, rtol):
    return Problem(Specimen(free, [0.0]), FREE, tests, MODEL, rtol)


def test_starts_that_are_almost_the_same_end_alike():
    """Rounding does not decide where a fit ends, which so is the same on any computer.

    With monotone corrections about zero they do not (`python -m benchmarks alike`).
    """
    problem = nvpf_without()
    rng = np.random.default_rng(0)
    moves = [
        size * problem.vector.scales * rng.standard_normal(problem.start.shape)
        for size in (0.0, 1e-9, 1e-3)
    ]
    starts = {f"{k}": problem.start + move for k, move in enumerate(moves)}
    fits = fleet(
        dict.fromkeys(starts, problem),
        starts=starts,
        max_evaluations=100,
        tolerance=5e-4,
    )
    costs = [fit.cost for fit in fits.values()]
    assert max(costs) < 1.005 * min(costs)


def test_a_fit_that_stalls_on_rough_simulations_goes_on_with_finer_ones(
    tests_of_true_cell,
):
    rough = problem_of(*tests_of_true_cell, 3e-2)
    fine = problem_of(*tests_of_true_cell, 2e-5)
    said = []
    options = {"max_evaluations": 60, "tolerance": 1e-8}
    fit = fleet({"a": rough}, progress=said.append, **options)["a"]
    assert any("simulations are finer from here" in line for line in said)
    assert fit.problem.rtol == 2e-5
    direct = fleet({"a": fine}, **options)["a"]
    assert fit.cost < 1.005 * direct.cost
    assert fit.ended in (SearchState.NOTHING_TO_GAIN, SearchState.STALLED)


def test_a_fit_that_was_stopped_among_finer_simulations_goes_on(
    tests_of_true_cell, tmp_path
):
    rough = problem_of(*tests_of_true_cell, 3e-2)
    options = {"max_evaluations": 60, "tolerance": 1e-8}
    whole = fleet({"a": rough}, **options)["a"]
    folder, lines = tmp_path / "search", []

    def stopping(line):
        lines.append(line)
        if any("finer" in said for said in lines[:-3]):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keep = Checkpoint(folder, {"kind": "fit"})
        fleet({"a": rough}, keep=keep, progress=stopping, **options)
    said = []
    keep = Checkpoint(folder, {"kind": "fit"})
    again = fleet({"a": rough}, keep=keep, progress=said.append, **options)["a"]
    assert any("goes on after" in line for line in said)
    assert again.problem.rtol == 2e-5 and again.cost < 1.005 * whole.cost


@pytest.mark.parametrize("loses_a_test", (False, True))
def test_a_fit_that_fails_at_the_finer_tolerance_is_the_one_before(
    tests_of_true_cell, monkeypatch, loses_a_test
):
    """Whether all of it fails, or one of its tests, which makes its cost huge."""
    rough = problem_of(*tests_of_true_cell, 3e-2)
    searched, before = _least_squares.searched, []

    def failing(problems, starts, *rest):
        if next(iter(problems.values())).rtol == 3e-2:
            found = searched(problems, starts, *rest)
            before.extend(found.values())
            return found
        done, (fit,) = rest[3], before
        lost = replace(fit, cost=1e6 * fit.cost, problem=replace(rough, rtol=2e-5))
        for name in problems:
            done(name, lost if loses_a_test else MemoryError("no room"))
        return {}

    monkeypatch.setattr(_least_squares, "searched", failing)
    fit = fleet({"a": rough}, max_evaluations=60, tolerance=1e-8)["a"]
    assert fit.ended == SearchState.STALLED and fit.problem.rtol == 3e-2
