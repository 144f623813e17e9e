"""What cannot run as native code runs through XLA, and says why, once."""

import os
import stat
import time

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion_kernels import _cautions, lanes
from naion_kernels.lanes import _build, _call

pytestmark = pytest.mark.skipif(not lanes.has_compiler(), reason="needs g++ on Linux")

X = jnp.linspace(-1.0, 1.0, 6)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NAION_KERNEL_CACHE", str(tmp_path / "kernels"))
    monkeypatch.delenv("NAION_KERNELS", raising=False)
    monkeypatch.setattr(_cautions, "_said", set())


def sorted_twice(x):
    return jnp.sort(x) * 2.0


def may_not_end(x):
    """The branch that no lane takes would not end."""
    more = lambda y: jax.lax.while_loop(lambda c: c[0] < 9.0, lambda c: c, y)  # noqa: E731
    return jax.lax.cond(x[0] > 9.0, more, lambda y: -y, x)


def complex_numbers(x):
    return jnp.abs(jnp.exp(1j * x) + x)


def wraps_around(x):
    return (x.astype(jnp.uint32) - jnp.uint32(3)).astype(float)


def calls_back(x):
    shape = jax.ShapeDtypeStruct(x.shape, x.dtype)
    return jax.pure_callback(np.sin, shape, x, vmap_method="sequential")


@pytest.mark.parametrize(
    ("fn", "reason"),
    [
        (sorted_twice, "'sort'"),
        (may_not_end, "'cond'"),
        (complex_numbers, "complex128"),
        (wraps_around, "uint32"),
        (calls_back, "'pure_callback'"),
    ],
    ids=lambda p: getattr(p, "__name__", ""),
)
def test_what_lanes_cannot_contain_runs_through_xla(fn, reason):
    program = lanes.per_lane(fn)
    with pytest.warns(na.Caution, match=f"{reason}.*NAION_KERNELS=off") as met:
        found = jax.jit(program)(X)
        again = jax.jit(lambda x: program(x) + 1.0)(X)
    assert len(met) == 1
    np.testing.assert_allclose(found, fn(X), rtol=1e-14)
    np.testing.assert_allclose(again, fn(X) + 1.0, rtol=1e-14)


def test_side_by_side_as_the_lanes_are_laid_out():
    """Operands by lane, by group, and the same in all, in groups of groups."""

    def plain(x, v, n):
        return jnp.cumsum(x) * v + n, jnp.sort(x)[0] + v

    program = lanes.per_lane(plain)
    v, n = jnp.asarray([2.0, 3.0, 4.0]), jnp.asarray([1.0, -1.0])
    x = X * jnp.arange(1.0, 4.0)[:, None]
    with pytest.warns(na.Caution):
        for axes in (
            [(0, None, None)],
            [(None, 0, None), (0, None, None)],
            [(None, 0, None), (0, None, None), (None, None, 0)],
            [(0, 0, None), (None, None, 0)],
        ):
            a, b = program, plain
            for inner in axes:
                a, b = jax.vmap(a, in_axes=inner), jax.vmap(b, in_axes=inner)
            operands = x, v, n
            moved = [
                y if any(inner[k] is not None for inner in axes) else y[0]
                for k, y in enumerate(operands)
            ]
            for p, q in zip(jax.jit(a)(*moved), b(*moved), strict=True):
                np.testing.assert_allclose(p, q, rtol=1e-14)


def test_derivatives_of_what_runs_through_xla():
    """As naion makes them: a rule whose tangents and cotangents are lane programs."""

    @jax.custom_jvp
    def f(x):
        return lanes.per_lane(jnp.cumsum)(x)

    @f.defjvp
    def _(primals, tangents):
        def along(t):
            return lanes.per_lane(jnp.cumsum)(t)

        def against(_, t):
            return lanes.per_lane(lambda t: jnp.cumsum(t[::-1])[::-1])(t)

        solve = jax.custom_derivatives.linear_call(
            lambda _, t: along(t), against, (), tangents[0]
        )
        return f(primals[0]), solve

    with pytest.warns(na.Caution, match="'cumsum'") as met:
        value, dot = jax.jit(lambda x: jax.jvp(f, (x,), (x,)))(X)
        gradient = jax.jit(jax.grad(lambda x: f(x) @ X))(X)
    assert len(met) == 1
    np.testing.assert_allclose(value, dot)
    np.testing.assert_allclose(gradient, np.tri(6).T @ X, atol=1e-15)


