"""Files of parameter sets: one's own, and what is said of those that are none."""

import json
from types import SimpleNamespace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion.cli import main
from naion.fit import assumed, uncertainty_of_set
from naion.io import read_cell, write_cell
from naion.parameters import _registry as registry
from naion.parameters import available, is_set, load, load_set, schema, template

OCP = template("x").partition("[negative.particle.ocp]\n")[2].partition("unit")[0]
"""The curve of the template's negative potential."""


@pytest.fixture
def mine(tmp_path):
    """Write the template with one text in the place of another."""

    def write(old: str = "", new: str = ""):
        text = template("mine")
        assert old in text
        file = tmp_path / "mine.toml"
        file.write_text(text.replace(old, new, 1) if old else text)
        return file

    return write


def test_the_template_loads_and_simulates(mine, model):
    found = load_set(mine())
    assert found.name == "mine" and found.title.startswith("mine: ")
    assert {p.quality for p in found.provenance} == {"A"}
    assert {p.level for p in found.provenance} == {0.9}
    assert len(assumed(found)) == len(found.provenance)
    # Units are SI: the template has um, cm2, mohm, mol.L-1, g, kJ.mol-1.
    c = found.cell
    np.testing.assert_allclose(c.negative.thickness, 99e-6, rtol=1e-15)
    np.testing.assert_allclose(c.area, 0.065, rtol=1e-15)
    np.testing.assert_allclose(c.contact_resistance.curve.value, 0.02)
    np.testing.assert_allclose(c.electrolyte.concentration, 1000.0)
    np.testing.assert_allclose(c.thermal.mass, 0.037)
    law = c.negative.particle.diffusivity.temperature
    np.testing.assert_allclose(law.energy, 30e3)
    sol = na.simulate(c, "Discharge at 1C until 1.5 V", model=model)
    assert 1.0 < float(sol.capacity) < 1.6


def test_a_set_is_its_file(mine):
    """A path, as text or not, loads the set; names are of those that are registered."""
    file = mine()
    assert eqx.tree_equal(load(file), load(str(file)))
    assert eqx.tree_equal(read_cell(file)[0], na.load(file))
    assert is_set(file) and is_set(str(file)) and is_set("nfm_hc_18650")
    assert not is_set("mine") and not is_set("cell.json")
    # What was changed is there at once.
    mine("value = 99.0", "value = 90.0")
    np.testing.assert_allclose(load(file).negative.thickness, 90e-6, rtol=1e-15)


def test_a_set_and_its_json_are_one_cell(mine, tmp_path):
    cell = load(mine())
    write_cell(tmp_path / "cell.json", cell)
    again, _ = read_cell(tmp_path / "cell.json")
    assert eqx.tree_equal(again, cell, typematch=True)


def test_tables_lie_beside_the_file(mine, tmp_path):
    """Comments, names of columns, and columns in other units."""
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "ocp.csv").write_text(
        "# a half cell\nc_s [mol/m3],U [mV]\n\n0,1000\n7500,100\n15000,20\n"
    )
    words = 'table = "tables/ocp.csv"\nx_full = 15e3\ny_scale = 1e-3\n'
    found = load_set(mine(OCP, words))
    curve = found.cell.negative.particle.ocp.curve
    np.testing.assert_allclose(curve.x, [0.0, 0.5, 1.0])
    np.testing.assert_allclose(curve.y, [1.0, 0.1, 0.02])
    entry = next(p for p in found.provenance if p.name == "negative.particle.ocp")
    assert entry.value == "3 points in tables/ocp.csv"


@pytest.mark.parametrize(
    ("curve", "x", "value"),
    [
        ('{ type = "Expression", text = "1.2 - 1.1 * x" }', 0.5, 0.65),
        (
            '{ type = "MSMR", potential = [0.2], width = [1.0], amount = [1.0] }',
            0.5,
            0.2,
        ),
        ('{ type = "Table", x = [0, 1], y = [1.2, 0], extrapolation = "clamp" }', 2, 0),
    ],
)
def test_curves(mine, curve, x, value):
    ocp = load(mine(OCP, f"curve = {curve}\n")).negative.particle.ocp
    T = jnp.asarray(298.15)
    assert float(ocp(jnp.asarray(float(x)), T)) == pytest.approx(value, abs=1e-9)


