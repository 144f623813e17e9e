"""The experiments that a file of `naion fit` names, from the files with their data."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import equinox as eqx
import numpy as np

from .._cautions import caution
from .._constants import ZERO_CELSIUS
from ..data import doubts_beside, flowing, rows_of, switched_late
from ..fit import (
    STILL,
    Experiment,
    discharge,
    measured_impedance,
    measured_profile,
    measured_pulses,
    pulse,
    segments,
)
from ..io import read_columns, read_data, read_spectra
from ..parameters import (
    Cell,
    check_discharged,
    electrode_capacities,
    is_half_cell,
    stoichiometry_at_soc,
)
from ._fit_schema import (
    Charging,
    Discharge,
    Impedance,
    Pulse,
    Pulses,
    Recorded,
    Relaxation,
    Segments,
    Started,
    Test,
)

POINTS = 100
"""Most voltages of a discharge that are compared."""

FEWEST = 5
"""Fewest rows of a discharge: with fewer the shape of the curve is not known."""

VOLTS = 0.5, 10.0
"""Range in which the highest voltage of a single cell lies [V]."""

# Compiled, since a fleet of fits calls it many times.
_at_soc = eqx.filter_jit(stoichiometry_at_soc)


def experiment_of(
    entry: Test, file: Path, cell: Cell, where: str, rigs: Sequence[str | None]
) -> Experiment:
    """The experiment of one entry of a fit's file.

    Args:
        entry: what the file says of it.
        file: the fit's file; paths are relative to its folder.
        cell: the cell to be fitted.
        where: how messages call the entry.
        rigs: rigs of all impedance tests; their index is the group of the test.

    Raises:
        ValueError: for anything wrong in the entry or its data.
    """
    if isinstance(entry, Started | Pulse | Impedance):
        check_discharged(cell, entry.discharged or 0.0, f"{where}, discharged:")
    try:
        match entry:
            case Pulse():
                return _pulse(entry, cell)
            case Impedance():
                return _impedance(file.parent / entry.file, entry, cell, rigs)
            case Segments():
                return _segments(file.parent / entry.file, entry, cell)
            case _:
                return _measured(file.parent / entry.file, entry, cell)
    except ValueError as error:
        said = str(error)
        raise ValueError(said if str(file) in said else f"{where}: {said}") from None


def _pulse(entry: Pulse, cell: Cell) -> Experiment:
    name = entry.name or f"pulse {entry.current:g} A"
    times, resistance = np.atleast_1d(entry.times), np.atleast_1d(entry.resistance)
    T, said = _temperature(entry.temperature, {}, cell, name)
    test = pulse(name, entry.current, times, resistance, T, entry.discharged)
    return replace(test, note=said)


def _record(path: Path, entry: Recorded) -> tuple[dict[str, np.ndarray], str]:
    """The rows that a test is made from, and what was done to them, in words."""
    table = read_data(
        path, entry.format, entry.columns, entry.units, entry.positive, entry.sheet
    )
    if entry.steps is None:
        rows = slice(None)
    elif isinstance(entry.steps, int):
        rows = rows_of(table, entry.steps, entry.steps)
    else:
        rows = rows_of(table, *entry.steps)
    if isinstance(entry, Pulses):
        # They find for themselves where a current begins.
        return {name: column[rows] for name, column in table.items()}, ""
    found = flowing(table, rows)
    begin, end, _ = rows.indices(len(table["time_s"]))
    late = switched_late(table)
    n = int(np.sum((late >= begin - 1) & (late < end)))
    which = "the first row of a step has" if n == 1 else f"{n} first rows of steps have"
    said = f"{which} no current yet: it flows from that time on"
    return found, said * (n > 0)


def _named(entry: Recorded) -> str:
    """A test's name where none is given."""
    if entry.steps is None:
        return entry.file
    if isinstance(entry.steps, int):
        return f"{entry.file}, step {entry.steps}"
    first, last = entry.steps
    return f"{entry.file}, steps {first} to {last}"


