"""Simulate measured impedance spectra, and check that the cell has double layers."""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from .._cautions import caution
from ..models import DFN
from ..parameters import (
    DISPERSED,
    Electrode,
    charge_transfer_resistances,
    is_dispersed,
    is_half_cell,
)
from ..simulation import impedance
from ._experiment import Experiment, Kind
from ._free import FreeParameter, Specimen
from ._seen import PADDED, Numbers, Seen, as_tested, column

LAYER = 0.2
"""Capacitance of a double layer, assumed to judge whether it matters; 0.1 to 0.3 are usual
[F.m-2]."""

MATTERS = 0.02
"""Share of the current that a double layer may take before it matters: as large as the
usual uncertainty of an impedance."""


class PaddedSpectrum(NamedTuple):
    """A spectrum as arrays of common lengths, so that all spectra share one program.

    Attributes:
        frequency: all frequencies, each once, (k,) [Hz].
        at: index into `frequency` for each measured number, (m,).
        imaginary: whether each measured number is an imaginary part, (m,).
    """

    temperature: Numbers
    group: Numbers
    discharged: Numbers
    frequency: Numbers
    at: Numbers
    imaginary: Numbers
    value: Numbers
    sigma: Numbers


def frequencies(e: Experiment) -> np.ndarray:
    """All frequencies of a spectrum, each once, the highest first [Hz]."""
    return np.unique(np.concatenate([o.b for o in e.observations]))[::-1]


def padded_spectrum(e: Experiment, k: int, m: int) -> PaddedSpectrum:
    """A spectrum as arrays, padded to numbers of frequencies and of observations."""
    f, o = frequencies(e), e.observations
    kinds = np.concatenate([np.full(len(x.value), int(x.kind)) for x in o])
    places = [len(f) - 1 - np.searchsorted(f[::-1], x.b) for x in o]
    return PaddedSpectrum(
        temperature=np.asarray(float(e.temperature)),
        group=np.asarray(e.group),
        discharged=np.asarray(float(e.discharged)),
        frequency=np.append(f, np.full(k - len(f), f[-1])),
        at=column(places, m).astype(int),
        imaginary=column([kinds == Kind.IMPEDANCE_IMAGINARY], m).astype(bool),
        value=column([x.value for x in o], m),
        sigma=column([x.sigma for x in o], m, PADDED),
    )


def simulated_spectrum(specimen: Specimen, test: PaddedSpectrum, model: DFN) -> Seen:
    """Simulated spectrum: impedance of the cell at rest, and of the leads."""
    own, cell, start = as_tested(specimen, test)
    f = jnp.asarray(test.frequency)
    Z = impedance(cell, f, model=model, start=start, temperature=test.temperature)
    X = Z.imag + 2.0 * jnp.pi * f * own.lead_inductance
    R = Z.real + own.lead_resistance
    value = jnp.where(test.imaginary, X[test.at], R[test.at])
    # An impossible state of charge has no impedance: zero instead of NaN makes residuals
    # that turn a search back.
    finite = jnp.isfinite(value)
    x = jnp.stack([start.negative, start.positive])
    possible = jnp.all((x > 0.0) & (x < 1.0))
    return Seen(jnp.where(finite, value, 0.0), finite & possible)


def check_double_layers(specimen: Specimen, experiments: Sequence[Experiment]) -> None:
    """Whether the cell has double layers, or no spectrum needs them.

    Raises:
        ValueError: naming the spectrum, the frequency from which they matter, and what
            to do.
    """
    spectra = [e for e in experiments if e.is_spectrum]
    # The layer of a metal is of no consequence beside those of particles.
    sides = ("positive",) if is_half_cell(specimen.cell) else ("negative", "positive")
    bare = [
        side
        for side in sides
        if not all(map(_charges, getattr(specimen.cell, side).materials))
    ]
    if not spectra or not bare:
        return
    for e in spectra:
        R = charge_transfer_resistances(specimen.cell, float(e.temperature))
        # Where charge transfer and a double layer would share the current.
        turning = [1.0 / (2.0 * np.pi * float(R[side]) * LAYER) for side in bare]
        slowest = MATTERS * min(turning)
        highest = float(frequencies(e)[0])
        if highest > slowest:
            raise ValueError(
                f"{e.name}: the spectrum reaches {highest:.3g} Hz, and the cell's "
                f"{' and '.join(bare)} particles have no double layer, which matters from "
                f"about {slowest:.2g} Hz. Give the cell one: "
                "`naion.parameters.with_double_layer(cell, 0.2)`, double_layer = 0.2 at "
                "the top of the fit's file [F.m-2]; and free its capacitance "
                "(negative.double_layer.capacitance). Or compare lower frequencies alone."
            )


def say_what_time_has_not(
    specimen: Specimen, free: Sequence[FreeParameter], experiments: Sequence[Experiment]
) -> None:
    """Caution of tests in time of a cell that has constant-phase elements, or may get some.

    Said by one line of one module, so that problems made from problems do not repeat it.
    """
    if all(e.is_spectrum for e in experiments):
        return
    moved = any(
        path.endswith("double_layer.exponent") for f in free for path in f.paths
    )
    if moved or is_dispersed(specimen.cell):
        caution(DISPERSED)


def _charges(electrode: Electrode) -> bool:
    """Whether the surfaces of its first material hold charge."""
    return any(p.has("differential_capacitance") for p in electrode.processes)
