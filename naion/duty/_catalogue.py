"""The duties that ship with naion, each for a temperature."""

import difflib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .._takes import takes
from ._cycle import Cycle, load_cycle
from ._duty import Duty
from ._numbers import numbers_of, tables
from ._vehicle import ZERO, Vehicle, Weather, battery_power, in_kelvin

SEED = 2026
"""Of the signal of frequency regulation."""

SECONDS_A_DAY = 86400.0


class Part(NamedTuple):
    """A stretch of a duty.

    Attributes:
        time: ends of its intervals, from 0, (n + 1,) [s].
        power: out of the battery, (n,) [W].
        around: temperature around the battery, if another than that of the duty [K].
    """

    time: np.ndarray
    power: np.ndarray
    around: float | None = None

    @property
    def energy(self) -> float:
        """Net, out of the battery [J]."""
        return float(np.sum(self.power * np.diff(self.time)))


def steady(
    duration: float, power: float | np.ndarray = 0.0, around: float | None = None
) -> Part:
    """One constant power, or several in equal times."""
    power = np.atleast_1d(np.asarray(power, float))
    return Part(np.linspace(0.0, duration, power.size + 1), power, around)


@takes
def trip(vehicle: Vehicle, cycle: Cycle, temperature: float) -> Part:
    """A vehicle on a cycle in the weather of a temperature [K]."""
    return Part(cycle.time, battery_power(vehicle, cycle, Weather.at(temperature)))


@takes
def join(parts: Sequence[Part], temperature: float) -> dict[str, Any]:
    """Parts one after another, as columns of a `Duty`."""
    times, start = [np.zeros(1)], 0.0
    for p in parts:
        times.append(start + p.time[1:])
        start += p.time[-1]
    around = [
        np.full(len(p.power), temperature if p.around is None else p.around)
        for p in parts
    ]
    power = [p.power for p in parts]
    return {
        "time": np.concatenate(times),
        "power": np.concatenate(power),
        "around": np.concatenate(around),
    }


def _told(*cycles: Cycle) -> tuple[str, ...]:
    return tuple(f"{c.title}: {c.source} ({c.licence})" for c in cycles)


def _numbers(file: str, *names: str) -> tuple:
    return tuple(n for name in names for n in numbers_of(tables(file)[name]))


def _system(name: str) -> dict[str, float]:
    """Medians of a system's numbers, SI."""
    return {
        key: n.median
        for key, n in tables("systems.toml")[name].items()
        if key != "title"
    }


def _vehicle_day(
    name: str, title: str, trips: Sequence[Cycle], between: float, temperature: float
) -> Duty:
    """Trips from a charged battery, and the charge that brings their energy back."""
    vehicle, charging = Vehicle.load(name), _system("charging")
    driven = [trip(vehicle, c, temperature) for c in trips]
    parts = [driven[0], *(p for d in driven[1:] for p in (steady(between), d))]
    back = sum(d.energy for d in driven) * (1.0 + charging["loss"])
    power = charging[name]
    parts += [steady(600.0), steady(back / power, -power)]
    return Duty(
        name,
        title,
        **join(parts, temperature),
        energy=vehicle.battery,
        start=0.9,
        temperature=temperature,
        distance=sum(c.distance for c in trips),
        numbers=_numbers("vehicles.toml", name, "weather")
        + _numbers("systems.toml", "charging"),
        sources=_told(*trips),
    )


def _car(T: float) -> Duty:
    wltc = load_cycle("wltc_3b")
    title = "Car: to work, back after 8 h, and charged at home"
    return _vehicle_day("car", title, (wltc, wltc), 8 * 3600.0, T)


def _van(T: float) -> Duty:
    trips = load_cycle("wltc_3b").capped(100.0 / 3.6), load_cycle("udds")
    return _vehicle_day(
        "van", "Van: out to a town, through it, and charged", trips, 600.0, T
    )


def _truck(T: float) -> Duty:
    """Two hours, and the break of 45 min, in which it takes what the charger has."""
    vehicle, charging = Vehicle.load("truck"), _system("charging")
    hour = load_cycle("long_haul_hour")
    drive = trip(vehicle, hour, T)
    parts = [drive, drive, steady(300.0), steady(2400.0, -charging["truck"])]
    return Duty(
        "truck",
        "Truck of 40 t: two hours of long haul, and a charge in the break",
        **join(parts, T),
        energy=vehicle.battery,
        start=0.9,
        temperature=T,
        distance=2.0 * hour.distance,
        numbers=_numbers("vehicles.toml", "truck", "weather")
        + _numbers("systems.toml", "charging"),
        sources=_told(hour),
    )


def _swap(T: float) -> Duty:
    """A taxi's last two trips, and the hour of its pack in the station."""
    vehicle, x = Vehicle.load("car"), _system("swap")
    wltc, station = load_cycle("wltc_3b"), x["station"] + ZERO
    drive = trip(vehicle, wltc, T)
    power = x["fills"] * vehicle.battery / x["charge"]
    parts = [drive, drive, steady(x["handling"], 0.0, station)]
    parts += [steady(x["charge"], -power, station), steady(600.0, 0.0, station)]
    return Duty(
        "swap",
        "Swap station: two trips of a taxi, and the hour between swaps",
        **join(parts, T),
        energy=vehicle.battery,
        start=x["arrives"],
        temperature=T,
        distance=2.0 * wltc.distance,
        numbers=_numbers("vehicles.toml", "car", "weather")
        + _numbers("systems.toml", "swap"),
        sources=_told(wltc),
    )


