"""What cells cost: sums, gradients, break-even and what is in them.

Published sums here check arithmetic. They validate nothing: most sodium prices are
assumed.
"""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from naion import cost, design
from naion.cost import Bill, Foils
from naion.cost._at_once import at_once
from naion.parameters import Sourced

# kg and m2 a kWh: positive, negative, binders and carbon, Al, Cu, separator,
# electrolyte, positive coating; then the can, and kWh a cell.
TABLE = {
    "lfp": (2.216, 1.052, 0.101, 0.196, 0.306, 11.4, 0.855, 11.15, 0.40, 0.9),
    "nfm": (2.718, 1.257, 0.150, 0.481, 0.0, 14.9, 1.261, 14.75, 0.50, 0.5),
    "lean": (2.655, 1.185, 0.145, 0.341, 0.0, 12.8, 1.019, 12.44, 0.45, 0.6),
    "nfpp": (3.55, 1.56, 0.19, 0.49, 0.0, 14.3, 1.63, 13.5, 0.60, 0.5),
    "pw": (2.274, 1.278, 0.137, 0.453, 0.0, 14.2, 1.524, 13.79, 0.55, 0.5),
    "nmc": (1.45, 0.98, 0.07, 0.125, 0.24, 6.8, 0.60, 6.5, 0.30, 0.9),
}
MATERIALS = {
    "lfp": ("lfp", "graphite"),
    "nfm": ("nfm111", "hard_carbon"),
    "lean": ("nfm111", "hard_carbon"),
    "nfpp": ("nfpp", "hard_carbon"),
    "pw": ("prussian_white", "hard_carbon"),
    "nmc": ("nmc811", "graphite"),
}
DESIGNS = {
    "lfp": "lfp_prismatic",
    "nfm": "nfm_prismatic",
    "lean": "lean_prismatic",
    "nfpp": "nfpp_prismatic",
    "pw": "pw_prismatic",
    "nmc": "nmc811_prismatic",
}


def from_table(name: str) -> Bill:
    """The bill of the table; of binder and carbon, what is with 3 % of the positive."""
    (p, n, more, al, cu, film, liquid, area, can, cell), names = (
        TABLE[name],
        MATERIALS[name],
    )
    of_p = min(p * 0.03 / 0.97, more)
    numbers = (
        *(p, n, of_p, more - of_p, Foils(al, 0.0), Foils(cu, 0.0), film),
        *(liquid, liquid / 1.21, can, area, cell, 0.0, 0.0),
    )
    arrays = jax.tree.map(jnp.asarray, numbers)
    return Bill(*arrays, *names, "aluminium_can")


@pytest.mark.parametrize("name", ["lfp", "nfm", "lean", "pw"])
def test_bills_of_designs(name):
    """Masses and areas a kWh are those of the table that was made from the same designs."""
    found, listed = cost.bill(design.load(DESIGNS[name]).design()), from_table(name)
    for what in ("positive", "negative", "separator", "area", "electrolyte"):
        value = float(getattr(found, what))
        assert value == pytest.approx(float(getattr(listed, what)), rel=0.02), what
    for metal in ("aluminium", "copper"):
        value = float(getattr(found, metal).kg)
        assert value == pytest.approx(float(getattr(listed, metal).kg), rel=0.01)
    whole = design.load(DESIGNS[name]).design()
    kwh = float(whole.data_sheet(whole.mean_voltage).energy) / 1e3
    assert float(found.mass) == pytest.approx(float(whole.masses.total) / kwh, rel=1e-9)


# USD/kWh at the listed prices; cost by the cell not scaled.
LISTED = {
    "china_2025_06": {
        "lfp": 32.9,
        "nfm": 47.9,
        "lean": 44.0,
        "nfpp": 48.7,
        "pw": 44.3,
        "nmc": 48.2,
    },
    "china_2026_06": {"lfp": 45.3, "nfm": 47.9},
}


def listed(name: str) -> dict[str, jax.Array]:
    own = cost.load(name)
    numbers = {k.replace(".", "__"): x for k, x in own.likeliest.items()}
    return own.values(**numbers | {"making__cell_exponent": 0.0})


@pytest.mark.parametrize("year", LISTED)
def test_sums_at_listed_prices(year):
    values = listed(year)
    for name, expected in LISTED[year].items():
        found = cost.cost(from_table(name), cost.load(year), values)
        assert float(found.total) == pytest.approx(expected, rel=0.01), name


