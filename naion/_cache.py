"""The persistent compilation cache, which makes second starts fast."""

import math
from pathlib import Path

import jax

from naion_kernels import cache_folder, nothing_kept, try_writing

_SETTING = "jax_compilation_cache_dir"


def compilation_cache() -> Path | None:
    """Turn on JAX's persistent compilation cache; returns its folder.

    The folder is the one that JAX is set to, else ~/.cache/naion/jax. If it is not safe
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
    least = 0.2
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
    return cache_folder("jax", given, "JAX_COMPILATION_CACHE_DIR")
