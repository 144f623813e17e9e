"""A long batch: in chunks, on all processes, resumable."""

import hashlib
import io
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import jax
import numpy as np
from jax.experimental import multihost_utils

from ._finished import Finished
from ._program import Device, Lanes, Program

Out = TypeVar("Out")
Progress = Callable[[str], None]


def run(
    function: Callable[[Any], Out],
    inputs: Any,
    *,
    chunk: int | None = None,
    devices: Sequence[Device] | None = None,
    folder: Path | str | None = None,
    progress: Progress = lambda text: None,
) -> Out:
    """`function` of every lane of `inputs`.

    Lanes are dealt to the devices of this process, and in chunks to the processes of
    `jax.distributed`. Inputs that are equal in all lanes are passed once.

    Args:
        function: of one lane's inputs, giving a pytree of arrays; JAX traces it.
        inputs: pytree of arrays, with the lanes along the first axis of each.
        chunk: lanes computed at once, and kept at once in `folder`; none: as many as fit
            in half the free memory, and at most 4096 a device.
        devices: of this process; none: all it has.
        folder: finished chunks are kept there. The same call with the same folder goes
            on with the others; several processes need one that all of them see.
        progress: called with a line of text after every chunk.

    Returns:
        what `function` returns, as numpy arrays with the lanes along the first axis.

    Raises:
        ValueError: for inputs of unlike length, for several processes without a folder,
            or for a folder that belongs to another run.
    """
    lanes = Lanes.of(inputs)
    processes(folder)
    program = Program(function, devices)
    if chunk is None:
        share = -(-lanes.count // jax.process_count())
        chunk = program.fitting(lanes, share)
    starts = range(0, lanes.count, chunk)
    done = None
    if folder is not None:
        about = {
            "function": _fingerprint(program, lanes),
            "inputs": _digest(lanes.leaves),
            "lanes": lanes.count,
            "chunk": chunk,
        }
        done = Finished(folder, about)

    kept: dict[int, list[np.ndarray]] = {}
    todo = [k for k in mine(len(starts)) if done is None or _name(k) not in done]
    began = time.perf_counter()
    for i, k in enumerate(todo):
        part = jax.tree.leaves(program.part(lanes, starts[k], chunk))
        if done is None:
            kept[k] = part
        else:
            done.save(_name(k), _packed(part))
        taken = time.perf_counter() - began
        left = taken / (i + 1) * (len(todo) - i - 1)
        progress(
            f"chunk {k + 1} of {len(starts)} ({chunk} lanes): {taken:.1f} s so far, "
            f"about {left:.0f} s to go"
        )
    if done is not None:
        together("naion.batch.run")
        kept = {k: _unpacked(done.load(_name(k))) for k in range(len(starts))}
    joined = [np.concatenate(rows) for rows in zip(*kept.values(), strict=True)]
    out = jax.tree.structure(jax.eval_shape(program.of_lane(lanes), *lanes.one))
    return jax.tree.unflatten(out, joined)


def processes(folder: Path | str | None) -> int:
    """How many processes of `jax.distributed` share a run.

    Raises:
        ValueError: if they have no folder in which to leave their parts.
    """
    if jax.process_count() > 1 and folder is None:
        raise ValueError(
            "Several processes share this run: give `folder`, on a disk that all of "
            "them see, where each leaves its parts."
        )
    return jax.process_count()


def mine(n: int) -> range:
    """Which of `n` parts belong to this process of `jax.distributed`; alone, all."""
    return range(jax.process_index(), n, jax.process_count())


def together(name: str) -> None:
    """Wait until every process of `jax.distributed` is here."""
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices(name)


def _fingerprint(program: Program, lanes: Lanes) -> str:
    """What tells a function from others: its operations and constants."""
    traced = jax.make_jaxpr(program.of_lane(lanes))(*lanes.one)
    constants = _digest([np.asarray(c) for c in traced.consts])
    # Printed operations may hold addresses of Python objects.
    text = re.sub("0x[0-9a-f]+", "", str(traced.jaxpr))
    return hashlib.sha256((text + constants).encode()).hexdigest()


def _name(k: int) -> str:
    return f"chunk_{k:06d}"


def _digest(arrays: Sequence[np.ndarray]) -> str:
    total = hashlib.sha256()
    for a in arrays:
        total.update(f"{a.shape}{a.dtype}".encode())
        total.update(np.ascontiguousarray(a).tobytes())
    return total.hexdigest()


def _packed(arrays: list[np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, *arrays)
    return buffer.getvalue()


def _unpacked(content: bytes) -> list[np.ndarray]:
    with np.load(io.BytesIO(content)) as file:
        return [file[f"arr_{i}"] for i in range(len(file.files))]