def test_the_slope_and_the_break_evens_of_the_same_sums():
    prices, values = cost.load("china_2026_06"), listed("china_2026_06")

    def total(name, p):
        own = values | {"lithium_carbonate": jnp.asarray(p)}
        return cost.cost(from_table(name), prices, own).total

    k = float(jax.grad(total, 1)("lfp", 20.0))
    assert k == pytest.approx(0.70, rel=0.01)
    for name, expected in (("nfm", 27), ("lean", 21), ("nfpp", 28), ("pw", 22)):
        at = (float(total(name, 0.0)) - float(total("lfp", 0.0))) / k
        assert at == pytest.approx(expected, abs=0.51), name


def test_batpac_split():
    """19.0 USD/kWh of work in the plant that BatPaC 5 begins with, in its parts."""
    (p, n), area, cell = (1.45, 0.98), 6.06, 0.237
    own = from_table("nmc")
    own = eqx.tree_at(
        lambda b: [b.positive, b.negative, b.area, b.cell],
        own,
        [jnp.asarray(x) for x in (p, n, area, cell)],
    )
    found = cost.cost(
        own, cost.load("united_states_2022"), listed("united_states_2022")
    )
    parts = {"coating": 2.67, "mixing": 2.26, "cells": 6.85, "energy": 7.2}
    for part, expected in parts.items():
        assert float(getattr(found, part)) == pytest.approx(expected, rel=0.1), part
    assert float(found.making) == pytest.approx(19.0, rel=0.1)


@pytest.fixture(scope="module")
def study():
    chosen = [design.load(DESIGNS[n]) for n in ("nfm", "lfp", "lean")]
    return cost.study(chosen, cost.load("china_2026_06"), draws=300)


def test_a_break_even_is_where_both_cost_the_same(study):
    u = jnp.asarray(study.drawn[3])
    p = study.break_even_at(u, "nfm_prismatic", "lfp_prismatic")
    own, other, _ = study.totals_at(u, p)
    assert float(own) == pytest.approx(float(other), rel=1e-9)
    drawn = study.break_evens("nfm_prismatic", "lfp_prismatic")
    assert drawn[3] == pytest.approx(float(p), rel=1e-9)
    # Two that hold the same lithium have none.
    assert np.isnan(study.break_evens("nfm_prismatic", "lean_prismatic")).all()


def test_its_gradient_is_that_of_finite_differences(study):
    def p(u):
        return study.break_even_at(u, "nfm_prismatic", "lfp_prismatic")

    u = jnp.asarray(study.drawn[5])
    value, slope = jax.jit(jax.value_and_grad(p))(u)
    assert np.all(np.isfinite(slope))
    at = jax.jit(p)
    names = [(s.name, of) for s, of in study.numbers]
    some = [
        names.index(("price.nfm111", ())),
        names.index(("price.copper_foil", ())),
        names.index(("yields.active", ())),
        names.index(("positive.capacity", ("nfm_prismatic",))),
        names.index(("share.lithium_loss", ())),
    ]
    for k in some:
        step = jnp.zeros(len(u)).at[k].set(1e-4)
        numeric = float(at(u + step) - at(u - step)) / 2e-4
        assert float(slope[k]) == pytest.approx(numeric, rel=1e-5, abs=1e-8), names[k]
    assert float(value) == pytest.approx(float(at(u)))


def test_shares_and_the_least_change(study):
    shares = study.shares("nfm_prismatic", "lfp_prismatic")
    assert sum(share for *_, share in shares) == pytest.approx(1.0)
    assert shares[0][:2] == ("price.nfm111", "assumed")
    turned = study.elasticities("nfm_prismatic", "lfp_prismatic")
    # Ten percent on the oxide moves the break-even by 2.7 of 27 USD/kg.
    assert turned["price.nfm111"] == pytest.approx(1.0, abs=0.15)
    assert turned["price.copper_foil"] < 0.0 < turned["price.hard_carbon"]
    change = study.least_change("nfm_prismatic", "lfp_prismatic", 0.8)
    assert change.reaches and change.share == pytest.approx(0.8, abs=1e-3)
    moved = {name: after - before for name, before, after, _ in change.parts}
    assert moved["price.nfm111"] < 0.0 and moved["price.hard_carbon"] < 0.0