@pytest.mark.slow
def test_simulations_and_their_derivatives_through_xla(cell, monkeypatch):
    """As with a user's curve that lanes cannot contain: in all programs of a solve."""
    model = na.DFN(mesh=na.Mesh(4, 3, 4, 9))

    def energy(scale):
        scaled = eqx.tree_at(lambda c: c.area, cell, cell.area * scale)
        step = "Discharge at 2C until 2.0 V"
        return na.simulate(scaled, step, model=model, throw=False).energy

    def answers():
        jax.clear_caches()
        both = jax.jit(jax.vmap(jax.value_and_grad(energy)))
        return both(jnp.asarray([0.9, 1.0, 1.1]))

    def emit(*args):
        raise NotImplementedError("A lane program cannot contain this curve.")

    native = answers()
    monkeypatch.setattr(_call, "emit", emit)
    with pytest.warns(na.Caution, match="this curve") as met:
        through_xla = answers()
    jax.clear_caches()
    assert len(met) == 1
    for a, b in zip(through_xla, native, strict=True):
        # The same steps in another order of arithmetic.
        np.testing.assert_allclose(a, b, rtol=1e-8)


def test_asked_for_it_is_an_error(monkeypatch):
    monkeypatch.setenv("NAION_KERNELS", "on")
    with pytest.raises(RuntimeError, match="NAION_KERNELS=on.*'sort'"):
        jax.jit(lanes.per_lane(jnp.sort))(X)


def compiler_that(does: str, folder) -> str:
    """A script that answers as g++ does, and then does something else."""
    script = folder / "g++"
    script.write_text(f'#!/bin/sh\n[ "$1" = "-###" ] && exec g++ "$@"\n{does}\n')
    script.chmod(0o755)
    return str(script)


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        ("echo lost its header >&2; exit 1", "exit status 1, lost its header"),
        ("exit 0", "exit status 0, without a word"),
        ("kill -9 $$", "signal 9"),
    ],
)
def test_a_compiler_that_fails(does, reason, tmp_path, monkeypatch):
    monkeypatch.setenv("CXX", compiler_that(does, tmp_path))
    assert lanes.enabled()
    with pytest.warns(na.Caution, match=reason) as met:
        for k in (1.0, 2.0):
            found = jax.jit(lanes.per_lane(lambda x, k=k: jnp.sin(k * x)))(X)
            np.testing.assert_allclose(found, jnp.sin(k * X), rtol=1e-14)
    assert len(met) == 1


def test_a_compiler_that_hangs_is_ended_with_what_it_started(tmp_path, monkeypatch):
    left = tmp_path / "left"
    cxx = compiler_that(f"sleep 600 & echo $! > {left}; wait", tmp_path)
    monkeypatch.setenv("CXX", cxx)
    monkeypatch.setattr(_build, "PATIENCE", 1.0)
    began = time.monotonic()
    with pytest.warns(na.Caution, match="g\\+\\+ hangs") as met:
        for k in range(3):
            jax.jit(lanes.per_lane(lambda x, k=k: x + k))(X)
    assert len(met) == 1
    assert time.monotonic() - began < 30.0  # and it is not asked again
    with pytest.raises(ProcessLookupError):
        for _ in range(100):
            os.kill(int(left.read_text()), 0)
            time.sleep(0.05)


@pytest.mark.parametrize(
    "does", ["exit 1", "exec /no/such/program", "echo icc; exit 0"]
)
def test_a_compiler_that_does_not_answer(does, tmp_path, monkeypatch):
    script = tmp_path / "c++"
    script.write_text(f"#!/bin/sh\n{does}\n")
    script.chmod(0o755)
    monkeypatch.setenv("CXX", str(script))
    with pytest.warns(na.Caution, match=f"{script}.*Install g\\+\\+"):
        assert not lanes.enabled()
    assert not lanes.enabled()
    with pytest.raises(lanes.NoCompilerError):
        lanes.trial()


def test_no_folder_to_compile_in(tmp_path, monkeypatch):
    """Neither a cache nor a folder for temporary files."""
    monkeypatch.setenv("NAION_KERNEL_CACHE", "/dev/null/kernels")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.warns(na.Caution, match="gone"):
        found = jax.jit(lanes.per_lane(lambda x: jnp.cos(x) + 7.0))(X)
    np.testing.assert_allclose(found, jnp.cos(X) + 7.0, rtol=1e-14)


def test_unlike_machines_that_share_a_folder_have_libraries_of_their_own(
    tmp_path, monkeypatch
):
    """What -march=native stands for is part of the key."""
    for march in ("znver3", "sapphirerapids"):
        script = tmp_path / march
        script.write_text(
            '#!/bin/sh\n[ "$1" = "-###" ] || exec g++ "$@"\n'
            f'g++ "$@" 2>&1; echo cc1plus "-march={march}"\n'
        )
        script.chmod(0o755)
        monkeypatch.setenv("CXX", str(script))
        jax.jit(lanes.per_lane(lambda x: x * 3.25))(X)
    kept = list(lanes.folder().iterdir())
    assert len(kept) == 2
    assert {stat.S_IMODE(p.stat().st_mode) for p in kept} == {0o600}
