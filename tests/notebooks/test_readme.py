"""The README's examples run in order as they stand."""

import contextlib
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def after(tmp_path_factory):
    """Names that all blocks leave behind; files go to a scratch folder."""
    names: dict = {}
    with contextlib.chdir(tmp_path_factory.mktemp("readme")):
        for block in re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL):
            exec(block, names)
    yield names
    plt.close("all")


def test_it_is_short_and_its_links_lead_somewhere():
    assert len(README.split()) <= 1300
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(links) > 25
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_quick_start(after):
    assert after["sol"].result.name == "COMPLETED"
    V = np.asarray(after["sol"]["Voltage [V]"])
    assert V.min() > 1.49 and V.max() < 4.01
    assert all(ax.lines for ax in np.ravel(after["axes"]))
    # More active material, more energy.
    assert float(after["gradient"].negative.active_fraction) > 0.0
    energies = np.asarray(after["energies"])
    assert energies.shape == (8,) and np.all(np.diff(energies) > 0.0)


def test_fit(after):
    """optax ends where Levenberg-Marquardt ends, and the measured energy is predicted."""
    fit, problem = after["fit"], after["problem"]
    assert fit.converged
    assert float(problem.loss(after["z"])) < 1.1 * float(problem.loss(fit.z))
    file = "naion/demo/data/hakadi/cell2_dchg1.00C_rep1.csv"
    table = pd.read_csv(ROOT / file, comment="#").query("step == 1")
    t = np.append(0.0, table["time_s"])
    V = np.append(table["voltage_V"].iloc[0], table["voltage_V"])
    inside = np.linspace(0.0, 2400.0, 2001)
    measured = 1.5 * np.trapezoid(np.interp(inside, t, V), inside) / 3600.0
    low, value, high = after["low"], after["value"], after["high"]
    assert low < measured < high
    said = re.search(
        r"is ([\d.]+) W.h \(([\d.]+) to\s+([\d.]+)\); the cell gave ([\d.]+)", README
    )
    assert said is not None
    assert [f"{x:.2f}" for x in (value, low, high, measured)] == list(said.groups())
