"""`naion run`."""

import argparse
import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from .._cautions import caution
from .._constants import ZERO_CELSIUS
from .._files import writable
from .._results import Result
from ..io import read_profile, write_csv
from ..models import DFN, THERMAL, heat_balance
from ..parameters import (
    Cell,
    Stoichiometry,
    stoichiometry_at_voltage,
)
from ..protocol import Protocol
from ..simulation import Solution, simulate
from ._cell_named import cell_named
from ._exit import EXIT
from ._figures import check_figure, save_figure
from ._file_options import reading_of, reading_options, refuse_reading
from ._half_cell import METALS, halved
from ._said import aloud

RTOL = 1e-10, 1e-1
"""Errors that a step may have: less is rounding, more is no solution."""

MOST_CYCLES = 1_000_000
"""More than any cell lives for."""

ROWS = 400
"""Rows written for a protocol, besides the ends of the solver's steps."""


def options(p: argparse.ArgumentParser) -> None:
    """What to simulate, and how."""
    shared_options(p)
    p.add_argument(
        "--half-cell",
        choices=("negative", "positive"),
        help="simulate this electrode of the cell against metal; a discharge puts sodium "
        "into it",
    )
    p.add_argument("--metal", choices=METALS, help="of the half cell; else sodium")
    p.add_argument(
        "--reference",
        type=float,
        nargs="?",
        const=0.5,
        metavar="POSITION",
        help="write the potentials of both electrodes against a reference electrode in "
        "the separator too; 0 at the negative electrode, 1 at the positive, else 0.5",
    )
    p.add_argument(
        "--plot",
        type=Path,
        metavar="PNG",
        help="figure of voltage, current, temperature and plating margin to write",
    )


def shared_options(p: argparse.ArgumentParser) -> argparse._ActionsContainer:
    """What to simulate, and how, of `naion run` and of `naion predict`.

    Returns:
        the group of which one is asked for.
    """
    p.add_argument("cell", help="a set, by name or TOML file, or a cell.json")
    what = p.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--protocol", nargs="+", metavar="STEP", help="experiment strings"
    )
    what.add_argument(
        "--profile",
        type=Path,
        metavar="FILE",
        help="measured time and current, temperature too: CSV, and whatever `naion data` "
        "reads; options below say how",
    )
    p.add_argument("--temperature", type=float, metavar="DEGC")
    p.add_argument(
        "--start",
        default="charged",
        help="charged, discharged, published, soc=0.8 or ocv=4.018",
    )
    p.add_argument("--thermal", choices=tuple(THERMAL), help="else the cell's own")
    p.add_argument("--cycles", type=int, default=1)
    p.add_argument("--rtol", type=float, default=5e-4)
    p.add_argument(
        "--max-steps", type=int, help="most steps of the solver; a safety net"
    )
    p.add_argument("--out", type=Path, required=True, help="CSV to write")
    reading_options(p.add_argument_group("how --profile is read"), spectra=False)
    return what


TEXT = "", ".csv", ".txt", ".dat"
"""Endings of names under which a table is written, as comma-separated text."""


def check_table(path: Path, inputs: Iterable[Path | str | None]) -> None:
    """Refuse a table that cannot be written, before the work.

    Args:
        path: of the table.
        inputs: what the command reads.

    Raises:
        ValueError: for an ending that promises anything but text, or a file that is read.
    """
    writable(path, inputs)
    if path.suffix.lower() not in TEXT:
        raise ValueError(
            f"--out {path}: comma-separated text is written, and {path.suffix} is something "
            f"else; use {path.with_suffix('.csv').name}."
        )


def command(arguments: argparse.Namespace) -> int:
    """Simulate and write time, current, voltage and temperature."""
    cell, _ = cell_named(arguments.cell)
    cell = _asked_for(arguments, cell)
    asked = prepare(arguments, cell)
    read = arguments.cell, arguments.profile
    check_table(arguments.out, read)
    if arguments.plot is not None:
        check_figure(arguments.plot, read)
    solution = simulate(cell, asked.protocol, throw=False, **asked.options)
    times = grid(solution) if asked.times is None else asked.times
    header = ["time_s", "current_A", "voltage_V", "temperature_degC"]
    apart = arguments.reference is not None
    header += ["negative_potential_V", "positive_potential_V"] if apart else []
    found = rows(solution, times, asked.origin, apart)
    write_csv(arguments.out, header, [text(r) for r in found])
    status = ended(solution)
    print(f"wrote {arguments.out}")
    if arguments.plot is not None and int(solution.n_steps):
        from .. import plot

        save_figure(np.ravel(plot.overview(solution))[0].figure, arguments.plot)
    return status


