"""The command line is a contract: files, columns, exit statuses, errors."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest

import naion as na
from naion.cli import main
from naion.cli._main import COMMANDS, _parser
from naion.cli._run import prepare
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


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--profile", "p.csv"], "p.csv has temperatures of its own, 25 to 25 degC"),
        (["--protocol", "Rest for 9 s at 10 degC"], "the protocol has temperatures"),
    ],
)
def test_a_temperature_that_is_not_used_is_said(tmp_path, monkeypatch, asked, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.csv").write_text(
        "time_s,current_A,temperature_degC\n0,0,25\n9,0,25\n"
    )
    cell = load("nfm_hc_18650")
    given = ["run", "nfm_hc_18650", *asked, "--temperature", "-10", "--out", "o.csv"]
    arguments = _parser(given).parse_args(given)
    with pytest.warns(na.Caution, match=f"--temperature -10 is not used: {said}"):
        prepare(arguments, cell)


def test_run_protocol(tmp_path, capsys):
    out = tmp_path / "o.csv"
    step = ["Discharge at 1C until 1.5 V", "--out", str(out)]
    figure = tmp_path / "o.png"
    asked = ["run", "nfm_hc_18650", "--protocol", *step, "--plot", str(figure)]
    assert main(asked) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("completed: ")
    assert said[-2:] == [f"wrote {out}", f"wrote {figure}"]
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert "A.h and" in said[1] and "at the end 1.5 V, 1.5 A" in said[2]
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


@pytest.mark.parametrize(
    ("head", "factors", "asked"),
    [
        ("Rec#\tTest (Min)\tAmps\tVolts\tState\tES", (1.0 / 60.0, 1.0), []),
        ("Test Time (s),Current (mA)", (1.0, 1e3), ["--positive", "discharge"]),
        ("Zeit;Last", (1.0, 1.0), ["--column", "time=Zeit", "current=Last",
                                  "--positive", "discharge"]),
    ],
)  # fmt: skip
def test_profiles_are_read_as_naion_data_reads_them(
    tmp_path, profile, head, factors, asked
):
    """Files of cyclers, and any table with the same options."""
    between = next(d for d in "\t;," if d in head)
    rows = []
    for line in profile.read_text().splitlines()[1:]:
        t, current = (
            f * float(x) for f, x in zip(factors, line.split(","), strict=True)
        )
        own = (repr(t), repr(current))
        rows.append((1, *own, 3.9, "D", 1) if "State" in head else own)
    path, plain, out = tmp_path / "a.txt", tmp_path / "p.csv", tmp_path / "o.csv"
    written = "\n".join(between.join(map(str, r)) for r in rows)
    path.write_text(f"{head}\n{written}\n")
    run = ["run", "nfm_hc_18650", "--profile"]
    assert main([*run, str(profile), "--out", str(plain)]) == 0
    assert main([*run, str(path), *asked, "--out", str(out)]) == 0
    expected, found = (
        np.array([[float(c) for c in row] for row in table(f)[1]]) for f in (plain, out)
    )
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_how_a_profile_is_read_is_of_a_profile(tmp_path, capsys):
    asked = ["--protocol", "Rest for 1 hour", "--out", str(tmp_path / "o.csv")]
    assert main(["run", "nfm_hc_18650", *asked, "--positive", "charge"]) == 2
    assert "--positive says how a --profile is read" in capsys.readouterr().err


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
        ("a,b\n0,1\n1,1\n", "no column 'time_s'"),
        ("t,I\n0,1\n1,1\n", "--unit time=s current=A"),
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


def test_an_input_is_not_written_over(tmp_path, capsys, profile):
    file = tmp_path / "cell.json"
    write_cell(file, load("nfm_hc_18650"))
    before, rows = file.read_bytes(), profile.read_bytes()
    assert main(["run", str(file), *REST, "--out", f"{tmp_path}/./cell.json"]) == 2
    assert "is what this command reads" in capsys.readouterr().err
    arguments = ["--profile", str(profile), "--out", str(profile)]
    assert main(["run", "nfm_hc_18650", *arguments]) == 2
    assert main(["predict", "nfm_hc_18650", *arguments]) == 2
    assert file.read_bytes() == before and profile.read_bytes() == rows


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


SET = "nfm_hc_18650"


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
        (["run", "Chen2020", *REST, "--out", "o"], "Nearest: nmc811_chen2020"),
        (["run", SET, *REST, "--out", "o.xlsx"], ".xlsx is something else; use o.csv"),
        (["predict", SET, *REST, "--out", "o.nc"], ".nc is something else"),
        (["run", SET, *REST, "--out", "o", "--plot", "a.xyz"], "a.xyz: no figure"),
    ],
)
def test_every_command_refuses_clearly(
    tmp_path, monkeypatch, capsys, arguments, expected
):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    # Progress, of claims alone, begins with the time.
    lines = capsys.readouterr().err.splitlines()
    (error,) = (line for line in lines if not line.startswith("["))
    assert error.startswith("naion") and expected in error
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
