"""The temperature of a cell: given, one unknown, or one for every layer of the stack."""

from typing import Any

import equinox as eqx


class Isothermal(eqx.Module):
    """The cell has the temperature that the control gives."""


class Lumped(eqx.Module):
    """One temperature, m c_p dT/dt = heat - h A (T - T_ambient)."""


class ThroughStack(eqx.Module):
    """Layers of the cell, each with its own DFN and temperature.

    The layers are a pack in parallel: one voltage, currents that add up. Heat goes from
    each to the next, and out by the faces and the edges of the cell; warm ones carry more
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


def heat_balance(
    name: str | None, *arguments: Any
) -> Isothermal | Lumped | ThroughStack | None:
    """The heat balance of a name in `THERMAL`; none: of none."""
    return None if name is None else THERMAL[name](*arguments)
