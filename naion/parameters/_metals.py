"""Charge-transfer kinetics of the metals of half cells, with their sources."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array

from .._constants import F
from .._quality import Quality
from ..physics.kinetics import MetalButlerVolmer
from ..properties import PowerSeries, Property

Number = float | Array

SODIUM = 5.0
"""Exchange current density of sodium metal with 1000 mol.m-3 of salt [A.m-2], assumed
(A), 0.5 to 50. No law is published. Iermakova et al., J. Electrochem. Soc. 162 (2015)
A7060, find large overpotentials of Na/Na cells in carbonates where Li/Li cells have small
ones."""

LITHIUM = 3.5e-8 * F * 76900.0**0.7 * 1000.0**0.3
"""The same for lithium metal, derived (D): F m c_Li^0.7 c_e^0.3 of Xu et al., J. Electrochem.
Soc. 166 (2019) A3456, with 76,900 mol.m-3 of lithium, as in PyBaMM's Xu2019 [A.m-2]."""


def sodium_metal(exchange_current: Number = SODIUM) -> MetalButlerVolmer:
    """Kinetics of sodium metal, j_0 (c_e / 1000 mol.m-3)^0.5; an assumption, see `SODIUM`.

    Args:
        exchange_current: j_0, exchange current density with 1000 mol.m-3 of salt [A.m-2].
    """
    return metal_kinetics(exchange_current, 0.5)


def lithium_metal(exchange_current: Number = LITHIUM) -> MetalButlerVolmer:
    """Kinetics of lithium metal, j_0 (c_e / 1000 mol.m-3)^0.3; see `LITHIUM`.

    Args:
        exchange_current: j_0, exchange current density with 1000 mol.m-3 of salt [A.m-2].
    """
    return metal_kinetics(exchange_current, 0.3)


def metal_kinetics(exchange_current: Number, exponent: float) -> MetalButlerVolmer:
    """Kinetics of a metal, j_0 (c_e / 1000 mol.m-3)^exponent.

    Args:
        exchange_current: j_0, exchange current density with 1000 mol.m-3 of salt [A.m-2].
        exponent: exponent of the salt concentration.
    """
    size = jnp.reshape(jnp.asarray(exchange_current, float), 1)
    return MetalButlerVolmer(Property(PowerSeries(size, (exponent,))))


def source_of(kinetics: Any) -> tuple[Quality, str] | tuple[str, str]:
    """Quality and source of a metal's exchange current; empty for a user's own."""
    curve = kinetics.exchange_current.curve
    if not isinstance(curve, PowerSeries) or isinstance(curve.coefficient, Tracer):
        return "", ""
    size = np.ravel(curve.coefficient)
    if np.all(size == SODIUM) and curve.exponent == (0.5,):
        return "A", "sodium metal: no law is published; 0.5 to 50"
    if np.all(size == LITHIUM) and curve.exponent == (0.3,):
        return "D", "lithium metal: Xu et al., J. Electrochem. Soc. 166 (2019) A3456"
    return "", ""
