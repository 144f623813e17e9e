"""Bounded Levenberg-Marquardt for many sums of squares at once.

Each search keeps the quadratic q(p) = cost + g p + p H p / 2 around its best point, with
g = J^T r and H = J^T J, and tries the point that minimises

    q(p) + damping/2 p diag(H) p,    lower <= x + p <= upper.

The bounds belong to the small problem (an active set), so that a number can sit at one and
leave it again. Searches know nothing of each other: what is evaluated together is up to the
caller, and one that has ended takes no part any more.

Reference: Nielsen, Damping Parameter in Marquardt's Method, IMM-REP-1999-05, DTU (1999)
for the damping; Bertsekas, SIAM J. Control Optim. 20 (1982) 221 for the active set.
"""

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np

FIRST_DAMPING = 1e-4
LEAST_DAMPING = 1e-12
SHRINKS = 0.1
"""Most that a step which does what was foretold of it lessens the damping by."""

ACCEPTED = 1e-3
"""Of the fall that the quadratic foretells: points that gain less are not gone to."""

SHORTEST = 1e-5
"""Steps shorter than this end a search, in units of x."""


class State(enum.IntEnum):
    """How a search stands."""

    SEARCHING = 0
    NOTHING_TO_GAIN = 1
    NO_SHORTER_STEP = 2
    EVALUATION_LIMIT = 3
    FAILED_START = 4


@dataclass(frozen=True)
class Normal:
    """Sums of squares of residuals r near points, with their Jacobians J.

    Attributes:
        cost: half the sum of squares, (k,).
        gradient: J^T r, (k, n).
        curvature: J^T J, (k, n, n).
    """

    cost: np.ndarray
    gradient: np.ndarray
    curvature: np.ndarray

    @classmethod
    def of(cls, rows: Sequence[tuple[np.ndarray, np.ndarray]]) -> "Normal":
        """From the residuals, (m,), and Jacobian, (m, n), at each point."""
        return cls(
            np.array([0.5 * (r @ r) for r, _ in rows]),
            np.stack([r @ J for r, J in rows]),
            np.stack([J.T @ J for _, J in rows]),
        )


@dataclass
class Searches:
    """Searches, one a row of each array.

    Attributes:
        x: best points so far, (k, n).
        cost, gradient, curvature: there; see `Normal`.
        trial: points to evaluate next, (k, n).
        foretold: fall of the cost that the quadratic expects there, (k,).
        damping: (k,).
        growth: by what the damping grows when the trial is no better, (k,).
        evaluations: so far, (k,).
        state: a `State`, (k,).
    """

    x: np.ndarray
    cost: np.ndarray
    gradient: np.ndarray
    curvature: np.ndarray
    trial: np.ndarray
    foretold: np.ndarray
    damping: np.ndarray
    growth: np.ndarray
    evaluations: np.ndarray
    state: np.ndarray

    @classmethod
    def beginning(cls, starts: np.ndarray) -> "Searches":
        """Searches of which nothing is known but where they start, (k, n)."""
        k, n = starts.shape
        return cls(
            x=starts.copy(),
            cost=np.full(k, np.inf),
            gradient=np.zeros((k, n)),
            curvature=np.zeros((k, n, n)),
            trial=starts.copy(),
            foretold=np.zeros(k),
            damping=np.full(k, FIRST_DAMPING),
            growth=np.full(k, 2.0),
            evaluations=np.zeros(k, int),
            state=np.full(k, int(State.SEARCHING)),
        )

    def part(self, rows: np.ndarray) -> "Searches":
        """Some of the searches."""
        return Searches(*(getattr(self, f.name)[rows] for f in fields(self)))

    def update(self, rows: np.ndarray, part: "Searches") -> None:
        """Put back what became of some of the searches."""
        for f in fields(self):
            getattr(self, f.name)[rows] = getattr(part, f.name)


