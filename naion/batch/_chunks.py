"""Chunks of a long batch: their sizes, and how workers compute and keep them."""

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
"""Chunks of at least this many lanes are dealt in quarters near the end of a run, so that
all workers end at about the same time. Smaller chunks take less time than compiling a
program for another size."""


class Chunk(NamedTuple):
    """Lanes that are computed at once.

    Attributes:
        start: index of the first lane.
        count: number of lanes.
        size: number of lanes for which the program is compiled; the last lane is repeated
            to fill them.
    """

    start: int
    count: int
    size: int

    @property
    def name(self) -> str:
        """Name of the part of a checkpoint that holds its results."""
        return f"lanes_{self.start:08d}"


def dealt(count: int, size: int, *, even: bool = False) -> list[Chunk]:
    """Divide lanes into chunks; in a long run the last sixteenth into quarters of a chunk.

    Args:
        count: number of lanes.
        size: lanes of a chunk.
        even: whether to leave out the quarters, for which another program is compiled; for
            runs without workers.
    """
    whole, small = count, size
    if size >= SMALL and count > 4 * size and not even:
        whole, small = (count - count // 16) // size * size, -(-size // 4)
    sizes = [(k, size) for k in range(0, whole, size)]
    sizes += [(k, small) for k in range(whole, count, small)]
    return [Chunk(k, min(n, count - k), n) for k, n in sizes]


def pack(arrays: list[np.ndarray]) -> bytes:
    """Arrays as the bytes of a part of a checkpoint."""
    buffer = io.BytesIO()
    np.savez(buffer, *arrays)
    return buffer.getvalue()


def unpack(content: bytes) -> list[np.ndarray]:
    """Arrays from the bytes of a part of a checkpoint."""
    with np.load(io.BytesIO(content)) as file:
        return [file[f"arr_{i}"] for i in range(len(file.files))]


@dataclass(frozen=True)
class Work:
    """What workers are to compute, kept as a file in the run's folder.

    It is called with a chunk. A worker reads the file once, compiles once, and writes the
    results of its chunks into the folder.

    Attributes:
        folder: folder that all workers can see.
        sha256: hash of the file, which is part of its name. Reading pickled data can run
            code: the hash makes sure that workers read only what the asking process wrote.
    """

    folder: Path
    sha256: str

    @classmethod
    def written(
        cls, folder: Path, about: Mapping[str, Any], program: Program, lanes: Lanes
    ) -> "Work":
        """Write the file, and remove those that killed runs have left behind.

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
        # The inputs are written as a tree and not as leaves with their structure: equinox
        # marks missing fields by an object that is recognised by identity, which pickling
        # loses. What is equal in all lanes is written once.
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
        """Path of the file, which is removed when the run has ended."""
        return self.folder / f"work_{self.sha256[:16]}.pkl"

    def __call__(self, chunk: Chunk) -> None:
        """Compute a chunk and write its results, unless they exist; runs on a worker."""
        checkpoint, program, lanes = _opened(self)
        if chunk.name in checkpoint:
            return
        # The chunk may be larger than what fits in this worker's memory at once.
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
