"""Workers: on this machine, in a Slurm job, or of a Dask scheduler that runs elsewhere."""

import contextlib
import json
import logging
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from .._files import read_text
from .._progress import Progress, silent
from .._takes import takes

FORMS = "local:N, slurm, tcp://HOST:PORT, or a Dask scheduler's file"
PATIENCE = 120.0
"""Longest time to wait for the first worker [s]."""

DEATHS = 1
"""Times that a task is tried again after a worker has died with it (Dask's
allowed-failures)."""

CORES = "NAION_WORKER_CORES"
"""Environment variable with the cores of a worker."""


@takes
@contextlib.contextmanager
def cluster(
    where: str, folder: Path | str, *, progress: Progress = silent
) -> Iterator[Executor | None]:
    """An executor for `run`, `simulate` and `fit.fleet`; its workers end with it.

    Args:
        where: "local:4" for four workers on this machine, each with its share of the
            cores or with a GPU of its own; "slurm" in every process of `srun`, of which
            all work and the first also distributes; "tcp://HOST:PORT", or the file of a
            Dask scheduler, for workers that were started elsewhere.
        folder: with Slurm, a folder that all processes can see, where they find each other.
        progress: called with a line of text, such as the address of the dashboard.

    Yields:
        the executor. None in a Slurm process that was a worker and is done, see
        `is_worker`, and in a Slurm job of one process.

    Raises:
        ValueError: for another `where`, or a file that is not a scheduler's.
        OSError: when no scheduler answers.
        ImportError: without Dask's `distributed`.
        TimeoutError: when no worker comes in two minutes.
    """
    _dask()
    if where == "slurm":
        yield from _of_slurm(Path(folder), progress)
    elif where.startswith("local:"):
        yield from _local(where, progress)
    elif where.startswith(("tcp://", "tls://", "ucx://")):
        yield from _asking(progress, address=where)
    elif Path(where).is_file():
        yield from _asking(progress, address=_address(Path(where)))
    else:
        raise ValueError(f"cluster {where!r}: expected {FORMS}.")


