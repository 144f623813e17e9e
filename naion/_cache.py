"""The persistent compilation cache, which makes second starts fast."""

from pathlib import Path

import jax


def compilation_cache() -> Path:
    """Turn on JAX's persistent compilation cache, unless one is set; returns its folder.

    Programs and notebooks may call it; importing naion never does.
    """
    given = jax.config.values["jax_compilation_cache_dir"]
    folder = Path(given) if given else Path.home() / ".cache" / "naion" / "jax"
    folder.mkdir(parents=True, exist_ok=True)
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
    return folder
