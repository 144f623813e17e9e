"""A long batch: in chunks, on all processes, resumable."""

import hashlib
import io
import itertools
import re
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from numbers import Integral
from pathlib import Path
from typing import Any, TypeVar

import jax
import numpy as np
from jax._src import distributed
from jax.extend.core import ClosedJaxpr, Jaxpr

from .._progress import Progress, silent
from ._checkpoint import Checkpoint
from ._digest import digest
from ._program import Device, Lanes, Program

Out = TypeVar("Out")


def run(
    function: Callable[[Any], Out],
    inputs: Any,
    *,
    chunk: int | None = None,
    devices: Sequence[Device] | None = None,
    folder: Path | str | None = None,
    progress: Progress = silent,
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
            on with the others, and computes again, with a caution, those that were
            damaged meanwhile; several processes need one that all of them see.
        progress: called with a line of text after every chunk.

    Returns:
        what `function` returns, as numpy arrays with the lanes along the first axis.

    Raises:
        ValueError: for inputs of unlike length, for several processes without a folder,
            or for a folder that belongs to another run.
        OSError: naming the file, where a chunk cannot be kept.
    """
    lanes = Lanes.of(inputs)
    processes(folder)
    program = Program(function, devices)
    whole = chunk is None or (isinstance(chunk, Integral) and chunk > 0)
    if not whole or isinstance(chunk, bool):
        raise ValueError(
            f"chunk={chunk!r}: expected a whole number of at least one lane."
        )
    done = None
    if folder is None:
        chunk = _chunk(program, lanes) if chunk is None else min(chunk, lanes.count)
    else:
        done, chunk = _finished(program, lanes, chunk, folder)
    starts = range(0, lanes.count, chunk)

    kept: dict[int, list[np.ndarray]] = {}
    todo = [k for k in mine(len(starts)) if done is None or _name(k) not in done]
    began = compiled = time.perf_counter()
    for i, k in enumerate(todo):
        part = jax.tree.leaves(program.part(lanes, starts[k], chunk))
        if done is None:
            kept[k] = part
        else:
            done.save(_name(k), _packed(part))
        now = time.perf_counter()
        # The first chunk's time is that of compiling.
        compiled = now if i == 0 else compiled
        left = (now - compiled) / max(i, 1) * (len(todo) - i - 1)
        rest = f", about {left:.0f} s to go" if i else ""
        progress(
            f"chunk {k + 1} of {len(starts)} ({chunk} lanes): "
            f"{now - began:.1f} s so far{rest}"
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
    """Wait until every process of `jax.distributed` is here, however long it takes.

    JAX's public barrier is a collective, which on CPUs gives up after half a minute.
    """
    client = distributed.global_state.client
    if client is not None:
        client.wait_at_barrier(f"{name} {next(_BARRIERS)}", WEEK)


_BARRIERS = itertools.count()
WEEK = 7 * 24 * 3600 * 1000
"""Longest time that processes wait for each other [ms]; those that die end it sooner."""


def _finished(
    program: Program, lanes: Lanes, chunk: int | None, folder: Path | str
) -> tuple[Checkpoint, int]:
    """What is finished in `folder`, and the size of its chunks.

    A size that was not asked for is that of the run that began there: memory and devices
    may be others now. The first process decides for all.
    """
    about = {
        "version": version("naion"),
        "function": _fingerprint(program, lanes),
        "inputs": digest(*lanes.leaves),
        "lanes": lanes.count,
    }
    if jax.process_index() == 0:
        there = (Checkpoint.about(folder) or {}).get("chunk")
        usual = there if type(there) is int and there > 0 else None
        wanted = chunk or usual or _chunk(program, lanes)
        Checkpoint(folder, {**about, "chunk": min(int(wanted), lanes.count)})
    together("naion.batch.begin")
    size = (Checkpoint.about(folder) or {}).get("chunk", 0)
    return Checkpoint(folder, {**about, "chunk": size}), size


def _chunk(program: Program, lanes: Lanes) -> int:
    return program.fitting(lanes, -(-lanes.count // jax.process_count()))


def _fingerprint(program: Program, lanes: Lanes) -> str:
    """What tells a function from others: its operations and constants."""
    traced = jax.make_jaxpr(program.of_lane(lanes))(*lanes.one)
    constants = digest(*(np.asarray(c) for c in _constants(traced)))
    # Printed operations may hold addresses of Python objects.
    text = re.sub("0x[0-9a-f]+", "", str(traced.jaxpr))
    return hashlib.sha256((text + constants).encode()).hexdigest()


def _constants(program: ClosedJaxpr | Jaxpr) -> Iterator[Any]:
    """Constants of a traced function and of all that it calls."""
    if isinstance(program, ClosedJaxpr):
        yield from program.consts
        program = program.jaxpr
    for operation in program.eqns:
        for value in operation.params.values():
            for inner in value if isinstance(value, tuple | list) else (value,):
                if isinstance(inner, ClosedJaxpr | Jaxpr):
                    yield from _constants(inner)


def _name(k: int) -> str:
    return f"chunk_{k:06d}"


def _packed(arrays: list[np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, *arrays)
    return buffer.getvalue()


def _unpacked(content: bytes) -> list[np.ndarray]:
    with np.load(io.BytesIO(content)) as file:
        return [file[f"arr_{i}"] for i in range(len(file.files))]
