"""The command line is a contract: files, columns, exit statuses, errors."""

import csv
import json
import subprocess
import sys

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion.cli import main
from naion.cli._fit_problem import problem_of
from naion.cli._main import COMMANDS
from naion.fit import _least_squares
from naion.io import write_cell
from naion.parameters import load

REST = ["--protocol", "Rest for 1 h"]


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
        ("Time(s),Current(A)\n0,1\n1,1\n", "which sign a discharge has"),
        ("time_s,current_A,temperature_degC\n0,1,298\n9,1,298\n", "kelvin"),
        ("time_s,current_A\n5,1\n5,2\n", "one stretch of time"),
        ("time_s,current_A\n0,2e6\n5,1\n", "row 1: value = 2000000 A"),
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
        (["lfp_aboutenergy", *REST, "--start", "ocv=9"], "allow 1.484 to 4.65 V"),
        (["nvpf_hc_chayambuka2022", *REST, "--start", "ocv=4.4"], "its tables allow"),
        (["nfm_hc_18650", *REST, "--start", "soc=nan"], "soc=0.8"),
        (["nfm_hc_18650", *REST, "--rtol", "10"], "expected 1e-10 to 0.1"),
        (["nfm_hc_18650", *REST, "--rtol", "0"], "expected 1e-10 to 0.1"),
        (["nfm_hc_18650", *REST, "--rtol", "nan"], "expected 1e-10 to 0.1"),
        (["nfm_hc_18650", *REST, "--rtol", "1e-16"], "expected 1e-10 to 0.1"),
        (["nfm_hc_18650", *REST, "--cycles", "0"], "expected 1 to 1,000,000"),
        (["nfm_hc_18650", *REST, "--cycles", "1000000000"], "expected 1 to 1,000,000"),
        (["nfm_hc_18650", *REST, "--temperature", "nan"], "expected degC"),
        (["nfm_hc_18650", "--profile", "nowhere.csv"], "nowhere.csv: no such file"),
        (["nfm_hc_18650", "--profile", "."], "is not a file"),
        (
            ["nfm_hc_18650", "--protocol", "Rest for 1 h", "--temperature", "298"],
            "kelvin",
        ),
    ],
)
def test_bad_arguments_say_what_to_do(tmp_path, capsys, arguments, expected):
    assert main(["run", *arguments, "--out", str(tmp_path / "o.csv")]) == 2
    assert expected in capsys.readouterr().err


def test_an_option_that_is_nearly_right(tmp_path, capsys):
    out = str(tmp_path / "o.csv")
    with pytest.raises(SystemExit) as end:
        main(["run", "nfm_hc_18650", *REST, "--out", out, "--temprature", "25"])
    assert end.value.code == 2
    assert "--temprature 25. Did you mean --temperature?" in capsys.readouterr().err


def test_a_bpx_file_is_no_cell(tmp_path, capsys):
    file = tmp_path / "b.json"
    na.io.write_bpx(file, load("lfp_aboutenergy"))
    assert main(["run", str(file), *REST, "--out", str(tmp_path / "o.csv")]) == 2
    assert "b.json is a BPX file" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["demo"], ["sweep", "FILE"]])
