"""What is imported, and when: no figures, tables or BPX before somebody asks for them.

Shapes are checked in tests alone.
"""

import subprocess
import sys

import pytest

HEAVY = (
    *("matplotlib", "pandas", "xarray", "bpx", "pydantic", "scipy.stats"),
    "beartype",
)
SHOW = f"import sys; print([m for m in {HEAVY} if m in sys.modules])"

READS_A_SET = "['pydantic']"
"""By which files of sets are read."""

RUN = """
from naion.cli import main
words = "run nfm_hc_18650 --out o.csv --protocol".split()
assert main([*words, "Discharge at 1C for 60 s"]) == 0
"""


@pytest.mark.parametrize(
    ("code", "imported"),
    [
        (
            "import naion, naion.simulation, naion.parameters, naion.fit, "
            "naion.cli._sweep",
            "[]",
        ),
        (
            "import naion.claims, naion.demo, naion.io, naion.pack, naion.plot, "
            "naion.report",
            "[]",
        ),
        (RUN, READS_A_SET),
    ],
    ids=["library", "all else", "naion run"],
)
def test_heavy_packages_are_imported_where_they_are_used(code, imported, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{SHOW}"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert done.stdout.splitlines()[-1] == imported
