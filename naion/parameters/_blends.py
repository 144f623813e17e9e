"""Electrodes of several particle sizes, or of several active materials."""

import dataclasses
from collections.abc import Sequence
from typing import Literal

import jax.numpy as jnp
from jaxtyping import Array

from .._takes import takes
from ..properties import MSMR, Corrected, Walled, prepare
from ._balance import compositions
from ._cell import Cell, Electrode, Material, Particle, Stoichiometry

Number = float | Array


@takes
def with_sizes(
    cell: Cell,
    electrode: Literal["negative", "positive"],
    sizes: Sequence[float],
    shares: Sequence[float],
) -> Cell:
    """The cell with particles of several sizes in one electrode.

    Args:
        cell: the cell with one size.
        electrode: the electrode.
        sizes: radii over the present radius.
        shares: shares of the sizes in the volume of active material, which add up to one.

    Raises:
        ValueError: for unequal counts, or shares that do not add up to one.
    """
    if len(sizes) != len(shares) or abs(sum(shares) - 1.0) > 1e-9:
        raise ValueError(
            f"Expected as many sizes as shares, and shares that add up to one; got "
            f"{len(sizes)} sizes and {len(shares)} shares of sum {sum(shares):g}."
        )
    given: Electrode = getattr(cell, electrode)

    def material(size: float, share: float) -> Material:
        radius = given.particle.radius * size
        particle = dataclasses.replace(given.particle, radius=radius)
        return Material(given.active_fraction * share, particle)

    first, *others = (material(*pair) for pair in zip(sizes, shares, strict=True))
    new = dataclasses.replace(
        given,
        active_fraction=first.active_fraction,
        particle=first.particle,
        others=tuple(others),
    )
    return dataclasses.replace(cell, **{electrode: new})


@takes
def with_second_material(
    cell: Cell,
    electrode: Literal["negative", "positive"],
    particle: Particle,
    share: Number,
) -> Cell:
    """The cell with another material in place of a share of an electrode's.

    In the published state the other material has the same potential as the present one.
    Potentials that are tables get walls at their ends (`properties.Walled`).

    Args:
        cell: the cell with one material.
        electrode: the electrode.
        particle: particles of the other material, such as those of another set.
        share: share of the volume of active material that is replaced, 0 to 1.
    """
    given: Electrode = getattr(cell, electrode)
    particle = walled(particle)
    new = dataclasses.replace(
        given,
        active_fraction=given.active_fraction * (1.0 - share),
        particle=walled(given.particle),
        others=(*given.others, Material(given.active_fraction * share, particle)),
    )
    ends = jnp.geomspace(1e-5, 0.02, 100)
    fine = jnp.concatenate(
        [ends[:-1], jnp.linspace(0.02, 0.98, 1000), 1 - ends[-2::-1]]
    )
    T = cell.temperature
    table = prepare(particle).ocp(fine, T)
    sites = jnp.stack([m.active_fraction * m.particle.c_max for m in new.materials])

    def blended(state: Stoichiometry) -> Stoichiometry:
        x = jnp.asarray(getattr(state, electrode))
        own = compositions(given, x, T, T)
        U = given.particle.ocp(own[0], T)
        each = jnp.stack([*own, jnp.interp(-U, -table, fine)])
        mean = jnp.sum(sites * each) / jnp.sum(sites)
        return dataclasses.replace(state, **{electrode: mean})

    return dataclasses.replace(
        cell,
        published=blended(cell.published),
        **{electrode: new},
    )


def walled(particle: Particle) -> Particle:
    """Particles whose open-circuit potential reaches any voltage at its ends.

    Tables end at finite potentials, and get walls; see `properties.Walled`.
    """
    ocp, curve = particle.ocp, particle.ocp.curve
    while isinstance(curve, Corrected):
        curve = curve.base
    if isinstance(curve, MSMR | Walled):
        return particle
    curve = Walled(ocp.curve, jnp.asarray(2e-3))
    return dataclasses.replace(particle, ocp=dataclasses.replace(ocp, curve=curve))