def test_out_is_a_folder(tmp_path, capsys, command):
    file = tmp_path / "s.toml"
    file.write_text(
        'cell = "nfm_hc_18650"\nprotocol = "Rest for 1 s"\n'
        '[[vary]]\nname = "soc"\nvalues = [0.5]\n'
    )
    command = [str(file) if word == "FILE" else word for word in command]
    assert main([*command, "--out", str(file)]) == 2
    assert "s.toml is a file; give the name of a folder" in capsys.readouterr().err


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


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["sets", "NOPE"], "No parameter set 'NOPE'"),
        (["designs", "NOPE"], "NOPE"),
        (["designs", "--file", "nowhere.toml"], "nowhere.toml: no such file"),
        (["claims", "--claim", "nope", "--out", "o"], "No claim 'nope'"),
        (["claims", "--claims", "nowhere.toml", "--out", "o"], "nowhere.toml: no such"),
        (["claims", "--draws", "0", "--out", "o"], "--draws 0: expected 2 to"),
        (["sweep", "nowhere.toml", "--out", "o"], "nowhere.toml: no such file"),
        (["fit", "nowhere.toml", "--out", "o"], "nowhere.toml: no such file"),
        (["predict", "nope", *REST, "--out", "o"], "No cell 'nope'"),
    ],
)
def test_every_command_refuses_clearly(
    tmp_path, monkeypatch, capsys, arguments, expected
):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert expected in error and error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_outputs_are_checked_before_the_work(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        "naion.cli._run.simulate", lambda *a, **b: pytest.fail("worked")
    )
    (tmp_path / "file").write_text("")
    for out, expected in (
        (".", "is a folder"),
        (str(tmp_path), "is a folder"),
        (str(tmp_path / "file" / "o.csv"), "file"),
        ("/dev/null", "not an ordinary file"),
    ):
        assert main(["run", "nfm_hc_18650", *REST, "--out", out]) == 2
        assert expected in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_mistake_of_naion_is_status_5(tmp_path, monkeypatch, capsys):
    errors = [TypeError("a\nb"), KeyError("knots"), AssertionError(), MemoryError()]
    left = iter([*errors, errors[0]])

    def broken(*arguments, **options):
        raise next(left)

    monkeypatch.setattr("naion.cli._run.simulate", broken)
    monkeypatch.chdir(tmp_path)
    run = ["run", "nfm_hc_18650", *REST, "--out", "o.csv"]
    for _ in errors:
        assert main(run) == 5
        said = capsys.readouterr().err
        assert said.startswith("naion: internal error, ") and said.count("\n") == 1
    files = sorted(tmp_path.glob("naion-error-*.txt"))
    assert len(files) == 4 and all("in broken" in f.read_text() for f in files)
    # Where nothing can be written, there is still one line and no traceback.
    monkeypatch.chdir("/proc")
    monkeypatch.setattr("tempfile.tempdir", "/proc")
    run[-1] = str(tmp_path / "o.csv")
    assert main(run) == 5
    assert "its traceback is lost" in capsys.readouterr().err


