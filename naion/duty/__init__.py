"""What a battery does all day: duties of vehicles and systems, and cells that serve them.

`load("car", 253.15)` is a duty at a temperature; `serve(cell, duty)` simulates it with a
battery of such cells; `compare` makes a table of sets, duties and temperatures; `year`
weighs representative days.
"""

from ._catalogue import Part, duties, join, load, regulation_signal, steady, trip
from ._compare import TEMPERATURES, compare
from ._cycle import Cycle, cycles, load_cycle
from ._duty import Duty, full_charge, limits, rated_energy, stored_energy
from ._served import Ready, Served, ready, serve
from ._vehicle import Vehicle, Weather, battery_power, wheel_power
from ._year import (
    CLIMATES,
    Climate,
    Days,
    Total,
    in_full,
    of_days,
    representative,
    year,
)

__all__ = [
    "CLIMATES",
    "Climate",
    "Cycle",
    "Days",
    "Duty",
    "Part",
    "Ready",
    "Served",
    "TEMPERATURES",
    "Total",
    "Vehicle",
    "Weather",
    "battery_power",
    "compare",
    "cycles",
    "duties",
    "full_charge",
    "in_full",
    "join",
    "limits",
    "load",
    "load_cycle",
    "of_days",
    "rated_energy",
    "ready",
    "regulation_signal",
    "representative",
    "serve",
    "steady",
    "stored_energy",
    "trip",
    "wheel_power",
    "year",
]
