"""The judge of `benchmarks.robustness` calls made-up cases what they are."""

import time

import numpy as np
import pytest

import naion as na
from benchmarks.robustness import judge, mutations, tables
from benchmarks.robustness.judge import Case
from naion._cautions import caution

BAD = ("run", "no_such_cell", "--protocol", "Rest for 1 s", "--out", "o.csv")
PARTS = "cell", "no_such_cell", "Sets:"


def _slow():
    time.sleep(5.0)


@pytest.mark.parametrize(
    ("case", "verdict"),
    [
        (Case("made up", "said well", BAD, *PARTS), "clear"),
        (Case("made up", "no remedy", BAD, *PARTS[:2], "kelvin"), "unclear"),
        (Case("made up", "accepted", ("sets",)), "silent"),
        (Case("made up", "accepted", lambda: na.Mesh()), "silent"),
        (Case("made up", "a raw error", lambda: [][0]), "traceback"),
        (
            Case("made up", "NumPy's words", lambda: np.zeros(2) + np.zeros(3)),
            "traceback",
        ),
        (Case("made up", "too slow", _slow, seconds=0.05), "hang"),
        (
            Case("made up", "naion's words", lambda: na.Mesh(1), "n_neg", "1", "2"),
            "clear",
        ),
        (Case("made up", "no caution", lambda: 1, answer="caution"), "silent"),
        (
            Case(
                "made up",
                "a caution",
                lambda: caution("cold"),
                "cold",
                answer="caution",
            ),
            "clear",
        ),
        (
            Case("made up", "2", lambda: 2, answer="done", right=lambda n: n == 2),
            "clear",
        ),
        (
            Case("made up", "2", lambda: 2, answer="done", right=lambda n: n == 3),
            "silent",
        ),
    ],
)
def test_verdicts(tmp_path, case, verdict):
    assert judge.judged(case, tmp_path).verdict == verdict


def test_an_exception_of_the_command_line_is_a_traceback(tmp_path, monkeypatch):
    def broken(_):
        raise IndexError("a mistake")

    monkeypatch.setattr("naion.cli._sets.load_set", broken)
    case = Case("made up", "a mistake", ("sets", "nfm_hc_18650"))
    assert judge.judged(case, tmp_path).verdict == "traceback"


def test_what_is_replaced():
    text = "[a]\nx = 1\n[b]\nx = 1\n[c]\n"
    assert tables.replaced(text, "x = 1", "y = 2") == "[a]\ny = 2\n[b]\nx = 1\n[c]\n"
    assert tables.replaced(text, "[b] ... [c]", "") == "[a]\nx = 1\n[c]\n"
    assert tables.replaced(text, "[b] ...", "") == "[a]\nx = 1\n"
    assert tables.replaced(text, "", "z") == text + "z"
    assert tables.replaced(text, "^", "z") == "z" + text
    assert tables.replaced(text, "...", "z") == "z"


def test_mutations_are_seeded():
    def drawn(seed):
        rng = np.random.default_rng(seed)
        return [mutations.mutated("x = [1.0, 2.0]\ny = 3\n", rng) for _ in range(20)]

    assert drawn(1) == drawn(1) != drawn(2)
