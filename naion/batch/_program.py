"""A function of one lane, compiled for batches of lanes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import jax
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from .._precision import require_x64

Out = TypeVar("Out")
Device = Any
"""`jax.Device`, which type checkers do not accept as a type."""

MOST = 4096
"""Most lanes that one device computes at once."""

UNKNOWN_MEMORY = 8e9
"""Free memory that is assumed where the system does not tell it [bytes]."""

SHARE = 0.5
"""Share of the free memory that the lanes computed at once may take."""


@dataclass(frozen=True)
class Lanes:
    """Inputs of a batch.

    Attributes:
        leaves: arrays with the lanes along their first axis.
        tree: structure of the pytree that they are leaves of.
        shared: for each array, whether it is equal in all lanes, and so passed only once.
        count: number of lanes.
    """

    leaves: tuple[np.ndarray, ...]
    tree: Any
    shared: tuple[bool, ...]
    count: int

    @classmethod
    def of(cls, inputs: Any, shared: Sequence[bool] | None = None) -> "Lanes":
        """Inputs from a pytree.

        Args:
            inputs: pytree of arrays with the lanes along the first axis of each.
            shared: for each leaf, whether it is equal in all lanes; none: compare.

        Raises:
            ValueError: for no lanes, or arrays of different lengths.
        """
        leaves, tree = jax.tree.flatten(inputs)
        arrays = tuple(np.asarray(a) for a in leaves)
        counts = {a.shape[0] if a.ndim else 0 for a in arrays}
        if len(counts) != 1 or counts == {0}:
            shapes = ", ".join(str(a.shape) for a in arrays)
            raise ValueError(
                "Every array of a batch needs the lanes along its first axis, at least "
                f"one and equally many; got shapes {shapes}. Make one with "
                "naion.batch.stack."
            )
        (n,) = counts
        if shared is None:
            shared = [n > 1 and is_shared(a) for a in arrays]
        return cls(arrays, tree, tuple(shared), n)

    @property
    def one(self) -> tuple[jax.ShapeDtypeStruct, ...]:
        """Shape and type of each leaf in one lane."""
        return tuple(jax.ShapeDtypeStruct(a.shape[1:], _dtype(a)) for a in self.leaves)


def is_shared(a: np.ndarray) -> bool:
    """Whether all rows of an array are equal; NaN counts as equal to NaN."""
    if a.strides[0] == 0:  # one row, as `stack` shows it in all lanes
        return True
    return bool(np.all((a == a[:1]) | ((a != a) & (a[:1] != a[:1]))))


class Program(Generic[Out]):
    """A function of one lane, compiled for batches on the devices of this process.

    It is compiled once for each number of lanes that are computed at once.

    Args:
        function: function of the inputs of one lane, a pytree; returns a pytree of arrays.
        devices: devices of this process to use; none: all.
    """

    def __init__(
        self,
        function: Callable[[Any], Out],
        devices: Sequence[Device] | None = None,
    ):
        self.function = function
        self.devices = tuple(jax.local_devices() if devices is None else devices)
        self._compiled: dict[Any, Any] = {}

    def __call__(self, lanes: Lanes) -> Out:
        """Results of all lanes as NumPy arrays, with the lanes along the first axis."""
        size = self.fitting(lanes, lanes.count)
        parts = [self.part(lanes, k, size) for k in range(0, lanes.count, size)]
        return jax.tree.map(lambda *a: np.concatenate(a), *parts)

    def part(self, lanes: Lanes, start: int, size: int) -> Out:
        """Results of `size` lanes from lane `start` on, or of as many as are left."""
        require_x64()
        count = min(size, lanes.count - start)
        per_device = -(-size // len(self.devices))
        compiled = self._compile(lanes, per_device)
        # The last lane is repeated where there are fewer lanes than the program has.
        at = start + np.arange(per_device * len(self.devices))
        at = np.minimum(at, start + count - 1)
        pairs = zip(lanes.leaves, lanes.shared, strict=True)
        arguments = [np.asarray(a[0] if s else a[at], _dtype(a)) for a, s in pairs]
        return jax.tree.map(lambda a: np.asarray(a)[:count], compiled(*arguments))

    def fitting(self, lanes: Lanes, count: int) -> int:
        """How many of `count` lanes to compute at once, in parts of about equal size.

        As many as fit in half of the free memory, and at most 4096 for each device.
        """
        n = len(self.devices)
        size = min(MOST, -(-count // n))
        while size > 1:
            use = self._compile(lanes, size).memory_analysis()
            taken = (
                use.temp_size_in_bytes
                + use.output_size_in_bytes
                + use.argument_size_in_bytes
            )
            if taken <= SHARE * free_memory(self.devices):
                break
            size = -(-size // 2)
        return -(-count // -(-count // (size * n)))

    def of_lane(self, lanes: Lanes) -> Callable[..., Out]:
        """The function, taking the leaves of one lane."""
        return lambda *leaves: self.function(jax.tree.unflatten(lanes.tree, leaves))

    def _compile(self, lanes: Lanes, size: int):
        """The program for `size` lanes on each device, compiled at its first use."""
        key = lanes.tree, lanes.one, lanes.shared, size
        if key not in self._compiled:
            axes = tuple(None if s else 0 for s in lanes.shared)
            along = PartitionSpec("lanes")
            program = jax.shard_map(
                jax.vmap(self.of_lane(lanes), in_axes=axes, axis_size=size),
                mesh=Mesh(np.array(self.devices), ("lanes",)),
                in_specs=tuple(PartitionSpec() if s else along for s in lanes.shared),
                out_specs=along,
                check_vma=False,
            )
            total = size * len(self.devices)
            whole = [
                jax.ShapeDtypeStruct(a.shape if s else (total, *a.shape), a.dtype)
                for a, s in zip(lanes.one, lanes.shared, strict=True)
            ]
            self._compiled[key] = jax.jit(program).lower(*whole).compile()
        return self._compiled[key]


def _dtype(a: np.ndarray) -> np.dtype:
    return jax.dtypes.canonicalize_dtype(a.dtype)


def free_memory(devices: Sequence[Device]) -> float:
    """Free memory for each of the devices of this process [bytes]."""
    stats = devices[0].memory_stats()
    if stats is not None and "bytes_limit" in stats:
        return stats["bytes_limit"] - stats["bytes_in_use"]
    if not Path("/proc/meminfo").is_file():
        return UNKNOWN_MEMORY / len(devices)
    lines = Path("/proc/meminfo").read_text().splitlines()
    (kilobytes,) = [s.split()[1] for s in lines if s.startswith("MemAvailable")]
    return 1024.0 * int(kilobytes) / len(devices)
