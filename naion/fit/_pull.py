"""How bounds hold a fit, and what fits to other data within the same bounds would find."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ._errors import inverse_of

EDGE = 1e-3
"""Of the distance between bounds: nearer, a number counts as at one. Searches end inside."""


def at_bounds(
    z: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Which transformed values are at their lower, and at their upper bound, (n,) each."""
    edge = EDGE * (high - low)
    return z - low < edge, high - z < edge


@dataclass(frozen=True)
class Pull:
    """The cost of a fit around its end, as far as its bounds matter.

    Attributes:
        unconstrained: transformed values at which the quadratic cost would be least if no
            number were held at a bound, (n,); the fit's own values where none is.
        hessian: of the cost, data and priors, in the approximation of Gauss and Newton,
            (n, n).
    """

    unconstrained: np.ndarray
    hessian: np.ndarray

    def part(self, keep: np.ndarray) -> "Pull":
        """For some of the numbers, while the others are where they fit best.

        Args:
            keep: entries, (m,).
        """
        C = inverse_of(self.hessian)[np.ix_(keep, keep)]
        return Pull(self.unconstrained[keep], inverse_of(C))

    def within(self, z: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """The values within bounds at which the cost is least, were it least at `z` without.

        What a bound holds is made up for by the numbers that the data tie to it. Clipping
        each number alone would make cells that no data support.

        Args:
            z: values without bounds, (k, n).
            low, high: bounds, (n,).

        Returns:
            values, (k, n).

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
        # Of no number at all, what was written is an empty list.
        return cls(to, np.array(data["hessian"]).reshape(np.shape(to) * 2))