def _measured(path: Path, entry: Discharge | Started, cell: Cell) -> Experiment:
    """A test from a table of measurements."""
    table, late = _record(path, entry)
    _check_table(path, table, cell)
    T, said = _temperature(entry.temperature, table, cell, str(path))
    said = "; ".join(filter(None, (said, late)))
    name = entry.name or _named(entry)
    seen = _compared(path, entry, table)
    if isinstance(entry, Discharge):
        return _discharge(path, name, table, T, said, entry.sigma, seen)
    if isinstance(entry, Charging):
        _check_charge(path, table["current_A"])
    discharged = entry.discharged or 0.0
    soc = entry.soc
    if isinstance(entry, Charging) and soc is None and entry.discharged is None:
        soc, said = 0.0, f"{said}; from the discharged state".lstrip("; ")
    elif soc is None and entry.discharged is None:
        said = f"{said}; from the charged state: soc and discharged are left open"
        said = said.lstrip("; ")
    if soc is not None:
        discharged = _taken_out(cell, soc)
    t, current = table["time_s"], table["current_A"]
    rest = {"discharged": discharged, "note": said}
    try:
        if isinstance(entry, Pulses):
            pulses = {"times": entry.times, "longest": entry.longest}
            return measured_pulses(
                name, t, current, table["voltage_V"], T, **pulses, **rest
            )
        if isinstance(entry, Relaxation):
            rest["among"] = np.abs(current) <= STILL * np.max(np.abs(current))
        rest |= {"temperature": T, "sigma": entry.sigma}
        return measured_profile(name, t, current, **seen, **rest)
    except ValueError as error:
        raise _of_file(path, error) from None


def _check_table(path: Path, table: dict[str, np.ndarray], cell: Cell) -> None:
    """Raise for voltages that a single cell does not have, and where no current flows."""
    highest = float(np.max(table["voltage_V"]))
    low, high = (0.0, VOLTS[1]) if is_half_cell(cell) else VOLTS
    if not low < highest < high:
        raise ValueError(
            f"{path}: voltages reach {highest:.4g} V; a single cell has {low:g} to "
            f"{high:g} V. Name the column after its unit, voltage_V or voltage_mV, and "
            "divide the voltage of cells in series by their number."
        )
    if not np.any(table["current_A"]):
        raise ValueError(f"{path}: no current flows, so there is nothing to fit to.")
    Q = float(cell.nominal_capacity)
    for odd in doubts_beside(table, Q):
        caution(f"{path}: {odd}.".replace("?.", "?"))


def _check_charge(path: Path, current: np.ndarray) -> None:
    """Raise for a charge in which discharge currents flow."""
    if float(np.max(current)) > 0.01 * float(np.max(np.abs(current))):
        raise ValueError(
            f"{path}: currents up to {np.max(current):.4g} A discharge the "
            "cell; kind = 'charge' is of a charge alone. Pick it with steps, turn the "
            "sign (positive), or use kind = 'profile'."
        )


def _taken_out(cell: Cell, soc: float) -> float:
    """Charge from the charged state to a state of charge [A.h]."""
    full, start = _at_soc(cell, 1.0), _at_soc(cell, soc)
    change = full.negative - start.negative
    return float(change * electrode_capacities(cell)[0])


def rigs_of(tests: Sequence[Test]) -> list[str | None]:
    """Rigs of the impedance tests, each once; each has leads of its own."""
    return list(dict.fromkeys(t.rig for t in tests if isinstance(t, Impedance)))


