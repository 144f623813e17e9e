"""Programs that are known from an earlier process: not traced, never another's."""

import gc
import importlib
import logging
import os
import re
import sys

import jax
import jax.numpy as jnp
import pytest

from naion_kernels import lanes
from naion_kernels.lanes import _identity

pytestmark = pytest.mark.skipif(not lanes.has_compiler(), reason="needs g++ on Linux")

ABOUT = """
import dataclasses
import jax
import jax.numpy as jnp

FACTOR = 2.0
traced = []


def power(x):
    return x**2


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Cell:
    x: object
    form: object = dataclasses.field(default=power, metadata={"static": True})
    name: str = dataclasses.field(default="cell", metadata={"static": True})


def run(cell, y):
    traced.append(cell.name)
    return {"sum": FACTOR * cell.form(cell.x) + y, "cell": cell}
"""


@pytest.fixture
def about(tmp_path, monkeypatch):
    """A package of somebody's, and an empty folder of programs."""
    folder = tmp_path / "somebody"
    folder.mkdir()
    (folder / "__init__.py").write_text(ABOUT)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("NAION_KERNELS", "on")
    monkeypatch.setenv("NAION_KERNEL_CACHE", str(tmp_path / "kernels"))
    monkeypatch.setattr(_identity, "_began", float("inf"))
    yield of_a_new_process()
    del sys.modules["somebody"]


def of_a_new_process():
    """The package as a process that has just begun finds it."""
    sys.modules.pop("somebody", None)
    jax.clear_caches()
    gc.collect()
    importlib.invalidate_caches()
    for known in (_identity._folder, _identity._read, _identity._is_from):
        known.cache_clear()
    return importlib.import_module("somebody")


def result(about, **fields):
    """What its function gives, 2 * 3**2 + 1, and how often it was traced for that."""
    before = len(about.traced)
    program = lanes.per_lane(about.run, packages=("somebody",))
    got = jax.jit(program)(about.Cell(jnp.asarray(3.0), **fields), 1.0)
    assert type(got["cell"]) is about.Cell and float(got["cell"].x) == 3.0
    return float(got["sum"]), len(about.traced) - before


def test_traced_in_the_first_process_only(about, tmp_path):
    assert result(about) == (19.0, 1)
    assert result(about) == (19.0, 0)  # another wrapper of it, in the same process
    about = of_a_new_process()
    assert result(about) == (19.0, 0)
    assert result(about, name="other") == (19.0, 1)


def test_lanes_of_a_program_that_is_known(about):
    def many(about):
        run = lanes.per_lane(about.run, packages=("somebody",))
        cells = about.Cell(jnp.arange(5.0))
        return jax.jit(jax.vmap(run, in_axes=(0, None)))(cells, 1.0)["sum"].tolist()

    expected = [1.0, 3.0, 9.0, 19.0, 33.0]
    assert many(about) == expected and len(about.traced) == 1
    about = of_a_new_process()
    assert many(about) == expected and about.traced == []
    assert result(about) == (19.0, 1)  # of one lane no library was made


def test_another_when_a_file_changed(about, tmp_path):
    result(about)
    file = tmp_path / "somebody" / "__init__.py"
    # Of another length: Python tells files of one second by their sizes.
    file.write_text(ABOUT.replace("x**2", "x ** 3"))
    assert result(of_a_new_process()) == (55.0, 1)
    file.write_text(ABOUT)
    assert result(of_a_new_process()) == (19.0, 0)


def test_files_that_changed_since_the_process_began(about, monkeypatch):
    """What it has loaded may be what they were before."""
    result(about)
    about = of_a_new_process()
    monkeypatch.setattr(_identity, "_began", 0.0)
    assert result(about) == (19.0, 1)


def mine(x):
    return x + 1.0


PATCHES = {
    "a function": lambda about: setattr(about, "power", mine),
    "a constant": lambda about: setattr(about, "FACTOR", 3.0),
    "a method": lambda about: setattr(about.Cell, "area", lambda self: 1.0),
}


@pytest.mark.parametrize("what", PATCHES)
def test_what_somebody_has_replaced_is_traced(about, what):
    result(about)
    about = of_a_new_process()
    PATCHES[what](about)
    expected = 28.0 if what == "a constant" else 19.0
    assert result(about) == (expected, 1)


def test_code_from_elsewhere_is_traced(about, caplog):
    """A function of a test, one without a name, and one that is traced itself."""
    caplog.set_level(logging.DEBUG, "naion_kernels")
    for form in (mine, lambda x: x + 1.0):
        for _ in range(2):
            assert result(about, form=form) == (9.0, 1)
            about = of_a_new_process()
    assert re.search("traced in each process.*defined in .*test_known", caplog.text)
    program = lanes.per_lane(
        lambda y: about.run(about.Cell(y), y), packages=("somebody",)
    )
    assert float(jax.jit(program)(3.0)["sum"]) == 21.0


def test_other_settings_of_jax(about):
    result(about)
    with jax.enable_x64(False):
        assert result(about) == (19.0, 1)


def damaged(file):
    content = file.read_bytes()
    yield content[:-1]
    yield b""
    yield content[:50] + bytes([content[50] ^ 1]) + content[51:]


def test_files_that_are_damaged_or_gone(about, tmp_path):
    result(about)
    kernels = tmp_path / "kernels"
    program = max(kernels.glob("*.known"), key=os.path.getsize)
    for content in damaged(program):
        program.write_bytes(content)
        assert result(of_a_new_process()) == (19.0, 1)
    for library in kernels.glob("*.so"):
        library.unlink()
    # Its source has to be written again.
    assert result(of_a_new_process()) == (19.0, 1)


def test_without_a_folder(about, monkeypatch):
    monkeypatch.setenv("NAION_KERNEL_CACHE", "/proc/none")
    with pytest.warns(match="not kept for the next process"):
        assert result(of_a_new_process()) == (19.0, 1)
    assert result(of_a_new_process()) == (19.0, 1)
