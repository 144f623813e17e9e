"""The Doyle-Fuller-Newman model: residual, linearisation and observables."""

from ._dfn import DFN, Equations
from ._discretised import DiscretisedCell
from ._frequency import at_frequency
from ._imposed import control_residual
from ._layout import Layout, State
from ._losses import Losses, losses
from ._thermal import THERMAL, Isothermal, Lumped, ThroughStack, heat_balance

__all__ = [
    "DFN",
    "THERMAL",
    "Equations",
    "DiscretisedCell",
    "Isothermal",
    "Layout",
    "Losses",
    "Lumped",
    "State",
    "ThroughStack",
    "at_frequency",
    "control_residual",
    "heat_balance",
    "losses",
]
