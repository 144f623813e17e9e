"""The README's first examples run as they stand."""

import contextlib
import re
from pathlib import Path

import numpy as np
import pytest

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture(scope="module")
def after(tmp_path_factory):
    """Names that the quick start and the batches leave behind; files go to a scratch folder."""
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)
    names: dict = {}
    with contextlib.chdir(tmp_path_factory.mktemp("readme")):
        packs = [block for block in blocks if "na.design" in block]
        for block in [*blocks[:5], *packs]:
            exec(block, names)
    return names


def test_quick_start(after):
    assert after["sol"].result.name == "COMPLETED"
    V = np.asarray(after["sol"]["Voltage [V]"])
    assert V.min() > 1.99 and V.max() < 4.11
    # More active material, more energy.
    assert float(after["gradient"].negative.active_fraction) > 0.0


def test_batch(after):
    capacities = np.asarray(after["capacities"])
    assert capacities.shape == (8,) and np.all(np.diff(capacities) > 0.0)


def test_parts(after):
    assert after["charge"].result.name == "COMPLETED"
    # 1C at room temperature brings the face of this carbon close to the metal.
    assert -0.1 < float(after["charge"].plating_margin.min()) < 0.05


def test_many_cells(after):
    done = after["done"]
    assert done.counts == {"completed": 32} and np.all(np.diff(done.capacity) > 0.0)


def test_designs_and_packs(after):
    assert 150.0 < float(after["sheet"].specific_energy) < 175.0
    assert float(after["large"].area) > 10.0
    current = np.asarray(after["run"].cells("current"))
    np.testing.assert_allclose(current[-1].reshape(2, 2).sum(axis=1), 0.0, atol=1e-9)
    assert np.abs(current[-1]).max() > 1e-3
