"""Batches on workers: nothing lost, nothing twice, whoever dies."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import naion as na
from naion.batch import _cluster
from naion.batch._chunks import SMALL, Chunk, Work, dealt

WORKER = Path(__file__).with_name("worker.py")
LANES = np.linspace(0.0, 1.0, 40)
SETTINGS = {**os.environ, "JAX_PLATFORMS": "cpu"}


def square(x):
    return {"square": x**2, "rank": (100.0 * x).astype(int)}


def asked(folder, *arguments, **settings):
    """A process that asks for ten discharges in chunks of three."""
    return subprocess.Popen(
        [sys.executable, str(WORKER), str(folder), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=SETTINGS | settings,
    )


def capacities(text):
    (line,) = [line for line in text.splitlines() if line.startswith("capacity")]
    return np.array([float(c) for c in line.split()[1:]])


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    """Capacities, computed in one process."""
    out, _ = asked(tmp_path_factory.mktemp("alone")).communicate()
    return capacities(out)


@pytest.fixture
def dask(tmp_path):
    """A scheduler of Dask and two workers that somebody else started."""
    file = tmp_path / "scheduler.json"
    where = ["--scheduler-file", str(file)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = []

    def start(program, *arguments):
        command = [sys.executable, "-m", f"distributed.cli.{program}", *where]
        p = subprocess.Popen([*command, *arguments], env=SETTINGS, **quiet)
        started.append(p)
        return p

    def scheduler():
        return start("dask_scheduler", "--no-dashboard", "--port", "0")

    def worker():
        own = ("--nthreads", "1", "--no-dashboard", "--no-nanny")
        return start("dask_worker", *own, "--death-timeout", "60")

    yield file, scheduler, worker
    for p in started:
        p.kill()
        p.wait()


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_any_executor(tmp_path, kind):
    spawn = multiprocessing.get_context("spawn")
    executor = (
        ThreadPoolExecutor(2)
        if kind == "threads"
        else ProcessPoolExecutor(2, mp_context=spawn)
    )
    said = []
    with executor:
        done = na.batch.run(
            square,
            LANES,
            chunk=7,
            folder=tmp_path,
            executor=executor,
            progress=said.append,
        )
    np.testing.assert_array_equal(done["square"], LANES**2)
    assert len(said) == 6 and "40 lanes done, 0 left" in said[-1]
    assert "lanes per second: " in said[-1]
    assert not list(tmp_path.glob("work_*"))
    # What is there is not asked of anybody again, and one process reads it.
    assert (
        na.batch.run(square, LANES, folder=tmp_path, progress=said.append) is not None
    )
    assert len(said) == 6


def test_a_chunk_that_fails_twice_is_lost_with_its_reason(tmp_path, monkeypatch):
    usual, tries = Work.__call__, []

    def breaking(self, chunk: Chunk):
        tries.append(chunk.start)
        if chunk.start == 14 or (chunk.start == 7 and tries.count(7) == 1):
            raise MemoryError("no room")
        return usual(self, chunk)

    monkeypatch.setattr(Work, "__call__", breaking)
    options = {"chunk": 7, "folder": tmp_path}
    with ThreadPoolExecutor(1) as executor:
        with pytest.warns(
            na.Caution, match="7 lanes.*tried twice: MemoryError: no room"
        ):
            done = na.batch.run(square, LANES, executor=executor, **options)
        assert tries.count(14) == 2 and tries.count(7) == 2 and tries.count(0) == 1
        lost = np.isnan(done["square"])
        np.testing.assert_array_equal(np.flatnonzero(lost), np.arange(14, 21))
        assert np.all(done["rank"][lost] == -1)
        monkeypatch.undo()
        whole = na.batch.run(square, LANES, executor=executor, **options)
    np.testing.assert_array_equal(whole["square"], LANES**2)


def test_lost_lanes_of_simulations_have_an_outcome(tmp_path, monkeypatch, cell, model):
    def breaking(self, chunk):
        raise MemoryError("no room")

    monkeypatch.setattr(Work, "__call__", breaking)
    cells = na.batch.stack([cell, cell])
    with ThreadPoolExecutor(1) as executor, pytest.warns(na.Caution, match="no room"):
        done = na.batch.simulate(
            cells, "Discharge at 2C", model=model, folder=tmp_path, executor=executor
        )
    assert done.results == [na.Result.NOT_COMPUTED] * 2
    assert not done.results[0].is_physical
    assert "Run the same again" in done.results[0].explanation
    assert np.all(np.isnan(done.capacity))


def test_an_executor_needs_a_folder():
    with ThreadPoolExecutor(1) as executor, pytest.raises(ValueError, match="`folder`"):
        na.batch.run(square, LANES, executor=executor)


@pytest.mark.parametrize(
    ("count", "size"), [(10, 3), (1, 4), (5000, 4096), (1000, 256), (100_000, 4096)]
)
def test_every_lane_is_dealt_once(count, size):
    chunks = dealt(count, size)
    starts = [c.start for c in chunks]
    assert starts == np.cumsum([0, *(c.count for c in chunks)])[:-1].tolist()
    assert sum(c.count for c in chunks) == count
    small = [c for c in chunks if c.size < size]
    assert bool(small) == (size >= SMALL and count > 4 * size)
    assert len({c.size for c in chunks}) <= 2  # each size is compiled
    assert chunks[0].count == min(size, count) and all(
        c.count <= c.size for c in chunks
    )


def test_workers_share_cores_and_gpus(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 4, 5}, raising=False)
    assert [s[_cluster.CORES] for s in _cluster.shares(2, [])] == ["0,1", "4,5"]
    assert [s[_cluster.CORES] for s in _cluster.shares(3, [])] == ["0,1", "4,5", "0,1"]
    cards = [s["CUDA_VISIBLE_DEVICES"] for s in _cluster.shares(3, ["2", "3"])]
    assert cards == ["2", "3", "2"]


@pytest.mark.parametrize("where", ["local:0", "local:two", "nowhere.json", "pbs"])
def test_what_is_no_cluster_is_named(tmp_path, where):
    made = na.batch.cluster(where, tmp_path)
    with pytest.raises(ValueError, match=f"cluster '{where}': expected"):
        made.__enter__()


def test_workers_of_this_machine(tmp_path, right):
    done = asked(tmp_path, "--cluster", "local:2")
    out, said = done.communicate()
    assert done.returncode == 0, said
    np.testing.assert_allclose(capacities(out), right, rtol=1e-9)
    assert "10 lanes done, 0 left" in out


def test_processes_of_slurm(tmp_path, right):
    """Three of `srun`: the first deals to the others, all end."""
    shared = {"SLURM_NTASKS": "3", "SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0"}
    ranks = [
        asked(
            *(tmp_path, "--cluster", "slurm"),
            **shared,
            SLURM_PROCID=str(k),
            SLURM_LOCALID=str(k),
        )
        for k in range(3)
    ]
    texts = [p.communicate() for p in ranks]
    assert [p.returncode for p in ranks] == [0, 0, 0], texts
    np.testing.assert_allclose(capacities(texts[0][0]), right, rtol=1e-9)
    assert texts[1][0] == texts[2][0] == ""
    assert not list(tmp_path.glob("scheduler_*"))


def test_whoever_is_killed_nothing_is_lost_and_nothing_twice(tmp_path, dask, right):
    """The client, a worker, and then the scheduler with all workers."""
    file, scheduler, worker = dask
    folder = tmp_path / "out"
    first, workers = scheduler(), [worker(), worker()]
    client = asked(folder, "--cluster", file, "--kill-after", 1)
    client.communicate()
    assert client.returncode == -signal.SIGKILL
    kept = made(folder)
    assert kept

    # It comes back to the same workers, one of which dies.
    client = asked(folder, "--cluster", file)
    os.kill(workers[0].pid, signal.SIGKILL)
    out, said = client.communicate()
    assert client.returncode == 0, said
    np.testing.assert_allclose(capacities(out), right, rtol=1e-9)
    assert {name: made(folder)[name] for name in kept} == kept

    # Without its scheduler a run ends with a word, and goes on with another scheduler.
    again = tmp_path / "again"
    client = asked(again, "--cluster", file)
    until(lambda: len(made(again)) > 0)
    first.kill()
    out, said = client.communicate()
    kept = made(again)
    if client.returncode:  # else it had all that it needed
        assert "run the same again and it goes on" in said
    workers[1].kill()
    file.unlink()
    scheduler(), worker()
    until(file.is_file)
    client = asked(again, "--cluster", file)
    out, said = client.communicate()
    assert client.returncode == 0, said
    np.testing.assert_allclose(capacities(out), right, rtol=1e-9)
    assert {name: made(again)[name] for name in kept} == kept


def made(folder):
    """Parts, and when each was made."""
    return {p.name: p.stat().st_mtime_ns for p in Path(folder).glob("*.part")}


def until(is_so, seconds=60.0):
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)
