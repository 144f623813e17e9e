"""The Doyle-Fuller-Newman model: residual, linearisation and observables."""

from ._dfn import DFN, Isothermal, Lumped
from ._grid import Grid
from ._layout import Layout, State
from ._losses import Losses, losses

__all__ = [
    "DFN",
    "Grid",
    "Isothermal",
    "Layout",
    "Losses",
    "Lumped",
    "State",
    "losses",
]
