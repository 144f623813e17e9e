"""Compute a function of many lanes in chunks, here or on workers, with checkpoints."""

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from numbers import Integral
from pathlib import Path
from typing import Any, TypeVar

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr

from .._cautions import caution
from .._progress import Counted, Progress, silent
from .._takes import takes
from .._version import __version__
from ._checkpoint import Checkpoint
from ._chunks import Chunk, Work, dealt, pack, unpack
from ._deal import deal, workers_of
from ._digest import digest
from ._program import MOST, Device, Lanes, Program

Out = TypeVar("Out")

LEAST = 16
"""Fewest lanes of a chunk for a worker, unless fewer are asked for: this many share the
instructions of a CPU's vector unit."""


@takes
def run(
    function: Callable[[Any], Out],
    inputs: Any,
    *,
    chunk: int | None = None,
    devices: Sequence[Device] | None = None,
    folder: Path | str | None = None,
    executor: Executor | None = None,
    progress: Progress = silent,
) -> Out:
    """Compute a function of every lane of a batch.

    Lanes are computed in chunks, on the devices of this process or by the workers of an
    executor. Inputs that are equal in all lanes are passed only once.

    Args:
        function: function of the inputs of one lane that returns a pytree of arrays; JAX
            traces it.
        inputs: pytree of arrays with the lanes along the first axis of each.
        chunk: lanes that are computed, and kept in `folder`, at once. None: as many as fit
            in half of the free memory, at most 4096 for each device; with an executor a
            sixteenth of a worker's share, at most 4096.
        devices: devices of this process to use; none: all. Workers use all of theirs.
        folder: where finished chunks are kept. The same call with the same folder
            continues with the others, and computes damaged ones again, with a caution.
            Workers read there what to compute and write their chunks, so that all of them
            must see it.
        executor: an executor of `concurrent.futures` whose workers are processes that were
            not forked from one that had used JAX, or Dask's; see `cluster`. None: this
            process computes.
        progress: called with a line of text after every chunk.

    Returns:
        results of `function` as NumPy arrays with the lanes along the first axis. In a
        chunk that failed twice on the workers, real numbers are NaN, integers -1 (unsigned
        ones 0) and logical values false; a `Caution` gives the reason, and the same call
        tries again.

    Raises:
        ValueError: for inputs of different lengths, an executor without a folder, or a
            folder that belongs to another run.
        OSError: naming the file, where a chunk cannot be written.
        ConnectionError: when the workers are gone.
        ImportError: for an executor without cloudpickle, which `naion[cluster]` brings.
    """
    lanes = Lanes.of(inputs)
    if executor is not None and folder is None:
        raise ValueError(
            "An executor needs a `folder` that its workers see: they read there what to "
            "compute, and leave what they have."
        )
    program = Program(function, devices)
    whole = chunk is None or (isinstance(chunk, Integral) and chunk > 0)
    if not whole or isinstance(chunk, bool):
        raise ValueError(
            f"chunk={chunk!r}: expected a whole number of at least one lane."
        )
    if folder is not None:
        return _resumable(program, lanes, chunk, folder, executor, progress)
    size = min(chunk or _chunk(program, lanes), lanes.count)
    chunks = dealt(lanes.count, size, even=True)
    parts = [p for _, p in _here(program, lanes, chunks, chunks, progress)]
    out = jax.eval_shape(program.of_lane(lanes), *lanes.one)
    return _joined(parts, out)


