"""Experiments from a logged current and the voltage under it, such as a drive cycle."""

from typing import Any

import numpy as np

from .._takes import takes
from ..protocol import Protocol
from ._experiment import APART, Experiment, Observations
from ._measured import LABELS, check_sigma, column, measured, room_for

COMPARED = 400
"""Most voltages of a measured profile that enter a fit; the current is simulated in
full."""

AROUND_JUMP = 4
"""Rows compared around each jump of the current: one before it, the others after it."""

STILL = 1e-3
"""Currents below this share of the largest one count as rest."""


@takes
def measured_profile(
    name: str,
    time: Any,
    current: Any,
    voltage: Any,
    temperature: float,
    *,
    sigma: float = 0.01,
    discharged: float = 0.0,
    most: int = COMPARED,
    among: Any = None,
    group: int = 0,
    note: str = "",
    negative: Any = None,
    positive: Any = None,
) -> Experiment:
    """A measured voltage under a measured current.

    The current is simulated in full. Where there are more rows than `most`, not all
    voltages are compared, but those around jumps of the current, up to half of `most`, and
    others evenly spaced between; the experiment's note says how many. The simulation
    starts at the first row, which is therefore not compared.

    Args:
        name: name of the test, for tables, figures and error messages.
        time: times of the rows, not decreasing; two rows at one time are a jump of the
            current, (n,) [s].
        current: positive on discharge, linear between rows, (n,) [A].
        voltage: terminal voltage, (n,) [V]; none: it is not compared.
        temperature: temperature of the cell [K].
        sigma: uncertainty of the voltages and the potentials [V].
        discharged: charge taken out before the first row [A.h].
        most: number of voltages to compare at most.
        among: for each row, whether its voltage may be compared, (n,); none: all may.
        group: index of the group of tests; a `Specimen` holds calibrations by group.
        note: added to the experiment's note.
        negative, positive: potentials of the electrodes against a reference electrode,
            (n,) [V]; none: they are not compared.

    Raises:
        ValueError: for columns of different lengths, fewer than three times, numbers that
            are not finite, or times that decrease.
    """
    check_sigma(name, sigma)
    if isinstance(most, bool) or not isinstance(most, int) or most < 2:
        raise ValueError(f"{name}: most = {most!r}; expected two voltages or more.")
    t, flowing = _columns(name, time, current)
    seen = measured(name, "times", t, voltage, negative, positive)
    _check_rows(name, t, flowing)
    t = t - t[:1]
    if among is None:
        use = compared(t, flowing, most)
    else:
        use = _compared_among(name, t, among, most)
    if use.size < 2:
        raise ValueError(
            f"{name}: needs rows at three or more times, got {t.size} rows."
        )
    spread = np.full(len(use), sigma)
    at, hours = t[use], t[use] / 3600.0
    own = tuple(
        Observations(APART[k], at, at, V[use], spread, LABELS[k], hours, "Time [h]")
        for k, V in seen.items()
    )
    said = f"{len(use)} of {len(t)} measured voltages are compared; all current flows"
    if list(seen) != ["voltage"]:
        said = said.replace("voltages", f"rows ({', '.join(LABELS[k] for k in seen)})")
    return Experiment(
        name,
        Protocol.profile(t, flowing, **room_for(voltage)),
        temperature,
        own,
        group,
        discharged,
        note=f"{said}; {note}" if note else said,
    )


def _columns(name: str, time: Any, current: Any) -> tuple[np.ndarray, np.ndarray]:
    """Times [s] and currents [A] as equally long arrays."""
    t = np.asarray(time)
    if t.dtype.kind not in "mM":
        t = column(name, "times", time)
    t, flowing = np.asarray(t, float), column(name, "currents", current)
    if t.shape != flowing.shape or t.ndim != 1:
        raise ValueError(
            f"{name}: {t.size} times and {flowing.size} currents; expected as many of each."
        )
    return t, flowing


def _check_rows(name: str, t: np.ndarray, current: np.ndarray) -> None:
    """Raise for numbers that are not finite, and for times that decrease."""
    bad = np.flatnonzero(~np.isfinite(t + current))
    if bad.size:
        raise ValueError(f"{name}: row {bad[0] + 1} is not finite.")
    if np.any(np.diff(t) < 0.0):
        k = int(np.argmax(np.diff(t) < 0.0)) + 1
        raise ValueError(
            f"{name}: row {k + 1} is at {t[k]:g} s, before the row above. Sort the rows."
        )


def _compared_among(name: str, t: np.ndarray, among: Any, most: int) -> np.ndarray:
    """Indices of the rows to compare, evenly spaced among those that are allowed."""
    rows = np.flatnonzero(np.diff(t, prepend=t[:1]) > 0.0)
    if np.shape(among) != t.shape:
        raise ValueError(
            f"{name}: among is of {np.size(among)} rows; expected all {t.size}."
        )
    rows = rows[np.asarray(among, bool)[rows]]
    return rows[_evenly(len(rows), most)]


def compared(t: np.ndarray, current: np.ndarray, most: int = COMPARED) -> np.ndarray:
    """Which rows of a measured profile are compared; see `measured_profile`.

    Args:
        t: times, not decreasing, (n,) [s].
        current: currents, (n,) [A].
        most: number of rows at most.

    Returns:
        indices of rows, increasing. Of two rows at one time, which are a jump, the second
        is never among them: the simulation gives the voltage before the jump.
    """
    rows = np.flatnonzero(np.diff(t) > 0.0) + 1
    if rows.size <= most:
        return rows
    change = np.abs(np.diff(current))
    jumps = np.flatnonzero(change > 0.05 * np.max(np.abs(current))) + 1
    jumps = jumps[_evenly(len(jumps), most // (2 * AROUND_JUMP))]
    first = np.searchsorted(rows, jumps)
    around = first[:, None] + np.arange(-1, AROUND_JUMP - 1)
    places = np.unique(np.clip(around, 0, rows.size - 1))
    others = np.setdiff1d(np.arange(rows.size), places)
    rest = others[_evenly(len(others), most - len(places))]
    return rows[np.union1d(places, rest)]


def _evenly(n: int, most: int) -> np.ndarray:
    """At most `most` of the indices 0 to n - 1, evenly spaced, the last one included."""
    if n <= most:
        return np.arange(n)
    return np.round(np.linspace(n / most - 1.0, n - 1.0, most)).astype(int)
