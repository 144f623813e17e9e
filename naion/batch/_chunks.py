"""Chunks of a long batch: how lanes are dealt, and how workers find and keep them."""

import functools
import hashlib
import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from .._files import write_whole
from .._precision import enable_x64
from ._checkpoint import Checkpoint
from ._program import Lanes, Program

SMALL = 256
"""Chunks from this many lanes on are dealt in quarters at the end, so that workers end
about together; fewer lanes take less time than compiling another size."""


class Chunk(NamedTuple):
    """Lanes that are computed at once.

    Attributes:
        start: the first.
        count: how many.
        size: for how many the program is compiled; the last lane fills up.
    """

    start: int
    count: int
    size: int

    @property
    def name(self) -> str:
        """Of the part of a checkpoint that holds it."""
        return f"lanes_{self.start:08d}"


def dealt(count: int, size: int, *, even: bool = False) -> list[Chunk]:
    """Chunks of `count` lanes; of a long run the last sixteenth in quarters of a chunk.

    Args:
        even: no quarters, whose size has to be compiled as well: no workers will come.
    """
    whole, small = count, size
    if size >= SMALL and count > 4 * size and not even:
        whole, small = (count - count // 16) // size * size, -(-size // 4)
    sizes = [(k, size) for k in range(0, whole, size)]
    sizes += [(k, small) for k in range(whole, count, small)]
    return [Chunk(k, min(n, count - k), n) for k, n in sizes]


def pack(arrays: list[np.ndarray]) -> bytes:
    """Arrays as a part of a checkpoint."""
    buffer = io.BytesIO()
    np.savez(buffer, *arrays)
    return buffer.getvalue()


def unpack(content: bytes) -> list[np.ndarray]:
    """Arrays of a part of a checkpoint."""
    with np.load(io.BytesIO(content)) as file:
        return [file[f"arr_{i}"] for i in range(len(file.files))]


@dataclass(frozen=True)
class Work:
    """What workers are to compute, as a file of the run's folder; called with a chunk.

    A worker reads the file once, compiles once, and leaves its chunks in the folder.

    Attributes:
        folder: that all workers see.
        sha256: of the file, which also names it: pickled data is run when it is read, so
            that only what the asking process wrote is.
    """

    folder: Path
    sha256: str

    @classmethod
    def written(
        cls, folder: Path, about: Mapping[str, Any], program: Program, lanes: Lanes
    ) -> "Work":
        """Write the file, and remove what killed runs have left of theirs.

        Raises:
            ImportError: without cloudpickle, which carries functions of notebooks.
        """
        try:
            import cloudpickle
        except ImportError as error:
            raise ImportError(
                "Workers get the function by cloudpickle, which is missing: "
                "pip install 'naion[cluster]'."
            ) from error
        # A tree's structure is not carried: equinox marks what a module lacks by an object
        # that is told by its identity.
        # What is equal in all lanes is written once.
        pairs = zip(lanes.leaves, lanes.shared, strict=True)
        inputs = jax.tree.unflatten(lanes.tree, [a[:1] if s else a for a, s in pairs])
        content = cloudpickle.dumps(
            (dict(about), program.function, inputs, lanes.shared, lanes.count)
        )
        work = cls(folder.absolute(), hashlib.sha256(content).hexdigest())
        for left in folder.glob("work_*.pkl"):
            left.unlink(missing_ok=True)
        write_whole(work.file, content)
        return work

    @property
    def file(self) -> Path:
        """Removed when the run has ended."""
        return self.folder / f"work_{self.sha256[:16]}.pkl"

    def __call__(self, chunk: Chunk) -> None:
        """On a worker: compute a chunk and keep it, unless it is there."""
        checkpoint, program, lanes = _opened(self)
        if chunk.name in checkpoint:
            return
        # What was dealt may not fit in this worker's memory at once.
        size = program.fitting(lanes, chunk.size)
        end = chunk.start + chunk.count
        parts = [
            jax.tree.leaves(program.part(lanes, k, size))
            for k in range(chunk.start, end, size)
        ]
        joined = [np.concatenate(a)[: chunk.count] for a in zip(*parts, strict=True)]
        checkpoint.save(chunk.name, pack(joined))


@functools.lru_cache(maxsize=2)
def _opened(work: Work) -> tuple[Checkpoint, Program, Lanes]:
    enable_x64()
    content = work.file.read_bytes()
    if hashlib.sha256(content).hexdigest() != work.sha256:
        raise OSError(f"{work.file} is not as it was written: run the same again.")
    about, function, inputs, shared, count = pickle.loads(content)
    whole = jax.tree.map(lambda a: np.broadcast_to(a, (count, *a.shape[1:])), inputs)
    return Checkpoint(work.folder, about), Program(function), Lanes.of(whole, shared)
