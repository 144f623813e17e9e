"""The runner of the benchmarks, and what their results carry."""

import ast
import datetime
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import harness
from benchmarks.__main__ import ON_ALL_CORES, ON_ONE_CORE
from benchmarks.baselines import by_state
from benchmarks.leave_one_out import HEADER, table
from benchmarks.left_out import Row
from naion.fit import pulse

FOLDER = Path(harness.__file__).parent
HELPERS = {
    *("__init__", "__main__", "baselines", "cases", "harness", "hina", "left_out"),
    *("lithium", "opponent", "scores", "slow_share", "studies", "study"),
}

# Notes on how many cores NumPy is imported, and shows it instead of a benchmark.
PINNED = """
import os, sys, types
class Watch:
    def find_spec(self, name, *rest):
        if name == "numpy":
            seen.append(len(os.sched_getaffinity(0)))
seen = []
sys.meta_path.insert(0, Watch())
stub = sys.modules["benchmarks.parts"] = types.ModuleType("benchmarks.parts")
stub.main = lambda: print(seen, sys.argv[1:])
sys.argv[1:] = ["parts", "--own", "1"]
from benchmarks.__main__ import main
sys.exit(main())
"""


def test_every_benchmark_is_listed_and_has_a_main():
    files = {p.stem: p for p in FOLDER.glob("*.py") if p.stem not in HELPERS}
    files["robustness"] = FOLDER / "robustness" / "everything.py"
    assert sorted(files) == sorted(ON_ONE_CORE + ON_ALL_CORES)
    for file in files.values():
        nodes = ast.parse(file.read_text(encoding="utf-8")).body
        (main,) = (
            n for n in nodes if isinstance(n, ast.FunctionDef) and n.name == "main"
        )
        assert not main.args.args, file


def test_the_runner_pins_before_it_imports():
    command = [sys.executable, "-c", PINNED]
    done = subprocess.run(command, capture_output=True, text=True, cwd=FOLDER.parent)
    assert done.stdout == "[1] ['--own', '1']\n", done.stderr


def test_results_carry_date_commit_and_machine(tmp_path, monkeypatch):
    monkeypatch.setattr(harness, "RESULTS", tmp_path)
    harness.write("a", "A title", ["what", "ms"], [["solve", "1"]], "Notes.")
    today = datetime.date.today().isoformat()
    (line,) = (
        s for s in (tmp_path / "a.md").read_text().splitlines() if s.startswith(today)
    )
    cores = rf"{harness.cores()} core\(s\), cpu"
    commit = r"commit ([0-9a-f]{12}(, with changes)?|unknown)"
    assert re.fullmatch(rf"{today}, {commit}; .*{cores}; naion .*, jax .*\.", line)
    (row,) = map(json.loads, (tmp_path / "a.jsonl").read_text().splitlines())
    assert row["what"] == "solve" and row["date"] == today
    assert {"commit", "machine", "versions"} < set(row)


def test_numbers_of_states_lie_on_lines_between_neighbours():
    """In charge, of the same current, and beyond the last as between the last two."""

    def one(q: float, R: float = 0.1, I: float = 10.0):
        return pulse(f"{q}", I, [0.1, 1.0], [R, 2.0 * R], 298.15, q)

    known = [one(8.0, 12e-3), one(0.0, 5e-3), one(2.0, 6e-3), one(5.0, 0.1, 30.0)]
    for q, R in ((1.0, 5.5e-3), (5.0, 9e-3), (10.0, 14e-3), (-2.0, 4e-3)):
        found = by_state(one(q, I=10.001), known, "resistance")
        np.testing.assert_allclose(found, [R, 2.0 * R])


def test_a_baseline_is_as_wide_as_it_errs_under_other_conditions():
    """And errors of resistances are relative, of tests in no fit apart."""

    def row(condition: str, off: float, test: str) -> Row:
        R = np.array([2e-3, 4e-3])
        model = R * (1.0 + off)
        return Row(test, "resistance", R, model, 0.1 * R, R, model, condition)

    rows = [row("a", 0.5, "a1"), row("a", 0.5, "a2"), row("b", -0.1, "b")]
    lines = [
        dict(zip(HEADER, line, strict=True))
        for line in table([*rows, row("", 0.2, "new")])
    ]
    assert len(set(HEADER)) == len(HEADER)
    width = 2.0 * 1.645 * 100.0
    expected = {"a1": 0.1, "a2": 0.1, "b": 0.5, "new": np.sqrt((2 * 0.25 + 0.01) / 3)}
    for line in lines[:4]:
        widest = float(line["baseline width, mV"])
        assert widest == pytest.approx(width * expected[line["left out"]], rel=0.01)
        assert line["width, mV"] == "32.9"
    assert lines[0]["predicted, mV"] == "+50.0, +50.0"
    every, new = lines[4:]
    assert every["predicted, mV"] == "36.7, most 50.0" and every["inside, %"] == "33"
    # Its width, and 20 times the 3.55 % by which 20 % lie outside of 16.45 %.
    assert new["inside, %"] == "0" and new["score, mV"] == "103.9"
