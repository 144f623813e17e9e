"""Native programs for single lanes of a batch, made from JAX functions.

A function of arrays is traced by JAX, written out as C++ with fused loops and compiled by
the machine's compiler. So the physics and the algorithms exist once, in JAX.
"""

import os

import jax

from ._build import compiler
from ._call import per_lane


def available() -> bool:
    """Whether lane programs can be made here: JAX computes on CPUs, with a compiler."""
    return jax.default_backend() == "cpu" and compiler() is not None


def enabled() -> bool:
    """Whether to run lane programs: `NAION_KERNELS`, "auto" (if available), "on", "off".

    Raises:
        RuntimeError: if they are asked for and not available.
        ValueError: for another setting.
    """
    wanted = os.environ.get("NAION_KERNELS", "auto")
    if wanted not in ("auto", "on", "off"):
        raise ValueError(f"NAION_KERNELS={wanted!r}: expected 'auto', 'on' or 'off'.")
    if wanted == "on" and not available():
        raise RuntimeError(
            "NAION_KERNELS=on, but native kernels cannot be made here: JAX runs on "
            f"{jax.default_backend()!r} and the C++ compiler found is {compiler()!r}. "
            "Install g++ on Linux (or set CXX), or use NAION_KERNELS=auto."
        )
    return wanted != "off" and available()


__all__ = ["available", "compiler", "enabled", "per_lane"]