def test_stopping_promises_only_what_holds(tmp_path, monkeypatch, capsys):
    def stopped(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("naion.cli._fit_file.fit_from_file", stopped)
    monkeypatch.setattr("naion.cli._sweep.sweep", stopped)
    for command, said in (("fit", "goes on"), ("sweep", "finished is kept")):
        assert main([command, "x.toml", "--out", str(tmp_path)]) == 130
        assert said in capsys.readouterr().err


def test_cautions_are_lines(tmp_path, monkeypatch, capsys, profile):
    monkeypatch.setattr("naion.cli._run.simulate", lambda *a, **b: 1 / 0)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "p.csv"
    path.write_text("time_s,current_A,Temp\n0,1,25\n9,1,25\n")
    run = ["run", "nfm_hc_18650", "--profile", str(path), "--out", "o.csv"]
    assert main(run) == 5
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("naion: caution: ") and "'Temp'" in first
    assert "ZeroDivisionError" in second


def test_a_damaged_cell_names_file_and_field(tmp_path, capsys):
    write_cell(tmp_path / "good.json", load("nfm_hc_18650"), fit={"free": 3})
    good = (tmp_path / "good.json").read_text()
    data = json.loads(good)
    ocp = data["cell"]["positive"]["particle"]["ocp"]["curve"]
    path = tmp_path / "bad.json"

    def damaged(place, key, value):
        kept, place[key] = place[key], value
        text, place[key] = json.dumps(data), kept
        return text

    cell = data["cell"]
    cases = [
        ("[" * 100_000, "nested too deeply"),
        ('{"format": ' + "9" * 5000 + "}", "is not JSON"),
        ('"text"', "is not a naion cell"),
        ("null", "is not a naion cell"),
        ("{", "is not JSON"),
        (damaged(data, "cell", "text"), "cell: Expected the JSON form of a naion Cell"),
        (damaged(data, "cell", None), "cell: Expected the JSON form"),
        (
            damaged(cell, "positive", cell["separator"]),
            "cell.positive: expected the part",
        ),
        (
            damaged(cell, "kinetics", "fast"),
            "cell.kinetics: expected the part Kinetics",
        ),
        (damaged(cell, "area", 10**400), "cell.area: expected numbers"),
        (damaged(cell, "area", float("nan")), "cell.area: nan is not finite"),
        (damaged(cell, "area", True), "cell.area: expected a number, got True"),
        (damaged(cell, "area", [1, 2]), "cell.area: expected a number"),
        (damaged(ocp, "x", [0.5, 0.6]), "ocp.curve.y: expected a list of numbers, as"),
        (damaged(ocp, "x", []), "ocp.curve.x: expected a list"),
        (damaged(ocp, "x", [1, [2]]), "ocp.curve.x: expected numbers"),
        (damaged(ocp, "extrapolation", "banana"), "expected 'linear' or 'clamp'"),
        (damaged(ocp, "type", "Tabel"), "unknown type 'Tabel'; known are Table"),
    ]
    for text, expected in cases:
        path.write_text(text)
        assert main(["run", str(path), *REST, "--out", str(tmp_path / "o.csv")]) == 2
        error = capsys.readouterr().err
        assert "bad.json" in error and expected in error and len(error) < 500, error
    for encoding in ("utf-8-sig", "utf-16"):
        path.write_bytes(good.encode(encoding))
        arguments = [str(path), *REST, "--out", str(tmp_path / "o.csv")]
        assert main(["predict", *arguments]) == 2
        assert "its 'fit' is not what `naion fit` writes" in capsys.readouterr().err


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
    V = np.asarray(solution.at(t).voltage)
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
    assert "100 voltages, evenly spaced in charge between rows, of 200 measured" in html
    known = json.loads((out / "cell.json").read_text())
    (found,) = [p for p in known["parameters"] if "contact" in p["name"]]
    # 2 mV of uncertainty on a drop of 20 mV, and a pulse that pulls the other way.
    assert found["low"] < found["value"] < found["high"]
    assert found["value"] == pytest.approx(1.5, rel=0.2)


def test_fits_from_several_starts_agree_and_go_on(
    fitted, tmp_path, monkeypatch, capsys
):
    """Stopped in the middle, the same command goes on; the report says what starts found."""
    run = ["fit", str(fitted / "fit.toml"), "--out", str(tmp_path), "--starts", "3"]
    advanced, rounds = _least_squares.advanced, []

    def stopping(*arguments, **options):
        rounds.append(1)
        if len(rounds) == 3:
            raise KeyboardInterrupt
        return advanced(*arguments, **options)

    monkeypatch.setattr(_least_squares, "advanced", stopping)
    assert main(run) == 130
    assert not (tmp_path / "cell.json").exists()
    capsys.readouterr()
    assert main(run) == 0
    said = capsys.readouterr().out
    assert "goes on after 2 evaluations" in said
    assert "3 of 3 starts reach the least cost" in said
    assert "3 of 3 starts reach" in (tmp_path / "report.md").read_text()
    assert not (tmp_path / "search").exists()
    with pytest.raises(SystemExit):
        main([*run[:-1], "0"])
    assert "expected a whole number from 1" in capsys.readouterr().err


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


def rows(current=1.0, voltage=3.9, n=20, step=60.0, head="time_s,current_A,voltage_V"):
    """A table of a discharge at constant current."""
    lines = [f"{step * i:g},{current:g},{voltage - 0.02 * i:g}" for i in range(n)]
    return "\n".join([head, *lines]) + "\n"


KIND, TIMES = 'kind = "discharge"', "times = [1.0]"
PATH, BOUNDS = '"contact_resistance.scale"', "bounds = [0.1, 10.0]"
KNOTS = '[[ocp_correction]]\nelectrode = "positive"\nknots = '


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (KIND, 'kind = "dicharge"', "Did you mean discharge?"),
        (KIND, "kind = 3", "data 1, kind = 3; known are"),
        (KIND, "", "data 1 has no kind; known are"),
        (
            KIND,
            'kind = "profile"\nsoc = 2',
            "data 1, soc = 2: expected a number from 0 to 1",
        ),
        (
            KIND,
            'kind = "profile"\nsoc = "full"',
            "data 1, soc = 'full': expected a number",
        ),
        (KIND, 'kind = "profile"\nsoc = 1\ndischarged = 0', "not both"),
        (KIND, 'kind = "profile"\ndischarged = 99', "electrode holds"),
        ('"measured.csv"', '"gone.csv"', "gone.csv: no such file"),
        ('"measured.csv"', "3", "data 1, file = 3: expected a text"),
        ("sigma = 0.002", "weight = 1", "unknown key weight"),
        ("sigma = 0.002", "sgima = 1", "Did you mean sigma?"),
        (
            "sigma = 0.002",
            "sigma = 0",
            "data 1, sigma = 0: expected a number above zero",
        ),
        (
            "sigma = 0.002",
            "sigma = -1",
            "data 1, sigma = -1: expected a number above zero",
        ),
        ("sigma = 0.002", 'sigma = "1"', "data 1, sigma = '1': expected a number"),
        (
            "sigma = 0.002",
            f"sigma = {'9' * 400}",
            "(400 digits, too large): expected a number",
        ),
        ("temperature = 25", "temperature = 298", "Is it in kelvin?"),
        ("[[data]]", "[data]", "need double brackets, [[data]]"),
        ("[[free]]", "[free]", "expected tables [[free]], with double brackets"),
        ('cell = "nfm_hc_18650"', "cell = 3", "fit.toml: cell = 3: expected a text"),
        ('cell = "nfm_hc_18650"', 'cell = "nope"', "No cell 'nope'"),
        ("mesh = [4", "mesh = (4", "not TOML"),
        (
            "mesh = [4, 3",
            "mesh = [100000, 3",
            "mesh = [100000, 3, 4, 10]: expected [n_neg",
        ),
        ("mesh = [4, 3, 4, 10]", "mesh = [400, 3, 400, 400]", "n_r is 320000"),
        (
            "mesh = [4, 3",
            "mesh = [6.5, 3",
            "[n_neg, n_sep, n_pos, n_r], whole numbers from 1",
        ),
        ("mesh = [4, 3", "mesh = [4, 1", "mesh: Mesh needs at least 2"),
        (PATH, '"contact_resistence.scale"', "contact_resistance"),
        (PATH, '"contact_resistance"', "free 1: contact_resistance is a curve"),
        (PATH, "3", "free 1, path = 3: expected a text"),
        (PATH, "[]", "free 1, path = []: expected a text"),
        (BOUNDS, "bounds = [2.0, 10.0]", "outside its bounds"),
        (BOUNDS, "bounds = [10.0, 0.1]", "free 1: contact_resistance.scale: bounds 10"),
        (BOUNDS, "bounds = [0.1]", "bounds = [0.1]: expected two finite numbers"),
        (BOUNDS, 'bounds = "wide"', "free 1, bounds = 'wide': expected two finite"),
        (BOUNDS, 'bounds = ["a", "b"]', "bounds = ['a', 'b']: expected two finite"),
        (BOUNDS, "", "free 1 has no bounds: give bounds = [0.05"),
        ('"log"', '"sqrt"', "free 1, transform = 'sqrt'; known are log"),
        ("prior = 0.7", "prior = 0", "free 1, prior = 0: expected a standard"),
        ("prior = 0.7", 'prior = "x"', "prior = 'x': expected a standard deviation"),
        ("[[free]]", f"[[free]]\npath = {PATH}\n{BOUNDS}\n[[free]]", "free 2: contact"),
        ("[[free]]", f"{KNOTS}[0.9, 0.5]\n[[free]]", "ocp_correction 1: knots = [0.9"),
        ("[[free]]", f"{KNOTS}[0.9, 1.5]\n[[free]]", "from 0 to 1, rising"),
        (
            "[[free]]",
            f"{KNOTS}3\n[[free]]",
            "ocp_correction 1, knots = 3: expected a list",
        ),
        (
            "[[free]]",
            '[[ocp_correction]]\nelectrode = "positive"\n[[free]]',
            "ocp_correction 1 has no knots: give",
        ),
        ("current = 1.5", "current = 0", "data 2: pulse 0 A: current = 0"),
        ("current = 1.5", "", "data 2 has no current: give current = 1.5"),
        (TIMES, "times = [1.0, 2.0]", "data 2: pulse 1.5 A: 2 times and 1 resistances"),
        (TIMES, "times = [-1.0]", "times must be finite and above zero"),
        (TIMES, 'times = "1"', "data 2, times = '1': expected a number, or"),
        ("resistance = [0.09]", "resistance = [-0.09]", "resistances must be finite"),
    ],
)
def test_bad_fit_files_name_the_problem(tmp_path, capsys, old, new, expected):
    assert old in FIT
    (tmp_path / "measured.csv").write_text(rows())
    (tmp_path / "fit.toml").write_text(FIT.replace(old, new, 1))
    out = tmp_path / "out"
    assert main(["fit", str(tmp_path / "fit.toml"), "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert expected in error and "fit.toml" in error.replace("gone.csv", "fit.toml")
    assert not out.exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (rows(voltage=3900.0), "voltages reach 3900 V; a single cell has"),
        (rows(current=-1.0), "negative: a charge"),
        (rows(current=0.0), "no current flows"),
        (rows(n=3), "a discharge needs more than 5"),
        (rows(step=0.0), "all rows have the same time"),
        (rows() + "1300,0,3.9\n", "is not constant within 10 % of its mean"),
        (rows() + "0,1,3.9\n", "row 22: time 0 s comes after 1140 s"),
        (rows(head="t,I,U"), "no column 'time_s'"),
    ],
)
def test_bad_measurements_name_the_problem(tmp_path, capsys, text, expected):
    (tmp_path / "measured.csv").write_text(text)
    (tmp_path / "fit.toml").write_text(FIT)
    assert main(["fit", str(tmp_path / "fit.toml"), "--out", str(tmp_path / "o")]) == 2
    error = capsys.readouterr().err
    assert expected in error and "measured.csv" in error


