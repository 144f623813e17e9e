"""Pages: their examples run, what is written from code is what the code says, all ship."""

import contextlib
import importlib.util
import re
import runpy
import sys
import tomllib
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

from naion import claims
from naion._file_models import checked
from naion.cli import main
from naion.cli._docs import TOPICS
from naion.cli._fit_schema import FitFile
from naion.cli._sweep_schema import SweepFile

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BLOCK = re.compile(r'```python(?: title="(\w+)")?\n(.*?)```', re.DOTALL)
WITH_EXAMPLES = sorted(
    page.stem
    for page in DOCS.glob("*.md")
    if BLOCK.search(page.read_text(encoding="utf-8"))
    and page.stem not in ("clusters", "duty")
)
"""Those of clusters.md want a cluster, see tests/batch/test_cluster.py; days of two
chemistries take minutes, see tests/verification/test_duties.py."""

FILES = {
    "cell_07.csv": (
        "Data_Point,Test_Time(s),Step_Index,Cycle_Index,Current(A),Voltage(V)\n"
        "1,0,1,1,0,3.9\n2,60,2,1,-1,3.8\n3,120,2,1,-1,3.7\n"
    ),
    "eis.csv": "freq/Hz,Re(Z)/Ohm,-Im(Z)/Ohm\n100,0.05,0.01\n1,0.09,0.002\n0.1,0.1,0.01\n",
    "export.txt": "Zeit\tStrom\tU\n0\t0\t3.9\n1\t-1000\t3.8\n2\t-1000\t3.7\n",
}
"""That examples read."""

OTHERS = {"PyBaMM": "pybamm", "PyBOP": "pybop"}


@pytest.mark.parametrize("stem", WITH_EXAMPLES)
def test_examples_run_in_order(stem, tmp_path):
    """Left columns run too, where their package is installed."""
    names: dict[str, dict] = {"": {}, "naion": {}, "PyBaMM": {}, "PyBOP": {}}
    found = BLOCK.findall((DOCS / f"{stem}.md").read_text(encoding="utf-8"))
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with contextlib.chdir(tmp_path):
        for side, block in found:
            package = OTHERS.get(side)
            if package is not None and importlib.util.find_spec(package) is None:
                continue
            with warnings.catch_warnings():
                if package is not None:
                    warnings.simplefilter("ignore")
                exec(block, names[side])
    plt.close("all")
    left = names["PyBaMM"]
    RESULTS[stem](names[""] | names["naion"] | {f"left_{k}": left[k] for k in left})


RESULTS = {
    "start": lambda n: _ends(
        n["sol"].capacity > n["cold"].capacity > 0.0
        and n["table"].loc["finer"].iloc[2] > n["table"].loc["as it is"].iloc[2]
    ),
    "simulate": lambda n: _ends(
        n["Z"].shape == (50,)
        and -0.1 < n["charge"].plating_margin.min() < 0.05
        and np.allclose(n["again"]["Voltage [V]"], n["sol"]["Voltage [V]"])
    ),
    # Both at their own meshes, an hour of 1C.
    "from-pybamm": lambda n: _ends(
        abs(n["sol"].at(600.0).voltage - n["left_solution"]["Voltage [V]"](600.0))
        < 5e-3
        and float(n["slope"].area) > 0.0
        and float(n["thicker"].negative.thickness) == 9e-5
    ),
    "from-pybop": lambda n: _ends(n["fit"].converged),
    "data": lambda n: _ends(
        np.allclose(n["table"]["time_s"], [0.0, 60.0, 120.0])
        and np.allclose(n["table"]["current_A"], [0.0, 1.0, 1.0])
        and n["test"].is_spectrum
        and np.all(np.abs(n["error"]) < 0.3)
        and np.allclose(n["spectrum"].impedance.imag, [-0.01, -0.002, -0.01])
    ),
    "half-cells": lambda n: _ends(
        n["fit"].converged
        and n["Z"].shape == (30,)
        and n["moved"].negative_potential[1] < n["sol"].negative_potential[1]
    ),
    "cost": lambda n: _ends(0.0 < n["low"] < n["middle"] < n["high"] < 200.0),
    "fit": lambda n: _ends(n["fit"].converged),
    "life": lambda n: _ends(
        n["found"].changes["500 cycles"][1].percent < 1.0 and len(n["table"]) == 8
    ),
    "uncertainty": lambda n: _ends(n["low"] < n["value"] < n["high"]),
    "cell": lambda n: _ends(
        150.0 < n["sheet"].specific_energy < 175.0
        and n["large"].area > 10.0
        and float(n["measured"].positive.particle.diffusivity(0.5, 298.15)) == 2e-15
    ),
    "claims": lambda n: _ends(n["energy"].question and "oxide_lean" in n["made"]),
    "packs": lambda n: _ends(np.abs(n["currents"]).max() < 1e-9),
    "batches": lambda n: _ends(
        n["done"].counts == {"completed": 32}
        and np.all(np.diff(n["capacities"]) > 0.0)
        and list(n["fitted"]["outcome"]) == 4 * ["converged"]
        and np.all(n["fitted"]["area"].between(0.06, 0.08))
    ),
    "numerics": lambda n: _ends(n["coarse"].capacity > 1.0),
    "extending": lambda n: _ends(n["sol"]["Share of the surface under salt"].max() > 0),
}
"""What the names that the examples leave behind must show."""


