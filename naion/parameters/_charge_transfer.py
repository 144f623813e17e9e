"""The resistance of charge transfer, which is in parallel to a double layer."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ..physics.kinetics import Interface
from ._balance import stoichiometry_at_soc
from ._cell import Cell, Electrode


def charge_transfer_resistances(cell: Cell, T: float | Array) -> dict[str, Array]:
    """Charge-transfer resistances of both electrodes, for an area of particles [ohm.m2].

        R_ct = d eta/dj at rest

    At SOC 0.5 with the salt at its initial concentration; for an electrode of several
    materials that of the first.

    Args:
        cell: one cell, or many that are stacked.
        T: temperature [K].
    """
    of = _of_one
    for _ in range(np.ndim(cell.area)):
        of = jax.vmap(of)
    return of(cell, jnp.broadcast_to(jnp.asarray(T, float), np.shape(cell.area)))


@jax.jit
def _of_one(cell: Cell, T: Array) -> dict[str, Array]:
    sto = stoichiometry_at_soc(cell, 0.5)

    def of(electrode: Electrode, x: Array) -> Array:
        p = electrode.particle
        zero, one = jnp.zeros(()), jnp.ones(())
        salt = cell.electrolyte.concentration
        at = Interface(p.rate_constant(x, T), one, x, x, p.c_max, T, salt)
        form = cell.kinetics if electrode.kinetics is None else electrode.kinetics
        by_j, by_eta = jax.grad(form.residual, argnums=(0, 1))(zero, zero, at)
        return -by_j / by_eta

    return {
        "negative": of(cell.negative, sto.negative),
        "positive": of(cell.positive, sto.positive),
    }