def test_what_is_compared_is_said(tmp_path):
    head = "test_time_second,current_ampere,voltage_volt,ambient_temperature_celsius"
    body = [f"{9 * i},-1,{3.9 - 0.002 * i:g},-10" for i in range(300)]
    (tmp_path / "cold.csv").write_text("\n".join([head, *body]) + "\n")
    text = {
        "cell": "nfm_hc_18650",
        "data": [
            {"file": "cold.csv", "kind": "discharge"},
            {"file": "cold.csv", "kind": "profile", "temperature": -10.5},
        ],
        "free": [{"path": "contact_resistance.scale", "bounds": [0.1, 10.0]}],
    }
    problem, _ = problem_of(text, tmp_path / "fit.toml")
    slow, under = problem.experiments
    assert slow.temperature == pytest.approx(263.15) and slow.capacity > 0.0
    assert "100 voltages, evenly spaced in charge between rows, of 300" in slow.note
    assert "temperature -10.0 degC, the median" in slow.note
    assert under.temperature == pytest.approx(262.65)
    assert under.note.startswith("299 of 300 measured voltages")
    text["data"] = [{"file": "cold.csv", "kind": "profile", "temperature": 25}]
    with pytest.warns(na.Caution, match="25 degC is taken"):
        problem_of(text, tmp_path / "fit.toml")


