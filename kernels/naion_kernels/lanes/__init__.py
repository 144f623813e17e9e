"""Native programs for single lanes of a batch, made from JAX functions.

A function of arrays is traced by JAX, written out as C++ with fused loops and compiled by
the machine's compiler. So the physics and the algorithms exist once, in JAX.
"""

import os

import jax

from ._build import compiler as cpu_compiler
from ._build import cuda_compiler
from ._call import per_lane


def compiler() -> str | None:
    """The compiler for the device that JAX computes on: g++ on CPUs, nvcc on GPUs."""
    finders = {"cpu": cpu_compiler, "gpu": cuda_compiler}
    find = finders.get(jax.default_backend())
    return None if find is None else find()


def available() -> bool:
    """Whether lane programs can be made here."""
    return compiler() is not None


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
            f"{jax.default_backend()!r} and the compiler found is {compiler()!r}. "
            "Install g++ on Linux (or set CXX) for CPUs, nvcc (or set NVCC) for NVIDIA "
            "GPUs, or use NAION_KERNELS=auto."
        )
    return wanted != "off" and available()


__all__ = ["available", "compiler", "enabled", "per_lane"]
