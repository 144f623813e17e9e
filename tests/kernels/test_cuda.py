"""GPU programs: they compile, and their layout of memory is right on a CPU."""

import os
import subprocess

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion_kernels import lanes
from naion_kernels.lanes import _build, _call
from naion_kernels.lanes._emit import emit
from naion_kernels.lanes._flatten import flatten

needs_compiler = pytest.mark.skipif(
    not lanes.has_compiler(), reason="needs g++ on Linux, or nvcc beside a GPU"
)


def _nvcc():
    try:
        return _build.find_cuda_compiler()
    except lanes.NoCompilerError:
        return None


needs_nvcc = pytest.mark.skipif(
    _nvcc() is None, reason="needs nvcc (PATH, NVCC or CUDA_HOME)"
)
needs_gpu = pytest.mark.skipif(
    jax.default_backend() != "gpu", reason="needs an NVIDIA GPU"
)


@pytest.fixture
def energy(cell, model):
    """Energy of a discharge as a function of two scales."""

    def run(scales):
        moved = eqx.tree_at(
            lambda c: (c.negative.particle.diffusivity.scale, c.area),
            cell,
            (scales[0], cell.area * scales[1]),
        )
        return na.simulate(moved, "Discharge at 2C", model=model, throw=False).energy

    return run


SCALES = np.linspace(0.8, 1.2, 20).reshape(10, 2)


@needs_compiler
def test_layout_of_a_gpu_on_a_cpu(energy, monkeypatch):
    """Programs as on a GPU, with lanes that alternate in memory, give the same numbers."""
    expected = jax.jit(jax.vmap(energy))(SCALES)

    def build_like_gpu(program, uniform, width):
        source = emit(flatten(program.traced), uniform, 1, "run_cuda.hpp")
        source = source.replace("run_cuda.hpp", "run_cpu.hpp")
        source = "#define STRIDED\n" + source
        return _call._loaded(_build.Source(lambda: source), "cpu", _build.build)

    monkeypatch.setattr(_call, "_on_cpu", build_like_gpu)
    monkeypatch.setattr(_call, "_width", lambda lanes, alike: 1)
    jax.clear_caches()
    try:
        found = jax.jit(jax.vmap(energy))(SCALES)
    finally:
        jax.clear_caches()
    # The same steps in another order of arithmetic.
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def program_of(function, *operands):
    """The lane program of a function, as JAX lowers it."""
    found = []

    def spy(program, uniform, width):
        found.append((program, uniform))
        raise InterruptedError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_call, "_on_cpu", spy)
        with pytest.raises(InterruptedError):
            jax.jit(function).lower(*operands).compile()
    return found[0]


@needs_compiler
@needs_nvcc
@pytest.mark.parametrize("capability", ["8.0", "9.0"])
def test_cuda_compiles(capability, tmp_path, monkeypatch):
    """A program with loops, tables and a linear solve, for both generations of GPUs."""

    def solve(x, table):
        def body(c):
            i, y = c
            row = table[jnp.clip(i, 0, table.shape[0] - 1)]
            return i + 1, y + jnp.exp(-row * y) * jnp.where(y > 0.5, 0.1, 0.2)

        return jax.lax.while_loop(lambda c: c[1].sum() < 40.0, body, (0, x))

    table = jnp.linspace(0.1, 1.0, 30).reshape(10, 3)
    program, uniform = program_of(
        jax.vmap(lanes.per_lane(solve), in_axes=(0, None)), jnp.ones((16, 3)), table
    )
    monkeypatch.setenv("NAION_KERNEL_CACHE", str(tmp_path))
    source = emit(flatten(program.traced), uniform, 1, "run_cuda.hpp")
    key, _ = _build.build_cuda(_build.Source(lambda: source), capability)
    if cuobjdump := _cuobjdump():
        text = subprocess.run(
            [cuobjdump, "--list-elf", str(tmp_path / f"{key}.so")],
            capture_output=True,
            text=True,
        ).stdout
        assert f"sm_{capability.replace('.', '')}" in text


def _cuobjdump():
    path = os.path.join(os.path.dirname(os.path.realpath(_nvcc())), "cuobjdump")
    return path if os.path.exists(path) else None


@pytest.mark.slow
@needs_compiler
@needs_nvcc
@pytest.mark.parametrize("capability", ["8.0", "9.0"])
def test_cuda_compiles_whole_solves(energy, capability):
    """The solve itself, as a GPU runs it."""
    program, uniform = program_of(jax.vmap(energy), jnp.asarray(SCALES))
    source = emit(flatten(program.traced), uniform, 1, "run_cuda.hpp")
    _build.build_cuda(_build.Source(lambda: source), capability)


@needs_gpu
def test_gpu_gives_what_the_cpu_gives(energy):
    """On a GPU: the same numbers as on its CPU, lane by lane."""
    on_gpu = jax.jit(jax.vmap(jax.value_and_grad(energy)))(SCALES)
    with jax.default_device(jax.devices("cpu")[0]):
        on_cpu = jax.jit(jax.vmap(jax.value_and_grad(energy)))(SCALES)
    for a, b in zip(on_gpu, on_cpu, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8)
