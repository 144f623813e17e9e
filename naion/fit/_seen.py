"""What simulations of tests in time and of impedance spectra share: start and result."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ..parameters import (
    AFTER_CHARGE,
    AFTER_DISCHARGE,
    Cell,
    Stoichiometry,
    electrode_capacities,
    on_branch,
    stoichiometry_at_soc,
)
from ._free import Specimen

Numbers = Array | np.ndarray

PADDED = 1e30
"""Uncertainty of padding, which gives it no weight."""


class Seen(NamedTuple):
    """Simulated observations of an experiment.

    Attributes:
        value: values, (m,); continued beyond the model's end, see `_gone_on`.
        reached: whether the simulation itself reached them, (m,).
    """

    value: Numbers
    reached: Numbers


def as_tested(specimen: Specimen, test: Any) -> tuple[Specimen, Cell, Stoichiometry]:
    """The cell that a test was made on, and its state before the test.

    Args:
        specimen: the cell, with the calibrations of all groups.
        test: its fields `group` and `discharged` [A.h] are read.

    Returns:
        the specimen with the calibration of the test's group alone; its cell in the size
        of that group and on its branch of hysteresis; and the stoichiometries at the start.
    """
    own = specimen.of_group(test.group)
    cell = replace(own.cell, area=own.cell.area * own.size)
    charged = stoichiometry_at_soc(cell, 1.0)
    start = less_full(cell, charged, own.missing + test.discharged)
    # Hysteresis: a full cell was charged last; one that is less full was discharged since.
    branch = jnp.where(test.discharged > 0.0, AFTER_DISCHARGE, AFTER_CHARGE)
    return own, on_branch(cell, lambda _: branch), start


def less_full(cell: Cell, sto: Stoichiometry, out: Array) -> Stoichiometry:
    """The state after discharging `out` from a state [A.h]."""
    Q_n, Q_p = electrode_capacities(cell)
    return Stoichiometry(sto.negative - out / Q_n, sto.positive + out / Q_p)


def column(parts: Sequence, m: int, pad: float = 0.0) -> np.ndarray:
    """Join arrays into one, padded to the length `m`."""
    joined = np.concatenate([np.asarray(p, float) for p in parts])
    return np.append(joined, np.full(m - joined.size, pad))
