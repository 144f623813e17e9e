"""naion: a differentiable Doyle-Fuller-Newman model of sodium-ion cells in JAX."""

import importlib
from typing import TYPE_CHECKING, Any

from ._version import __version__ as __version__

if TYPE_CHECKING:
    from . import (
        batch,
        claims,
        cost,
        data,
        design,
        duty,
        fit,
        io,
        life,
        pack,
        parameters,
        plot,
        report,
    )
    from ._cautions import Caution
    from ._precision import enable_x64
    from ._progress import ProgressBar
    from ._results import Result
    from .comparison import summary
    from .mesh import Mesh
    from .models import DFN, Isothermal, Lumped, ThroughStack
    from .parameters import half_cell, lithium_metal, load, sodium_metal
    from .physics.kinetics import ButlerVolmer
    from .protocol import Mode, Protocol, Step
    from .simulation import Solution, impedance, simulate

__all__ = [
    "DFN",
    "ButlerVolmer",
    "Caution",
    "Isothermal",
    "Lumped",
    "Mesh",
    "Mode",
    "ProgressBar",
    "Protocol",
    "Result",
    "Solution",
    "Step",
    "ThroughStack",
    "batch",
    "claims",
    "data",
    "cost",
    "design",
    "duty",
    "enable_x64",
    "fit",
    "half_cell",
    "impedance",
    "io",
    "life",
    "lithium_metal",
    "load",
    "pack",
    "parameters",
    "plot",
    "report",
    "simulate",
    "sodium_metal",
    "summary",
]

_HOMES = {
    "Caution": "._cautions",
    "enable_x64": "._precision",
    "ProgressBar": "._progress",
    "Result": "._results",
    "batch": ".batch",
    "claims": ".claims",
    "data": ".data",
    "cost": ".cost",
    "design": ".design",
    "duty": ".duty",
    "fit": ".fit",
    "io": ".io",
    "life": ".life",
    "Mesh": ".mesh",
    "DFN": ".models",
    "Isothermal": ".models",
    "Lumped": ".models",
    "ThroughStack": ".models",
    "pack": ".pack",
    "half_cell": ".parameters",
    "lithium_metal": ".parameters",
    "load": ".parameters",
    "parameters": ".parameters",
    "sodium_metal": ".parameters",
    "ButlerVolmer": ".physics.kinetics",
    "plot": ".plot",
    "Mode": ".protocol",
    "Protocol": ".protocol",
    "Step": ".protocol",
    "report": ".report",
    "Solution": ".simulation",
    "impedance": ".simulation",
    "simulate": ".simulation",
    "summary": ".comparison",
}
"""Where each name is defined; it is imported when it is first asked for."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = importlib.import_module(_HOMES[name], __name__)
    value = home if _HOMES[name] == f".{name}" else getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
