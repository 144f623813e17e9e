"""What a battery does all day: duties of vehicles and systems, and cells that serve them."""

from ._cycle import Cycle, cycles, load_cycle
from ._vehicle import Vehicle, Weather, battery_power, wheel_power

__all__ = [
    "Cycle",
    "Vehicle",
    "Weather",
    "battery_power",
    "cycles",
    "load_cycle",
    "wheel_power",
]
