"""The runner of the benchmarks, and what their results carry."""

import ast
import datetime
import json
import re
import subprocess
import sys
from pathlib import Path

from benchmarks import harness
from benchmarks.__main__ import ON_ALL_CORES, ON_ONE_CORE

FOLDER = Path(harness.__file__).parent
HELPERS = {
    *("__init__", "__main__", "baselines", "cases", "harness", "left_out"),
    *("lithium", "opponent", "scores", "studies"),
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
