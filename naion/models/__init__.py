"""The Doyle-Fuller-Newman model: residual, linearisation and observables."""

from ._dfn import DFN, Equations, control_residual
from ._grid import Grid
from ._layout import Layout, State
from ._losses import Losses, losses
from ._thermal import (
    THERMAL,
    Isothermal,
    Layers,
    Lumped,
    ThroughStack,
    lay_out_layers,
)

__all__ = [
    "DFN",
    "THERMAL",
    "Equations",
    "Grid",
    "Isothermal",
    "Layers",
    "Layout",
    "Losses",
    "Lumped",
    "State",
    "ThroughStack",
    "control_residual",
    "lay_out_layers",
    "losses",
]
