"""Meshes: finite volumes through the cell and spherical shells in the particles."""

from ._mesh import Mesh, Shells

__all__ = ["Mesh", "Shells"]
