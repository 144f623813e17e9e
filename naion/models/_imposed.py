"""What a control imposes on the cell, or the pack."""

import jax.numpy as jnp
from jaxtyping import Array

from ..protocol import Control


def control_residual(
    control: Control, tau: Array, V: Array, current: Array, one_c: Array
) -> Array:
    """What is imposed, as a residual of voltage [V] and current [A]."""
    target = control.value + control.slope * tau
    residuals = jnp.stack(
        [
            (current - target) / one_c,
            V - target,
            (V * current - target) / one_c,
            V - target * current,
        ]
    )
    return residuals[control.mode]
