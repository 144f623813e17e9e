"""Hard carbon as a sum of reactions (MSMR), and with pores that fill."""

import dataclasses

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._takes import takes
from ..physics.pores import PoreFilling
from ..properties import MSMR, Arrhenius, Property, constant
from ._cell import Cell

Number = float | Array

HARD_CARBONS = {
    "A": (
        (0.9379, 0.7003, 0.0739, 0.0680, 0.0),
        (1.7472, 4.5518, 0.2544, 0.9963, 9.1237),
        (0.0144, 0.1099, 0.3123, 0.3308, 0.5532),
    ),
    "B": (
        (0.8827, 0.5127, 0.0901, 0.0748, 0.0207),
        (3.3327, 6.6426, 3.1102, 0.4515, 0.1403),
        (0.0424, 0.3072, 0.2028, 0.4969, 0.0218),
    ),
    "D1": (
        (0.7342, 0.3914, 0.0702, 0.0656, 0.0),
        (2.9878, 6.4638, 2.3420, 0.3534, 0.6771),
        (0.0401, 0.2062, 0.2151, 0.5034, 0.5277),
    ),
}
"""Potentials [V], widths and amounts of reactions: our fits to slow half cells of
commercial powders at 25 degC, within 1 mV. They are components of a fit, not known
phases, so that the potential at other temperatures, by the formula of `MSMR`, is an
extrapolation."""


@takes
def with_reactions(cell: Cell, carbon: str = "A") -> Cell:
    """The cell with an `MSMR` of hard carbon as potential of its negative electrode.

    The potential then depends on temperature by itself (-0.2 to +1.2 mV/K), in voltage and
    in reversible heat. The particle's `dudt` stays as it is and is added. So set it to zero
    where it is a measured coefficient of the whole electrode. Where the `dudt` of the
    positive electrode stands for a coefficient measured on the whole cell, as in
    nfm_hc_18650, subtract the carbon's part from it.

    Args:
        cell: a cell whose negative electrode is hard carbon.
        carbon: the powder, a key of `HARD_CARBONS`.

    Raises:
        ValueError: for an unknown powder.
    """
    if carbon not in HARD_CARBONS:
        known = ", ".join(HARD_CARBONS)
        raise ValueError(f"No hard carbon {carbon!r}. Known: {known}.")
    potential, width, amount = map(jnp.asarray, HARD_CARBONS[carbon])
    host = MSMR(potential, width, amount)
    return eqx.tree_at(lambda c: c.negative.particle.ocp, cell, Property(host))


NARROW = 2.0
"""Width below which reactions belong to the plateau, which is the filling of pores in this
model."""


@takes
def with_pore_filling(
    cell: Cell,
    rate: Number = 1e-2,
    *,
    energy: Number = 50e3,
    reactions: tuple[int, ...] | None = None,
) -> Cell:
    """The cell with pores in its hard carbon that fill from its other sites.

    Args:
        cell: a cell whose negative electrode has an open-circuit potential of several
            reactions (`MSMR`); see `with_reactions`.
        rate: rate k_pf at which pores fill [s-1]; no value is published. Pores fill within
            minutes at 1e-2 and within hours at 1e-4.
        energy: activation energy of the rate [J.mol-1].
        reactions: indices of the reactions that are the pores; none: the narrow ones below
            0.15 V.

    Raises:
        ValueError: when the potential is not an `MSMR`, or all or none of its reactions
            would be pores.
    """
    host = cell.negative.particle.ocp.curve
    if not isinstance(host, MSMR):
        raise ValueError(
            "Pore filling needs an open-circuit potential of several reactions: put an "
            f"`MSMR` into `negative.particle.ocp.curve`, which is a {type(host).__name__}."
        )
    count = host.amount.shape[0]
    if reactions is None:
        low = np.asarray((host.potential < 0.15) & (host.width < NARROW))
        reactions = tuple(int(i) for i in np.flatnonzero(low))
    if not 0 < len(set(reactions)) < count or not set(reactions) <= set(range(count)):
        raise ValueError(
            f"reactions={reactions}: the potential has {count}, from 0, of which at "
            "least one must be the pores' and one must not."
        )
    law = Arrhenius(jnp.asarray(energy, float), cell.temperature)
    pores = PoreFilling(constant(rate, law), reactions)
    particle = dataclasses.replace(cell.negative.particle, pores=pores)
    return eqx.tree_at(lambda c: c.negative.particle, cell, particle)
