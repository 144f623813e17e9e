"""A flat cell whose layers differ in temperature, as a pack of them in parallel."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp

from ..parameters import Cell, Limits
from ..physics import heat
from ._pack import UNBOUNDED, Pack, Wiring


def in_layers(cell: Cell, n: int) -> Pack:
    """A cell in equal layers; heat goes from each to the next and to the surroundings.

    Raises:
        ValueError: when the cell does not say how heat goes through its stack.
    """
    thermal = cell.thermal
    if thermal.through_plane is None:
        raise ValueError(
            "This cell does not say how heat goes through its stack "
            "(thermal.through_plane is None). Give it with "
            "`parameters.with_heat_through_stack`, or use the model `Lumped`."
        )
    at = thermal.through_plane
    exchange, outside = heat.between_layers(
        at.conductance,
        at.first * thermal.cooling,
        at.last * thermal.cooling,
        (1.0 - at.first - at.last) * thermal.cooling,
        n,
    )
    # What ends a step are the limits of the cell, or of the step.
    none = Limits(jnp.asarray(-UNBOUNDED), jnp.asarray(UNBOUNDED))
    layer = dataclasses.replace(cell.layer(n), limits=none)
    layers = jax.tree.map(lambda a: jnp.broadcast_to(a, (n, *jnp.shape(a))), layer)
    return Pack(
        (eqx.tree_at(lambda c: c.thermal.cooling, layers, outside),),
        in_parallel(n),
        connection=jnp.zeros(n),
        string_resistance=jnp.zeros(1),
        exchange=exchange + jnp.diag(outside),
        converters=None,
        nominal_capacity=cell.nominal_capacity,
    )


def in_parallel(n: int) -> Wiring:
    """Wiring of n equal cells in parallel."""
    return Wiring(tuple(range(n)), (0,) * n, (0,), (n,))