def _asked_for(arguments: argparse.Namespace, cell: Cell) -> Cell:
    """The cell, or half of it, with its reference electrode.

    Raises:
        ValueError: for a metal without a half cell, or a place outside the separator.
    """
    if arguments.half_cell is not None:
        cell = halved(cell, arguments.half_cell, arguments.metal or METALS[0])
    elif arguments.metal is not None:
        raise ValueError(
            f"--metal {arguments.metal} is of a half cell: add --half-cell negative."
        )
    if arguments.reference is None:
        return cell
    if not 0.0 <= arguments.reference <= 1.0:
        raise ValueError(
            f"--reference {arguments.reference:g}: expected 0 (at the negative electrode) "
            "to 1 (at the positive), the place in the separator over its thickness."
        )
    place = jnp.asarray(arguments.reference)
    separator = dataclasses.replace(cell.separator, reference=place)
    return dataclasses.replace(cell, separator=separator)


def ended(solution: Solution) -> int:
    """Say how a simulation ended; the exit status for it."""
    result = solution.result
    # Cautions were said when they arose.
    print(dataclasses.replace(solution, cautions=()))
    if result == Result.COMPLETED:
        return EXIT["completed"]
    if result == Result.CUT_OFF:
        return EXIT["cut_off"]
    if result == Result.BEYOND_LAWS:
        return EXIT["bad_input"]
    return EXIT["physical"] if result.is_physical else EXIT["numerical"]


class Asked(NamedTuple):
    """What a command line asks for.

    Attributes:
        protocol: to simulate.
        options: of `simulate`.
        times: to write [s]; none: the solver's.
        origin: of the file's times [s].
    """

    protocol: Protocol
    options: dict[str, Any]
    times: np.ndarray | None
    origin: float


def prepare(arguments: argparse.Namespace, cell: Cell) -> Asked:
    """What is asked for, checked.

    Raises:
        ValueError: for options that cannot be, or do not go together.
    """
    times, origin = None, 0.0
    if not RTOL[0] <= arguments.rtol <= RTOL[1]:
        raise ValueError(
            f"--rtol {arguments.rtol:g}: expected {RTOL[0]:g} to {RTOL[1]:g}; the usual "
            "5e-4 is half a millivolt a step."
        )
    if not 1 <= arguments.cycles <= MOST_CYCLES:
        raise ValueError(f"--cycles {arguments.cycles}: expected 1 to {MOST_CYCLES:,}.")
    reading = reading_of(arguments)
    if arguments.profile is None and reading:
        refuse_reading(reading)
    if arguments.profile is not None:
        if arguments.cycles != 1:
            raise ValueError(
                "--cycles repeats a --protocol; a --profile runs once, as it was measured."
            )
        table = read_profile(arguments.profile, **reading)
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
        "model": DFN(thermal=heat_balance(arguments.thermal)),
        "rtol": arguments.rtol,
        "max_steps": arguments.max_steps,
        "progress": aloud,
    }
    if arguments.temperature is not None:
        if not -100.0 < arguments.temperature < 150.0:
            raise ValueError(
                f"--temperature {arguments.temperature:g}: expected degC between -100 "
                "and 150. Is it in kelvin?"
            )
        options["temperature"] = arguments.temperature + ZERO_CELSIUS
        own = np.asarray(protocol.temperature)[: int(protocol.count)] - ZERO_CELSIUS
        if np.all(np.isfinite(own)):
            where = arguments.profile or "the protocol"
            caution(
                f"--temperature {arguments.temperature:g} is not used: {where} has "
                f"temperatures of its own, {np.min(own):.4g} to {np.max(own):.4g} degC."
            )
    return Asked(protocol, options, times, origin)


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


def grid(solution: Solution) -> np.ndarray:
    """Times to write: the solver's, and evenly spaced ones [s]."""
    t = np.asarray(solution.t)
    return np.unique(np.concatenate([t, np.linspace(0.0, t[-1], ROWS)]))


def rows(
    solution: Solution, times: np.ndarray, origin: float, apart: bool = False
) -> list[list[float]]:
    """Time, current, voltage, temperature; the second of two equal times is a jump.

    Times are counted from the file's `origin` again. With `apart` the potentials of both
    electrodes against a reference follow.
    """
    second = np.concatenate([[True], np.diff(times) == 0.0])
    found = solution.at(jnp.asarray(times), after=jnp.asarray(second))
    T = found.temperature - ZERO_CELSIUS
    columns = [times + origin, found.current, found.voltage, T]
    columns += [found.negative_potential, found.positive_potential] if apart else []
    return np.stack([np.asarray(c) for c in columns], axis=1).tolist()


def text(row: list[float]) -> list[str]:
    """A row to write; times with more digits, as they may count from 1970."""
    time, *rest = row
    return [f"{time:.13g}", *("" if not np.isfinite(v) else f"{v:.9g}" for v in rest)]
