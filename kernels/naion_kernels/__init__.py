"""Structured linear solves of naion, one folder per operation.

Imports only JAX and NumPy. Every operation has a plain JAX reference, which is both
the default implementation and the oracle for compiled ones.
"""

from . import block_tridiagonal as block_tridiagonal

__all__ = ["block_tridiagonal"]
