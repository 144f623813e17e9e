"""What importers share: hysteresis of one state."""

import dataclasses

import jax.numpy as jnp

from ..parameters import (
    Cell,
    Electrode,
    Hysteresis,
    Material,
    Particle,
)
from ..properties import Property

USUAL_DECAY = 30.0
"""Of a hysteresis whose file does not say, as in `with_hysteresis`."""


def hysteresis(half_width: Property, rate: float, initial: float) -> Hysteresis:
    """The hysteresis of PyBaMM and BPX, h from -1 (lithiation) to 1 (delithiation).

        dh/dt = Gamma |dx/dt| (s - h) / 2,    U = (1 + h)/2 U_delith + (1 - h)/2 U_lith

    with s the sign of the current, positive on delithiation, and x the mean composition.
    naion's is dh/dt = gamma |dx/dt| (s - h), hence gamma = Gamma / 2.

    Args:
        half_width: (U_delith - U_lith) / 2 [V].
        rate: Gamma, PyBaMM's hysteresis decay rate (since its release 25.10) and BPX's
            decay constant.
        initial: h at the start.
    """
    a = jnp.asarray
    return Hysteresis(half_width, a(rate / 2.0), a(0.0), a(float(initial)))


def with_thresholds(cell: Cell) -> Cell:
    """The cell with a sign of the current that is smooth up to a hundredth of 1C.

    PyBaMM and BPX have a sharp sign; this is what `with_hysteresis` takes.
    """
    return dataclasses.replace(
        cell,
        negative=_with_threshold(cell.negative, threshold(cell, cell.negative)),
        positive=_with_threshold(cell.positive, threshold(cell, cell.positive)),
    )


def threshold(cell: Cell, e: Electrode) -> jnp.ndarray:
    """A hundredth of the current density of an electrode's particles at 1C [A.m-2]."""
    interface = sum(m.interface for m in e.materials)
    return 0.01 * cell.nominal_capacity / (cell.area * e.thickness * interface)


def _with_threshold(e: Electrode, value: jnp.ndarray) -> Electrode:
    def one(p: Particle) -> Particle:
        if p.hysteresis is None:
            return p
        settled = dataclasses.replace(p.hysteresis, threshold=value)
        return dataclasses.replace(p, hysteresis=settled)

    others = tuple(Material(m.active_fraction, one(m.particle)) for m in e.others)
    return dataclasses.replace(e, particle=one(e.particle), others=others)
