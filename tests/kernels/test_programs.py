"""Programs are loaded while something can call them; their source can be read."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from naion_kernels import lanes

pytestmark = pytest.mark.skipif(not lanes.has_compiler(), reason="needs g++ on Linux")

X = jnp.linspace(-1.0, 1.0, 6)


@pytest.fixture(autouse=True)
def _native(tmp_path, monkeypatch):
    """Libraries of their own, and none left loaded by others."""
    monkeypatch.setenv("NAION_KERNELS", "on")
    monkeypatch.setenv("NAION_KERNEL_CACHE", str(tmp_path / "kernels"))
    jax.clear_caches()
    gc.collect()


def mapped(folder) -> set[str]:
    """Libraries of a folder that are in this process's memory."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return {line.split()[-1] for line in lines if str(folder) in line}


def test_let_go_with_the_function(tmp_path):
    before, in_memory = lanes.loaded(), []
    for k in range(3):
        run = jax.jit(lanes.per_lane(lambda x, k=k: jnp.sin(x) + k))
        many = jax.jit(jax.vmap(lanes.per_lane(lambda x, k=k: jnp.cos(x) * k)))
        np.testing.assert_allclose(run(X), jnp.sin(X) + k, rtol=1e-14)
        np.testing.assert_allclose(many(X), jnp.cos(X) * k, rtol=1e-14)
        assert lanes.loaded() == before + 2
        del run, many
        gc.collect()
        assert lanes.loaded() == before
        in_memory.append(mapped(tmp_path))
    # The loader stays.
    assert len(list((tmp_path / "kernels").iterdir())) >= 6
    assert len(in_memory[-1]) <= 1


def test_held_by_the_executable_alone():
    before = lanes.loaded()
    lowered = jax.jit(lanes.per_lane(lambda x: jnp.exp(x) - 4.0)).lower(X)
    jax.clear_caches()
    gc.collect()
    assert lanes.loaded() == before + 1
    compiled = lowered.compile()
    del lowered
    jax.clear_caches()
    gc.collect()
    assert lanes.loaded() == before + 1
    np.testing.assert_allclose(compiled(X), jnp.exp(X) - 4.0, rtol=1e-14)
    del compiled
    gc.collect()
    assert lanes.loaded() == before


def test_not_let_go_while_it_runs():
    def slow(x):
        return jax.lax.fori_loop(0, 2_000_000, lambda _, y: jnp.sin(y + x), x)

    before = lanes.loaded()
    results = []
    for k in range(3):
        run = jax.jit(lanes.per_lane(lambda x, k=k: slow(x) + k))
        results.append(run(1.0))
        del run
        jax.clear_caches()
        gc.collect()
    first, *others = (float(r) for r in results)
    assert [o - first for o in others] == pytest.approx([1.0, 2.0])
    assert lanes.loaded() == before


def test_the_same_again_after_it_was_let_go():
    def once():
        return jax.jit(lanes.per_lane(lambda x: jnp.tanh(x) - 2.5))(X)

    first = once()
    jax.clear_caches()
    gc.collect()
    np.testing.assert_array_equal(once(), first)


def test_the_source_can_be_read(tmp_path, monkeypatch):
    monkeypatch.setenv("NAION_KERNELS_DUMP", str(tmp_path / "new" / "sources"))
    jax.jit(lanes.per_lane(lambda x: jnp.log1p(x) * 3.25))(X)
    texts = [p.read_text() for p in (tmp_path / "new" / "sources").glob("*.cpp")]
    (text,) = [t for t in texts if "log1p(" in t]
    assert "real(3.25)" in text and "run_block" in text
    names = {p.stem for p in (tmp_path / "new" / "sources").iterdir()}
    assert names >= {p.stem for p in (tmp_path / "kernels").iterdir()}


OUTSIDE = """
import jax, jax.numpy as jnp
from naion_kernels import lanes
read = lanes.per_lane(lambda x, k: x.at[k].get(mode="promise_in_bounds"))
print(jax.jit(read)(jnp.ones(4), jnp.asarray([0, {place}])))
"""


def test_sanitisers_notice_what_is_read_outside(tmp_path):
    """`make sanitise` would: a program that breaks its promise ends the process."""
    libraries = [
        subprocess.check_output(["g++", f"-print-file-name={name}"], text=True).strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    if not all(Path(path).is_file() for path in libraries):
        pytest.skip("needs the libraries of GCC's sanitisers")
    settings = {
        "LD_PRELOAD": " ".join(libraries),
        "ASAN_OPTIONS": "detect_leaks=0",
        "NAION_KERNELS_SANITISE": "1",
    }
    for place, noticed in ((1, False), (5000, True)):
        ran = subprocess.run(
            [sys.executable, "-c", OUTSIDE.format(place=place)],
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
        )
        assert ("out of bounds" in ran.stderr) == noticed, ran.stderr
        assert (ran.returncode != 0) == noticed
