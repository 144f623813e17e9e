"""Workers on this machine, in a job of Slurm, or of a Dask scheduler that runs elsewhere."""

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
"""How long the first worker may take to come [s]."""

DEATHS = 1
"""How many workers a task may take with it before it is called off, after the first."""

CORES = "NAION_WORKER_CORES"
"""What tells a worker which cores are its own."""


@takes
@contextlib.contextmanager
def cluster(
    where: str, folder: Path | str, *, progress: Progress = silent
) -> Iterator[Executor | None]:
    """An executor for `run`, `simulate` and `fit.fleet`; its workers end with it.

    Args:
        where: "local:4" for four workers on this machine, each with its share of the
            cores or with a GPU of its own; "slurm" in every process of `srun`: all
            work, and the first deals; "tcp://HOST:PORT", or the file of a Dask scheduler, for
            workers that somebody else started.
        folder: for Slurm, where the processes find each other: all of them see it.
        progress: called with a line of text, such as where the dashboard is.

    Yields:
        the executor; none in a process of Slurm that has done its work for another, see
        `is_worker`, and in one that is alone there.

    Raises:
        ValueError: for another `where`, or a file that is no scheduler's.
        OSError: when no scheduler answers there.
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
    """Of a scheduler, from the file that it has written."""
    try:
        return json.loads(read_text(file))["address"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(
            f"cluster {str(file)!r}: expected the JSON file of a Dask scheduler, with its "
            "`address`; `dask scheduler --scheduler-file FILE` writes one."
        ) from None


@takes
def is_worker(where: str | None) -> bool:
    """Whether this process of Slurm works for another, which asks."""
    return where == "slurm" and _rank() > 0


def _dask() -> Any:
    try:
        import dask.config
        import distributed
    except ImportError as error:
        raise ImportError(
            "Clusters are Dask's, which is missing: pip install 'naion[cluster]'."
        ) from error
    # A task that kills its workers is given up soon; one is dealt when a worker is free.
    # What Dask says of each connection is not for whoever waits for a table.
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
    """As a client of a scheduler that is there, until `expected` workers have come."""
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
        # Who comes late would look for a scheduler that is gone.
        if expected:
            with contextlib.suppress(TimeoutError):
                client.wait_for_workers(expected, timeout=PATIENCE)


def _local(where: str, progress: Progress) -> Iterator[Executor]:
    """Workers on this machine."""
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
    """All processes work until all is done; the first schedules and asks as well."""
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
    """See that a worker ends, now that its scheduler has."""
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
    """A worker until the scheduler ends; Dask starts one that dies again."""
    local = int(os.environ.get("SLURM_LOCALID", "0"))
    cards = gpus()
    # Slurm gives a process its cores; of several GPUs that it sees it takes one.
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
    """GPUs that this process may use, as the words of CUDA_VISIBLE_DEVICES."""
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
    """What the environment of each of `count` workers says: its GPU, or its cores."""
    if cards:
        return [{"CUDA_VISIBLE_DEVICES": cards[k % len(cards)]} for k in range(count)]
    own = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    each = max(1, math.ceil(len(own) / count))
    starts = [k * each % max(1, len(own)) for k in range(count)]
    return [{CORES: ",".join(map(str, own[a : a + each]))} for a in starts]


def dask_setup(worker: Any) -> None:
    """Called by Dask in a new worker: its cores, before JAX counts them.

    Ctrl-C reaches all processes of a terminal; whoever asked ends its workers, which say
    nothing.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    cores = os.environ.get(CORES, "")
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, map(int, cores.split(",")))
