"""Numerical kernels of naion, one folder each. Imports only JAX and NumPy."""

from . import block_tridiagonal as block_tridiagonal
from . import lanes as lanes
from ._cautions import Caution as Caution
from ._cautions import caution as caution
from ._folders import cache_folder as cache_folder
from ._folders import nothing_kept as nothing_kept
from ._folders import try_writing as try_writing

__all__ = [
    "Caution",
    "block_tridiagonal",
    "cache_folder",
    "caution",
    "lanes",
    "nothing_kept",
    "try_writing",
]
