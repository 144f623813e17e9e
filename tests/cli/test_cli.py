"""The command line is a contract: files, columns, exit statuses, errors."""

import csv
import json

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion.cli import main
from naion.io import write_cell
from naion.parameters import load


def table(path):
    with path.open() as f:
        rows = list(csv.reader(f))
    return rows[0], rows[1:]


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    path = tmp_path_factory.mktemp("p") / "profile.csv"
    path.write_text("time_s,current_A\n0,0\n60,0\n60,1.5\n600,1.5\n600,0\n900,0\n")
    return path


def test_run_protocol(tmp_path):
    out = tmp_path / "o.csv"
    step = ["Discharge at 1C until 1.5 V"]
    assert main(["run", "nfm_hc_18650", "--protocol", *step, "--out", str(out)]) == 0
    header, rows = table(out)
    assert header == ["time_s", "current_A", "voltage_V", "temperature_degC"]
    assert float(rows[-1][2]) == pytest.approx(1.5, abs=1e-6)
    assert float(rows[1][1]) == pytest.approx(1.5)


def test_run_profile_keeps_jumps(tmp_path, profile):
    out = tmp_path / "o.csv"
    arguments = ["run", "nfm_hc_18650", "--profile", str(profile), "--out", str(out)]
    assert main(arguments) == 0
    _, rows = table(out)
    current = np.array([float(r[1]) for r in rows])
    np.testing.assert_allclose(current, [0, 0, 1.5, 1.5, 0, 0], atol=1e-9)
    voltage = [float(r[2]) for r in rows]
    assert voltage[1] - voltage[2] > 0.05 and voltage[4] > voltage[3]


def test_times_stay_those_of_the_file(tmp_path, profile):
    late, out = tmp_path / "late.csv", tmp_path / "o.csv"
    lines = profile.read_text().splitlines()
    moved = [lines[0]]
    for line in lines[1:]:
        t, current = line.split(",")
        moved.append(f"{float(t) + 1000.0:g},{current}")
    late.write_text("\n".join(moved) + "\n")
    arguments = ["run", "nfm_hc_18650", "--profile", str(late), "--out", str(out)]
    assert main(arguments) == 0
    _, rows = table(out)
    assert [float(r[0]) for r in rows] == [1000, 1060, 1060, 1600, 1600, 1900]


def test_rows_after_a_cut_off_stay_empty(tmp_path, profile):
    out = tmp_path / "o.csv"
    arguments = ["run", "nfm_hc_18650", "--profile", str(profile), "--out", str(out)]
    assert main([*arguments, "--start", "soc=0.01"]) == 1
    _, rows = table(out)
    assert len(rows) == 6 and rows[-1][2] == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "empty"),
        ("time_s,current_A\n0,1\n", "two rows"),
        ("time_s,current_A\n0,1\n5,x\n", "row 3"),
        ("time_s,current_A\n0,1\n5,nan\n", "row 3"),
        ("time_s,current_A\n5,1\n0,1\n", "Sort"),
        ("t,I\n0,1\n1,1\n", "no column 'time_s'"),
        ("time_s,current_A,temperature_degC\n0,1,298\n9,1,298\n", "kelvin"),
    ],
)
def test_bad_profiles_name_the_problem(tmp_path, capsys, text, expected):
    path, out = tmp_path / "bad.csv", tmp_path / "o.csv"
    path.write_text(text)
    arguments = ["run", "nfm_hc_18650", "--profile", str(path), "--out", str(out)]
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert expected in error and "bad.csv" in error
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["no_such_cell", "--protocol", "Rest for 1 hour"], "Sets:"),
        (["nfm_hc_18650", "--protocol", "Discharge quickly"], "Examples"),
        (["nfm_hc_18650", "--protocol", "Rest for 1 h", "--start", "soc=2"], "soc=0.8"),
        (["nfm_hc_18650", "--protocol", "Rest for 1 h", "--start", "ocv=9"], "rest at"),
        (
            ["nfm_hc_18650", "--protocol", "Rest for 1 h", "--temperature", "298"],
            "kelvin",
        ),
    ],
)
def test_bad_arguments_say_what_to_do(tmp_path, capsys, arguments, expected):
    assert main(["run", *arguments, "--out", str(tmp_path / "o.csv")]) == 2
    assert expected in capsys.readouterr().err


def test_designs(capsys):
    assert main(["designs"]) == 0
    assert "lean_prismatic" in capsys.readouterr().out
    assert main(["designs", "nfm_prismatic"]) == 0
    text = capsys.readouterr().out
    assert "electrolyte" in text and "Wh/kg" in text and "teardown" in text
    assert main(["designs", "nobody"]) == 2


