"""naion: a differentiable Doyle-Fuller-Newman model of sodium-ion cells in JAX."""

from . import batch, claims, design, fit, io, pack, parameters, plot, predict, report
from ._cautions import Caution
from ._precision import enable_x64
from ._results import Result
from .mesh import Mesh
from .models import DFN, Isothermal, Lumped, ThroughStack
from .physics.kinetics import ButlerVolmer
from .protocol import Mode, Protocol, Step
from .simulation import Solution, impedance, simulate

__version__ = "0.1.0"

__all__ = [
    "DFN",
    "ButlerVolmer",
    "Caution",
    "Isothermal",
    "Lumped",
    "Mesh",
    "Mode",
    "Protocol",
    "Result",
    "Solution",
    "Step",
    "ThroughStack",
    "batch",
    "claims",
    "design",
    "enable_x64",
    "fit",
    "impedance",
    "io",
    "pack",
    "parameters",
    "plot",
    "predict",
    "report",
    "simulate",
]
