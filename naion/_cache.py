"""The persistent compilation cache, which makes second starts fast."""

import functools
import hashlib
import math
import platform
from pathlib import Path

import jax

from naion_kernels import cache_folder, nothing_kept, try_writing

_SETTING = "jax_compilation_cache_dir"
_VARIABLE = "JAX_COMPILATION_CACHE_DIR"


def compilation_cache() -> Path | None:
    """Turn on JAX's persistent compilation cache; returns its folder.

    The folder is the one that JAX is set to, else ~/.cache/naion/jax, and in it one for
    each kind of processor: programs for one may not run on another. If it is not safe
    or cannot be made, the cache is off and there is no folder; if it cannot be written
    to, it is only read. A `Caution` says so. `naion.enable_x64` calls it; importing
    naion never does.
    """
    given = jax.config.values[_SETTING]
    if given and "://" in given:
        return None  # JAX's own business: not a folder of this machine
    try:
        folder = jax_folder()
    except OSError as problem:
        nothing_kept(problem)
        jax.config.update("jax_enable_compilation_cache", False)
        return None
    least = 0.0  # a small program is compiled in 20 ms and read in 2
    try:
        try_writing(folder)
    except OSError as problem:
        nothing_kept(problem)
        least = math.inf  # JAX would complain of every program that it cannot write
    jax.config.update(_SETTING, str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", least)
    return folder


def jax_folder() -> Path:
    """The folder of the cache, to which nobody else can write; made if it is not there.

    Raises:
        OSError: with the reason, if there is none.
    """
    given = jax.config.values[_SETTING]
    if given and Path(given).name == processor():  # as set by an earlier call
        return cache_folder("jax", given, _VARIABLE)
    folder = cache_folder("jax", given, _VARIABLE)
    return cache_folder("jax", str(folder / processor()), _VARIABLE)


@functools.cache
def processor() -> str:
    """A name for this kind of processor: that of its architecture, and what it can do.

    JAX's own keys do not tell processors apart, and machines that share a home often have
    several kinds.
    """
    about = platform.machine(), platform.processor(), *_abilities()
    return (
        f"{platform.machine()}-{hashlib.sha256(repr(about).encode()).hexdigest()[:12]}"
    )


def _abilities() -> list[str]:
    """What Linux says of the first processor's make and instructions."""
    file = Path("/proc/cpuinfo")
    if not file.is_file():
        return []
    first = file.read_text().partition("\n\n")[0]
    told = ("vendor_id", "cpu family", "model", "flags", "CPU ", "Features")
    return sorted(line for line in first.splitlines() if line.startswith(told))
