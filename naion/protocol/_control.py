"""The control that is imposed on a cell at one time."""

import enum
from typing import NamedTuple

from jax import Array
from jax.typing import ArrayLike

NO_LIMIT = 1e6
"""A voltage that no cell reaches, which stands for no limit [V]."""


class Mode(enum.IntEnum):
    """Which quantity is imposed at the terminals."""

    CURRENT = 0
    VOLTAGE = 1
    POWER = 2
    RESISTANCE = 3
    POWER_WITHIN_LIMITS = 4
    """A power while the voltage stays within its limits; at a limit, the power that holds it.

    The lower limit should not be below half of the open-circuit voltage. Below that a
    larger current gives less power, and the state would jump where the power asked for can
    be delivered again.
    """


class Control(NamedTuple):
    """A control that is linear in the time since it began; all fields are scalars.

    The voltage limits are used by `Mode.POWER_WITHIN_LIMITS` alone, which holds them. In
    other modes a voltage limit ends the step, which is not part of the control.

    Attributes:
        mode: a `Mode` as an integer array, so that changing it does not recompile.
        value: set point, positive on discharge [A, V, W or ohm].
        slope: rate of change of the set point [unit.s-1].
        temperature: temperature of the cell where the model is isothermal, else of its
            surroundings [K].
        temperature_slope: rate of change of the temperature [K.s-1].
        lower_voltage: voltage at which a discharge is held [V].
        upper_voltage: voltage at which a charge is held [V].
    """

    mode: Array
    value: Array
    slope: Array
    temperature: Array
    temperature_slope: Array
    lower_voltage: ArrayLike = -NO_LIMIT
    upper_voltage: ArrayLike = NO_LIMIT
