"""naion: a differentiable Doyle-Fuller-Newman model of sodium-ion cells in JAX."""

from . import parameters
from ._precision import enable_x64
from ._results import Result
from .mesh import Mesh
from .models import DFN, Isothermal, Lumped
from .protocol import Mode, Protocol, Step
from .simulation import Solution, simulate
