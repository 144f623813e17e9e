"""How much of its energy a design delivers in the cold, by simulation."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array

from .._constants import ZERO_CELSIUS
from .._results import Result
from .._takes import takes
from ..batch import run
from ..design import Blueprint
from ..fit import draws as drawn_from
from ..fit import uncertainty_of_set
from ..mesh import Mesh
from ..models import DFN
from ..parameters import Cell, load_set
from ..properties import Invariant
from ..protocol import Protocol
from ..simulation import simulate
from ._study import Study

COLD_DRAWS = 96
"""Of designs and materials, simulated: an end of an interval to a few percent of it."""

MESH = Mesh(6, 3, 6, 16)
"""As that of the audit of claims: retention to a tenth of a percentage point."""


@takes
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
        TypeError: for what is no design.
        ValueError: for a design that names no materials, for materials whose electrolyte
            knows no temperature, and for a temperature in kelvin.
    """
    asked = in_celsius(temperature)
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

    both = jnp.append(jnp.asarray([25.0]), jnp.atleast_1d(asked))
    found = jax.lax.map(energy, both.astype(float) + ZERO_CELSIUS)
    shares = found[1:] / found[0]
    return shares if jnp.ndim(temperature) else shares[0]


COLDEST, WARMEST = -100.0, 60.0
"""Between which a share is asked for [degC]; what is beyond was meant in kelvin."""


@takes
def in_celsius(temperature: Any, name: str = "temperature") -> Any:
    """Temperatures at which a share is asked for, as far as they are known [degC].

    Args:
        temperature: () or (n,) [degC].
        name: of it, for messages.

    Raises:
        ValueError: for one that is none, as in kelvin.
    """
    if isinstance(temperature, Tracer):
        return temperature
    try:
        found = np.asarray(temperature, float)
    except (TypeError, ValueError):
        found = np.asarray(np.nan)
    if not np.all((found >= COLDEST) & (found <= WARMEST)):
        raise ValueError(
            f"{name} {temperature!r:.60}: expected degC from {COLDEST:g} to "
            f"{WARMEST:g}. Is it in kelvin?"
        )
    return found


@takes
def delivered_shares(
    designs: Sequence[Blueprint], temperature: float = -20.0, rate: float = 1.0 / 3.0
) -> dict[str, float]:
    """Of all designs that name materials which know temperature, by name."""
    return {
        b.name: float(delivered_share(b, temperature, rate))
        for b in designs
        if b.materials and _knows_the_cold(load_set(b.materials).cell)
    }


@takes
def delivered_draws(
    asked: Study,
    temperature: float = -20.0,
    rate: float = 1.0 / 3.0,
    *,
    draws: int = COLD_DRAWS,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """The same with all that is uncertain in the designs and in their materials.

    Draw k has the numbers of a design that draw k of the study has, so that a share
    belongs to its cost: `per_delivered(asked.costs()[:n], shares, asked.names)`. Designs
    of one set have the same draws of its materials; those of two sets are independent,
    also where both assume alike. Cells whose tables are of one shape are one batch.

    Args:
        asked: the study, whose first draws are taken; the first of all is the medians.
        temperature: [degC].
        rate: C-rate.
        draws: at most those of the study.
        seed: of the materials' draws.

    Returns:
        shares (n,) by name, of designs whose materials know temperature; NaN where the
        solver failed.

    Raises:
        ValueError: for fewer than two draws, or more than the study has, a rate that is
            not above zero, or a temperature in kelvin.
    """
    in_celsius(temperature)
    if not rate > 0.0:
        raise ValueError(f"rate={rate!r}: expected a C-rate above zero.")
    if not 2 <= draws <= len(asked.drawn):
        raise ValueError(
            f"draws={draws!r}: expected 2 to {len(asked.drawn)}, those of the study."
        )
    found: dict[str, np.ndarray] = {}
    sets = sorted({b.materials for b in asked.designs if b.materials})
    batches: dict[Any, list[tuple[str, Cell]]] = {}
    for b in asked.designs:
        if not b.materials or not _knows_the_cold(load_set(b.materials).cell):
            continue
        own_seed = seed + 1000 * sets.index(b.materials)
        cells = _cells(b, asked, draws, own_seed)
        leaves, tree = jax.tree.flatten(cells)
        alike = tree, tuple(np.shape(a) for a in leaves)
        batches.setdefault(alike, []).append((b.name, cells))
    for members in batches.values():
        every = jax.tree.map(lambda *a: np.concatenate(a), *(c for _, c in members))
        shares = _shares(every, temperature, rate)
        for k, (name, _) in enumerate(members):
            found[name] = shares[k * draws : (k + 1) * draws]
    return found


def _cells(b: Blueprint, asked: Study, n: int, seed: int) -> Cell:
    """A design's cells in the first draws of a study, leaves with (n, ...)."""
    materials = load_set(b.materials)
    known = uncertainty_of_set(materials).of_materials
    z = drawn_from(materials.cell, known, n, seed)
    entries = [(s.name, k) for k, (s, of) in enumerate(asked.numbers) if b.name in of]
    u = asked.drawn[:n, [k for _, k in entries]]

    def build(z: Array, u: Array) -> Cell:
        own = dict(zip([name for name, _ in entries], u, strict=True))
        inside = jnp.clip(z, *known.vector.bounds)
        return b.drawn(own).build(known.vector.cell(materials.cell, inside))

    return jax.tree.map(np.asarray, jax.jit(jax.vmap(build))(z, u))


def _shares(cells: Cell, temperature: float, rate: float) -> np.ndarray:
    """Of many cells, leaves with (n, ...): energy in the cold over that at 25 degC, (n,)."""
    n = len(jax.tree.leaves(cells)[0])
    twice = jax.tree.map(lambda a: np.concatenate([a, a]), cells)
    kelvin = np.repeat(np.array([25.0, temperature]) + ZERO_CELSIUS, n)

    def energy(lane: tuple[Cell, Array]) -> Array:
        cell, T = lane
        given = eqx.tree_at(
            lambda p: (p.value, p.lower_voltage),
            Protocol("Discharge at 1C until 1 V"),
            (jnp.full(1, rate), cell.limits.lower_voltage[None]),
        )
        done = simulate(
            cell, given, model=DFN(MESH), temperature=T, rtol=5e-4, throw=False
        )
        ended = done.outcome <= Result.POWER_INFEASIBLE
        return jnp.where(ended, done.energy, jnp.nan)

    warm, cold = np.asarray(run(energy, (twice, kelvin))).reshape(2, n)
    return cold / warm


def _knows_the_cold(cell: Cell) -> bool:
    return not isinstance(cell.electrolyte.conductivity.temperature, Invariant)
