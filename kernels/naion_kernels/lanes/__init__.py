"""Native programs for single lanes of a batch, made from JAX functions.

A function of arrays is traced by JAX, written out as C++ with fused loops and compiled by
the machine's compiler. So the physics and the algorithms exist once, in JAX.
"""

import os

import jax

from .._cautions import caution_once
from ._build import NoCompilerError, find_compiler, find_cuda_compiler
from ._call import make_small_program, per_lane
from ._kept import folder
from ._programs import loaded

_FINDERS = {"cpu": find_compiler, "gpu": find_cuda_compiler}


def compiler() -> str:
    """The compiler for the device that JAX computes on: g++ on CPUs, nvcc on GPUs.

    Raises:
        NoCompilerError: if there is none.
    """
    backend = jax.default_backend()
    if backend not in _FINDERS:
        raise NoCompilerError(f"they are made for CPUs and GPUs, not for {backend!r}")
    return _FINDERS[backend]()


def has_compiler() -> bool:
    """Whether lane programs can be made here."""
    try:
        compiler()
    except NoCompilerError:
        return False
    return True


def enabled() -> bool:
    """Whether to run lane programs: `NAION_KERNELS`, "auto", "on" or "off".

    "auto" runs them if there is a compiler.

    Says so, once, where they are missed.

    Raises:
        RuntimeError: if they are asked for and not available.
        ValueError: for another setting.
    """
    wanted = _wanted()
    if wanted == "off":
        return False
    try:
        compiler()
    except NoCompilerError as reason:
        if wanted == "on":
            raise RuntimeError(
                f"NAION_KERNELS=on, but native kernels cannot be made: {reason}. "
                f"{_REMEDY}, or use NAION_KERNELS=auto."
            ) from None
        caution_once(
            "Programs run through XLA, which takes several times as long as native "
            f"kernels, for these cannot be made: {reason}. {_REMEDY}, or say with "
            "NAION_KERNELS=off that this is meant."
        )
        return False
    return True


def trial() -> str:
    """How programs run, in words, after a small one was made.

    Raises:
        RuntimeError: with the reason why they do not run as native code.
        ValueError: for an unknown setting.
    """
    if _wanted() == "off":
        return "off, as NAION_KERNELS says"
    path = compiler()
    make_small_program()
    return f"native, by {path}"


def _wanted() -> str:
    wanted = os.environ.get("NAION_KERNELS", "auto")
    if wanted not in ("auto", "on", "off"):
        raise ValueError(f"NAION_KERNELS={wanted!r}: expected 'auto', 'on' or 'off'.")
    return wanted


_REMEDY = (
    "Install g++ on Linux (or set CXX) for CPUs, nvcc (or set NVCC) for NVIDIA GPUs"
)

__all__ = [
    "NoCompilerError",
    "has_compiler",
    "compiler",
    "enabled",
    "folder",
    "loaded",
    "per_lane",
    "trial",
]