def _start(T: float) -> Duty:
    """A night of hotel load, tries to start that grow harder in the cold, the alternator.

    The ripple of the current at each compression, some 30 % around its mean, is left out.
    """
    x = _system("start")
    colder = (20.0 - (T - ZERO)) / 40.0
    cranking = x["cranking"] * max(1.0, 1.0 + (x["stiff"] - 1.0) * colder)
    seconds = 3.0 if colder <= 0.0 else 3.0 + 7.0 * min(colder, 1.0)
    inrush = max(x["inrush"], 2.0 * cranking)
    parts = [steady(x["night"], x["hotel"]), steady(60.0)]
    for _ in range(int(x["tries"])):
        parts += [
            steady(0.15, inrush * x["voltage"]),
            steady(seconds, cranking * x["voltage"]),
            steady(30.0),
        ]
    parts.append(steady(1800.0, -x["alternator"]))
    return Duty(
        "start",
        "24 V start: hotel load through a night, three tries, the alternator",
        **join(parts, T),
        energy=x["block"],
        start=0.9,
        temperature=T,
        numbers=_numbers("systems.toml", "start"),
    )


def _at_battery(grid: np.ndarray, conversion: float) -> np.ndarray:
    """Power of the battery behind its converter, for a power to the grid [W]."""
    return np.where(grid > 0.0, grid / conversion, grid * conversion)


def _arbitrage(T: float) -> Duty:
    """A day of 100 kWh: in at noon, out in the evening, with ramps."""
    x, energy = _system("storage"), 100.0 * 3.6e6
    steps = 10
    ramp = (np.arange(steps) + 0.5) / steps
    power, loss = x["window"] * energy / x["hours"], x["loss"]
    trapezoid = [
        (x["ramp"], ramp),
        (x["hours"] - x["ramp"], np.ones(1)),
        (x["ramp"], ramp[::-1]),
    ]
    charge = [steady(t, -power * (1.0 + loss) * shape) for t, shape in trapezoid]
    discharge = [steady(t, power * (1.0 - loss) * shape) for t, shape in trapezoid]
    idle = 3.0 * 3600.0 - x["ramp"]
    parts = [steady(11 * 3600.0), *charge, steady(idle), *discharge]
    left = SECONDS_A_DAY - sum(p.time[-1] for p in parts)
    return Duty(
        "arbitrage",
        "Storage: charged at noon, discharged in the evening",
        **join([*parts, steady(left)], T),
        energy=energy,
        start=0.05,
        temperature=T,
        numbers=_numbers("systems.toml", "storage"),
    )


def _regulation(T: float) -> Duty:
    """Two hours of a signal like that of fast frequency regulation, every 4 s."""
    x, energy, dt = _system("storage"), 100.0 * 3.6e6, 4.0
    signal = regulation_signal(1800, dt, x["spread"], x["correlation"])
    rated = energy / x["energy_over_power"]
    return Duty(
        "regulation",
        "Storage: two hours of frequency regulation",
        dt * np.arange(1801),
        _at_battery(rated * signal, x["conversion"]),
        energy=energy,
        start=0.5,
        temperature=T,
        numbers=_numbers("systems.toml", "storage"),
    )


def regulation_signal(
    n: int, dt: float, spread: float, correlation: float
) -> np.ndarray:
    """Coloured noise of first order, without mean in each half hour, from -1 to 1, (n,).

    Args:
        n: how many.
        dt: apart [s].
        spread: standard deviation before what is beyond 1 is cut [-].
        correlation: time [s].
    """
    # A stream that NumPy keeps as it is, which those of new generators need not be.
    noise = np.random.RandomState(SEED).standard_normal(n)
    keep = np.exp(-dt / correlation)
    x = np.empty(n)
    last = 0.0
    for k in range(n):
        last = keep * last + np.sqrt(1.0 - keep**2) * noise[k]
        x[k] = last
    x = np.clip(spread * x, -1.0, 1.0)
    size = int(round(1800.0 / dt))
    for k in range(0, n, size):
        x[k : k + size] -= np.mean(x[k : k + size])
    return np.clip(x, -1.0, 1.0)


_DUTIES: dict[str, Callable[[float], Duty]] = {
    "car": _car,
    "van": _van,
    "truck": _truck,
    "swap": _swap,
    "start": _start,
    "arbitrage": _arbitrage,
    "regulation": _regulation,
}


def duties() -> tuple[str, ...]:
    """Names of the duties that ship with naion."""
    return tuple(_DUTIES)


@takes
def load(name: str, temperature: Any = 298.15) -> Duty:
    """A duty at a temperature of what is around the battery [K].

    The cold is in the duty too: denser air, stiffer tyres, a cabin to be heated, an engine
    that is harder to turn.

    Raises:
        KeyError: for a name that is none, with the nearest.
        ValueError: for a temperature that is none, as in Celsius.
    """
    if name not in _DUTIES:
        near = difflib.get_close_matches(str(name), _DUTIES, n=1, cutoff=0.4)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        raise KeyError(f"No duty {name!r}; known are {', '.join(_DUTIES)}.{meant}")
    return _DUTIES[name](in_kelvin("temperature", temperature))
