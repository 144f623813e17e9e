"""Fits whose parameters end at bounds, and what fits to other data would find within
them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._blas import one_blas_thread
from ._errors import inverse_of

EDGE = 1e-3
"""Distance over that between the bounds below which a number counts as at a bound.
Searches end inside of their bounds, never exactly at one."""


def at_bounds(
    z: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Which transformed values are at their lower, and which at their upper bound, (n,)."""
    edge = EDGE * (high - low)
    return z - low < edge, high - z < edge


@dataclass(frozen=True)
class Pull:
    """The quadratic cost around the end of a fit, and how its bounds hold it.

    Attributes:
        unconstrained: transformed values at which the quadratic cost is least without
            bounds, (n,); the fit's own values where no bound holds it.
        hessian: Gauss-Newton approximation of the cost's second derivatives, data and
            priors, (n, n).
    """

    unconstrained: np.ndarray
    hessian: np.ndarray

    def part(self, keep: np.ndarray) -> "Pull":
        """The same for some of the numbers, with the others always at their best values.

        Args:
            keep: indices of the numbers, (m,).
        """
        C = inverse_of(self.hessian)[np.ix_(keep, keep)]
        return Pull(self.unconstrained[keep], inverse_of(C))

    @one_blas_thread()
    def within(self, z: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Move points into the bounds at the least cost.

        For each point, the values within the bounds at which the quadratic cost is least
        if its unconstrained minimum is at the point. Where a bound holds one number, the
        numbers that the data tie to it make up for it; clipping each number alone would
        give cells that no data support.

        Args:
            z: points, (k, n).
            low, high: bounds, (n,) each.

        Returns:
            points within the bounds, (k, n).

        Reference: Bardsley and Fox, Inverse Probl. Sci. Eng. 20 (2012) 477 (draws of
        least squares within bounds are least squares of drawn data).
        """
        from scipy import optimize

        unit = 1.0 / np.sqrt(np.diag(self.hessian))
        root = np.linalg.cholesky(
            self.hessian * np.outer(unit, unit) + 1e-9 * np.eye(len(unit))
        ).T
        found = np.clip(z, low, high)
        for k in np.flatnonzero(np.any(found != z, axis=1)):
            best = optimize.lsq_linear(
                root, root @ (z[k] / unit), (low / unit, high / unit), method="bvls"
            )
            found[k] = np.clip(best.x * unit, low, high)
        return found

    def to_json(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "unconstrained": self.unconstrained.tolist(),
            "hessian": self.hessian.tolist(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Pull":
        """The inverse of `to_json`."""
        to = np.array(data["unconstrained"])
        # For no number at all the file holds an empty list, without two dimensions.
        return cls(to, np.array(data["hessian"]).reshape(np.shape(to) * 2))