def _address(file: Path) -> str:
    """Address of a scheduler, from the file that it has written."""
    try:
        return json.loads(read_text(file))["address"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(
            f"cluster {str(file)!r}: expected the JSON file of a Dask scheduler, with its "
            "`address`; `dask scheduler --scheduler-file FILE` writes one."
        ) from None


@takes
def is_worker(where: str | None) -> bool:
    """Whether this process is a worker of a Slurm job, not the one that asks for work."""
    return where == "slurm" and _rank() > 0


def _dask() -> Any:
    """The package `distributed`, configured for naion."""
    try:
        import dask.config
        import distributed
    except ImportError as error:
        raise ImportError(
            "Clusters are Dask's, which is missing: pip install 'naion[cluster]'."
        ) from error
    # A task that kills its workers is given up soon, and tasks are sent only to workers that
    # are free. Dask's log of every connection is of no use to someone waiting for a table.
    dask.config.set(
        {
            "distributed.scheduler.allowed-failures": DEATHS,
            "distributed.scheduler.worker-saturation": 1.0,
            "distributed.nanny.pre-spawn-environ": {
                "DASK_LOGGING__DISTRIBUTED": "error",
                **dask.config.get("distributed.nanny.pre-spawn-environ", {}),
            },
        }
    )
    logging.getLogger("distributed").setLevel(logging.ERROR)
    return distributed


def _asking(progress: Progress, address: Any, expected: int = 0) -> Iterator[Executor]:
    """An executor of an existing scheduler; at its end waits for all `expected` workers."""
    distributed = _dask()
    with distributed.Client(address) as client:
        began = time.monotonic()
        while not client.nthreads():
            if time.monotonic() - began > PATIENCE:
                raise TimeoutError(
                    f"{client.scheduler.address} has no workers after {PATIENCE:.0f} s."
                )
            time.sleep(0.1)
        progress(f"{len(client.nthreads())} workers; dashboard {client.dashboard_link}")
        yield client.get_executor(pure=False)
        # A worker that comes later would look in vain for the scheduler.
        if expected:
            with contextlib.suppress(TimeoutError):
                client.wait_for_workers(expected, timeout=PATIENCE)


def _local(where: str, progress: Progress) -> Iterator[Executor]:
    """An executor with workers on this machine."""
    distributed = _dask()
    try:
        count = int(where.removeprefix("local:"))
    except ValueError:
        count = 0
    if count < 1:
        raise ValueError(
            f"cluster {where!r}: expected a number of workers, as local:4."
        )
    workers = {
        k: {
            "cls": distributed.Nanny,
            "options": {"nthreads": 1, "env": own, "preload": __name__},
        }
        for k, own in enumerate(shares(count, gpus()))
    }
    scheduler = {
        "cls": distributed.Scheduler,
        "options": {"dashboard": True, "dashboard_address": "127.0.0.1:0"},
    }
    with distributed.SpecCluster(workers=workers, scheduler=scheduler) as made:
        yield from _asking(progress, address=made)


def _of_slurm(folder: Path, progress: Progress) -> Iterator[Executor | None]:
    """In each process of a Slurm job: work until all is done; in the first, also ask."""
    distributed = _dask()
    count = int(os.environ.get("SLURM_NTASKS", "1"))
    if count == 1:
        yield None
        return
    job = os.environ.get("SLURM_JOB_ID", "0"), os.environ.get("SLURM_STEP_ID", "0")
    meeting = folder.absolute() / f"scheduler_{'_'.join(job)}.json"
    if _rank() > 0:
        _wait_for(meeting)
        worker = _worker(meeting)
        while worker.poll() is None and meeting.is_file():
            time.sleep(0.2)
        _end(worker)
        yield None
        return
    folder.mkdir(parents=True, exist_ok=True)
    scheduler = {
        "cls": distributed.Scheduler,
        "options": {
            "host": os.environ.get("SLURMD_NODENAME"),
            "dashboard": True,
            "dashboard_address": ":0",
            "scheduler_file": str(meeting),
        },
    }
    own = None
    try:
        with distributed.SpecCluster(workers={}, scheduler=scheduler) as made:
            own = _worker(meeting)
            yield from _asking(progress, address=made, expected=count)
    finally:
        meeting.unlink(missing_ok=True)
        if own is not None:
            _end(own)


def _end(worker: subprocess.Popen) -> None:
    """Make sure that a worker ends after its scheduler has ended."""
    try:
        worker.wait(10.0)
    except subprocess.TimeoutExpired:
        worker.terminate()
        worker.wait()


def _wait_for(meeting: Path) -> None:
    began = time.monotonic()
    while not meeting.is_file():
        if time.monotonic() - began > PATIENCE:
            raise TimeoutError(f"{meeting} is not there after {PATIENCE:.0f} s.")
        time.sleep(0.1)


def _worker(meeting: Path) -> subprocess.Popen:
    """Start a worker that runs until the scheduler ends; Dask restarts it if it dies."""
    local = int(os.environ.get("SLURM_LOCALID", "0"))
    cards = gpus()
    # Slurm assigns cores to a process, but it may see several GPUs: it takes one of them.
    own = {"CUDA_VISIBLE_DEVICES": cards[local % len(cards)]} if cards else {}
    quiet = {"DASK_LOGGING__DISTRIBUTED": "error"}
    command = [
        *(sys.executable, "-m", "distributed.cli.dask_worker"),
        *("--scheduler-file", str(meeting), "--name", f"rank {_rank()}"),
        *("--nthreads", "1", "--no-dashboard", "--preload", __name__),
        *("--death-timeout", f"{PATIENCE:.0f}"),
    ]
    return subprocess.Popen(command, env=os.environ | own | quiet)


def _rank() -> int:
    return int(os.environ.get("SLURM_PROCID", "0"))


def gpus() -> list[str]:
    """GPUs that this process may use, as entries of CUDA_VISIBLE_DEVICES."""
    if os.environ.get("JAX_PLATFORMS", "").startswith("cpu"):
        return []
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        return [card for card in given.split(",") if card.strip() not in ("", "-1")]
    try:
        listed = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return [
        str(k) for k, line in enumerate(listed.splitlines()) if line.startswith("GPU")
    ]


def shares(count: int, cards: list[str]) -> list[dict[str, str]]:
    """Environment variables of each of `count` workers: its GPU, or else its cores."""
    if cards:
        return [{"CUDA_VISIBLE_DEVICES": cards[k % len(cards)]} for k in range(count)]
    own = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    each = max(1, math.ceil(len(own) / count))
    starts = [k * each % max(1, len(own)) for k in range(count)]
    return [{CORES: ",".join(map(str, own[a : a + each]))} for a in starts]


def dask_setup(worker: Any) -> None:
    """Restrict a new worker to its cores, before JAX counts them; called by Dask.

    Ctrl-C reaches all processes of a terminal, but workers ignore it: the process that
    asked for the work ends them.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    cores = os.environ.get(CORES, "")
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, map(int, cores.split(",")))
