"""Workers against one process, long batches, and what a million lanes would take.

Two workers with a core each, and one process on both, simulate the same lanes: discharges at
1C with diffusivities of their own. Times are of whole calls: tracing, compiling from warm
caches, files. Then a long batch in one process, its memory beside it, and a fleet of fits
whose workers are killed twice.
"""

import argparse
import os
import pickle
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import equinox as eqx
import jax.numpy as jnp
import numpy as np

import naion as na
from benchmarks.cases import SODIUM, drawn, factors
from benchmarks.harness import FAST, write
from naion.batch._chunks import Work, dealt
from naion.batch._program import MOST, Lanes, Program

PROTOCOL = "Discharge at 1C"
MODEL = na.DFN(SODIUM.naion.mesh)
FEW, SHARED, LONG, FITS = (
    (64, 128, 256, 16) if FAST else (4096, 20_000, 100_000, 10_000)
)
SEED = 20261126
LANES = 1_000_000


def capacity(k):
    """Of a discharge: what a lane computes."""
    moved = drawn(SODIUM.cell(), k)
    done = na.simulate(moved, PROTOCOL, model=MODEL, keep="end", throw=False)
    return {"capacity": done.capacity, "outcome": done.outcome}


def timed(count: int, **options) -> tuple[float, dict]:
    """Seconds of a whole call, and what it returned."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        done = na.batch.run(capacity, factors(count), folder=folder, **options)
        return time.perf_counter() - began, done


def in_a_process(count: int) -> tuple[float, float]:
    """Seconds of a call in a process of its own, and its most memory [GB]."""
    code = f"from benchmarks import cluster; cluster.alone({count})"
    said = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()
    return float(said[-2]), float(said[-1])


def alone(count: int) -> None:
    """Print the seconds of a call and the memory of this process."""
    na.enable_x64()
    seconds, done = timed(count)
    assert np.all(done["outcome"] <= na.Result.CUT_OFF)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(seconds, most)


def rates() -> list[list[str]]:
    """One process on all cores against workers with a core each, and a long batch."""
    cores = len(os.sched_getaffinity(0))
    timed(FEW)  # caches are warm afterwards
    usual, _ = timed(SHARED)
    began = time.perf_counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        na.batch.cluster(f"local:{cores}", folder) as executor,
    ):
        came = time.perf_counter() - began
        first, _ = timed(2 * cores * 16, executor=executor)
        shared, done = timed(SHARED, executor=executor)
    assert np.all(done["outcome"] <= na.Result.CUT_OFF)
    rows = [
        row(f"one process, {cores} cores", SHARED, usual),
        row(f"{cores} workers, a core each", SHARED, shared, f"{usual / shared:.2f}"),
        row("the same, first lanes of new workers", 2 * cores * 16, came + first),
    ]
    few, memory = in_a_process(FEW)
    rows.append(row("one process", FEW, few, memory=f"{memory:.2f}"))
    long, memory = in_a_process(LONG)
    ratio = (LONG / long) / (FEW / few)
    rows.append(row("one process", LONG, long, f"{ratio:.2f}", f"{memory:.2f}"))
    return rows


def million(rate: float) -> list[list[str]]:
    """What a million lanes would take, from the sizes of some thousand.

    Args:
        rate: lanes per second of a worker with one core.
    """
    with tempfile.TemporaryDirectory() as text:
        folder, inputs = Path(text), factors(FEW)
        na.batch.run(capacity, inputs, folder=folder, chunk=FEW // 2)
        kept = sum(p.stat().st_size for p in folder.glob("*.part")) / FEW
        lanes, program = Lanes.of(inputs), Program(capacity)
        work = Work.written(folder, {}, program, lanes)
        carried = work.file.stat().st_size / FEW
        task = len(pickle.dumps((work, dealt(LANES, MOST)[0])))
    dealing = tasks_per_second()
    rows = []
    for workers in (10, 100, 1000):
        share = -(-LANES // workers)
        chunks = len(dealt(LANES, min(MOST, -(-share // 16))))
        computing = LANES / workers / rate
        rows.append(
            [
                *(str(workers), str(chunks), f"{computing / 60:.0f}"),
                f"{chunks / dealing:.0f}",
                f"{1e-6 * chunks * task:.1f}",
                f"{1e-6 * carried * LANES * workers:.0f}",
                f"{1e-6 * kept * LANES:.0f}",
                str(chunks + 2),
            ]
        )
    return rows


def tasks_per_second(count: int = 500) -> float:
    """Empty tasks that a scheduler with one worker deals in a second."""
    with (
        tempfile.TemporaryDirectory() as folder,
        na.batch.cluster("local:1", folder) as executor,
    ):
        na.batch.deal(abs, {0: 1}, executor, done=lambda *_: None)
        began = time.perf_counter()
        sizes = dict.fromkeys(range(count), 1)
        na.batch.deal(abs, sizes, executor, done=lambda *_: None)
        return count / (time.perf_counter() - began)


def row(
    how: str, lanes: int, seconds: float, ratio: str = "", memory: str = ""
) -> list[str]:
    """Of the table."""
    return [how, str(lanes), f"{seconds:.1f}", f"{lanes / seconds:.0f}", ratio, memory]


def killed_fleet() -> list[str]:
    """A fleet of fits on workers, killed twice: once a worker, once everything."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        _write_fleet(folder, FITS)
        command = [
            sys.executable,
            "-m",
            "naion.cli",
            "sweep",
            str(folder / "fleet.toml"),
        ]
        command += ["--out", str(folder / "out"), "--cluster", "local:2"]
        began = time.perf_counter()
        cells = folder / "out" / "cells"
        process = subprocess.Popen(command, start_new_session=True)
        _until(lambda: _count(cells) >= FITS // 10)
        _kill_a_worker(process.pid)
        _until(lambda: _count(cells) >= FITS // 3)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        subprocess.run(command, check=True)
        seconds = time.perf_counter() - began
        table = (folder / "out" / "table.csv").read_text().splitlines()[1:]
    fitted = sum(",converged," in line for line in table)
    assert len(table) == FITS
    return row(f"fits, killed twice: {fitted} converged", FITS, seconds)


FIT = """
cell = "nfm_hc_18650"
mesh = [4, 3, 4, 10]

[[data]]
file = "{name}.csv"
kind = "discharge"
sigma = 0.001

[[free]]
path = "positive.particle.rate_constant.scale"
bounds = [0.1, 10.0]
transform = "log"

[[free]]
path = "negative.particle.diffusivity.scale"
bounds = [0.1, 10.0]
transform = "log"
"""


def _write_fleet(folder: Path, count: int) -> None:
    """Data of made-up cells, and what to fit to them."""
    cell = na.parameters.load("nfm_hc_18650")
    model = na.DFN(na.Mesh(4, 3, 4, 10))
    rng = np.random.default_rng(SEED)
    t = np.linspace(0.0, 3000.0, 100)

    def voltages(factors):
        made = eqx.tree_at(
            lambda c: (
                c.positive.particle.rate_constant.scale,
                c.negative.particle.diffusivity.scale,
            ),
            cell,
            (factors[0], factors[1]),
        )
        done = na.simulate(
            made, "Discharge at 1C until 1.5 V", model=model, throw=False
        )
        return done.at(jnp.asarray(t)).voltage

    V = na.batch.run(voltages, np.exp(rng.uniform(-0.5, 0.5, (count, 2))))
    V = V + 1e-3 * rng.standard_normal(V.shape)
    for k, own in enumerate(V):
        there = np.isfinite(own)
        rows = [
            f"{a:.6g},1.5,{v:.6g}" for a, v in zip(t[there], own[there], strict=True)
        ]
        text = "\n".join(["time_s,current_A,voltage_V", *rows])
        (folder / f"cell_{k}.csv").write_text(text)
    names = "\n".join(["name", *(f"cell_{k}" for k in range(count))])
    (folder / "cells.csv").write_text(names)
    (folder / "fit.toml").write_text(FIT)
    (folder / "fleet.toml").write_text('fit = "fit.toml"\ncells = "cells.csv"\n')


def _count(cells: Path) -> int:
    return len(list(cells.glob("*.json"))) if cells.is_dir() else 0


def _until(is_so) -> None:
    while not is_so():
        time.sleep(0.2)


def _kill_a_worker(client: int) -> None:
    """A process whose parent's parent is the client: Dask's nanny is between them."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    below = [
        p for p in parents if parents.get(parents[p]) == client or parents[p] == client
    ]
    worker = [p for p in below if "spawn_main" in _command(p)]
    os.kill(worker[0], signal.SIGKILL)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fits", action="store_true", help="the fleet of fits as well")
    rows = rates()
    cores = len(os.sched_getaffinity(0))
    shared = next(r for r in rows if "a core each" in r[0])
    write(
        "cluster_million",
        "A million lanes, as it would be",
        [
            *("workers", "chunks", "computing, min", "dealing, s"),
            *("tasks over the network, MB", "inputs read from the folder, MB"),
            *("results in the folder, MB", "files in the folder"),
        ],
        million(float(shared[3]) / cores),
        "Computed from rates, sizes of files and of tasks, and tasks dealt per second, as "
        "measured here with some thousand lanes, of one input of three numbers and two "
        "results each. Every worker reads all inputs once.",
    )
    if parser.parse_args().fits:
        rows.append(killed_fleet())
    write(
        "cluster",
        "Workers against one process, and long batches",
        ["how", "lanes", "s", "lanes/s", "ratio", "memory, GB"],
        rows,
        "1C discharges of the sodium cell; whole calls with warm caches. Ratios are of "
        "lanes per second: to one process on all cores, and of the long batch to the "
        f"{FEW} lanes. The first lanes of new workers include their start.",
    )
