"""Batches: every lane is its own solve, and nothing is lost or computed twice."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion.batch import _program
from naion.simulation import driver

WORKER = Path(__file__).with_name("worker.py")


@pytest.fixture(scope="module")
def cells(cell):
    """Five cells, the third of which cannot be: its limits lie above all voltages."""
    made = [
        eqx.tree_at(lambda c: c.positive.particle.diffusivity.scale, cell, s)
        for s in (0.5, 1.0, 1.5, 2.0, 3.0)
    ]
    made[2] = eqx.tree_at(lambda c: c.positive.particle.rate_constant.scale, cell, 0.0)
    return na.batch.stack(made)


def test_lanes_are_single_simulations_and_a_bad_one_stays_alone(cells, model):
    done = na.batch.simulate(cells, "Discharge at 1C", model=model, chunk=2)
    assert len(done) == 5 and sum(done.counts.values()) == 5
    assert not done[2].result.is_physical
    assert [r for i, r in enumerate(done.results) if i != 2] == [na.Result.CUT_OFF] * 4
    for i in (0, 4):
        own = jax.tree.map(lambda a, i=i: jnp.asarray(a[i]), cells)
        alone = na.simulate(own, "Discharge at 1C", model=model)
        # The same steps in another order of arithmetic.
        assert done.capacity[i] == pytest.approx(float(alone.capacity), rel=1e-9)
        assert done.energy[i] == pytest.approx(float(alone.energy), rel=1e-9)
        assert len(done[i]["Voltage [V]"]) == len(alone["Voltage [V]"])
    assert list(done[3:].t_end) == [float(s.t_end) for s in list(done)[3:]]


def test_any_function_of_any_pytree():
    inputs = {"a": np.arange(7.0), "b": np.ones((7, 2))}
    out = na.batch.run(lambda x: (x["a"] * x["b"], x["a"] > 3), inputs, chunk=3)
    np.testing.assert_array_equal(out[0], np.arange(7.0)[:, None] * np.ones((7, 2)))
    np.testing.assert_array_equal(out[1], np.arange(7) > 3)


def test_chunks_fit_into_memory(monkeypatch):
    # A lane of a megabyte where 20 are free and half may be used.
    monkeypatch.setattr(_program, "free_memory", lambda devices: 20e6)
    said = []
    out = na.batch.run(
        lambda x: jnp.sum(jnp.sin(x * jnp.arange(131072.0)).reshape(2, -1), axis=1),
        np.arange(40.0),
        progress=said.append,
    )
    assert out.shape == (40, 2) and len(said) > 1


def test_a_folder_belongs_to_one_run(tmp_path):
    x = np.arange(4.0)
    first = na.batch.run(jnp.sin, x, chunk=2, folder=tmp_path)
    again = na.batch.run(jnp.sin, x, chunk=2, folder=tmp_path)
    np.testing.assert_array_equal(first, again)
    for function, inputs, chunk, what in (
        (jnp.cos, x, 2, "function differs"),
        (lambda x: 2.0 * jnp.sin(x), x, 2, "function differs"),
        (jnp.sin, x + 1.0, 2, "inputs differs"),
        (jnp.sin, x, 4, "chunk differs"),
        (with_table([1.0, 2.0]), x, 2, "function differs"),
    ):
        with pytest.raises(ValueError, match=what):
            na.batch.run(function, inputs, chunk=chunk, folder=tmp_path)


def with_table(values):
    """A function with constants in one that it calls."""
    inner = jax.jit(lambda x: x * jnp.sum(jnp.asarray(values)))
    return lambda x: inner(x)


def test_constants_of_called_functions_tell_runs_apart(tmp_path):
    x = np.arange(3.0)
    na.batch.run(with_table([1.0, 2.0]), x, folder=tmp_path)
    with pytest.raises(ValueError, match="function differs"):
        na.batch.run(with_table([3.0, 2.0]), x, folder=tmp_path)


def test_a_run_goes_on_with_its_own_chunks(tmp_path, monkeypatch):
    """A machine with other memory takes what is there, unless told otherwise."""
    x = np.arange(10.0)
    first = na.batch.run(jnp.sin, x, chunk=3, folder=tmp_path)
    monkeypatch.setattr(_program, "free_memory", lambda devices: 1.0)
    np.testing.assert_array_equal(na.batch.run(jnp.sin, x, folder=tmp_path), first)


def cut(path):
    path.write_bytes(path.read_bytes()[:-40])


def noise(path):
    path.write_bytes(np.random.default_rng(0).bytes(2000))


def flipped(path):
    data = bytearray(path.read_bytes())
    data[-30] ^= 1
    path.write_bytes(bytes(data))


def empty(path):
    path.write_bytes(b"")


def another(path):
    path.write_bytes(path.with_name("lanes_00000000.part").read_bytes())


@pytest.mark.parametrize("damage", [cut, noise, flipped, empty, another])
def test_damaged_parts_are_named_and_computed_again(tmp_path, damage):
    x = np.arange(9.0)
    first = na.batch.run(jnp.sin, x, chunk=2, folder=tmp_path)
    made = {p.name: p.stat().st_mtime_ns for p in tmp_path.glob("*.part")}
    damage(tmp_path / "lanes_00000006.part")
    said = []
    with pytest.warns(na.Caution, match=r"lanes_00000006\.part is .* computed again"):
        again = na.batch.run(jnp.sin, x, folder=tmp_path, progress=said.append)
    np.testing.assert_array_equal(first, again)
    assert len(said) == 1 and said[0].startswith("chunk 4 of 5")
    now = {p.name: p.stat().st_mtime_ns for p in tmp_path.glob("*.part")}
    assert [name for name in made if now[name] != made[name]] == ["lanes_00000006.part"]
    assert sorted(now) == sorted(made)


@pytest.mark.parametrize(
    "content", [b"{", b"\xff\xfe\x00", b"[1]", b'{"chunk": "x"}', b"null", b""]
)
def test_a_damaged_run_json_is_named_and_mended_from_the_parts(tmp_path, content):
    x = np.arange(9.0)
    na.batch.run(jnp.sin, x, chunk=2, folder=tmp_path)
    file = tmp_path / "run.json"
    good = file.read_bytes()
    file.write_bytes(content)
    said = []
    with pytest.warns(na.Caution, match=r"run\.json .*; it is written anew"):
        na.batch.run(jnp.sin, x, folder=tmp_path, progress=said.append)
    assert not said and file.read_bytes() == good
    # The parts alone are enough, also to tell that they are another's.
    file.unlink()
    with pytest.raises(ValueError, match="inputs differs"):
        na.batch.run(jnp.sin, x + 1.0, folder=tmp_path)
    na.batch.run(jnp.sin, x, folder=tmp_path, progress=said.append)
    assert not said
    for part in tmp_path.glob("*.part"):
        part.unlink()
    file.write_bytes(content)
    with pytest.warns(na.Caution, match=r"run\.json .*; it is written anew"):
        na.batch.run(jnp.sin, x, chunk=2, folder=tmp_path)


def test_what_cannot_be_written_is_named_and_leaves_nothing(tmp_path, monkeypatch):
    done = na.batch.Checkpoint(tmp_path, {"kind": "test"})
    done.save("a", b"1")

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*a\.part'"):
        done.save("a", b"2")
    assert done.load("a") == b"1"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.part", "run.json"]


def test_bad_batches_are_refused(cell):
    with pytest.raises(ValueError, match="at least one lane"):
        na.batch.run(jnp.sin, np.zeros(3), chunk=0)
    with pytest.raises(ValueError, match=r"got shapes \(3,\), \(2,\)"):
        na.batch.run(lambda x: x[0], (np.zeros(3), np.zeros(2)))
    with pytest.raises(ValueError, match="lanes along its first axis"):
        na.batch.simulate(cell, "Discharge at 1C")
    with pytest.raises(ValueError, match="at least one lane"):
        na.batch.stack([])
    for chunk in (1.5, True, "all"):
        with pytest.raises(
            ValueError, match=f"chunk={chunk!r}: expected a whole number"
        ):
            na.batch.run(jnp.sin, np.zeros(3), chunk=chunk)
    with pytest.raises(TypeError, match="stacked, got a list; `naion.batch.stack`"):
        na.batch.simulate([cell, cell], "Discharge at 1C")
    with pytest.raises(TypeError, match="list of cells.*got one Cell"):
        na.batch.stack(cell)
    with pytest.raises(TypeError, match="'nfm'; a set is loaded"):
        na.batch.stack(["nfm", "nfm"])
    with pytest.raises(ValueError, match="one structure"):
        na.batch.stack([cell, na.parameters.load("nvpf_hc_chayambuka2022")])


def start(folder, *arguments, devices=1):
    flags = f"--xla_force_host_platform_device_count={devices}"
    return subprocess.Popen(
        [sys.executable, str(WORKER), str(folder), *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
    )


def chunks(text):
    return [int(line.split()[1]) for line in text.splitlines() if "chunk" in line]


def test_a_killed_run_goes_on_with_other_devices(tmp_path):
    killed = start(tmp_path, "--kill-after", 2)
    out = killed.communicate()[0]
    assert killed.returncode == -signal.SIGKILL and chunks(out) == [1, 2]
    kept = {p.name: p.stat().st_mtime_ns for p in tmp_path.glob("*.part")}
    assert len(kept) == 2

    resumed = start(tmp_path, devices=2)
    out = resumed.communicate()[0]
    assert resumed.returncode == 0 and chunks(out) == [3, 4]
    for name, made in kept.items():
        assert (tmp_path / name).stat().st_mtime_ns == made


def test_lanes_that_ran_out_go_on_alone(cell, model, monkeypatch):
    """Inside a transformation a record cannot grow: such lanes are repeated."""
    small = eqx.tree_at(lambda c: c.area, cell, 0.2 * cell.area)
    protocol = na.Protocol(
        ["Discharge at C/2 until 2.0 V", "Charge at C/2 until 4.0 V"]
    )
    usual = driver._limits_of

    def tight(protocol, max_steps, traced):
        limits = usual(protocol, max_steps, traced)
        return limits._replace(room=40) if traced else limits

    monkeypatch.setattr(driver, "_limits_of", tight)
    said = []
    done = na.batch.simulate(
        na.batch.stack([cell, small]), protocol, model=model, progress=said.append
    )
    alone = na.simulate(cell, protocol, model=model)
    assert int(alone.n_steps) > 40 and said[-1].startswith("2 of 2 lanes once more")
    assert all(r is na.Result.COMPLETED for r in done.results)
    np.testing.assert_array_equal(done[0].voltage, alone.voltage)


def test_power_that_no_lane_can_deliver_is_proved(cell, model):
    """Immediately for half of the area; for all of it when its voltage has fallen."""
    cells = na.batch.stack([cell, eqx.tree_at(lambda c: c.area, cell, 0.5 * cell.area)])
    done = na.batch.simulate(cells, "Discharge at 60 W", model=model, keep="end")
    assert done.results == [na.Result.POWER_INFEASIBLE] * 2
