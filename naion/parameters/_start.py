"""What a start means: the state of a cell at rest in which a simulation begins."""

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
        start: "charged" (SOC 1), "discharged" (SOC 0), "published", a state of charge, or
            stoichiometries.

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
    """Where a simulation of a cell starts.

    Args:
        cell: the cell.
        start: see `start_of`.

    Returns:
        the cell, at the ends of its window on the branch of hysteresis on which they are
        reached and else on its own, and stoichiometries.

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
    """The cell with its hysteresis elsewhere.

    Args:
        cell: the cell.
        branch: from where a hysteresis starts to where it is to start, 1 after a charge
            and -1 after a discharge of the cell.
    """

    def moved(p: Particle, sign: float) -> Particle:
        if p.hysteresis is None:
            return p
        initial = sign * branch(sign * p.hysteresis.initial)
        return replace(p, hysteresis=replace(p.hysteresis, initial=initial))

    def electrode(e: Electrode, sign: float) -> Electrode:
        others = (replace(m, particle=moved(m.particle, sign)) for m in e.others)
        return replace(e, particle=moved(e.particle, sign), others=tuple(others))

    # The electrode that gives sodium off goes up.
    negative, positive = electrode(cell.negative, -1.0), electrode(cell.positive, 1.0)
    return replace(cell, negative=negative, positive=positive)


def _soc(start: str | float | Array) -> Array:
    named = {"charged": 1.0, "discharged": 0.0}
    return jnp.asarray(named[start] if isinstance(start, str) else start, float)


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
