"""The rows, the law through three of them, and what it says of the others."""

import numpy as np
import pytest

import naion as na
from naion import life

ROW = {row.name: row for row in life.rows()}


def test_rows_say_what_their_source_leaves_unexplained():
    assert sum(r.use == "fit" for r in life.rows()) == 3
    assert ROW["DOD100_1C_25"].disagreement == pytest.approx(1.0, abs=0.1)
    assert ROW["DOD80_25"].disagreement == pytest.approx(2.0, abs=0.1)
    assert ROW["DOD80_40"].disagreement == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("exponent", [0.8, 1.0])
def test_the_law_meets_what_it_is_fitted_to_and_misses_the_rest(exponent):
    law = life.fit_law(exponent).law
    for row in life.rows():
        found = life.predicted(law, row)
        if row.use == "fit":
            assert found == pytest.approx(row.loss, rel=1e-4)
    # 80 % at 40 degC is predicted, and far better than by counting full cycles.
    row = ROW["DOD80_40"]
    assert abs(life.predicted(law, row) - row.loss) < 0.25 * row.loss
    assert life.naive(row) > 2.0 * row.loss
    # 20 % depth is not: the law knows no window without fade.
    assert life.predicted(law, ROW["DOD20_25"]) > 0.3


def test_energies_are_those_of_the_ratio_of_both_rows():
    # E = R ln(1.88) / (1/298.15 - 1/313.15), linear in N.
    assert life.fit_law().law.energy == pytest.approx(32.6e3, rel=0.02)


def test_shares_of_windows():
    assert life.share_of_ends(0.0, 1.0) == pytest.approx(1.0)
    assert life.share_of_ends(0.1, 0.9) == pytest.approx(0.0, abs=1e-12)
    assert life.share_of_ends(0.5, 1.0) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="lower one first"):
        life.share_of_ends(0.9, 0.1)


def test_lithium_law_at_its_published_numbers():
    assert life.lfp_calendar(3.156e7) == pytest.approx(0.0425, abs=2e-4)
    assert life.lfp_cycling(1.0, depth=0.8) == pytest.approx(0.0018, abs=2e-5)


def test_an_outlook_widens_where_it_extrapolates():
    def width(use):
        found = np.log(life.outlook(use).by_cycling(1600.0 / use.depth))
        return np.std(found)

    measured, hot = width(life.Use()), width(life.Use(temperature=60.0))
    assert life.Use().extrapolates == ()
    assert "60 degC" in life.Use(temperature=60.0).extrapolates[0]
    assert hot > 3.0 * measured
    assert width(life.Use(window=(0.1, 0.9))) > width(life.Use())


def test_cycles_to_an_end_lose_what_is_lost_there():
    o = life.outlook(life.Use(per_day=2.0))
    N = o.cycles_to(0.8)
    years = N / 2.0 / 365.25
    assert np.allclose(o.by_cycling(N) + o.by_time(years), 0.2, rtol=1e-6)


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": 298.15},
        {"rate": 0.0},
        {"window": (0.2, 1.2)},
        {"window": "0.1,0.9"},
        {"voltage": (4.0, 1.5)},
        {"ends": (10.0, 10.0)},
    ],
)
def test_impossible_uses_are_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        life.Use(**wrong)


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (
            lambda: life.lfp_calendar(1e8, 25.0),
            "T=25.0: expected 200 to 400 K; 25 degC",
        ),
        (lambda: life.lfp_calendar(1e8, 298.0, 50), "soc=50: .*80 % is 0.8"),
        (lambda: life.lfp_calendar(-1e8), "seconds=-.*expected 0 to inf s"),
        (lambda: life.lfp_cycling(1000, 1.0, 80), "depth=80: .*80 % is 0.8"),
        (lambda: life.fit_law().law.cycling(1e3, 25.0, 1.0, 1.0), "25 degC is 298.15"),
        (lambda: life.fit_law().law.resting(10.0, 298.0, 50), "soc=50"),
        (lambda: life.with_ageing(na.load("nfm_hc_18650"), threshold=3750), "3.75"),
        (lambda: life.with_ageing(na.load("nfm_hc_18650"), transfer=5.0), "transfer=5"),
        (lambda: life.ends_of(na.half_cell(na.load("nfm_hc_18650"))), "full cell"),
    ],
)
def test_laws_take_kelvin_and_shares(act, said):
    with pytest.raises(ValueError, match=said):
        act()
    with pytest.raises(TypeError, match="expected a `Cell`"):
        life.with_ageing("nfm_hc_18650")