def test_what_two_cells_share_is_drawn_once(study):
    costs, names = study.costs(), study.names
    i, j = names.index("nfm_prismatic"), names.index("lfp_prismatic")
    assert np.corrcoef(costs[:, i], costs[:, j])[0, 1] > 0.2
    # Making is the list's: the same draw for both.
    listed = [s.name for s, of in study.numbers if not of]
    assert "making.overhead" in listed and len(set(listed)) == len(listed)
    # One design is like the other: what it takes over is one number.
    assert any(of == ("nfm_prismatic", "lean_prismatic") for _, of in study.numbers)


def test_odds_rise_with_the_price_of_lithium(study):
    over = study.cheaper("nfm_prismatic", "lfp_prismatic", [5.0, 25.0, 40.0, 70.0])
    assert np.all(np.diff(over) > 0.0) and over[0] < 0.05 and over[-1] > 0.95
    low, high = study.costs(5.0), study.costs(25.0)
    np.testing.assert_allclose(low[:, 0], high[:, 0])
    assert np.all(high[:, 1] > low[:, 1])


def test_parts_add_up_and_have_slopes(study):
    found = study.parts("lfp_prismatic")
    assert sum(found.values()) == pytest.approx(study.costs()[0, 1], rel=1e-9)

    blueprint, prices = design.load("nfm_prismatic"), cost.load()

    def of_loading(x):
        own = blueprint.design(positive__loading=x)
        return cost.cost(cost.bill(own), prices).total

    slope = jax.jit(jax.grad(of_loading))(19.0)
    numeric = float(of_loading(19.01) - of_loading(18.99)) / 0.02
    assert float(slope) == pytest.approx(numeric, rel=1e-4)
    many = jax.vmap(of_loading)(jnp.array([18.0, 19.0]))
    np.testing.assert_allclose(many[1], of_loading(19.0))


# kg a kWh: Li, Na, Ni, Co, Mn, Fe, P, Cu.
FOOTPRINTS = {
    "nfm": (0, 0.58, 0.48, 0, 0.45, 0.45, 0.03, 0),
    "lean": (0, 0.56, 0.47, 0, 0.44, 0.44, 0.02, 0),
    "nfpp": (0, 0.55, 0, 0, 0, 0.95, 0.74, 0),
    "pw": (0, 0.36, 0, 0, 0, 0.81, 0.04, 0),
    "lfp": (0.102, 0, 0, 0, 0, 0.78, 0.46, 0.31),
    "nmc": (0.107, 0, 0.70, 0.088, 0.08, 0, 0.02, 0.24),
}


@pytest.mark.parametrize("name", FOOTPRINTS)
def test_footprints(name):
    values = listed("china_2026_06")
    own = from_table(name)
    found = cost.footprint(own, values)
    got = [float(found[e]) for e in cost.ELEMENTS]
    np.testing.assert_allclose(got, FOOTPRINTS[name], atol=0.011)
    carbon = found["graphite"] + found["hard carbon"]
    assert float(carbon) == pytest.approx(TABLE[name][1])
    with_losses = cost.footprint(own, values, losses=True)
    ratio = float(with_losses["Al"]) / float(found["Al"])
    assert 1.0 / 0.95 < ratio < 1.0 / (0.93 * 0.95)


def test_formulas():
    """Mass fractions add up; carbonate in a kilogram is that of its lithium."""
    for m in cost.materials().values():
        assert sum(m.elements.values()) == pytest.approx(1.0)
    carbonate = {"lfp": 0.2342, "salt_li": 0.2432, "nmc811": 0.380, "nfm111": 0.0}
    for name, expected in carbonate.items():
        assert cost.material(name).carbonate == pytest.approx(expected, abs=5e-4)
    nfm = cost.material("nfm111").elements
    assert [round(nfm[e], 3) for e in ("Na", "Ni", "Fe", "Mn")] == [
        *(0.206, 0.175, 0.167, 0.164)
    ]


def test_quotes_as_dollars():
    quotes = {q.date: q for q in cost.lithium_quotes()}
    assert quotes["2025-06"].usd == pytest.approx(7.4, abs=0.05)
    assert quotes["2026-06"].usd == pytest.approx(23.1, abs=0.05)
    # 0.35 CNY/Wh with tax are 45 USD/kWh without it.
    assert cost.as_quoted(44.6) == pytest.approx(0.35, abs=0.001)


