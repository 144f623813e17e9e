"""`naion run` and `naion predict`."""

import argparse
from typing import Any

import jax.numpy as jnp
import numpy as np

from .._constants import ZERO_CELSIUS
from .._files import writable
from ..io import read_cell, read_profile, write_csv
from ..models import DFN, THERMAL
from ..parameters import (
    Cell,
    Stoichiometry,
    available,
    load_set,
    stoichiometry_at_voltage,
)
from ..predict import Uncertainty, ensemble, uncertainty_of_set, voltage_band
from ..protocol import Protocol
from ..simulation import Solution, simulate

DRAWS = 32
"""Cells drawn for an interval."""

RTOL = 1e-10, 1e-1
"""Errors that a step may have: less is rounding, more is no solution."""

MOST_CYCLES = 1_000_000
"""More than any cell lives for."""

ROWS = 400
"""Rows written for a protocol, besides the ends of the solver's steps."""


def run(arguments: argparse.Namespace) -> Solution:
    """Simulate and write time, current, voltage and temperature."""
    cell, _ = read_cell(arguments.cell)
    protocol, options, times, origin = _prepare(arguments, cell)
    writable(arguments.out)
    solution = simulate(cell, protocol, throw=False, **options)
    times = _grid(solution) if times is None else times
    rows = _rows(solution, times, origin)
    header = ["time_s", "current_A", "voltage_V", "temperature_degC"]
    write_csv(arguments.out, header, [_text(r) for r in rows])
    return solution


def predict(arguments: argparse.Namespace) -> Solution:
    """The same with a 90 % band: of a fit, or of the assumed numbers of a set."""
    cell, extra = read_cell(arguments.cell)
    if arguments.cell in available():
        known = uncertainty_of_set(load_set(arguments.cell))
        print(
            f"The band is that of {len(known.free)} assumed numbers of the set; errors "
            "of the model and of its other numbers are not in it."
        )
    elif "fit" in extra:
        known = Uncertainty.read(arguments.cell, extra["fit"], cell)
    else:
        raise ValueError(
            f"{arguments.cell} carries no fit: intervals need a cell.json written by "
            "`naion fit` or `naion demo`, or the name of a set. For a single curve use "
            "`naion run`."
        )
    protocol, options, times, origin = _prepare(arguments, cell)
    writable(arguments.out)
    best = simulate(cell, protocol, throw=False, **options)
    times = _grid(best) if times is None else times
    drawn = ensemble(cell, known, DRAWS)
    _, low, high = voltage_band(drawn, times, protocol, **options)
    header = [
        "time_s",
        "current_A",
        "voltage_V",
        "voltage_lo_V",
        "voltage_hi_V",
        "temperature_degC",
    ]
    rows = [
        [*r[:3], lo if np.isfinite(r[2]) else np.nan, hi, r[3]]
        for r, lo, hi in zip(_rows(best, times, origin), low, high, strict=True)
    ]
    rows = [[*r[:4], r[4] if np.isfinite(r[2]) else np.nan, r[5]] for r in rows]
    write_csv(arguments.out, header, [_text(r) for r in rows])
    return best


def _prepare(arguments: argparse.Namespace, cell: Cell):
    """Protocol, options of `simulate`, times to write (none: choose them), and origin."""
    times, origin = None, 0.0
    tolerance(arguments.rtol, "--rtol")
    if not 1 <= arguments.cycles <= MOST_CYCLES:
        raise ValueError(f"--cycles {arguments.cycles}: expected 1 to {MOST_CYCLES:,}.")
    if arguments.profile is not None:
        if arguments.cycles != 1:
            raise ValueError(
                "--cycles repeats a --protocol; a --profile runs once, as it was measured."
            )
        table = read_profile(arguments.profile)
        T = table.get("temperature_degC")
        origin = float(table["time_s"][0])
        times = table["time_s"] - origin
        try:
            protocol = Protocol.profile(
                times,
                table["current_A"],
                temperature=None if T is None else T + ZERO_CELSIUS,
            )
        except ValueError as error:
            raise ValueError(f"{arguments.profile}: {error}") from None
    else:
        protocol = Protocol(arguments.protocol, cycles=arguments.cycles)
    options: dict[str, Any] = {
        "start": start_of(arguments.start, cell, "--start"),
        "model": DFN(thermal=THERMAL[arguments.thermal]()),
        "rtol": arguments.rtol,
        "max_steps": arguments.max_steps,
        "progress": lambda text: print(text, flush=True),
    }
    if arguments.temperature is not None:
        if not -100.0 < arguments.temperature < 150.0:
            raise ValueError(
                f"--temperature {arguments.temperature:g}: expected degC between -100 "
                "and 150. Is it in kelvin?"
            )
        options["temperature"] = arguments.temperature + ZERO_CELSIUS
    return protocol, options, times, origin


def tolerance(rtol: float, where: str) -> float:
    """A tolerance that a step can meet.

    Raises:
        ValueError: for any other number.
    """
    if not RTOL[0] <= rtol <= RTOL[1]:
        raise ValueError(
            f"{where} {rtol:g}: expected {RTOL[0]:g} to {RTOL[1]:g}; the usual 5e-4 is "
            "half a millivolt a step."
        )
    return rtol


def start_of(text: Any, cell: Cell, where: str) -> str | float | Stoichiometry:
    """The start that a text such as "soc=0.8" names.

    Args:
        where: the text stands, for messages.

    Raises:
        ValueError: for a text that names none, or a voltage at which no cell can rest.
    """
    name, _, number = str(text).partition("=")
    if not number and name in ("charged", "discharged", "published"):
        return name
    try:
        value = float(number)
    except ValueError:
        value = float("nan")
    if name == "soc" and 0.0 <= value <= 1.0:
        return value
    if name == "ocv" and np.isfinite(value):
        try:
            return stoichiometry_at_voltage(cell, value)
        except ValueError as error:
            raise ValueError(f"{where} {text}: {error}") from None
    raise ValueError(
        f"{where} {text}: use charged, discharged, published, soc=0.8 (0 to 1) or "
        "ocv=4.018 (volts)."
    )


def _grid(solution: Solution) -> np.ndarray:
    t = np.asarray(solution.t)
    return np.unique(np.concatenate([t, np.linspace(0.0, t[-1], ROWS)]))


def _rows(solution: Solution, times: np.ndarray, origin: float) -> list[list[float]]:
    """Time, current, voltage, temperature; the second of two equal times is a jump.

    Times are counted from the file's `origin` again.
    """
    second = np.concatenate([[True], np.diff(times) == 0.0])
    found = solution.at(jnp.asarray(times), after=jnp.asarray(second))
    T = found.temperature - ZERO_CELSIUS
    columns = times + origin, found.current, found.voltage, T
    return np.stack([np.asarray(c) for c in columns], axis=1).tolist()


def _text(row: list[float]) -> list[str]:
    """A row to write; times with more digits, as they may count from 1970."""
    time, *rest = row
    return [f"{time:.13g}", *("" if not np.isfinite(v) else f"{v:.9g}" for v in rest)]
