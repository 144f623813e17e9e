"""What tests in time and impedance spectra share: where they start, what they show."""

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
"""Uncertainty of what only fills up a row."""


class Seen(NamedTuple):
    """What an experiment would have measured.

    Attributes:
        value: (m,); after the model's end as if it had gone on, see `_gone_on`.
        reached: whether the model went on to there, (m,).
    """

    value: Numbers
    reached: Numbers


def as_tested(specimen: Specimen, test: Any) -> tuple[Specimen, Cell, Stoichiometry]:
    """What belongs to a test's group, the cell that is tested, and its state before.

    Args:
        specimen: of all groups.
        test: its `group`, and what is `discharged` before it [A.h].
    """
    own = specimen.of_group(test.group)
    cell = replace(own.cell, area=own.cell.area * own.size)
    charged = stoichiometry_at_soc(cell, 1.0)
    start = less_full(cell, charged, own.missing + test.discharged)
    # What was charged last is on one branch, what was discharged since on the other.
    branch = jnp.where(test.discharged > 0.0, AFTER_DISCHARGE, AFTER_CHARGE)
    return own, on_branch(cell, lambda _: branch), start


def less_full(cell: Cell, sto: Stoichiometry, out: Array) -> Stoichiometry:
    """A state with a charge taken out [A.h]."""
    Q_n, Q_p = electrode_capacities(cell)
    return Stoichiometry(sto.negative - out / Q_n, sto.positive + out / Q_p)


def column(parts: Sequence, m: int, pad: float = 0.0) -> np.ndarray:
    """Numbers one after the other, filled up to so many."""
    joined = np.concatenate([np.asarray(p, float) for p in parts])
    return np.append(joined, np.full(m - joined.size, pad))
