"""`naion duty`: listed, shown, served, and what cannot be."""

import csv

import pytest

import naion as na
from naion.cli import main
from naion.duty import duties
from naion.io import write_cell


def test_bare_lists_all(capsys):
    assert main(["duty"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in duties())


def test_one_is_shown_with_its_sources(capsys):
    assert main(["duty", "car"]) == 0
    printed = capsys.readouterr().out
    assert "UN GTR No. 15" in printed and "45 kWh" in printed
    assert "A  car.mass" in printed and "1550 ... 1900" in printed


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["lorry"], "known are car"),
        (["car", "--cells", "nfm"], "nfm"),
        (["car", "--cells", "nfm_hc_18650", "--temperatures", "25;0"], "commas"),
        (["car", "--cells", "nfm_hc_18650", "--temperatures", "298.15"], "kelvin"),
        (["car", "--out", "x.csv"], "--cells"),
        (["car", "--cells", "nfm_hc_18650", "--year", "harbin", "--days", "0"], "365"),
        (["car", "--cells", "nfm_hc_18650", "--days", "3"], "without --year"),
        (["car", "--year", "harbin"], "without --cells"),
        (["car", "--cells", "nfm_hc_18650", "--temperatures", ""], "commas"),
        (["car", "--cells", "nfm_hc_18650", "nfm_hc_18650"], "stands there twice"),
        (
            ["car", "--cells", "nfm_hc_18650", "--year", "harbin"]
            + ["--temperatures", "25"],
            "give one of them",
        ),
    ],
)
def test_bad_input_is_named(arguments, said, capsys):
    assert main(["duty", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_two_files_of_one_name_are_two_cells(tmp_path, monkeypatch):
    """Fits write cell.json each: none may stand in for another."""
    seen = {}

    def compared(cells, *_, **__):
        seen.update(cells)
        raise ValueError("enough")

    monkeypatch.setattr("naion.cli._duty.compare", compared)
    files = []
    for name in ("nfm_hc_18650", "lfp_aboutenergy"):
        files.append(tmp_path / name / "cell.json")
        write_cell(files[-1], na.load(name))
    assert main(["duty", "car", "--cells", *map(str, files), "pw_hc_prismatic"]) == 2
    assert list(seen) == [*map(str, files), "pw_hc_prismatic"]
    capacities = [float(c.nominal_capacity) for c in seen.values()]
    assert len(set(capacities)) == 3
    write_cell(files[0], na.half_cell(na.load("nfm_hc_18650")))
    seen.clear()
    assert main(["duty", "car", "--cells", str(files[0])]) == 2 and not seen


@pytest.mark.slow
def test_cells_serve(tmp_path, capsys):
    out = tmp_path / "duty.csv"
    given = ["duty", "start", "--cells", "nfm_hc_18650", "--temperatures=25,-30"]
    assert main([*given, "--out", str(out)]) == 0
    warm, cold = csv.DictReader(out.open())
    assert float(warm["Energy missed [%]"]) < 0.1 < float(cold["Energy missed [%]"])
    assert float(warm["Efficiency [%]"]) > float(cold["Efficiency [%]"])
    assert "missed %" in capsys.readouterr().out
