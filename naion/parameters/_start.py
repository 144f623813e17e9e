"""What a start means: the state of a cell at rest in which a simulation begins."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array

from ._balance import check_soc, stoichiometry_at_soc
from ._cell import Cell, Stoichiometry

Start = str | float | Array | Stoichiometry
"""Where a simulation starts, at rest: see `start_of`."""

STARTS = "charged", "discharged", "published"

EXPECTED = (
    "Use 'charged', 'discharged', 'published', a state of charge from 0 to 1, or a "
    "`Stoichiometry`; for a rest at a voltage, `stoichiometry_at_voltage(cell, 3.1)`."
)


def start_of(cell: Cell, start: Start) -> Stoichiometry:
    """Stoichiometries that a start means.

    Args:
        cell: the cell.
        start: "charged" (the state a fit found, else SOC 1), "discharged" (SOC 0),
            "published", a state of charge, or stoichiometries.

    Raises:
        ValueError: see `check_start`.
    """
    check_start(start)
    if isinstance(start, Stoichiometry):
        return start
    if not isinstance(start, str):
        return stoichiometry_at_soc(cell, jnp.asarray(start, float))
    if start == "published":
        return cell.published
    if start == "charged" and cell.charged is not None:
        return cell.charged
    return stoichiometry_at_soc(cell, jnp.asarray(float(start == "charged")))


def check_start(start: Any) -> None:
    """Whether something is a start, as far as it is not traced.

    Raises:
        ValueError: when it is not, with what was given and what is expected.
    """
    if isinstance(start, Stoichiometry):
        for name in ("negative", "positive"):
            _check_stoichiometry(name, getattr(start, name))
    elif isinstance(start, str):
        if start not in STARTS:
            raise ValueError(f"Unknown start {start!r}. {EXPECTED}")
    elif isinstance(start, bool | tuple | list | dict) or start is None:
        hint = ""
        if isinstance(start, tuple | list) and len(start) == 2:
            hint = f" Stoichiometries are `Stoichiometry({start[0]}, {start[1]})`."
        raise ValueError(f"start={start!r} is no start.{hint} {EXPECTED}")
    else:
        if np.ndim(start) > 0:
            raise ValueError(
                f"start has shape {np.shape(start)}: expected one number. Many starts "
                "are many simulations (`naion.batch`, `jax.vmap`)."
            )
        check_soc("start", start)


def _check_stoichiometry(name: str, value: Any) -> None:
    if isinstance(value, Tracer):
        return
    try:
        within = (np.asarray(value, float) > 0.0) & (np.asarray(value, float) < 1.0)
    except (TypeError, ValueError):
        within = np.zeros(1, bool)
    if np.ndim(value) > 0 or not np.all(within):
        raise ValueError(
            f"start: the {name} stoichiometry is {value}; expected a number between 0 "
            "and 1, ends excluded."
        )