def _impedance(
    path: Path, entry: Impedance, cell: Cell, rigs: Sequence[str | None]
) -> Experiment:
    """A spectrum of a file.

    Raises:
        ValueError: for a file of several of which none is chosen, or as `read_spectra`
            and `measured_impedance`.
    """
    found = read_spectra(path, entry.columns, entry.units, entry.imaginary, entry.sheet)
    n, chosen = len(found), entry.spectrum
    if chosen is None and n > 1 or chosen is not None and chosen > n:
        asked = "" if chosen is None else f"spectrum = {chosen}; "
        raise ValueError(
            f"{path}: {asked}the file has {n} {'spectrum' if n == 1 else 'spectra'}; "
            "`naion data` shows them, spectrum = 1 takes the first."
        )
    one = found[(chosen or 1) - 1]
    measured = (
        {}
        if np.isnan(one.temperature)
        else {"temperature_degC": np.array([one.temperature])}
    )
    T, said = _temperature(entry.temperature, measured, cell, str(path))
    if one.per_area:
        by = f"divided by the cell's area, {float(cell.area):.4g} m2"
        said = f"{by}; {said}" if said else by
    group = rigs.index(entry.rig)
    if len(rigs) > 1:
        leads = f"with the leads [{group}]"
        said = f"{leads}; {said}" if said else leads
    name = entry.name or (entry.file if n == 1 else f"{entry.file}, spectrum {chosen}")
    soc, out = entry.soc, entry.discharged or 0.0
    try:
        return measured_impedance(
            name,
            one.frequency,
            one.in_ohm(float(cell.area)),
            T,
            discharged=out if soc is None else _taken_out(cell, soc),
            relative_sigma=entry.relative_sigma,
            floor=entry.floor,
            between=entry.frequencies,
            group=group,
            note=said,
        )
    except ValueError as error:
        raise _of_file(path, error) from None


def _of_file(path: Path, error: ValueError) -> ValueError:
    """An error that names the file, once: a test is often named as its file."""
    said = str(error).removeprefix(f"{path.name}: ")
    return ValueError(f"{path}: {said}")


MEASURED = {
    "voltage": "voltage_V",
    "negative": "negative_potential_V",
    "positive": "positive_potential_V",
}
"""Columns that can be compared, by the name in a fit's file."""


def _compared(
    path: Path, entry: Discharge | Started, table: dict[str, np.ndarray]
) -> dict[str, np.ndarray | None]:
    """Voltage and potentials that a test compares, by name; none for those it does not.

    Raises:
        ValueError: for one that the data do not have, or for a choice with pulses.
    """
    wanted = entry.compare
    if wanted is not None and isinstance(entry, Pulses):
        raise ValueError(
            f"{path}: compare is of voltages and potentials; of pulses resistances of the "
            "whole cell are compared. Use kind = 'profile'."
        )
    for name in wanted or ():
        if MEASURED[name] not in table:
            raise ValueError(
                f"{path}: compare asks for {name}, and there is no column "
                f"{MEASURED[name]!r}; name it with columns = "
                f'{{{name}_potential = "..."}}.'
            )
    return {
        name: table.get(column) if wanted is None or name in wanted else None
        for name, column in MEASURED.items()
    }


def _temperature(
    given: float | None, table: dict[str, np.ndarray], cell: Cell, where: str
) -> tuple[float, str]:
    """The temperature of a whole test [K], and where it comes from, in words."""
    T = table.get("temperature_degC")
    between = "" if T is None else f"{np.min(T):.1f} to {np.max(T):.1f} degC"
    if given is not None:
        if T is not None and abs(float(np.median(T)) - given) > 2.0:
            caution(
                f"{where}: {given:g} degC is taken, as the fit's file says; the column "
                f"of temperatures holds {between}."
            )
        return given + ZERO_CELSIUS, ""
    if T is not None:
        chosen = float(np.median(T))
        said = f"temperature {chosen:.1f} degC, the median of {between}"
        return chosen + ZERO_CELSIUS, said
    own = float(cell.temperature)
    return own, f"temperature {own - ZERO_CELSIUS:.1f} degC, the cell's: none is given"


