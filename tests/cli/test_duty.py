"""`naion duty`: listed, shown, served, and what cannot be."""

import csv

import pytest

from naion.cli import main
from naion.duty import duties


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
    ],
)
def test_bad_input_is_named(arguments, said, capsys):
    assert main(["duty", *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.slow
def test_cells_serve(tmp_path, capsys):
    out = tmp_path / "duty.csv"
    given = ["duty", "start", "--cells", "nfm_hc_18650", "--temperatures=25,-30"]
    assert main([*given, "--out", str(out)]) == 0
    warm, cold = csv.DictReader(out.open())
    assert float(warm["Energy missed [%]"]) < 0.1 < float(cold["Energy missed [%]"])
    assert float(warm["Efficiency [%]"]) > float(cold["Efficiency [%]"])
    assert "missed %" in capsys.readouterr().out
