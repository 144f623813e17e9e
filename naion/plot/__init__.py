"""Figures. Every function takes axes and returns them."""

from ._figures import plot_band, plot_fit, plot_solution

__all__ = ["plot_band", "plot_fit", "plot_solution"]