def _discharge(
    path: Path,
    name: str,
    table: dict[str, np.ndarray],
    T: float,
    said: str,
    sigma: float,
    seen: dict[str, np.ndarray | None],
) -> Experiment:
    """A discharge at constant current.

    Raises:
        ValueError: for a charge, a current that is not constant, or too few rows.
    """
    q, mean = _constant(path, table["time_s"], table["current_A"])
    rows = np.flatnonzero(np.diff(q) > 0.0) + 1
    if rows.size < FEWEST:
        raise ValueError(
            f"{path}: {len(q)} rows; a discharge needs more than {FEWEST} at different "
            "times."
        )
    grid, how = q[rows], ""
    if rows.size > POINTS:
        grid = np.linspace(0.0, q[-1], POINTS + 2)[1:-1]
        how = ", evenly spaced in charge between rows,"
    there = {
        name: V if V is None else V[rows] if not how else np.interp(grid, q, V)
        for name, V in seen.items()
    }
    which = [name for name, V in there.items() if V is not None]
    what = "voltages" if which == ["voltage"] else f"rows ({', '.join(which)})"
    low, high = np.min(table["current_A"]), np.max(table["current_A"])
    note = (
        f"{len(grid)} {what}{how} of {len(q)} measured are compared; the current is "
        f"{mean:.4g} A throughout ({low:.4g} to {high:.4g} A measured)"
    )
    return discharge(
        name,
        grid,
        there["voltage"],
        mean,
        T,
        sigma=sigma,
        capacity=float(q[-1]),
        note=f"{note}; {said}" if said else note,
        negative=there["negative"],
        positive=there["positive"],
    )


def _constant(
    path: Path, time: np.ndarray, current: np.ndarray
) -> tuple[np.ndarray, float]:
    """Charge discharged at every row, (n,) [A.h], and the mean current [A].

    Raises:
        ValueError: for a charge, or a current that is not constant.
    """
    t = time - time[0]
    if t[-1] <= 0.0:
        raise ValueError(f"{path}: all rows have the same time.")
    if abs(current[0]) <= STILL * np.max(np.abs(current)):
        # Written before the current was switched.
        current = np.concatenate([current[1:2], current[1:]])
    flowed = 0.5 * (current[1:] + current[:-1]) * np.diff(t)
    q = np.concatenate([[0.0], np.cumsum(flowed)]) / 3600.0
    mean = float(3600.0 * q[-1] / t[-1])
    low, high = float(np.min(current)), float(np.max(current))
    if high <= 0.0:
        raise ValueError(
            f"{path}: the current is {low:.4g} to {high:.4g} A, negative: a charge. If it "
            "is a discharge, turn its sign, or name the column 'Current / A' as in the "
            "Battery Data Format; a charge is fitted with kind = 'charge' and its start, "
            "soc or discharged."
        )
    if low < 0.9 * mean or high > 1.1 * mean:
        apart = np.abs(current - mean) > 0.1 * abs(mean)
        first = float(time[np.argmax(apart)])
        raise ValueError(
            f"{path}: the current, {low:.4g} to {high:.4g} A, is not constant within 10 % "
            f"of its mean, {mean:.4g} A (first at {first:g} s); cut the file to the "
            "discharge (`naion data` counts steps, steps = 3 takes one), or use kind = "
            "'profile'."
        )
    return q, mean


def _segments(path: Path, entry: Segments, cell: Cell) -> Experiment:
    """A discharge in segments with rests, from a table of segments."""
    needed = ("segment", "duration_s", "current_A", "loaded_V", "rest_V")
    columns = read_columns(path, needed)
    for key in ("duration_s", "current_A"):
        values = columns[key]
        if np.any(np.abs(values - values[0]) > 0.01 * np.abs(values[0])):
            raise ValueError(
                f"{path}: {key} is {np.min(values):g} to {np.max(values):g}; all segments "
                "must have the same."
            )
    T, said = _temperature(entry.temperature, {}, cell, str(path))
    test = segments(
        entry.name or entry.file,
        columns["segment"],
        float(columns["duration_s"][0]),
        entry.rest,
        float(columns["current_A"][0]),
        columns["loaded_V"],
        columns["rest_V"],
        T,
        sigma=entry.sigma,
    )
    return replace(test, note=said)
