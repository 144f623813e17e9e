"""The switch to float64, which DAE solves need."""

import jax


def enable_x64() -> None:
    """Let JAX use float64. Call once, before any other naion or JAX work.

    naion never changes JAX's configuration on import: the user says so here.
    """
    jax.config.update("jax_enable_x64", True)


def require_x64() -> None:
    """Raise unless float64 is on.

    Raises:
        RuntimeError: naming the line to add. The step matrix has condition numbers of
            1e5 to 1e8, so that float32 loses the potentials.
    """
    if not jax.config.values["jax_enable_x64"]:
        raise RuntimeError(
            "naion solves its equations in float64, but JAX is in float32 mode. "
            "Add `import naion; naion.enable_x64()` at the top of the program."
        )