def _resumable(
    program: Program,
    lanes: Lanes,
    chunk: int | None,
    folder: Path | str,
    executor: Executor | None,
    progress: Progress,
) -> Any:
    """Results of all lanes, of which finished chunks are kept in a folder; see `run`."""
    fingerprint, out = _fingerprint(program, lanes)
    about = {
        "version": __version__,
        "function": fingerprint,
        "inputs": digest(*lanes.leaves),
        "lanes": lanes.count,
    }
    # Unless a size is asked for, it is that of the run that began in this folder: with the
    # memory, devices and workers of today another one might be chosen.
    there = (Checkpoint.about(folder) or {}).get("chunk")
    usual = there if type(there) is int and there > 0 else None
    size = int(min(chunk or usual or _chunk(program, lanes, executor), lanes.count))
    about["chunk"] = size
    kept = Checkpoint(folder, about)
    chunks = dealt(lanes.count, size)
    todo = [c for c in chunks if c.name not in kept]
    failed: dict[Chunk, str] = {}
    if executor is None:
        for c, part in _here(program, lanes, chunks, todo, progress):
            kept.save(c.name, pack(part))
    elif todo:
        work = Work.written(kept.folder, about, program, lanes)
        sizes = {c: c.count for c in todo}
        try:
            failed = deal(
                work, sizes, executor, done=lambda *_: None, progress=progress
            )
        finally:
            work.file.unlink(missing_ok=True)
    for reason in sorted(set(failed.values())):
        lost = sum(c.count for c, why in failed.items() if why == reason)
        caution(f"{lost} lanes were not computed, tried twice: {reason}")
    parts = [
        _lost(out, c.count) if c in failed else unpack(kept.load(c.name))
        for c in chunks
    ]
    return _joined(parts, out)


def _here(
    program: Program,
    lanes: Lanes,
    chunks: Sequence[Chunk],
    todo: Sequence[Chunk],
    progress: Progress,
) -> Iterator[tuple[Chunk, list[np.ndarray]]]:
    """Results of the chunks `todo`, computed in this process."""
    began = compiled = time.perf_counter()
    for i, c in enumerate(todo):
        yield c, jax.tree.leaves(program.part(lanes, c.start, c.size))
        now = time.perf_counter()
        # The first chunk takes longer, as it includes compilation.
        compiled = now if i == 0 else compiled
        left = (now - compiled) / max(i, 1) * (len(todo) - i - 1)
        rest = f", about {left:.0f} s to go" if i else ""
        k = chunks.index(c) + 1
        text = f"chunk {k} of {len(chunks)} ({c.count} lanes): "
        text += f"{now - began:.1f} s so far{rest}"
        progress(Counted(text, k, len(chunks)))


def _joined(parts: Sequence[list[np.ndarray]], out: Any) -> Any:
    """Join parts, in the structure of what the function returns for one lane, `out`."""
    joined = [np.concatenate(rows) for rows in zip(*parts, strict=True)]
    return jax.tree.unflatten(jax.tree.structure(out), joined)


def _lost(out: Any, count: int) -> list[np.ndarray]:
    """Values that stand for lanes that were not computed; `out` is of one lane."""

    def filled(one: jax.ShapeDtypeStruct) -> np.ndarray:
        kind = np.dtype(one.dtype).kind
        value = {"b": False, "i": -1, "u": 0}.get(kind, np.nan)
        return np.full((count, *one.shape), value, one.dtype)

    return [filled(one) for one in jax.tree.leaves(out)]


def _chunk(program: Program, lanes: Lanes, executor: Executor | None = None) -> int:
    if executor is None:
        return program.fitting(lanes, lanes.count)
    share = -(-lanes.count // workers_of(executor))
    return min(MOST, max(LEAST, -(-share // 16)))


def _fingerprint(program: Program, lanes: Lanes) -> tuple[str, Any]:
    """A hash of a function's operations and constants, and what it returns for one lane."""
    trace = jax.make_jaxpr(program.of_lane(lanes), return_shape=True)
    traced, out = trace(*lanes.one)
    constants = digest(*(np.asarray(c) for c in _constants(traced)))
    # The printed operations may contain addresses of Python objects, which are removed.
    text = re.sub("0x[0-9a-f]+", "", str(traced.jaxpr))
    return hashlib.sha256((text + constants).encode()).hexdigest(), out


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
