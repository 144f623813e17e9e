"""From loadings and foils to the geometry of the DFN and the mass of the cell."""

from ._stack import MassBreakdown, Stack, nfm_prismatic

__all__ = ["MassBreakdown", "Stack", "nfm_prismatic"]
