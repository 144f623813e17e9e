"""Experiments from the current pulses that a measured record holds."""

from dataclasses import replace
from typing import Any

import numpy as np

from .._takes import takes
from ._experiment import Experiment, Kind, Observations
from ._measured import above_zero, column
from ._measured_profile import STILL, measured_profile


@takes
def measured_pulses(
    name: str,
    time: Any,
    current: Any,
    voltage: Any,
    temperature: float,
    *,
    times: Any,
    longest: float = 120.0,
    relative_sigma: float = 0.03,
    discharged: float = 0.0,
    group: int = 0,
    note: str = "",
) -> Experiment:
    """Resistances of all pulses from rest in a record of current and voltage.

    A pulse is a current of one direction that follows a rest and lasts no longer than
    `longest`; it begins at the last row of the rest. Its resistance is the voltage of that
    row minus the measured voltage, interpolated between rows of the pulse, over the
    current. The current of the whole record is simulated, pulses or not.

    Args:
        name: name of the test, for tables, figures and error messages.
        time: times of the rows, not decreasing, (n,) [s].
        current: positive on discharge, linear between rows, (n,) [A].
        voltage: terminal voltage, (n,) [V].
        temperature: temperature of the cell [K].
        times: times after the beginning of a pulse at which its resistance is compared
            [s]; a pulse without rows on both sides of such a time is not compared there.
        longest: longest duration of a pulse [s]; longer currents are not pulses.
        relative_sigma: uncertainty of a resistance as a fraction of it.
        discharged: charge taken out before the first row [A.h].
        group: index of the group of tests; a `Specimen` holds calibrations by group.
        note: added to the experiment's note.

    Raises:
        ValueError: for a record without such a pulse, a resistance that is not positive, or
            as `measured_profile`.
    """
    asked = np.sort(np.atleast_1d(column(name, "times", times)))
    if not asked.size:
        raise ValueError(f"{name}: no times after which pulses are compared; give one.")
    above_zero(name, 1.0, relative_sigma=relative_sigma)
    above_zero(name, times=float(np.min(asked)), longest=longest)
    t = column(name, "times", time)
    flowing, V = column(name, "currents", current), column(name, "voltages", voltage)
    if not t.shape == flowing.shape == V.shape or t.ndim != 1 or t.size < 3:
        raise ValueError(
            f"{name}: {t.size} times, {flowing.size} currents, {V.size} voltages; expected "
            "as many of each, three at least."
        )
    t = t - t[0]
    way = _directions(flowing)
    cuts = np.flatnonzero(np.diff(way) != 0.0) + 1
    pulses = _pulses(t, way, cuts, longest)
    rows = [
        row for pulse in pulses for row in _resistances(pulse, t, flowing, V, asked)
    ]
    if not rows:
        raise ValueError(
            f"{name}: no pulse from rest in the record, of {longest:g} s at most and "
            f"with rows around {asked[0]:g} s after its begin."
        )
    before, at, R, since = np.array(rows).T
    if np.any(R <= 0.0):
        raise ValueError(
            f"{name}: a pulse has {np.min(R):.3g} ohm; expected more than zero. Is the "
            "sign of the current right?"
        )
    observed = Observations(
        Kind.RESISTANCE,
        before,
        at,
        R,
        relative_sigma * R,
        "resistance",
        since,
        "Time after the start of the pulse [s]",
    )
    said = (
        f"{len(R)} resistances of {len(pulses)} pulses are compared; all current flows"
    )
    # Between two rows of different steps the current jumps at the earlier one; without a
    # second row there it would change linearly until the next.
    jumping = np.insert(t, cuts, t[cuts - 1]), np.insert(flowing, cuts, flowing[cuts])
    record = measured_profile(
        name,
        *jumping,
        np.insert(V, cuts, V[cuts - 1]),
        temperature,
        discharged=discharged,
        group=group,
    )
    return replace(
        record, observations=(observed,), note=f"{said}; {note}" if note else said
    )


def _directions(current: np.ndarray) -> np.ndarray:
    """1 on discharge, -1 on charge and 0 at rest, for each row, (n,)."""
    still = STILL * np.max(np.abs(current))
    return np.where(np.abs(current) <= still, 0.0, np.sign(current))


def _pulses(
    t: np.ndarray, way: np.ndarray, cuts: np.ndarray, longest: float
) -> list[slice]:
    """Rows of each pulse; the row before them is the last one at rest.

    Args:
        t: times, (n,) [s].
        way: directions of the current, (n,).
        cuts: rows at which the direction changes.
        longest: longest duration of a pulse [s].
    """
    steps = zip(cuts.tolist(), [*cuts[1:].tolist(), len(t)], strict=True)
    return [
        slice(a, b)
        for a, b in steps
        if way[a] != 0.0 and way[a - 1] == 0.0 and t[b - 1] - t[a - 1] <= longest
    ]


def _resistances(
    pulse: slice, t: np.ndarray, current: np.ndarray, V: np.ndarray, asked: np.ndarray
) -> list[tuple[float, float, float, float]]:
    """Rows of a pulse: time of rest [s], time [s], resistance [ohm], time since rest [s]."""
    rest = pulse.start - 1
    rows = []
    for since in asked.tolist():
        at = t[rest] + since
        if t[pulse][0] <= at <= t[pulse][-1]:
            flows = float(np.interp(at, t[pulse], current[pulse]))
            seen = float(np.interp(at, t[pulse], V[pulse]))
            rows.append((t[rest], at, (V[rest] - seen) / flows, since))
    return rows
