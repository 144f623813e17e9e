"""Pulses in a measured record."""

from dataclasses import replace
from typing import Any

import numpy as np

from .._takes import takes
from ._experiment import (
    STILL,
    Experiment,
    Kind,
    Observations,
    measured_profile,
)
from ._measured import above_zero, column


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
    """Resistances of all pulses from rest in a record; all current flows.

    A pulse is a current of one direction, between a rest and what follows, no longer than
    `longest`; it begins at the time of the last row at rest. Its resistance is the
    voltage of that row minus the measured voltage, interpolated between rows of the pulse,
    over the current.

    Args:
        time: of each row, not decreasing [s].
        current: positive on discharge, linear between rows [A].
        voltage: terminal voltage [V].
        temperature: [K].
        times: since a pulse began at which it is compared [s]; those at which it has no
            rows on both sides are left out.
        longest: what lasts longer is no pulse [s].
        relative_sigma: uncertainty of the resistances.
        discharged: charge taken out before the first row [A.h].
        group: index into what a `Specimen` has for each group.
        note: what else to say of the data.

    Raises:
        ValueError: for a record without such a pulse, or as `measured_profile`.
    """
    asked = np.sort(np.atleast_1d(column(name, "times", times)))
    if not asked.size:
        raise ValueError(f"{name}: no times after which pulses are compared; give one.")
    above_zero(name, 1.0, relative_sigma=relative_sigma)
    above_zero(name, times=float(np.min(asked)), longest=longest)
    t, flowing, V = (
        column(name, what, values)
        for what, values in (
            *(("times", time), ("currents", current), ("voltages", voltage)),
        )
    )
    if not t.shape == flowing.shape == V.shape or t.ndim != 1 or t.size < 3:
        raise ValueError(
            f"{name}: {t.size} times, {flowing.size} currents, {V.size} voltages; expected "
            "as many of each, three at least."
        )
    t = t - t[0]
    still = STILL * np.max(np.abs(flowing))
    way = np.where(np.abs(flowing) <= still, 0.0, np.sign(flowing))
    cuts = np.flatnonzero(np.diff(way) != 0.0) + 1
    before, at, resistance, since = [], [], [], []
    n = 0
    for a, b in zip(cuts, [*cuts[1:].tolist(), len(t)], strict=True):
        if way[a] == 0.0 or way[a - 1] != 0.0 or t[b - 1] - t[a - 1] > longest:
            continue
        n += 1
        for later in asked:
            when = t[a - 1] + later
            if not t[a] <= when <= t[b - 1]:
                continue
            flows = float(np.interp(when, t[a:b], flowing[a:b]))
            seen = float(np.interp(when, t[a:b], V[a:b]))
            before.append(t[a - 1])
            at.append(when)
            resistance.append((V[a - 1] - seen) / flows)
            since.append(later)
    if not resistance:
        raise ValueError(
            f"{name}: no pulse from rest in the record, of {longest:g} s at most and "
            f"with rows around {asked[0]:g} s after its begin."
        )
    R = np.array(resistance)
    if np.any(R <= 0.0):
        raise ValueError(
            f"{name}: a pulse has {np.min(R):.3g} ohm; expected more than zero. Is the "
            "sign of the current right?"
        )
    observed = Observations(
        Kind.RESISTANCE,
        np.array(before),
        np.array(at),
        R,
        relative_sigma * R,
        "resistance",
        np.array(since),
        "Time after the start of the pulse [s]",
    )
    said = f"{len(R)} resistances of {n} pulses are compared; all current flows"
    # The current jumps behind the last row of a step, and does not creep to the next row.
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