def test_levels_bounds_and_what_is_certain(mine):
    found = load_set(
        mine("[80.0, 120.0]", "[80.0, 120.0], level = 0.5, bounds = [50.0, 200.0]")
    )
    entry = found.provenance[0]
    assert entry.level == 0.5 and entry.bounds == pytest.approx((50e-6, 200e-6))
    assert entry.sd == pytest.approx(np.log(1.5) / (2.0 * 0.674), rel=1e-12)
    assert assumed(found)[0].bounds == entry.bounds
    # Sources by name, and a set without any range.
    assert entry.source == "typical of sodium cells"
    file = mine()
    lines = file.read_text().replace('quality = "A"', 'quality = "M"').splitlines()
    lines = [line.split(", range")[0] + " }" * (", range" in line) for line in lines]
    file.write_text("\n".join(x for x in lines if not x.startswith("range")))
    known = uncertainty_of_set(load_set(file))
    assert known.vector.free == () and known.covariance.shape == (0, 0)


BAD = [
    ("title = ", "title ", "is not TOML"),
    (
        "\nthickness = ",
        "\nthicknes = ",
        r"\[negative\]: unknown .*Did you mean thickness",
    ),
    ("[limits]", "[limit]", r"The file has no limits: give a table \[limits\]"),
    ("value = 99.0", 'value = "99"', "negative.thickness.value = '99': expected a num"),
    (
        "value = 99.0",
        "value = nan",
        "negative.thickness.value = nan: expected a finite",
    ),
    ("value = 99.0", "value = true", "negative.thickness.value = True: expected a num"),
    ("value = 99.0, ", "", r"\[negative.thickness\] has no value: give"),
    (
        '99.0, unit = "um"',
        '99.0, unit = "kg"',
        "thickness: unit = 'kg'; expected m, nm, um",
    ),
    ('quality = "A"', 'quality = "X"', "quality = 'X'; known are M, S, D, F, A"),
    (", range = [80.0, 120.0]", "", r"negative.thickness is assumed \(A\): give its"),
    ("[80.0, 120.0]", "[100.0, 120.0]", r"range \[0.0001, 0.00012\] does not hold"),
    ("[80.0, 120.0]", "[80.0]", r"range = \[80.0\]: expected two finite numbers"),
    ("level = 0.9", "level = 90", "level = 90: expected a probability between"),
    ("{generic}", "{paper}", r"source names \{paper\}; \[sources\] has generic"),
    ('"Arrhenius"\n', '"Arhenius"\n', "'Arhenius'; .*Did you mean Arrhenius"),
    ("follows = [", 'follows = ["x.", ', "follows = .*: expected a path and a power"),
    ('follows = ["neg', 'follows = ["Neg', "'Negative.particle.radius', which is no"),
    (OCP, "", "negative.particle.ocp = .*one of value, table and curve"),
    (OCP, f"value = 1.0\n{OCP}", "negative.particle.ocp = .*one of value, table and"),
    (OCP, 'curve.type = "Spline"\n', "type = 'Spline'; known are Table, MSMR"),
    (OCP, 'curve.type = "TanhSum"\n', "ocp.curve. has no offset: give offset = a num"),
    (OCP, 'table = "nope.csv"\n', "negative.particle.ocp: .*nope.csv: no such file"),
    (OCP, 'table = "bad.csv"\n', "bad.csv, line 3: '0.5;1'; expected two numbers"),
    ("0.37, unit", "0.45, bounds = [0, 1], unit", "porosity: range .* does not hold"),
    (
        "[0.55, 0.61]",
        "[0.5, 0.7], follows = [1, 2]",
        r"active_fraction.follows = \[1, 2\]: expected a path and a power",
    ),
    ("value = 0.60", "value = 0.64", "active_fraction: range .* does not hold"),
]


@pytest.mark.parametrize(("old", "new", "message"), BAD)
def test_files_that_are_no_sets(mine, tmp_path, capsys, old, new, message):
    """What is said names file, place, what is there and what was expected."""
    (tmp_path / "bad.csv").write_text("x,U\n0.1,2\n0.5;1\n")
    file = mine(old, new)
    with pytest.raises(ValueError, match=message) as raised:
        load_set(file)
    assert str(raised.value).startswith(str(file))
    assert main(["sets", str(file)]) == 2
    said = capsys.readouterr()
    assert said.err == f"naion: {raised.value}\n" and said.out == ""


