"""What a control imposes on the cell, or the pack."""

import jax.numpy as jnp

from .._shapes import Scalar
from ..protocol import Control


def control_residual(
    control: Control, tau: Scalar, V: Scalar, current: Scalar, one_c: Scalar
) -> Scalar:
    """Residual of the imposed control, from voltage [V] and current [A]."""
    target = control.value + control.slope * tau
    power = (V * current - target) / one_c
    residuals = jnp.stack(
        [
            (current - target) / one_c,
            V - target,
            power,
            V - target * current,
            _within_limits(control, target, power, V, current / one_c),
        ]
    )
    return residuals[control.mode]


def _within_limits(
    control: Control, target: Scalar, power: Scalar, V: Scalar, rate: Scalar
) -> Scalar:
    """Zero where a power is met, or a limit of voltage is, which allows only less of it.

    Each part grows with the current at a given state, and so does the middle one of three:
    of the power's residual, the distance behind the limit, and the current, which turns
    round for no limit. So one current solves it, whether or not the power can be had.
    """
    low, high = control.lower_voltage, control.upper_voltage
    out = jnp.minimum(jnp.maximum(power, low - V), rate)
    into = jnp.maximum(jnp.minimum(power, high - V), rate)
    return jnp.where(target >= 0.0, out, into)
