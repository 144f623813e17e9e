"""What the outside world imposes on a cell."""

import enum
from typing import NamedTuple

from jax import Array


class Mode(enum.IntEnum):
    """Which terminal quantity is held."""

    CURRENT = 0
    VOLTAGE = 1
    POWER = 2
    RESISTANCE = 3


class Control(NamedTuple):
    """One control, linear in the time since it began; all scalars.

    Attributes:
        mode: a `Mode`, as an integer array: changing it does not recompile.
        value: set point [A, V, W or ohm], discharge positive.
        slope: its rate of change [unit.s-1].
        temperature: of the cell (isothermal) or of its surroundings (lumped) [K].
        temperature_slope: its rate of change [K.s-1].
    """

    mode: Array
    value: Array
    slope: Array
    temperature: Array
    temperature_slope: Array