def test_sets_and_doctor(capsys):
    assert main(["sets"]) == 0
    assert main(["sets", "nfm_hc_18650"]) == 0
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    assert "nvpf_hc_chayambuka2022" in text and "float64: on" in text
    assert "negative.thickness" in text


FIT = """
cell = "nfm_hc_18650"
mesh = [4, 3, 4, 10]

[[data]]
file = "measured.csv"
kind = "discharge"
temperature = 25
sigma = 0.002

[[data]]
kind = "pulse"
current = 1.5
times = [1.0]
resistance = [0.09]
discharged = 0.5

[[free]]
path = "contact_resistance.scale"
bounds = [0.1, 10.0]
transform = "log"
prior = 0.7
"""


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A fit of a simulated discharge whose contact resistance is 1.5 times as large."""
    folder = tmp_path_factory.mktemp("fit")
    cell = na.parameters.load("nfm_hc_18650")
    moved = eqx.tree_at(lambda c: c.contact_resistance.scale, cell, jnp.asarray(1.5))
    model = na.DFN(na.Mesh(4, 3, 4, 10))
    solution = na.simulate(moved, "Discharge at 1 A until 1.5 V", model=model)
    t = np.linspace(0.0, float(solution.t_end), 200)
    V = np.asarray(solution.at(t)[:, 0])
    rows = [f"{a:.6g},1.0,{b:.6g}" for a, b in zip(t, V, strict=True)]
    text = "\n".join(["time_s,current_A,voltage_V", *rows]) + "\n"
    (folder / "measured.csv").write_text(text)
    (folder / "fit.toml").write_text(FIT)
    assert main(["fit", str(folder / "fit.toml"), "--out", str(folder / "out")]) == 0
    return folder


def test_fit_writes_cell_and_report(fitted):
    out = fitted / "out"
    html = (out / "report.html").read_text()
    assert "<img" in html and (out / "report.md").is_file()
    known = json.loads((out / "cell.json").read_text())
    (found,) = [p for p in known["parameters"] if "contact" in p["name"]]
    # 2 mV of uncertainty on a drop of 20 mV, and a pulse that pulls the other way.
    assert found["low"] < found["value"] < found["high"]
    assert found["value"] == pytest.approx(1.5, rel=0.2)


def test_predict_gives_a_band(fitted, tmp_path):
    out = tmp_path / "band.csv"
    cell = str(fitted / "out" / "cell.json")
    step = ["Discharge at 1C until 2.0 V"]
    assert main(["predict", cell, "--protocol", *step, "--out", str(out)]) == 0
    header, rows = table(out)
    assert header[3:5] == ["voltage_lo_V", "voltage_hi_V"] and len(header) == 6
    V, low, high = np.array([[float(r[i]) for i in (2, 3, 4)] for r in rows[:-5]]).T
    assert np.all(low < V) and np.all(high > V)
    # The model made the data: little is unknown.
    assert np.median(high - low) < 0.1


def test_predict_needs_a_fit_or_a_set(tmp_path, capsys):
    write_cell(tmp_path / "cell.json", load("nfm_hc_18650"))
    out = ["--protocol", "Discharge at C/2 for 5 min", "--out", str(tmp_path / "o.csv")]
    assert main(["predict", str(tmp_path / "cell.json"), *out]) == 2
    assert "carries no fit" in capsys.readouterr().err
    assert main(["predict", "nfm_hc_18650", *out]) == 0
    assert "assumed numbers" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('kind = "discharge"', 'kind = "dicharge"', "known are"),
        ('"measured.csv"', '"gone.csv"', "gone.csv"),
        ("sigma = 0.002", "weight = 1", "unknown key weight"),
        ("contact_resistance.scale", "contact_resistence.scale", "contact_resistance"),
        ("bounds = [0.1, 10.0]", "bounds = [2.0, 10.0]", "outside its bounds"),
        ("mesh = [4", "mesh = (4", "not TOML"),
    ],
)
def test_bad_fit_files_name_the_problem(fitted, tmp_path, capsys, old, new, expected):
    (tmp_path / "measured.csv").write_text((fitted / "measured.csv").read_text())
    (tmp_path / "fit.toml").write_text(FIT.replace(old, new))
    out = tmp_path / "out"
    assert main(["fit", str(tmp_path / "fit.toml"), "--out", str(out)]) == 2
    assert expected in capsys.readouterr().err
    assert not out.exists()
