"""The step matrix in the frequency domain."""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array

from ..linalg import CondensedMatrix
from ._dfn import Equations
from ._discretised import DiscretisedCell
from ._processes import ACROSS
from ._surface import surface_dispersion


def at_frequency(
    equations: Equations,
    ends: CondensedMatrix,
    f: Array,
    y: Array,
    grid: DiscretisedCell,
    T: Array,
) -> CondensedMatrix:
    """The step matrix at the shift 2 pi i f.

    Double layers that are constant-phase elements have no equation in time: their
    admittance at the frequency is added here.

    Args:
        equations: equations of the cell.
        ends: stacked step matrices at the shifts 0 and 1; the matrix is linear in between.
        f: frequency [Hz].
        y: unknowns at rest, flat.
        grid: the cell, discretised.
        T: temperature [K].
    """
    turning = 2.0j * jnp.pi * f
    matrix = jax.tree.map(lambda a: a[0] + turning * (a[1] - a[0]), ends)
    if not equations.stores_charge:
        return matrix
    u = equations.named(equations.layout.unpack(y, T))
    more = turning * surface_dispersion(grid, u, f, T)
    k = equations.surface.index(ACROSS)
    local = matrix.local_local.at[k, k].add(more)
    return dataclasses.replace(matrix, local_local=local)
