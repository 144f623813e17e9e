"""`naion cost`, and claims that sums answer."""

from dataclasses import replace

import numpy as np
import pytest

from naion import claims, cost, design
from naion.claims._runs import USUAL
from naion.cli import main

SHEET = {
    "units_per_GWh": 34.0,
    "unit_t": 42.0,
    "cell_Wh_kg": 175.0,
}


def test_tables_and_files(tmp_path, capsys):
    asked = ["cost", "lean_prismatic", "--draws", "200", "--out", str(tmp_path)]
    assert main(asked) == 0
    said = capsys.readouterr().out
    assert "lithium carbonate 23.1 USD/kg" in said and "price.nfm111" in said
    for name in (
        "report.html",
        "cost.csv",
        "footprint.csv",
        "figures/over_lithium.png",
    ):
        assert (tmp_path / name).stat().st_size > 0
    assert main(["cost", "--lithium", "180000", "--draws", "9"]) == 2
    assert main(["cost", "--prices", "moon"]) == 2
    assert main(["cost", "nothing"]) == 2
    assert "Is it in CNY/t" in capsys.readouterr().err


@pytest.mark.parametrize("cold", ["253", "nan", "-300"])
def test_the_cold_is_in_celsius(cold, capsys):
    assert main(["cost", "--delivered-at", cold]) == 2
    said = capsys.readouterr().err
    assert f"--delivered-at {float(cold)}" in said and "Is it in kelvin?" in said
    with pytest.raises(ValueError, match="Is it in kelvin"):
        cost.delivered_share(design.load("lean_prismatic"), float(cold))


LIST = """
[mine]
like = "china_2026_06"
[mine.{key}]
value = {value}
unit = "{unit}"
quality = "M"
source = "a test"
date = "2026-06"
"""


@pytest.mark.parametrize(
    ("key", "value", "unit"),
    [
        ("price.carbon_black", "5000.0", "USD/kg"),  # by the tonne
        ("lithium_carbonate", "95000.0", "USD/kg"),
        ("making.overhead", "10.0", "-"),  # percent
        ("share.salt", "12.5", "kg/kg"),
    ],
)
def test_prices_of_other_units_are_refused(key, value, unit, tmp_path, capsys):
    file = tmp_path / "p.toml"
    file.write_text(LIST.format(key=key, value=value, unit=unit))
    assert main(["cost", "--prices", "mine", "--price-file", str(file)]) == 2
    said = capsys.readouterr().err
    assert "p.toml: mine: " in said and key in said
    assert f"{float(value):g} {unit}; expected at most" in said


def test_what_is_no_design_and_no_price_is_named():
    blueprint, prices = design.load("lean_prismatic"), cost.load()
    with pytest.raises(TypeError, match="'lean_prismatic' is a str: .*`Blueprint`"):
        cost.study(["lean_prismatic"], prices)
    with pytest.raises(TypeError, match="expected a `PriceList`"):
        cost.study([blueprint], "china_2026_06")
    with pytest.raises(TypeError, match="expected a `Blueprint`"):
        cost.delivered_share("lean_prismatic")
    study = cost.study([blueprint], prices, draws=2)
    for price in (1e5, -5.0, float("nan")):
        with pytest.raises(ValueError, match="Is it in CNY/t"):
            study.costs(price)
    with pytest.raises(ValueError, match="80 % is 0.8"):
        study.least_change("lean_prismatic", "lean_prismatic", 80.0)


def test_delivered_in_the_cold_with_spread(capsys):
    """The first draw is that of the medians; the others are about it, each its own."""
    blueprint = design.load("lean_prismatic")
    study = cost.study([blueprint], cost.load("china_2026_06"), draws=5)
    (shares,) = cost.delivered_draws(study, draws=5).values()
    assert shares[0] == pytest.approx(float(cost.delivered_share(blueprint)), rel=1e-4)
    assert np.all((shares > 0.3) & (shares < 1.0)) and len(set(shares)) == 5
    (again,) = cost.delivered_draws(study, draws=3).values()
    np.testing.assert_allclose(again, shares[:3], rtol=1e-6)
    with pytest.raises(ValueError, match="expected 2 to 5, those of the study"):
        cost.delivered_draws(study, draws=6)
    asked = ["cost", "lean_prismatic", "--against", "lean_prismatic"]
    assert main([*asked, "--draws", "5", "--delivered-at", "-20"]) == 0
    (row,) = (s for s in capsys.readouterr().out.splitlines() if "nfm_hc" in s)
    assert f"{100 * np.median(shares):.0f} (" in row
    # What delivers nothing costs any amount for what it delivers.
    none = cost.per_delivered(
        np.full((40, 1), 50.0), {"a": np.r_[0.0, [0.5] * 39]}, ["a"]
    )
    assert none[0, 0] == np.inf and cost.interval(none)[1] == 100.0


def asked(require, **numbers):
    return claims.reading("", question="consistency", require=[require], **numbers)


@pytest.mark.parametrize(
    "numbers, of, expected",
    [
        (SHEET, "unit", 700.3),
        (SHEET, "unit beside its cells", 400.2),
        (
            {"capacity_Ah": 75, "voltage_V": 3.0, "energy_Wh": 225},
            "energy by Ah and V",
            100,
        ),
        ({"pack_kWh": 45, "cell_Wh_kg": 175}, "mass of cells", 257.1),
        ({"pack_kWh": 45, "usable": 1, "consumption_kWh_100km": 11.25}, "range", 400),
        ({"units_per_GWh": 34, "unit_kWh": 30000}, "units a GWh", 102),
    ],
)
def test_data_sheets(numbers, of, expected):
    reading = asked({"of": of, "at_most": 1.0}, **numbers)
    found = np.asarray(reading.asked.ask((), reading.numbers, USUAL))
    at = reading.requirements[0].quantity
    assert found[at] == pytest.approx(expected, rel=1e-3)
    missing = dict(list(numbers.items())[1:])
    with pytest.raises(ValueError, match=f"{of} needs {next(iter(numbers))}: give"):
        asked({"of": of, "at_most": 1.0}, **missing)


def test_a_unit_denser_than_its_cells_fails():
    """Without anything uncertain there is a verdict too."""
    (claim,) = claims.chosen(claims.load(), ["tener-sodium"])
    (audit,) = claims.audit([claim], {}, draws=64)
    assert [a.verdict for a in audit.answers][0] == "fails"
    assert not audit.answers[0].change.reaches
    certain = asked({"of": "unit beside its cells", "at_most": 100.0}, **SHEET)
    (audit,) = claims.audit([replace(claim, readings=(certain,))], {}, draws=2)
    assert audit.answers[0].verdict == "fails" and audit.answers[0].change is None


def test_costs_are_asked_with_the_prices_of_a_list():
    require = [{"of": "price", "at_most": 0.4}]
    reading = claims.reading("lfp", question="cost", require=require)
    names = {c.name for c in reading.conditions}
    assert "price.lfp_conversion" in names and "lithium_carbonate" not in names
    assert reading.numbers["lithium_carbonate"] == 23.1
    with pytest.raises(ValueError, match="No price list 'moon'"):
        claims.reading("lfp", question="cost", require=require, prices="moon")
