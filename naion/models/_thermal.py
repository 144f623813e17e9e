"""The temperature of a cell: given, one unknown, or one for every layer of the stack."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..mesh import Mesh
from ..parameters import Cell
from ..physics import heat
from ._discretised import DiscretisedCell


class Isothermal(eqx.Module):
    """The cell has the temperature that the control gives."""


class Lumped(eqx.Module):
    """One temperature, m c_p dT/dt = heat - h A (T - T_ambient)."""


class ThroughStack(eqx.Module):
    """Layers of the cell, each with its own DFN and temperature.

    The layers lie in parallel: one voltage, currents that add up. Heat goes from each to
    the next, and out by the faces and the edges of the cell; warm ones carry more
    current. Matters where h H / (2 lambda_z) is not small, h the heat transfer
    coefficient of the faces, H the thickness of the cell. Needs
    `cell.thermal.through_plane`.

    Attributes:
        nodes: equal layers through the thickness.
    """

    nodes: int = eqx.field(static=True, default=5)

    def __check_init__(self):
        whole = isinstance(self.nodes, int) and not isinstance(self.nodes, bool)
        if not whole or self.nodes < 1:
            raise ValueError(
                f"ThroughStack: nodes is {self.nodes!r}; expected a whole number of "
                "layers, at least 1."
            )


THERMAL = {"isothermal": Isothermal, "lumped": Lumped, "stack": ThroughStack}
"""Heat balances by the names that command lines and files use."""


class Layers(NamedTuple):
    """A cell in layers.

    Attributes:
        grid: one of the layers, without cooling.
        exchange: heat into the layers by their temperatures, (nodes, nodes) [W.K-1].
        outside: and by the temperature of the surroundings, (nodes,) [W.K-1].
        heat_capacity: of one layer [J.K-1].
        nominal_capacity: of the cell [A.h].
    """

    grid: DiscretisedCell
    exchange: Float[Array, "k k"]
    outside: Float[Array, " k"]
    heat_capacity: Float[Array, ""]
    nominal_capacity: Float[Array, ""]

    @property
    def cell(self) -> Cell:
        """One layer."""
        return self.grid.cell


def discretise_layers(mesh: Mesh, cell: Cell, nodes: int) -> Layers:
    """A cell in equal layers on a mesh.

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
        nodes,
    )
    layer = cell.layer(nodes)
    uncooled = eqx.tree_at(lambda c: c.thermal.cooling, layer, jnp.zeros(()))
    return Layers(
        DiscretisedCell(mesh, uncooled),
        exchange,
        outside,
        thermal.mass * thermal.specific_heat / nodes,
        cell.nominal_capacity,
    )
