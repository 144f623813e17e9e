"""The command line is a contract: files, columns, exit statuses, errors."""

import csv

import numpy as np
import pytest

from naion.cli import main


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


def test_sets_and_doctor(capsys):
    assert main(["sets"]) == 0
    assert main(["sets", "nfm_hc_18650"]) == 0
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    assert "nvpf_hc_chayambuka2022" in text and "float64: on" in text
    assert "negative.thickness" in text