def test_triangular_numbers():
    from scipy import stats

    for low, most, high in ((3.5, 5.5, 8.0), (0.0, 0.0, 1.0), (1.0, 2.0, 2.0)):
        words = {"range": (low, high), "level": 0.9, "distribution": "triangular"}
        number = Sourced("x", most, "-", "A", "a list", **words)
        of = stats.triang((most - low) / (high - low), low, high - low)
        u = np.linspace(-3.0, 3.0, 13)
        at, slope = jax.jit(jax.vmap(jax.value_and_grad(number.at)))(jnp.asarray(u))
        np.testing.assert_allclose(at, of.ppf(stats.norm.cdf(u)), atol=1e-9)
        assert number.median == pytest.approx(of.median())
        assert number.sd == pytest.approx(of.std())
        assert np.all(np.isfinite(slope))
    with pytest.raises(ValueError, match="triangular: expected a range"):
        Sourced("x", 1.0, "-", "M", "a list", distribution="triangular")


MINE = """
[mine]
like = "china_2026_06"
date = "2026-07"
[mine.price.hard_carbon]
value = 4.0
range = [3.0, 5.0]
unit = "USD/kg"
quality = "S"
source = "offer"
date = "2026-07"
"""


def test_own_price_lists(tmp_path):
    file = tmp_path / "prices.toml"
    file.write_text(MINE)
    own = cost.load("mine", file)
    assert cost.available(file) == ("mine",)
    assert own.numbers["price.hard_carbon"].value == 4.0
    assert own.numbers["price.nfm111"] == cost.load().numbers["price.nfm111"]
    for change, text in (
        (("hard_carbon", "hard_coal"), "unknown entry price.hard_coal; known are"),
        (("USD/kg", "USD/m2"), "price.hard_carbon in USD/m2; expected USD/kg"),
        (("[3.0, 5.0]", "[5.0, 6.0]"), "does not hold the value 4"),
        (("= 4.0", "= -4.0"), "expected a number of at least 0"),
        (("[3.0, 5.0]", "[-3.0, 5.0]"), "expected a range of at least 0"),
        (('"china_2026_06"', '"moon"'), "expected another of china_2026_06"),
        (('unit = "USD/kg"', 'unit = "EUR/kg"'), "known are USD/kg"),
    ):
        file.write_text(MINE.replace(*change))
        with pytest.raises(ValueError, match=text):
            cost.load("mine", file)
    with pytest.raises(KeyError, match="No price list 'moon'. There are: china"):
        cost.load("moon")


def test_what_cannot_be_asked_says_what_to_do(study):
    blueprint, prices = design.load("lfp_prismatic"), cost.load()
    with pytest.raises(ValueError, match="Is it in CNY/t"):
        cost.study([blueprint], prices, lithium=180000.0)
    with pytest.raises(ValueError, match="each of them once"):
        cost.study([blueprint, blueprint], prices)
    with pytest.raises(ValueError, match="at least two"):
        cost.study([blueprint], prices, draws=1)
    nameless = dataclasses.replace(blueprint, positive_material="")
    with pytest.raises(ValueError, match="give `positive_material`"):
        cost.study([nameless], prices)
    with pytest.raises(KeyError, match="No design 'lfp' in this study"):
        study.cheaper("lfp", "nfm_prismatic")
    mute = eqx.tree_at(lambda d: d.mean_voltage, blueprint.design(), None)
    with pytest.raises(ValueError, match="no mean `voltage`"):
        cost.bill(mute)
    assert cost.bill(mute, energy=1000.0).cell == 1.0
    with pytest.raises(ValueError, match="expected what is delivered"):
        cost.per_delivered(study.costs(), {"lfp_prismatic": -0.5}, study.names)


def test_many_numbers_at_once_are_those_one_by_one(study):
    numbers, u = [s for s, _ in study.numbers], study.drawn[7]
    kinds = {s.distribution for s in numbers}
    assert {"triangular", "lognormal"} <= kinds
    expected = [float(s.at(x)) for s, x in zip(numbers, u, strict=True)]
    np.testing.assert_allclose(at_once(numbers, jnp.asarray(u)), expected, rtol=1e-12)