def advanced(
    s: Searches,
    found: Normal,
    lower: np.ndarray,
    upper: np.ndarray,
    *,
    tolerance: float,
    most: int,
) -> tuple[Searches, np.ndarray]:
    """What follows from the evaluation of all trials.

    Args:
        s: searches.
        found: at their trials; a cost that is not finite is refused.
        lower, upper: bounds of x, (n,) each.
        tolerance: a search ends when the quadratic foretells a fall of the cost by less
            than this share of it, or no step that is foretold more comes true.
        most: evaluations of each search.

    Returns:
        the searches with their next trials, and which trials are their best points, (k,).
    """
    first = np.isinf(s.cost)
    foretold = np.where(first, 1.0, np.maximum(s.foretold, 1e-300))
    with np.errstate(invalid="ignore"):
        share = np.where(first, 1.0, (s.cost - found.cost) / foretold)
    better = np.isfinite(found.cost) & (share > ACCEPTED)
    shrunk = s.damping * np.maximum(SHRINKS, 1.0 - (2.0 * share - 1.0) ** 3)
    damping = np.where(better, np.where(first, s.damping, shrunk), s.damping * s.growth)
    growth = np.where(better, 2.0, 2.0 * s.growth)
    damping = np.maximum(damping, LEAST_DAMPING)

    one, two = better[:, None], better[:, None, None]
    x = np.where(one, s.trial, s.x)
    cost = np.where(better, found.cost, s.cost)
    gradient = np.where(one, found.gradient, s.gradient)
    curvature = np.where(two, found.curvature, s.curvature)

    step, foretold = _step(gradient, curvature, damping, lower - x, upper - x)
    # Along a flat valley the damping hides what there is to gain.
    least = np.full_like(damping, LEAST_DAMPING)
    _, undamped = _step(gradient, curvature, least, lower - x, upper - x)
    little = tolerance * cost
    evaluations = s.evaluations + 1
    state = np.select(
        [
            ~np.isfinite(cost),
            (undamped <= little) | (~better & (foretold <= little)),
            np.max(np.abs(step), axis=1, initial=0.0) <= SHORTEST,
            evaluations >= most,
        ],
        [
            int(State.FAILED_START),
            int(State.NOTHING_TO_GAIN),
            int(State.NO_SHORTER_STEP),
            int(State.EVALUATION_LIMIT),
        ],
        int(State.SEARCHING),
    )
    trial = np.clip(x + step, lower, upper)
    new = Searches(
        x,
        cost,
        gradient,
        curvature,
        trial,
        foretold,
        damping,
        growth,
        evaluations,
        state,
    )
    return new, better


def _step(
    gradient: np.ndarray,
    curvature: np.ndarray,
    damping: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Damped steps between bounds, (k, n), and what the quadratics fall by, (k,)."""
    diagonal = np.maximum(np.einsum("kii->ki", curvature), 1e-12)
    damped = curvature + (damping[:, None] * diagonal)[:, :, None] * np.eye(len(low[0]))
    step = bounded_step(gradient, damped, low, high)
    return step, -_quadratic(gradient, curvature, step)


def minimise(
    linearised: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    start: np.ndarray,
    bounds: tuple[np.ndarray, np.ndarray],
    *,
    tolerance: float,
    most: int,
) -> tuple[np.ndarray, np.ndarray]:
    """One search by itself.

    Args:
        linearised: of x, residuals (m,) and their Jacobian (m, n).
        start: of x, (n,).
        bounds: of x, (n,) each.
        tolerance, most: see `advanced`.

    Returns:
        the best x and the residuals there.
    """
    s = Searches.beginning(np.clip(start, *bounds)[None])
    best = np.zeros(0)
    while s.state[0] == State.SEARCHING:
        r, J = linearised(s.trial[0])
        s, better = advanced(
            s, Normal.of([(r, J)]), *bounds, tolerance=tolerance, most=most
        )
        best = r if better[0] or not best.size else best
    return s.x[0], best


def bounded_step(
    gradient: np.ndarray, curvature: np.ndarray, low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """The p that minimises g p + p H p / 2 between bounds, for many at once, (k, n).

    Newton steps of what is not held at a bound, until the same numbers are held twice. A
    round that has not found its set by then, which is rare, goes down the gradient.

    Args:
        gradient: (k, n).
        curvature: positive definite, (k, n, n).
        low, high: bounds that hold zero, (k, n).
    """
    k, n = gradient.shape
    p, before = np.zeros((k, n)), np.zeros((k, n), bool)
    for _ in range(2 * n + 2):
        slope = gradient + np.einsum("kij,kj->ki", curvature, p)
        held = ((p <= low) & (slope > 0.0)) | ((p >= high) & (slope < 0.0))
        free = ~held
        both = free[:, :, None] & free[:, None, :]
        matrix = np.where(both, curvature, np.eye(n))
        right = np.where(free, -slope, 0.0)
        new = np.clip(
            p + np.linalg.solve(matrix, right[:, :, None])[:, :, 0], low, high
        )
        settled = np.array_equal(held, before) and np.allclose(
            new, p, rtol=1e-9, atol=0
        )
        p, before = new, held
        if settled:
            break
    steepest = gradient / np.einsum("kii->k", curvature)[:, None]
    fallback = np.clip(-steepest, low, high)
    falls = _quadratic(gradient, curvature, p) <= _quadratic(
        gradient, curvature, fallback
    )
    return np.where(falls[:, None], p, fallback)


def _quadratic(
    gradient: np.ndarray, curvature: np.ndarray, p: np.ndarray
) -> np.ndarray:
    """g p + p H p / 2, (k,)."""
    along = gradient + 0.5 * np.einsum("kij,kj->ki", curvature, p)
    return np.einsum("ki,ki->k", along, p)
