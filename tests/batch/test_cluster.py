"""Batches on workers: nothing lost, nothing twice, whoever dies."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import equinox as eqx
import numpy as np
import pytest

import naion as na
from naion.batch import Checkpoint, Lanes, Program, _cluster
from naion.batch._chunks import SMALL, Chunk, Work, dealt, unpack
from naion.batch._deal import Answer, Throughput

WORKER = Path(__file__).with_name("worker.py")
LANES = np.linspace(0.0, 1.0, 40)
SETTINGS = {**os.environ, "JAX_PLATFORMS": "cpu"}


def square(x):
    return {"square": x**2, "rank": (100.0 * x).astype(int)}


def asked(folder, *arguments, lanes=10, **settings):
    """A process that asks for a sum over lanes, in chunks of three."""
    return subprocess.Popen(
        [sys.executable, str(WORKER), str(folder), "--lanes", str(lanes), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=SETTINGS | settings,
    )


def ends_well(process, lanes=10):
    """The sum is right, as far as doubles go; returns what was printed."""
    out, said = process.communicate()
    assert process.returncode == 0, said
    (line,) = [line for line in out.splitlines() if line.startswith("sum")]
    right = np.sum(np.exp(np.linspace(0.0, 1.0, lanes)))
    assert float(line.split()[1]) == pytest.approx(right, rel=1e-14)
    return out


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


def test_what_lanes_share_is_written_once(tmp_path):
    shared = np.broadcast_to(np.arange(1000.0), (500, 1000))
    lanes = Lanes.of((np.arange(500.0), shared))
    work = Work.written(tmp_path, {}, Program(lambda a: a[0] + a[1].sum()), lanes)
    assert work.file.stat().st_size < 20_000
    work(Chunk(100, 7, 16))
    (part,) = unpack(Checkpoint(tmp_path, {}).load("lanes_00000100"))
    np.testing.assert_array_equal(part, np.arange(100.0, 107.0) + 499500.0)


def test_progress_names_workers_or_the_slowest():
    so_far = Throughput(dict.fromkeys(range(12), 10), "lanes")
    said = [so_far.add(k, Answer(None, f"host:{k}", 1.0 + k)) for k in range(10)]
    assert "10 lanes done, 110 left" in said[0] and said[1].endswith(
        "host:0 10, host:1 5"
    )
    assert said[9].endswith("10 workers, median 1.83, least 1 (host:9)")


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
    assert {c.size for c in dealt(count, size, even=True)} == {size}
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


@pytest.mark.parametrize("content", ["", "{", "[]", '{"id": 1}'])
def test_what_is_no_file_of_a_scheduler_is_named(tmp_path, content):
    file = tmp_path / "scheduler.json"
    file.write_text(content)
    with pytest.raises(ValueError, match="scheduler.json.*expected the JSON file"):
        na.batch.cluster(str(file), tmp_path).__enter__()


def test_a_task_may_time_out_by_itself():
    """That is its own fault, and says nothing of the scheduler."""

    def late(task):
        raise TimeoutError("too late")

    with ThreadPoolExecutor(1) as executor:
        failed = na.batch.deal(late, {0: 1}, executor, done=lambda *_: None)
    assert failed == {0: "TimeoutError: too late"}


def test_a_pool_that_breaks_is_told_from_a_task_that_fails(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(1, mp_context=spawn) as executor,
        pytest.raises(ConnectionError, match="workers are gone.*run the same again"),
    ):
        na.batch.deal(os._exit, {3: 1}, executor, done=lambda *_: None)


def test_workers_of_this_machine(tmp_path, cell, model):
    moved = [
        eqx.tree_at(lambda c: c.positive.particle.diffusivity.scale, cell, scale)
        for scale in (0.5, 1.0, 2.0)
    ]
    cells, said = na.batch.stack(moved), []
    options = {"model": model, "chunk": 2, "folder": tmp_path / "out"}
    with na.batch.cluster("local:2", tmp_path, progress=said.append) as executor:
        assert na.batch.workers_of(executor) in (1, 2)  # the other may be on its way
        done = na.batch.simulate(
            cells, "Discharge at 2C", executor=executor, progress=said.append, **options
        )
    assert "dashboard http://" in said[0] and "3 lanes done, 0 left" in said[-1]
    alone = na.batch.simulate(cells, "Discharge at 2C", model=model)
    np.testing.assert_allclose(done.capacity, alone.capacity, rtol=1e-9)
    assert done.results == alone.results


def test_processes_of_slurm(tmp_path):
    """Two of `srun`: both work, the first deals as well, and both end."""
    shared = {"SLURM_NTASKS": "2", "SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0"}
    ranks = [
        asked(
            *(tmp_path, "--cluster", "slurm"),
            **shared,
            SLURM_PROCID=str(k),
            SLURM_LOCALID=str(k),
        )
        for k in range(2)
    ]
    ends_well(ranks[0])
    out, said = ranks[1].communicate()
    assert (ranks[1].returncode, out) == (0, ""), said
    assert not list(tmp_path.glob("scheduler_*"))


def test_whoever_is_killed_nothing_is_lost_and_nothing_twice(tmp_path, dask):
    """The client, a worker, and then the scheduler with all workers."""
    file, scheduler, worker = dask
    where = ("--cluster", str(file))
    folder, lanes = tmp_path / "out", 600
    first, workers = scheduler(), [worker(), worker()]
    client = asked(folder, *where, "--kill-after", "20", lanes=lanes)
    client.communicate()
    assert client.returncode == -signal.SIGKILL
    kept = made(folder)
    assert len(kept) >= 20

    # It comes back to the same workers, one of which dies.
    client = asked(folder, *where, lanes=lanes)
    until(lambda: len(made(folder)) > len(kept) + 20)
    os.kill(workers[0].pid, signal.SIGKILL)
    ends_well(client, lanes)
    assert not list(folder.glob("work_*"))  # the killed client's neither
    assert {name: made(folder)[name] for name in kept} == kept

    # Without its scheduler a run ends with a word, and goes on with another scheduler.
    again = tmp_path / "again"
    client = asked(again, *where, lanes=lanes)
    until(lambda: len(made(again)) > 20)
    first.kill()
    _, said = client.communicate()
    assert client.returncode != 0
    assert "run the same again and it goes on" in said
    kept = made(again)
    workers[1].kill()
    file.unlink()
    scheduler(), worker()
    until(file.is_file)
    ends_well(asked(again, *where, lanes=lanes), lanes)
    assert {name: made(again)[name] for name in kept} == kept


def made(folder):
    """Parts, and when each was made."""
    return {p.name: p.stat().st_mtime_ns for p in Path(folder).glob("*.part")}


def until(is_so, seconds=60.0):
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)
