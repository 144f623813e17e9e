"""`naion life`, and claims on life."""

import re

import jax
import numpy as np
import pytest

import naion as na
from naion import claims, life
from naion.claims import QUESTIONS
from naion.cli import main
from naion.io import write_cell


def test_it_says_what_is_left_and_what_was_extrapolated(capsys):
    command = ["life", "nfm_hc_18650", "--cycles", "3000", "--temperature", "60"]
    assert main(command) == 0
    said = capsys.readouterr().out
    low, high = map(float, re.search(r"\(([\d.]+) to ([\d.]+), 90 %\)", said).groups())
    assert low < high
    assert "extrapolated: 60 degC" in said
    assert "not given" in said and "window" in said
    assert "temperature (" not in said


@pytest.mark.parametrize(
    "wrong, said",
    [
        ("--cycles -5", "--cycles -5"),
        ("--cycles 10 --window 10,90", "window 10 to 90"),
        ("--cycles 10 --rate nan", "rate nan"),
        ("--cycles 10 --end 80", "80 % is 0.8"),
        ("--cycles 1000000 --years 1", "2738 a day: expected at most 200"),
    ],
)
def test_bad_input_is_refused_before_anything_is_said(wrong, said, capsys):
    assert main(["life", "nfm_hc_18650", *wrong.split()]) == 2
    shown = capsys.readouterr()
    assert "expected" in shown.err and said in shown.err and not shown.out


def test_a_file_is_of_the_chemistry_that_it_keeps(tmp_path, capsys):
    """The name of a cell.json says nothing of its cell: what was fitted, does."""

    def asked(cell, name):
        path = tmp_path / "cell.json"
        write_cell(path, cell, name=name)
        status = main(["life", str(path), "--cycles", "1000"])
        return status, capsys.readouterr()

    lfp = asked(na.load("lfp_aboutenergy"), "lfp_aboutenergy")[1].out
    assert main(["life", "lfp_aboutenergy", "--cycles", "1000"]) == 0
    assert lfp.splitlines()[2:] == capsys.readouterr().out.splitlines()[2:]
    nmc = asked(na.load("lfp_aboutenergy"), "nmc811_chen2020")
    assert nmc[0] == 2 and "no law of a lithium NMC" in nmc[1].err
    # As of a fitted cell: its numbers tell what its name does not.
    mine = asked(na.load("nfm_hc_18650"), "mine")[1].out
    assert "--chemistry (layered-oxide: most numbers are of nfm_hc_18650" in mine
    nobodys = jax.tree.map(lambda number: 1.0001 * number, na.load("nfm_hc_18650"))
    unknown = asked(nobodys, "mine")[1].out
    assert "--chemistry (other-sodium: neither name nor numbers" in unknown
    half = asked(na.half_cell(na.load("nfm_hc_18650")), "nfm")
    assert half[0] == 2 and "is a half cell" in half[1].err


def test_lithium_is_followed_to_the_end_that_is_asked_for(capsys):
    asked = ["life", "lfp_aboutenergy", "--cycles", "1000", "--end", "0.7"]
    assert main(asked) == 0
    count = re.search(r"cycles to 70 %: ([\d,]+)", capsys.readouterr().out)
    assert count is not None
    N = float(count[1].replace(",", ""))
    lost = life.lfp_calendar(N * 86400.0) + life.lfp_cycling(N)
    assert lost == pytest.approx(0.3, rel=0.02)  # printed in two digits


def test_lithium_has_its_own_law(capsys):
    assert main(["life", "lfp_aboutenergy", "--cycles", "1000", "--rate", "1"]) == 0
    assert "Naumann" in capsys.readouterr().out
    assert main(["life", "nmc811_chen2020", "--cycles", "1000"]) == 2


def test_the_question_of_claims_is_the_law():
    asked = QUESTIONS["life"]
    numbers = {k: v for k, v in asked.numbers.items() if v is not None} | {
        "loss_percent": 8.47,
        "energy_kJ": 32.7,
        "exponent": 1.0,
        "middle": 0.157,
        "calendar_percent": 1.2,
        "ends_percent": 100.0,
        "temperature_degC": 40.0,
        "years": 10.0,
    }
    numbers = {k: np.asarray(float(v)) for k, v in numbers.items()}
    cycles, left, beside = np.asarray(asked.ask((), numbers, None))
    law = life.Law(8.47e-2 / 1604, 32.7e3, 0.843, 1.2, 1.0, 0.012, 45e3)
    T, years = 313.15, cycles / 365.25
    # Half charged counts 1.0 in the law of claims, where `resting` has it at 50 %.
    loss = law.cycling(cycles, T, 1.0, 1.0) + law.resting(years, T, 0.5)
    assert loss == pytest.approx(0.2, rel=1e-3)
    lfp = life.lfp_calendar(10 * 365.25 * 86400, T) + life.lfp_cycling(3652.5)
    assert beside == pytest.approx(100 * (100 - left) / (100 * lfp), rel=1e-3)


def test_claims_on_life_are_read():
    found = {c.name: c for c in claims.load()}
    assert found["tener-life"].readings[0].question == "life"
    assert "end of life" in found["byd-life"].leaves_out