def test_cells_that_cannot_be(mine):
    file = mine("[0.55, 0.61]", "[0.55, 0.80]")
    file.write_text(file.read_text().replace("value = 0.60", "value = 0.70", 1))
    with pytest.raises(
        ValueError, match="mine.toml.*cannot be(.|\n)*0.37 . 0.7 = 1.07"
    ):
        load_set(file)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("value = 1.4, unit", "value = 1400.0, unit", "nominal capacity is 1400 A.h"),
        ("value = 650.0, unit", "value = 650e4, unit", "smaller electrode holds"),
        ('value = 1.0, unit = "mol.L-1"', 'value = 1.0, unit = "mol.m-3"', "mol.L-1"),
        (
            'energy = { value = 30.0, unit = "kJ',
            'energy = { value = 30.0, unit = "J',
            "energy of negative.particle is 30 J.mol-1: is it in kJ",
        ),
        ('0.0, unit = "mV.K-1"', '0.2, unit = "V.K-1"', "dudt reaches 0.2 V.K-1"),
        ("curve.x = [0.0, 0.01", "curve.x = [-90.0, 0.01", "goes from -90 to 1"),
    ],
)
def test_numbers_of_other_units_are_doubted(mine, old, new, said):
    """Each is possible by itself; the file is read, and what is odd is said."""
    text = mine().read_text()
    assert old in text
    file = mine()
    line = next(s for s in text.splitlines() if old in s)
    plain = line.replace(old, new).partition(", range")[0].replace('"A"', '"M"')
    plain += " }" if "range" in line else ""
    file.write_text(text.replace(line, plain, 1))
    with pytest.warns(na.Caution, match=said):
        load(file)


def test_errors_are_told_together_but_not_all(mine):
    with pytest.raises(
        ValueError, match=r"no title.*no citation.*no licence.*And 12 m"
    ):
        file = mine()
        file.write_text("")
        load_set(file)
    with pytest.raises(ValueError, match="nowhere.toml: no such file"):
        load_set("nowhere.toml")


def test_sets_of_other_packages(mine, monkeypatch):
    """A registered package: every TOML file of its folder, and of the folders there."""
    file = mine()
    package = SimpleNamespace(__path__=[str(file.parent)])
    point = SimpleNamespace(load=lambda: package)
    monkeypatch.setattr(
        "naion.parameters._registry.entry_points", lambda group: [point]
    )
    assert {"mine", "nfm_hc_18650"} < set(
        available()
    )  # naion's own need no registration
    assert load_set("mine").name == "mine"


def test_new_show_and_schema(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["sets", "--new", "mine"]) == 0
    assert "wrote mine.toml" in capsys.readouterr().out
    assert main(["sets", "mine.toml"]) == 0
    text = capsys.readouterr().out
    assert "mine: a generic sodium cell" in text and "with 90 %" in text
    before = (tmp_path / "mine.toml").read_text()
    assert main(["sets", "--new", "mine.toml"]) == 2
    assert "mine.toml is there already" in capsys.readouterr().err
    assert (tmp_path / "mine.toml").read_text() == before
    assert main(["sets", "--new", 'a"b']) == 2
    assert "expected a name of letters" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["mine.toml"]
    assert main(["sets", "--schema"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads(schema())
    electrode = printed["$defs"]["Electrode"]
    assert electrode["additionalProperties"] is False
    assert "thickness" in electrode["required"]


def test_commands_take_a_file(mine, tmp_path, monkeypatch):
    mine()
    monkeypatch.chdir(tmp_path)
    step = ["--protocol", "Rest for 1 minute"]
    assert main(["run", "mine.toml", *step, "--out", "run.csv"]) == 0
    assert main(["predict", "mine.toml", *step, "--out", "band.csv"]) == 0
    assert "voltage_lo_V" in (tmp_path / "band.csv").read_text()


def test_a_set_first_loaded_inside_a_transformation_is_whole():
    registry._loaded.cache_clear()

    def area(x):
        return load("nfm_hc_18650").area * x

    assert float(jax.jit(area)(2.0)) == 2.0 * float(load("nfm_hc_18650").area)
