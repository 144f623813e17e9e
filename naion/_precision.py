"""What naion asks of JAX: float64, which DAE solves need, programs that are kept, no fork."""

import os

import jax
import jaxlib.version
from jax._src import xla_bridge

from ._cache import compilation_cache

SLOW_TO_COMPILE = "xla_cpu_use_fusion_emitters"
"""A part of XLA for CPUs that takes long over programs such as ours, and makes them no faster
(`python -m benchmarks first_call`)."""

KNOWN_TO = "0.10."
"""Release of jaxlib that knows it: one that does not would end the process."""


def enable_x64(*, cache: bool = True) -> None:
    """Let JAX use float64 and keep its programs. Call once, before other naion or JAX work.

    It also switches XLA's fusion emitters off, by `XLA_FLAGS`, unless that speaks of them
    already: programs compile sooner, if nothing was computed before. naion never changes
    JAX's configuration on import: the user says so here.

    Args:
        cache: keep compiled programs on disk, for the next process; see
            `compilation_cache`. False leaves JAX's setting alone.
    """
    jax.config.update("jax_enable_x64", True)
    if cache:
        compilation_cache()
    flags = os.environ.get("XLA_FLAGS", "")
    # What does not begin with a dash is the name of a file of flags.
    free = SLOW_TO_COMPILE not in flags and (not flags or flags.startswith("-"))
    if free and jaxlib.version.__version__.startswith(KNOWN_TO):
        os.environ["XLA_FLAGS"] = f"{flags} --{SLOW_TO_COMPILE}=false".strip()


_in_use, _forked = False, False


def _before_fork() -> None:
    global _in_use
    _in_use = xla_bridge.backends_are_initialized()


def _in_child() -> None:
    global _forked
    _forked = _forked or _in_use


# The threads of JAX are not in a child, which would wait for them for ever. Watching is
# all that is done: a child that does not ask naion for anything is left alone.
if os.name == "posix":
    os.register_at_fork(before=_before_fork, after_in_child=_in_child)


def require_x64() -> None:
    """Raise unless float64 is on, and JAX can be used in this process.

    Raises:
        RuntimeError: naming what to change. The step matrix has condition numbers of
            1e5 to 1e8, so that float32 loses the potentials.
    """
    if _forked:
        raise RuntimeError(
            "This process was forked from one that had used JAX, whose threads it lacks, "
            "so that it would hang. Start processes with "
            '`multiprocessing.get_context("spawn")`, or fork before JAX computes anything.'
        )
    if not jax.config.read("jax_enable_x64"):
        raise RuntimeError(
            "naion solves its equations in float64, but JAX is in float32 mode. "
            "Add `import naion; naion.enable_x64()` at the top of the program."
        )
