"""Numerical kernels of naion, one folder each. Imports only JAX and NumPy."""

from . import block_tridiagonal as block_tridiagonal
from . import lanes as lanes

__all__ = ["block_tridiagonal", "lanes"]
