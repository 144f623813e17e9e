"""What the outside world imposes on a cell."""

import enum
from typing import NamedTuple

from jax import Array
from jax.typing import ArrayLike

NO_LIMIT = 1e6
"""A voltage that nothing reaches [V]."""


class Mode(enum.IntEnum):
    """Which terminal quantity is held."""

    CURRENT = 0
    VOLTAGE = 1
    POWER = 2
    RESISTANCE = 3
    POWER_WITHIN_LIMITS = 4
    """A power as far as the voltage stays within its limits, and less of it there.

    A lower limit should not be below half of the open-circuit voltage: beyond that more
    current gives less power, and where a power can be had again the state would jump.
    """


class Control(NamedTuple):
    """One control, linear in the time since it began; all scalars.

    Limits of voltage are held by `Mode.POWER_WITHIN_LIMITS` alone; in other modes they
    end a step, which is no matter of the control.

    Attributes:
        mode: a `Mode`, as an integer array: changing it does not recompile.
        value: set point [A, V, W or ohm], discharge positive.
        slope: its rate of change [unit.s-1].
        temperature: of the cell (isothermal) or of its surroundings (lumped) [K].
        temperature_slope: its rate of change [K.s-1].
        lower_voltage: least that a discharge may lead to [V].
        upper_voltage: most that a charge may lead to [V].
    """

    mode: Array
    value: Array
    slope: Array
    temperature: Array
    temperature_slope: Array
    lower_voltage: ArrayLike = -NO_LIMIT
    upper_voltage: ArrayLike = NO_LIMIT
