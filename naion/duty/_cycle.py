"""Driving cycles: speed, and grade, against time, with where the numbers are from."""

import difflib
import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .._files import read_toml
from .._takes import takes

FOLDER = Path(__file__).with_name("cycles")

FASTEST = 90.0
"""No road vehicle of a cycle is faster [m.s-1]; what is was meant in km/h."""


@dataclass(frozen=True)
class Cycle:
    """A driving cycle.

    Attributes:
        title: in words.
        time: of the samples, increasing, (n,) [s].
        speed: (n,) [m.s-1].
        grade: rise of the road over the way along it, (n,) [-].
        source: of the numbers.
        licence: of the numbers.

    Raises:
        ValueError: for columns of unlike length, times that do not increase, or speeds
            that no vehicle has.
    """

    title: str
    time: np.ndarray
    speed: np.ndarray
    grade: np.ndarray
    source: str = "given by the user"
    licence: str = "not given"

    def __post_init__(self):
        columns = {
            name: np.asarray(getattr(self, name), float)
            for name in ("time", "speed", "grade")
        }
        sizes = {name: column.shape for name, column in columns.items()}
        one = columns["time"].ndim == 1 and columns["time"].size > 1
        if len(set(sizes.values())) > 1 or not one:
            raise ValueError(
                f"Cycle {self.title!r}: expected columns of one length of at least two, "
                f"got shapes {sizes}."
            )
        for name, column in columns.items():
            if not np.all(np.isfinite(column)):
                i = int(np.argmin(np.isfinite(column)))
                raise ValueError(
                    f"Cycle {self.title!r}: {name} of row {i + 1} is no number."
                )
            object.__setattr__(self, name, column)
        if np.any(np.diff(self.time) <= 0.0):
            raise ValueError(f"Cycle {self.title!r}: times must increase.")
        if self.speed.min() < 0.0 or self.speed.max() > FASTEST:
            raise ValueError(
                f"Cycle {self.title!r}: speeds are {self.speed.min():g} to "
                f"{self.speed.max():g} m/s; expected 0 to {FASTEST:g}. Are they in km/h?"
            )
        if np.abs(self.grade).max() > 1.0:
            raise ValueError(
                f"Cycle {self.title!r}: a grade of {np.abs(self.grade).max():g}; expected "
                "rise over way, 0.03 for 3 %."
            )

    @property
    def distance(self) -> float:
        """Way, of the means of neighbouring speeds [m]."""
        middle = 0.5 * (self.speed[1:] + self.speed[:-1])
        return float(np.sum(middle * np.diff(self.time)))

    def capped(self, speed: float) -> "Cycle":
        """The same with no speed above one [m.s-1]; it goes less far in the same time.

        Raises:
            ValueError: for a speed that is not above zero.
        """
        if not speed > 0.0:
            raise ValueError(f"speed={speed!r}: expected m/s above zero.")
        title = f"{self.title}, at most {3.6 * speed:.0f} km/h"
        slow = np.minimum(self.speed, speed)
        return Cycle(title, self.time, slow, self.grade, self.source, self.licence)


def cycles() -> tuple[str, ...]:
    """Names of the cycles that ship with naion."""
    return tuple(sorted(_about()))


@takes
@functools.cache
def load_cycle(name: str) -> Cycle:
    """A cycle that ships with naion, its file checked.

    Raises:
        KeyError: for a name that is none, with the nearest.
        ValueError: when the file is not the one that was recorded.
    """
    about = _about().get(name)
    if about is None:
        near = difflib.get_close_matches(str(name), cycles(), n=1, cutoff=0.3)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        raise KeyError(
            f"No cycle {name!r}; known are {', '.join(cycles())}.{meant} A `Cycle` of your "
            "own takes times, speeds and grades."
        )
    file = FOLDER / f"{name}.csv"
    content = file.read_bytes()
    found = hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()
    if found != about["sha256"]:
        raise ValueError(
            f"{file} was changed (sha256 {found}, expected {about['sha256']}). Install "
            "naion anew, or give numbers of your own as a `Cycle`."
        )
    rows = np.loadtxt(content.decode().splitlines(), delimiter=",", skiprows=1, ndmin=2)
    time = about["step"] * np.arange(len(rows))
    grade = rows[:, 1] if rows.shape[1] > 1 else np.zeros(len(rows))
    source = about["source"], about["licence"]
    return Cycle(about["title"], time, rows[:, 0] / 3.6, grade, *source)


@functools.cache
def _about() -> dict:
    return read_toml(FOLDER / "cycles.toml")
