"""Vehicles of a few numbers: from speed to the power of the battery."""

from dataclasses import dataclass, fields, replace
from numbers import Real
from typing import Any

import numpy as np

from .._takes import takes
from ._cycle import Cycle
from ._numbers import Numbers, tables

GRAVITY = 9.81
"""[m.s-2]."""

STANDING = 2.0
"""Below this speed nothing is recovered [m.s-1]."""

ZERO = 273.15

COLDEST, WARMEST = 200.0, 340.0
"""Between which what is around a battery is [K]."""

LEAST = 3.6e5
"""No vehicle drives on less than a tenth of a kWh [J]."""


def in_kelvin(what: str, temperature: Any) -> float:
    """A temperature of what is around a battery [K].

    Raises:
        ValueError: for one that is none, as in Celsius.
    """
    try:
        T = float(temperature)
    except (TypeError, ValueError):
        T = float("nan")
    if not COLDEST <= T <= WARMEST:
        raise ValueError(
            f"{what}={temperature!r:.60}: expected {COLDEST:g} to {WARMEST:g} K; 25 degC "
            "is 298.15."
        )
    return T


@dataclass(frozen=True)
class Weather:
    """What a vehicle meets at a temperature.

    Attributes:
        density: of air [kg.m-3].
        stiffening: of tyres, over their rolling resistance at comfort [-].
        cabin: heating or cooling of it, from the battery [W].
    """

    density: float
    stiffening: float
    cabin: float

    @classmethod
    def at(cls, temperature: float, numbers: Numbers | None = None) -> "Weather":
        """At a temperature of the air [K], from the numbers of `vehicles.toml`.

        Air is an ideal gas; tyres stiffen linearly below comfort, and do not soften above
        it; the cabin takes power in proportion to the distance from comfort.

        Raises:
            ValueError: for a temperature that is none, as in Celsius.
        """
        temperature = in_kelvin("temperature", temperature)
        n = tables("vehicles.toml")["weather"] if numbers is None else numbers
        x = {name: n[name].median for name in ("density", "stiffening", "comfortable")}
        colder = x["comfortable"] - (temperature - ZERO)
        per_kelvin = n["heating" if colder > 0.0 else "cooling"].median
        return cls(
            x["density"] * (20.0 + ZERO) / temperature,
            1.0 + x["stiffening"] * max(colder, 0.0),
            per_kelvin * abs(colder),
        )


CALM = Weather(1.20, 1.0, 0.0)
"""20 degC, as in the published results that the model is compared with."""


@dataclass(frozen=True)
class Vehicle:
    """A vehicle.

    Attributes:
        mass: with its load [kg].
        drag_area: drag coefficient times frontal area [m2].
        rolling: coefficient of rolling resistance [-].
        auxiliaries: mean power beside the drive [W].
        inertia: mass with that of what rotates, over mass [-].
        efficiency: between battery and wheel, either way [-].
        regeneration: share of braking that the motor takes [-].
        battery: rated energy [J].
        motor: most power at the wheels, either way [W].

    Raises:
        ValueError: for a number outside of what it can be.
    """

    mass: float
    drag_area: float
    rolling: float
    auxiliaries: float
    inertia: float
    efficiency: float
    regeneration: float
    battery: float
    motor: float = np.inf

    def __post_init__(self):
        for field in fields(self):
            value, name = getattr(self, field.name), field.name
            share = name in ("efficiency", "regeneration")
            none = name in ("auxiliaries", "regeneration", "rolling", "drag_area")
            least = 0.0 if none else np.finfo(float).tiny
            most = 1.0 if share else np.inf
            number = isinstance(value, Real) and not isinstance(value, bool)
            if not number or not least <= float(value) <= most:
                bounds = "0 to 1" if share else "a positive number"
                raise ValueError(f"Vehicle.{name} = {value!r}: expected {bounds}.")
        if self.battery < LEAST:
            raise ValueError(
                f"Vehicle.battery = {self.battery:g} J: expected {LEAST:g} at least; 45 kWh "
                "are 45 * 3.6e6."
            )
        if self.inertia < 1.0:
            raise ValueError(
                f"Vehicle.inertia = {self.inertia:g}: expected at least 1, the mass itself."
            )

    @classmethod
    def load(cls, name: str, **others: float) -> "Vehicle":
        """The medians of a vehicle that ships with naion: car, van or truck.

        Args:
            name: of it.
            others: numbers that replace its own.

        Raises:
            KeyError: for a name that is none, of a vehicle or of a number.
        """
        unknown = sorted(set(others) - {f.name for f in fields(cls)})
        if unknown:
            raise KeyError(
                f"A Vehicle has no {', '.join(unknown)}; it has "
                f"{', '.join(f.name for f in fields(cls))}."
            )
        known = {k: v for k, v in tables("vehicles.toml").items() if k != "weather"}
        if name not in known:
            raise KeyError(f"No vehicle {name!r}; known are {', '.join(known)}.")
        own = {k: v.median for k, v in known[name].items() if k != "title"}
        return replace(cls(**own), **others)


@takes
def wheel_power(vehicle: Vehicle, cycle: Cycle, weather: Weather = CALM) -> np.ndarray:
    """Power at the wheels in every interval of a cycle, (n - 1,) [W].

    Newton's law between two samples, at the mean of their speeds; see any text on
    vehicle dynamics, as Guzzella and Sciarretta, Vehicle Propulsion Systems (2013),
    equation 2.1.
    """
    v = 0.5 * (cycle.speed[1:] + cycle.speed[:-1])
    a = np.diff(cycle.speed) / np.diff(cycle.time)
    angle = np.arctan(0.5 * (cycle.grade[1:] + cycle.grade[:-1]))
    rolling = vehicle.rolling * weather.stiffening
    force = vehicle.mass * (
        vehicle.inertia * a + GRAVITY * (rolling * np.cos(angle) + np.sin(angle))
    )
    force = force + 0.5 * weather.density * vehicle.drag_area * v**2
    return np.clip(force * v, -vehicle.motor, vehicle.motor)


@takes
def battery_power(
    vehicle: Vehicle, cycle: Cycle, weather: Weather = CALM
) -> np.ndarray:
    """Power of the battery in every interval of a cycle, out positive, (n - 1,) [W].

    The speed is that of the cycle even where the motor is too weak for it.
    """
    wheels = wheel_power(vehicle, cycle, weather)
    v = 0.5 * (cycle.speed[1:] + cycle.speed[:-1])
    recovered = np.where(v < STANDING, 0.0, vehicle.regeneration)
    drive = np.where(
        wheels >= 0.0,
        wheels / vehicle.efficiency,
        wheels * vehicle.efficiency * recovered,
    )
    return drive + vehicle.auxiliaries + weather.cabin
