"""Jumps over cycles beside all cycles, and what aged cells are."""

import dataclasses

import numpy as np
import pytest

import naion as na
from naion import life
from naion.parameters import with_sei

CYCLE = ("Discharge at 1C until 2.0 V", "Charge at 1C until 4.0 V")
MODEL = na.DFN(na.Mesh(4, 2, 4, 12))


@pytest.fixture(scope="module")
def cell():
    return na.load("nfm_hc_18650")


def test_jumps_meet_the_full_run(cell):
    # A film fast enough that 300 cycles cost several percent.
    fast = life.with_ageing(cell, sei=6e-10, wear=0.0)
    jumped = life.cycle(fast, CYCLE, 300, model=MODEL)
    full = na.simulate(fast, na.Protocol(CYCLE, cycles=300), model=MODEL, keep="cycles")
    last = full.cycles["Discharge capacity [A.h]"].iloc[-1]
    first = full.cycles["Discharge capacity [A.h]"].iloc[1]
    assert last < 0.98 * first
    assert jumped.capacity[-1] == pytest.approx(last, rel=2e-3)
    assert jumped.simulated < 40


def test_tolerance_decides_on_jumps(cell):
    film = with_sei(cell)
    loose, tight = (
        life.cycle(film, CYCLE, 1000, model=MODEL, tolerance=t) for t in (2e-3, 5e-5)
    )
    assert tight.simulated > loose.simulated
    assert np.all(tight.error <= 5e-5)


def test_material_that_is_lost_takes_capacity_and_an_aged_cell_is_a_cell(cell):
    worn = life.with_ageing(cell, sei=0.0, wear=1e-2)
    found = life.cycle(worn, CYCLE, 500, model=MODEL, until=0.99)
    share = found.states[-1, 3]
    assert share > 0.0 and found.states[-1, 1] == pytest.approx(0.0, abs=1e-12)
    old = found.cell
    assert float(old.positive.active_fraction) == pytest.approx(
        (1.0 - share) * float(cell.positive.active_fraction)
    )
    again = na.simulate(old, na.Protocol(CYCLE, cycles=2), model=MODEL)
    assert again.cycles["Discharge capacity [A.h]"].iloc[-1] == pytest.approx(
        found.capacity[-1], rel=1e-3
    )


def test_a_trajectory_costs_what_the_law_says(cell):
    one = na.simulate(cell, CYCLE, model=MODEL)
    law = life.fit_law().law
    cost = life.of_solution(one, cell, law, times=1000)
    full = float(law.cycling(cost["full cycles"], 298.15, 1.0, 1.0))
    # A cell of 1.35 A.h does not pass both ends of the whole 1.5 A.h.
    assert 0.4 * full < cost["cycling"] < 1.2 * full
    warm = na.simulate(cell, CYCLE, model=MODEL, temperature=313.15)
    cold_law = dataclasses.replace(law, energy=0.0)
    costs = [life.of_solution(warm, cell, x)["cycling"] for x in (law, cold_law)]
    assert costs[0] / costs[1] == pytest.approx(1.88, rel=0.02)


def test_what_cannot_age_is_refused(cell):
    with pytest.raises(ValueError, match="Nothing ages"):
        life.cycle(cell, CYCLE, 10, model=MODEL)
    with pytest.raises(ValueError, match="whole number"):
        life.cycle(cell, CYCLE, 0, model=MODEL)
