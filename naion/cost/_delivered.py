"""How much of its energy a design delivers in the cold, by simulation."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from .._constants import ZERO_CELSIUS
from .._results import Result
from ..design import Blueprint
from ..mesh import Mesh
from ..models import DFN
from ..parameters import Cell, load_set
from ..properties import Invariant
from ..protocol import Protocol
from ..simulation import simulate

MESH = Mesh(6, 3, 6, 16)
"""As that of the audit of claims: retention to a tenth of a percentage point."""


def delivered_share(
    blueprint: Blueprint,
    temperature: Any = -20.0,
    rate: float = 1.0 / 3.0,
    cell: Cell | None = None,
) -> Array:
    """Energy of a discharge in the cold over that at 25 degC, at one rate.

    Of the design with the materials of the set that it names: what the set says of the
    cold is what this rests on. Isothermal: cells in a pack warm themselves and give more.

    Args:
        blueprint: the design.
        temperature: [degC], () or (n,).
        rate: C-rate.
        cell: materials; none: of the set that the design names.

    Returns:
        The shares, (n,) or (); NaN where the solver failed.

    Raises:
        ValueError: for a design that names no materials, and for materials whose
            electrolyte knows no temperature.
    """
    if cell is None:
        if not blueprint.materials:
            raise ValueError(
                f"{blueprint.name} names no set of materials: give the share yourself."
            )
        cell = load_set(blueprint.materials).cell
    if not _knows_the_cold(cell):
        raise ValueError(
            f"{blueprint.name}: its materials have no law of conductivity in temperature: "
            "give the share yourself."
        )
    made = blueprint.design().build(cell)
    lower = made.limits.lower_voltage
    given = Protocol(f"Discharge at {rate:g}C until {float(lower):g} V")

    def energy(T: Array) -> Array:
        done = simulate(
            made, given, model=DFN(MESH), temperature=T, rtol=5e-4, throw=False
        )
        ended = done.outcome <= Result.POWER_INFEASIBLE
        return jnp.where(ended, done.energy, jnp.nan)

    asked = jnp.append(jnp.asarray([25.0]), jnp.atleast_1d(jnp.asarray(temperature)))
    found = jax.lax.map(energy, asked.astype(float) + ZERO_CELSIUS)
    shares = found[1:] / found[0]
    return shares if jnp.ndim(temperature) else shares[0]


def delivered_shares(
    designs: Sequence[Blueprint], temperature: float = -20.0, rate: float = 1.0 / 3.0
) -> dict[str, float]:
    """Of all designs that name materials which know temperature, by name."""
    return {
        b.name: float(delivered_share(b, temperature, rate))
        for b in designs
        if b.materials and _knows_the_cold(load_set(b.materials).cell)
    }


def _knows_the_cold(cell: Cell) -> bool:
    return not isinstance(cell.electrolyte.conductivity.temperature, Invariant)
