"""The least change of uncertain numbers that makes a design cheaper by so much."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .._blas import one_blas_thread
from ..parameters import Sourced

NEGLIGIBLE = 0.05
"""Changes below this many standard deviations are not worth naming."""

MOST_SHARE = 10.0
"""Largest ratio of two costs that can be asked for; more was meant in percent."""


@dataclass(frozen=True)
class Change:
    """The least change of uncertain numbers that makes a design cheaper by so much.

    Attributes:
        distance: length of the change in standard deviations of all numbers together.
        parts: name, median, changed value and unit of each number, the furthest moved first.
        reaches: whether the ratio of costs is reached; if not, `parts` are those of the
            nearest point found.
        share: cost of the design over that of the other, with the change.
    """

    distance: float
    parts: tuple[tuple[str, float, float, str], ...]
    reaches: bool
    share: float


@one_blas_thread()
def nearest(
    ratio: Callable[[np.ndarray], tuple[float, np.ndarray]],
    numbers: Sequence[Sourced],
    share: float,
) -> tuple[np.ndarray, float]:
    """The point nearest to the medians at which a ratio of costs is at most a share.

    Distances are in standard deviations of the numbers, and no number moves more than
    three of its own: the design point of first-order reliability analysis.

    Args:
        ratio: value and gradient of the ratio, as functions of the numbers' standard
            deviations from their medians, (n,).
        numbers: the uncertain numbers.
        share: the ratio to reach.

    Returns:
        the point, (n,), and the ratio there.
    """
    from scipy import optimize

    done = optimize.minimize(
        lambda u: (0.5 * float(u @ u), u),
        np.zeros(len(numbers)),
        jac=True,
        method="SLSQP",
        bounds=np.clip(np.array([s.reach for s in numbers]), -3.0, 3.0),
        constraints={
            "type": "ineq",
            "fun": lambda u: share - float(ratio(u)[0]),
            "jac": lambda u: -np.asarray(ratio(u)[1]),
        },
        options={"maxiter": 200, "ftol": 1e-8},
    )
    return done.x, float(ratio(done.x)[0])
