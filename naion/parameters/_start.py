"""The state of rest in which a simulation of a cell starts."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array

from ._balance import AFTER_CHARGE, AFTER_DISCHARGE, check_soc, stoichiometry_at_soc
from ._cell import Cell, Electrode, Particle, Stoichiometry

Start = str | float | Array | Stoichiometry
"""Forms in which a start can be given; see `start_of`."""

STARTS = "charged", "discharged", "published"

EXPECTED = (
    "Use 'charged', 'discharged', 'published', a state of charge from 0 to 1, or a "
    "`Stoichiometry`; for a rest at a voltage, `stoichiometry_at_voltage(cell, 3.1)`."
)


def start_of(cell: Cell, start: Start) -> Stoichiometry:
    """The stoichiometries of a start.

    Args:
        cell: the cell.
        start: "charged" (SOC 1), "discharged" (SOC 0), "published" (the state in the
            parameter set), a state of charge, or stoichiometries.

    Raises:
        ValueError: see `check_start`.
    """
    check_start(start)
    if isinstance(start, Stoichiometry):
        return start
    if isinstance(start, str) and start == "published":
        return cell.published
    return stoichiometry_at_soc(cell, _soc(start))


def at_rest(cell: Cell, start: Start) -> tuple[Cell, Stoichiometry]:
    """The cell and the stoichiometries with which a simulation starts.

    Args:
        cell: the cell.
        start: see `start_of`.

    Returns:
        the cell and its stoichiometries. At SOC 0 and 1 its hysteresis is on the branch on
        which that state is reached; otherwise it is as in the given cell.

    Raises:
        ValueError: see `check_start`.
    """
    sto = start_of(cell, start)
    published = isinstance(start, str) and start == "published"
    if isinstance(start, Stoichiometry) or published:
        return cell, sto
    soc = _soc(start)

    def branch(own: Array) -> Array:
        ends = [soc <= 0.0, soc >= 1.0], [AFTER_DISCHARGE, AFTER_CHARGE]
        return jnp.select(*ends, own)

    return on_branch(cell, branch), sto


def on_branch(cell: Cell, branch: Callable[[Array], Array]) -> Cell:
    """The cell with its hysteresis starting on another branch.

    Args:
        cell: the cell.
        branch: function from the present to the new initial state of a hysteresis, where 1
            is the state after a charge of the cell and -1 that after a discharge.
    """

    def moved(p: Particle, sign: float) -> Particle:
        if p.hysteresis is None:
            return p
        initial = sign * branch(sign * p.hysteresis.initial)
        return replace(p, hysteresis=replace(p.hysteresis, initial=initial))

    def electrode(e: Electrode, sign: float) -> Electrode:
        others = (replace(m, particle=moved(m.particle, sign)) for m in e.others)
        return replace(e, particle=moved(e.particle, sign), others=tuple(others))

    # In a charge the positive electrode loses sodium, and its potential goes to the upper
    # branch; the negative electrode gains it, and goes to the lower.
    negative, positive = electrode(cell.negative, -1.0), electrode(cell.positive, 1.0)
    return replace(cell, negative=negative, positive=positive)


def _soc(start: str | float | Array) -> Array:
    named = {"charged": 1.0, "discharged": 0.0}
    return jnp.asarray(named[start] if isinstance(start, str) else start, float)


def check_start(start: Any) -> None:
    """Raise for what is not a start. Numbers that JAX traces are not checked.

    Raises:
        ValueError: with what was given and what is expected.
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
