"""Doubts about a fit: errors so large that data are likely in other units."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._takes import takes
from ..parameters import (
    AFTER_CHARGE,
    AFTER_DISCHARGE,
    Cell,
    is_half_cell,
    open_circuit_voltage,
    stoichiometries_at_limits,
)
from ..protocol import Mode
from ._experiment import Experiment, Kind, Observations
from ._fit import Fit
from ._measured_impedance import spectra_of

LARGEST = 0.5
"""Root mean square error of voltage above which a fit is in doubt [V]."""

NOTABLE = 0.05
"""Errors below this are never in doubt, even where the data themselves spread less [V]."""

BETTER = 0.8
"""A fit is in doubt if its error is more than this share of that of a constant voltage."""

MISSED = 0.2
"""A fit is in doubt if its model ends before more than this share of the points."""

FACTOR = 3.0
"""A fit is in doubt if a resistance is wrong by more than this factor."""


@takes
def doubts(fit: Fit) -> list[str]:
    """Tests that a fit misses grossly, one sentence each, with the likely cause.

    A test is named if the model misses its voltages by more than 0.5 V, or by hardly less
    than a constant would, if the model ends long before it, or if resistances or
    impedances are wrong by more than a factor of three. Empty for a plausible fit.
    """
    said = []
    for e, model in zip(fit.problem.experiments, fit.predictions, strict=True):
        if e.is_spectrum:
            wrong = _spectrum(e, model)
            said += [f"{e.name}, impedance: {wrong}"] if wrong else []
            continue
        i = 0
        for o in e.observations:
            m, i = model[i : i + len(o.value)], i + len(o.value)
            wrong = _resistance(o, m) if o.kind == Kind.RESISTANCE else _voltage(o, m)
            if wrong:
                cause = _cause(fit, e, o, m)
                said.append(f"{e.name}, {o.label}: {wrong}. {cause}")
    return said


RESTS = 5e-3
"""Largest difference between a cell's rest voltage at SOC 1 or 0 and its voltage limit
[V]."""


@takes
def off_limits(fit: Fit) -> list[str]:
    """Voltage limits at which the fitted cell does not rest when full or empty.

    One sentence for each, naming the free parameters that caused it: with their start
    values the cell would rest there. Such a fit is of no use, since simulations that start
    full or empty are wrong. Half cells are not checked: their limits are those of the
    test, at which many electrodes do not come to rest.
    """
    if is_half_cell(fit.specimen.cell):
        return []
    vector = fit.problem.vector
    begin, said = fit.problem.start, []
    cell = fit.specimen.cell
    ends = {
        "discharged": float(cell.limits.lower_voltage),
        "charged": float(cell.limits.upper_voltage),
    }
    for k, (state, limit) in enumerate(ends.items()):
        rest = _rests(cell)[k]
        if abs(rest - limit) <= RESTS:
            continue
        nearer: list[str] = []
        for f, part in zip(vector.free, vector.slices, strict=True):
            z = fit.z.copy()
            z[part] = begin[part]
            moved = _rests(vector.set(fit.problem.specimen, z).cell)[k]
            if abs(moved - limit) < 0.5 * abs(rest - limit):
                nearer.append(f"{', '.join(f.paths)} ({moved:.3f} V)")
        cause = (
            f"As at the start of the fit, these would mend it: {'; '.join(nearer)}."
            if nearer
            else "No free number alone did it."
        )
        said.append(
            f"{state}, the cell rests at {rest:.3f} V, {1e3 * abs(rest - limit):.0f} mV "
            f"from its limit of {limit:g} V. {cause}"
        )
    return said


@jax.jit
def _at_ends(cell: Cell) -> Array:
    pairs = zip(
        stoichiometries_at_limits(cell), (AFTER_DISCHARGE, AFTER_CHARGE), strict=True
    )
    T = cell.temperature
    return jnp.stack([open_circuit_voltage(cell, sto, T, b) for sto, b in pairs])


def _rests(cell: Cell) -> np.ndarray:
    """Rest voltages at SOC 0 and 1, (2,) [V]."""
    return np.asarray(_at_ends(cell))


def _resistance(o: Observations, m: np.ndarray) -> str:
    ratio = m / o.value
    wrong = ~(np.isfinite(ratio) & (ratio < FACTOR) & (ratio > 1.0 / FACTOR))
    if not wrong.any():
        return ""
    k = int(np.argmax(wrong))
    return f"{o.value[k]:.3g} ohm were measured, the model has {m[k]:.3g}"


def _spectrum(e: Experiment, model: np.ndarray) -> str:
    """Error of a simulated spectrum in words, with the likely cause; "" if there is none."""
    f, Z, shown = spectra_of(e, model)
    ratio = np.abs(shown) / np.abs(Z)
    if not np.all(np.isfinite(ratio)):
        return "the model has no impedance there. Is the state of charge possible?"
    if np.sum(Z.imag * shown.imag) < 0.0:
        return (
            "model and data curve opposite ways. Is the sign of the imaginary part right "
            '(imaginary = "-Im" for a column of -Im)?'
        )
    k = int(np.argmax(np.abs(np.log(ratio))))
    if 1.0 / FACTOR < ratio[k] < FACTOR:
        return ""
    return (
        f"{np.abs(Z[k]):.3g} ohm were measured at {f[k]:.3g} Hz, the model has "
        f"{np.abs(shown[k]):.3g}. Is the spectrum in ohm, of the whole cell (not mohm, not "
        "of an area), of a full cell, and at the state of charge that is given?"
    )


def _voltage(o: Observations, m: np.ndarray) -> str:
    if o.kind == Kind.TEMPERATURE:
        return ""
    reached = np.isfinite(m)
    missed = 1.0 - np.mean(reached)
    if missed > MISSED:
        return f"the model ends before {100.0 * missed:.0f} % of the measured points"
    error = float(np.sqrt(np.mean((m - o.value)[reached] ** 2)))
    spread = float(np.std(o.value[reached]))
    if error > LARGEST:
        return f"the model is {1e3 * error:.0f} mV from the data"
    if error > max(BETTER * spread, NOTABLE):
        return (
            f"the model is {1e3 * error:.0f} mV from the data, and a constant "
            f"{1e3 * spread:.0f} mV"
        )
    return ""


def _cause(fit: Fit, e: Experiment, o: Observations, m: np.ndarray) -> str:
    """The likely cause of a gross error, by the charge that flows and the curves' shapes."""
    if o.kind == Kind.RESISTANCE:
        return "Are resistances in ohm and currents in ampere?"
    p = e.protocol
    flows = np.asarray(p.mode) == Mode.CURRENT
    each = np.asarray((p.value + 0.5 * p.slope * p.duration) * p.duration)
    each = np.where(flows, each, 0.0)[: int(p.count)]
    charge = np.concatenate([[0.0], np.cumsum(each)]) / 3600.0
    share = float(np.ptp(charge) / fit.specimen.cell.nominal_capacity)
    reached = np.isfinite(m)
    V = o.value[reached]
    if share > 2.0:
        return (
            f"The current moves {share:.3g} times the cell's capacity: are times or "
            "currents in other units?"
        )
    if len(V) and share < 0.01 and np.ptp(o.value) > 0.2:
        return (
            f"The current moves {100.0 * share:.2g} % of the cell's capacity, the voltage "
            f"{np.ptp(o.value):.2g} V: are times in hours, or currents in other units?"
        )
    model = m[reached]
    if len(V) and np.dot(model - np.mean(model), V - np.mean(V)) < 0.0:
        return (
            "Model and data go opposite ways: is the sign of the current right? current_A "
            "is positive on discharge, currents of the Battery Data Format on charge."
        )
    if len(V) and abs(np.mean(V)) > 10.0:
        return "Are voltages in millivolt, or of several cells in series?"
    if len(V) and abs(np.mean(model - V)) > 0.5 * np.std(model - V):
        return (
            "Model and data are apart all along: is the start (`soc`, `discharged`) right, "
            "and is this the chemistry of the cell?"
        )
    return "Are units, sign and start of the data right, and the bounds wide enough?"