def test_segments_are_alike(tmp_path, capsys):
    names = "segment,duration_s,current_A,loaded_V,rest_V"
    (tmp_path / "s.csv").write_text(f"{names}\n0,600,1,3.9,3.95\n1,700,1,3.8,3.9\n")
    text = FIT.replace(KIND, 'kind = "segments"').replace("measured.csv", "s.csv")
    (tmp_path / "fit.toml").write_text(text)
    assert main(["fit", str(tmp_path / "fit.toml"), "--out", str(tmp_path / "o")]) == 2
    assert "duration_s is 600 to 700; all segments" in capsys.readouterr().err


def test_a_senseless_fit_is_no_success(fitted, tmp_path, capsys):
    text = (fitted / "measured.csv").read_text().splitlines()
    moved = [
        f"{float(r.split(',')[0]) / 3600.0},{r.split(',', 1)[1]}" for r in text[1:]
    ]
    (tmp_path / "measured.csv").write_text("\n".join([text[0], *moved]) + "\n")
    (tmp_path / "fit.toml").write_text(FIT)
    out = tmp_path / "out"
    assert main(["fit", str(tmp_path / "fit.toml"), "--out", str(out)]) == 2
    assert "are times in hours" in capsys.readouterr().err
    assert "makes no sense" in (out / "report.md").read_text()


def test_help_comes_at_once():
    """Without JAX, which takes most of a second to import; every command is listed."""
    code = (
        "import sys; from naion.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "finally: print([m for m in ('jax', 'numpy', 'pandas') if m in sys.modules])"
    )
    for argument, said in (("--help", "audit public claims"), ("--version", "naion ")):
        done = subprocess.run(
            [sys.executable, "-c", code, argument], capture_output=True, text=True
        )
        assert said in done.stdout and done.stdout.rstrip().endswith("[]")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_help(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    assert f"usage: naion {command}" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["fit", "sweep", "designs", "claims"])
def test_formats_as_json_schema(command, capsys):
    """Without a file and a folder, as `--help`."""
    with pytest.raises(SystemExit) as end:
        main([command, "--schema"])
    assert end.value.code == 0
    printed = json.loads(capsys.readouterr().out)
    tables = printed["$defs"]
    assert all(t["additionalProperties"] is False for t in tables.values())
    name, key = {
        "fit": ("Free", "bounds"),
        "sweep": ("FleetFile", "cells"),
        "designs": ("Number", "quality"),
        "claims": ("fade", "loss_percent"),
    }[command]
    assert key in tables[name]["required"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", ": The file has no cell: give cell ="),
        (FIT.replace("[4, 3", "[4 3"), "(at line 3, column"),
        (
            FIT.replace("sigma", "temperature"),
            "(at line 9, column 20). A key or a table stands twice",
        ),
        (FIT.replace("cell", "# °\ncell").encode("latin-1"), "save it as UTF-8"),
        (FIT.encode("utf-16-le"), "without its byte-order mark"),
    ],
)
def test_texts_that_are_no_fit(tmp_path, capsys, content, expected):
    """Empty, no TOML, a key twice, other encodings."""
    file = tmp_path / "fit.toml"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    assert main(["fit", str(file), "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert expected in error and error.startswith(f"naion: {file}")
