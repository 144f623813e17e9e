"""`naion life`, and claims on life."""

import re

import numpy as np
import pytest

from naion import claims, life
from naion.claims import QUESTIONS
from naion.cli import main


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
    "wrong", ["--cycles -5", "--cycles 10 --window 10,90", "--cycles 10 --rate nan"]
)
def test_bad_input_is_refused(wrong, capsys):
    assert main(["life", "nfm_hc_18650", *wrong.split()]) == 2
    assert "expected" in capsys.readouterr().err


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
