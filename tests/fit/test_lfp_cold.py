"""LFP's laws in temperature: what the fit of `benchmarks.lfp_cold` predicts."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.lithium import (
    ENERGIES,
    TEMPERATURES,
    allowed,
    between_neighbours,
    measured_check_up,
    on,
    problem,
    pulses,
    start_cell,
)
from naion.fit import least_squares
from naion.parameters import leaf

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
SHIPPED = "and of contacts"


def test_a_temperature_is_predicted_from_the_others():
    """25 degC within 4 % from a fit that has not seen it, as in the kept table."""
    fit = least_squares(problem(SHIPPED, (5, 15, 35, 45)), tolerance=1e-3)
    tests = pulses((25,))
    model = np.concatenate(on(fit.problem, tests).predictions(fit.z))
    measured = [float(e.observations[0].value[0]) for e in tests]
    errors = 100.0 * (model / measured - 1.0)
    rows = (RESULTS / "lfp_cold.jsonl").read_text(encoding="utf-8").splitlines()
    kept = [row for row in map(json.loads, rows) if row["left out"] == "25 degC"]
    assert errors == pytest.approx([float(row[f"{SHIPPED}, %"]) for row in kept], abs=1)
    assert np.abs(errors).max() < 4.0


def test_the_ladder_that_ships_beats_the_baseline():
    rows = (RESULTS / "lfp_cold.jsonl").read_text(encoding="utf-8").splitlines()
    *_, mean = map(json.loads, rows)
    ours = float(mean[f"{SHIPPED}, %"])
    assert f"{SHIPPED}: fitted, %" in mean
    assert ours < float(mean["Arrhenius between neighbours, %"])
    assert ours < float(mean["published energies, %"])


def test_the_start_is_not_what_was_found():
    """Energies of the set, which come from these pulses, would help to predict them."""
    cell, published = start_cell(), start_cell(published=True)
    for name, energy in ENERGIES.items():
        assert float(leaf(cell, name)) == energy.value
        assert float(leaf(published, name)) == energy.published


def test_the_baseline_is_exact_on_its_own_law():
    known = {T: 0.05 * np.exp(3000.0 / (273.15 + T) - 10.0) for T in TEMPERATURES}
    for T in TEMPERATURES:
        assert between_neighbours(T, known) == pytest.approx(known[T], rel=1e-12)


def test_capacities_that_nothing_limits_leave_the_prior():
    """And capacities that fall in the cold with the barrier bound it from above."""
    Q = measured_check_up().charge
    low, median, high = allowed(np.broadcast_to(Q, (5, 6, 5)))
    assert (low, median, high) == pytest.approx((10e3, 45e3, 84e3), abs=4e3)
    steep = np.broadcast_to(Q, (5, 6, 5)).copy()
    steep[:, 3:, 0] *= 0.8
    assert allowed(steep)[2] < 70e3
