"""Measured impedance spectra as experiments."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._cautions import caution
from ..io import kramers_kronig, looks_upside_down
from ..protocol import Mode, Protocol, Step
from ._experiment import Experiment, Kind, Observations
from ._measured import above_zero, column

FREQUENCY = "Frequency [Hz]"
Complex = NDArray[np.complex128]
FLOOR = 1e-5
"""Smallest uncertainty of an impedance, from contacts and wiring of the instrument
(assumed) [ohm]."""


def measured_impedance(
    name: str,
    frequency: Any,
    impedance: Any,
    temperature: float,
    *,
    discharged: float = 0.0,
    relative_sigma: float = 0.02,
    floor: float = FLOOR,
    between: tuple[float, float] | None = None,
    group: int = 0,
    note: str = "",
) -> Experiment:
    """An impedance spectrum of a full cell at rest.

    Real and imaginary part are both compared, with the same uncertainty at each frequency,
    max(`relative_sigma` |Z|, `floor`). Its default of 2 % is assumed: models are seldom
    better than that. What is compared is tested for consistency, see
    `naion.io.kramers_kronig`; a `Caution` says where it is not.

    Args:
        name: name of the test, for tables, figures and error messages.
        frequency: frequencies in any order, (n,) [Hz].
        impedance: complex Z = Re + i Im, with Im negative where the cell is capacitive,
            (n,) [ohm].
        temperature: temperature of the cell [K].
        discharged: charge taken out of the charged cell before [A.h].
        relative_sigma: uncertainty of both parts over |Z|.
        floor: smallest uncertainty [ohm].
        between: lowest and highest frequency to compare [Hz]; none: all.
        group: index of the group of tests; a `Specimen` holds calibrations by group, leads
            among them.
        note: added to the experiment's note.

    Raises:
        ValueError: for no or not equally many frequencies and impedances, numbers that are
            not finite, or frequencies or real parts that are not positive.
    """
    above_zero(name, 1.0, relative_sigma=relative_sigma)
    if not (np.isfinite(floor) and floor >= 0.0):
        raise ValueError(f"{name}: floor = {floor:g}; expected zero or more [ohm].")
    f = np.atleast_1d(column(name, "frequencies", frequency))
    try:
        Z: Complex = np.atleast_1d(np.asarray(impedance, np.complex128))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name}: impedances: {error}; expected complex numbers, Re + i Im [ohm]."
        ) from None
    if f.shape != Z.shape or f.ndim != 1 or not f.size:
        raise ValueError(
            f"{name}: {f.size} frequencies and {Z.size} impedances; expected as many of "
            "each, one at least."
        )
    _check_frequencies(name, f)
    measured = f.size
    if between is not None:
        f, Z = _within(name, f, Z, between)
    _check_impedances(name, f, Z)
    if floor > float(np.max(np.abs(Z))):
        raise ValueError(
            f"{name}: floor = {floor:g} ohm; expected less than what is measured, "
            f"{np.max(np.abs(Z)):.3g} ohm at most. Is it in milliohm?"
        )
    if looks_upside_down(f, Z):
        caution(
            f"{name}: the spectrum looks upside down: its imaginary part is positive at "
            "low frequencies, as of a coil. Exports often hold -Im; naion wants Im, below "
            'zero for a capacitive cell: imaginary = "-Im" turns it.'
        )
        consistent = ""
    else:
        consistent = _consistent(name, f, Z)
    sigma = np.maximum(relative_sigma * np.abs(Z), floor)
    order = np.argsort(-f, kind="stable")
    f, none = f[order], np.zeros(len(f))
    observations = tuple(
        Observations(kind, none, f, part[order], sigma[order], label, f, FREQUENCY)
        for kind, part, label in (
            (Kind.IMPEDANCE_REAL, Z.real, "Re Z"),
            (Kind.IMPEDANCE_IMAGINARY, Z.imag, "Im Z"),
        )
    )
    some = "" if f.size == measured else f" of {measured}"
    said = f"impedances at {f.size}{some} frequencies, {_range(f)}, are compared"
    said += consistent
    return Experiment(
        name,
        Protocol(Step(Mode.CURRENT, 0.0, duration=1.0)),
        temperature,
        observations,
        group,
        discharged,
        note=f"{said}; {note}" if note else said,
    )


def spectra_of(e: Experiment, model: Any) -> tuple[np.ndarray, Complex, Complex]:
    """Frequencies, measured and simulated impedance of a spectrum.

    Args:
        e: experiment from `measured_impedance`.
        model: simulated observations, (2 n,) [ohm].

    Returns:
        frequencies [Hz], measured and simulated complex impedance [ohm], (n,) each.
    """
    real, imaginary = e.observations
    Z = np.asarray(real.value) + 1j * np.asarray(imaginary.value)
    simulated = np.asarray(model)
    n = len(Z)
    return np.asarray(real.b), Z, simulated[:n] + 1j * simulated[n : 2 * n]


def _check_impedances(name: str, f: np.ndarray, Z: Complex) -> None:
    """Raise for impedances that are not finite, or have no positive real part."""
    if not np.all(np.isfinite(Z)):
        k = int(np.argmin(np.isfinite(Z)))
        raise ValueError(f"{name}: the impedance at {f[k]:g} Hz is not finite.")
    if np.any(Z.real <= 0.0):
        k = int(np.argmin(Z.real))
        raise ValueError(
            f"{name}: the real part is {Z.real[k]:.3g} ohm at {f[k]:g} Hz; a cell at rest "
            "has more than zero. Are real and imaginary parts swapped, or is the phase in "
            "other units? Rows that failed can be left out by their frequency."
        )


def _consistent(name: str, f: np.ndarray, Z: Complex) -> str:
    """Result of the Kramers-Kronig test of a spectrum, for its note.

    Cautions where it is violated.
    """
    found = kramers_kronig(f, Z)
    if found is None:
        return ""
    if found.is_violated:
        caution(
            f"{name}: the spectrum {found.violation} "
            "No model of a cell at rest can follow it there; between (frequencies = "
            "[low, high] in a file) leaves such frequencies out.",
        )
    return f"; Kramers-Kronig residual {100.0 * found.rms:.2g} % of |Z| (rms)"


def _check_frequencies(name: str, f: np.ndarray) -> None:
    """Raise for frequencies that are not finite and positive."""
    wrong = ~(np.isfinite(f) & (f > 0.0))
    if wrong.any():
        k = int(np.argmax(wrong))
        raise ValueError(
            f"{name}: frequency {k + 1} is {f[k]:g} Hz; expected more than zero."
        )


def _within(
    name: str, f: np.ndarray, Z: Complex, between: tuple[float, float]
) -> tuple[np.ndarray, Complex]:
    """The frequencies and impedances between two frequencies."""
    try:
        low, high = (float(x) for x in between)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name}: between = {between!r:.60}; expected the lowest and the highest "
            "frequency [Hz]."
        ) from None
    if not 0.0 <= low < high:
        raise ValueError(
            f"{name}: frequencies from {low:g} to {high:g} Hz; expected the lowest first."
        )
    # A limit that was given to three digits includes the frequency that it was read from.
    use = (f >= 0.999 * low) & (f <= 1.001 * high)
    if not use.any():
        raise ValueError(
            f"{name}: no frequency from {low:g} to {high:g} Hz; measured are {_range(f)}."
        )
    return f[use], Z[use]


def _range(f: np.ndarray) -> str:
    if f.size == 1:
        return f"{f[0]:.4g} Hz"
    return f"{f.max():.4g} to {f.min():.4g} Hz"