def _ends(well) -> None:
    assert well


def test_pages_are_what_the_code_says():
    """`make docs` writes them."""
    found = runpy.run_path(str(DOCS / "pages.py"))["pages"]()
    if sys.version_info >= (3, 13):
        # Later versions of Python wrap the help of commands elsewhere.
        del found["commands.md"]
    stale = [
        file
        for file, text in found.items()
        if (DOCS / file).read_text(encoding="utf-8") != text
    ]
    assert len(found) > 20 and stale == []


def test_files_on_pages_fit_their_schemas(tmp_path):
    def shown(page):
        text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
        return re.search(r"```toml\n(.*?)```", text, re.DOTALL)[1]

    fit = checked(FitFile, tomllib.loads(shown("fit")), "fit.md")
    assert len(fit.data) == 2 and len(fit.free) == 2
    half = checked(FitFile, tomllib.loads(shown("half-cells")), "half-cells.md")
    assert half.half_cell is not None and half.half_cell.electrode == "negative"
    sweep = checked(SweepFile, tomllib.loads(shown("batches")), "batches.md")
    assert sweep.lanes == 1000
    file = tmp_path / "claims.toml"
    file.write_text(shown("claims"))
    assert [claim.name for claim in claims.load(file)] == ["mine"]


def test_docs_command(capsys):
    assert main(["docs"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(TOPICS)
    assert main(["docs", "fit"]) == 0
    said = capsys.readouterr().out
    assert "# Your data to a fit" in said and "`bounds`" in said
    assert main(["docs", "fitt"]) == 2
    assert "Did you mean fit?" in capsys.readouterr().err


def test_all_topics_ship():
    """Every page of `naion docs` is in the wheel, and every page has a topic."""
    with (ROOT / "pyproject.toml").open("rb") as f:
        wheel = tomllib.load(f)["tool"]["hatch"]["build"]["targets"]["wheel"]
    pages = {f"docs/{name}.md" for names in TOPICS.values() for name in names}
    shipped = {k: v for k, v in wheel["force-include"].items() if k.startswith("docs/")}
    assert shipped == {page: f"naion/pages/{Path(page).name}" for page in pages}
    assert pages == {f"docs/{p.name}" for p in DOCS.glob("*.md")} - {"docs/index.md"}


def test_errors_and_help_of_a_fit_lead_to_its_page(tmp_path, capsys):
    file = tmp_path / "fit.toml"
    file.write_text('cell = "nfm_hc_18650"\n[[data]]\nkind = "discharged"\n')
    assert main(["fit", str(file), "--out", str(tmp_path / "out")]) == 2
    assert "`naion docs fit`" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["fit", "--help"])
    said = capsys.readouterr().out
    assert "naion docs fit" in said and '[[data]] kind = "pulse"' in said


def test_every_package_stands_in_the_table_of_the_structure():
    text = (ROOT / "docs" / "structure.md").read_text(encoding="utf-8")
    named = {
        name
        for row in re.findall(r"^\| (`.*?) \|", text, re.M)
        for name in re.findall(r"`(\w+)`", row)
    }
    packages = {p.parent.name for p in (ROOT / "naion").glob("*/__init__.py")}
    assert named - {"naion_kernels"} == packages
