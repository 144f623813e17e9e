"""Bounded Levenberg-Marquardt for many sums of squares at once.

Each search keeps a quadratic model of the cost at its best point, with g = J^T r and
H = J^T J. Let d_i be the distance of x_i to the bound towards which it moves along -g. The
search tries the step p that minimises

    g p + p (H + diag(|g| / d)) p / 2,    sum of p_i^2 / d_i <= radius^2.

The term |g| / d keeps numbers from running into their bounds long before the others are
near their best values, which would end many fits in poor minima. Numbers can still come to
rest at a bound, but late, and they can leave it again.

A Jacobian by many numbers costs as much as a hundred simulations. After a step that went
well, further steps may therefore use a secant: a Jacobian that is updated from the
residuals by Broyden's rule. Where a step on a secant fails, or a search would end on one,
the Jacobian is computed anew and decides.

The searches are independent. Which of them are evaluated together is up to the caller.

Reference: Coleman and Li, SIAM J. Optim. 6 (1996) 418 for the scaling; Branch, Coleman and
Li, SIAM J. Sci. Comput. 21 (1999) 1 for least squares; Broyden, Math. Comput. 19 (1965) 577.
"""

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np

POOR, GOOD = 0.25, 0.75
"""Actual over predicted fall of the cost: below the first the radius shrinks, above the
second it may grow."""

SHRINKS, GROWS = 0.25, 2.0
"""Factors by which the radius shrinks and grows."""

HARDLY = 0.01
"""Where steps fail, shorter ones are tried until their predicted fall is this share of
the fall at which a search counts as converged."""

INSIDE = 0.995
"""Share of the way to a bound that one step may go."""

MARGIN = 1e-6
"""Distance from the bounds at which a search begins at least, over their distance."""

NEAREST = 1e-12
"""Smallest distance to a bound that enters formulas, so that nothing is divided by zero."""

FLAT = 1e-14
"""Smallest eigenvalue of the curvature that enters formulas, over the largest."""

ACCEPTED = 1e-3
"""A trial is accepted if the cost falls by more than this share of the predicted fall."""

SECANTS = 8
"""Steps on secants in a row, at most."""

FAR = 0.5
"""A step that lowers the cost to less than this share of it is followed by a new
Jacobian: far from the minimum the Jacobian changes too much, and searches on secants end
in poor minima."""

SHORTEST = 1e-5
"""A search ends where its steps become shorter than this, in units of x."""


class SearchState(enum.IntEnum):
    """Whether a search goes on, or how it ended.

    `STALLED`: even short steps no longer lower the cost as predicted. The cost has kinks
    there, or is rough, as simulations choose their time steps anew at each point.
    """

    SEARCHING = 0
    NOTHING_TO_GAIN = 1
    STALLED = 2
    EVALUATION_LIMIT = 3
    FAILED_START = 4

    @property
    def in_words(self) -> str:
        """How the search ended."""
        return {
            SearchState.SEARCHING: "not ended",
            SearchState.NOTHING_TO_GAIN: "converged",
            SearchState.STALLED: "stalled (the cost has kinks where it stopped)",
            SearchState.EVALUATION_LIMIT: "stopped, not converged,",
            SearchState.FAILED_START: "failed at its start",
        }[self]


@dataclass(frozen=True)
class Normal:
    """Normal equations of k sums of squares, from residuals r and Jacobians J.

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
    """States of k searches; each array has one row for each of them.

    Attributes:
        x: best points so far, (k, n).
        cost, gradient, curvature: normal equations at `x`; see `Normal`.
        trial: points to evaluate next, (k, n).
        foretold: fall of the cost that the quadratic model predicts at `trial`, (k,).
        length: length of the step to `trial`, in the norm of `radius`, (k,).
        radius: longest step allowed; infinite at first, (k,).
        secants: steps since the Jacobian was computed; -1 where it is to be computed anew
            at the best point, which then is also the trial, (k,).
        evaluations: evaluations so far, without those of steps on secants, (k,).
        state: a `SearchState`, (k,).
    """

    x: np.ndarray
    cost: np.ndarray
    gradient: np.ndarray
    curvature: np.ndarray
    trial: np.ndarray
    foretold: np.ndarray
    length: np.ndarray
    radius: np.ndarray
    secants: np.ndarray
    evaluations: np.ndarray
    state: np.ndarray

    @classmethod
    def beginning(
        cls, starts: np.ndarray, lower: np.ndarray, upper: np.ndarray
    ) -> "Searches":
        """Searches before their first evaluation.

        Args:
            starts: where they start, (k, n); moved just inside of the bounds.
            lower, upper: bounds, (n,) each.
        """
        k, n = starts.shape
        margin = MARGIN * (upper - lower)
        starts = np.clip(starts, lower + margin, upper - margin)
        return cls(
            x=starts.copy(),
            cost=np.full(k, np.inf),
            gradient=np.zeros((k, n)),
            curvature=np.zeros((k, n, n)),
            trial=starts.copy(),
            foretold=np.zeros(k),
            length=np.zeros(k),
            radius=np.full(k, np.inf),
            secants=np.zeros(k, int),
            evaluations=np.zeros(k, int),
            state=np.full(k, int(SearchState.SEARCHING)),
        )

    def part(self, rows: np.ndarray) -> "Searches":
        """The searches of some rows."""
        return Searches(*(getattr(self, f.name)[rows] for f in fields(self)))

    def update(self, rows: np.ndarray, part: "Searches") -> None:
        """Overwrite the searches of some rows."""
        for f in fields(self):
            getattr(self, f.name)[rows] = getattr(part, f.name)


def comes_true(s: Searches, costs: np.ndarray) -> np.ndarray:
    """Which trials are accepted, given their costs, (k,); the first of a search always is."""
    return np.isfinite(costs) & (_share(s, costs) > ACCEPTED)


def goes_well(s: Searches, costs: np.ndarray) -> np.ndarray:
    """After which trials a secant can replace the Jacobian, given their costs, (k,)."""
    foretold = np.isfinite(costs) & (_share(s, costs) >= POOR)
    near = costs > FAR * s.cost
    return foretold & near & ~_is_first(s) & (s.secants < SECANTS)


def _is_first(s: Searches) -> np.ndarray:
    """Which trials did not come from a step: the start, and points evaluated anew, (k,)."""
    return np.isinf(s.cost) | (s.secants < 0)


def _share(s: Searches, costs: np.ndarray) -> np.ndarray:
    """Actual over predicted fall of the costs, (k,); 1 for trials that are first."""
    first = _is_first(s)
    with np.errstate(invalid="ignore"):
        fall = (s.cost - costs) / np.where(first, 1.0, np.maximum(s.foretold, 1e-300))
    return np.where(first, 1.0, fall)


def advanced(
    s: Searches,
    found: Normal,
    lower: np.ndarray,
    upper: np.ndarray,
    *,
    tolerance: float,
    most: int,
    secant: np.ndarray | None = None,
) -> tuple[Searches, np.ndarray]:
    """Accept or reject the trials of all searches, and choose their next ones.

    Args:
        s: searches.
        found: normal equations at their trials; a cost that is not finite is rejected.
        lower, upper: bounds of x, (n,) each.
        secant: at which trials the Jacobian is a secant, (k,); none: at none.
        tolerance: a search has converged when the quadratic model predicts a fall of the
            cost by less than this share of it; it stalls when steps with a larger
            predicted fall keep failing.
        most: most evaluations of each search.

    Returns:
        the searches with their next trials, and which trials became best points, (k,).
    """
    first = _is_first(s)
    computed = ~np.zeros(len(s.cost), bool) if secant is None else ~secant
    # A search cannot go on from a point without derivatives: its trial counts as failed.
    smooth = np.isfinite(found.gradient).all(1) & np.isfinite(found.curvature).all(
        (1, 2)
    )
    costs = np.where(smooth, found.cost, np.nan)
    share, better = _share(s, costs), comes_true(s, costs)
    longer = np.maximum(s.radius, GROWS * s.length)
    # Where a step on a secant fails, the radius stays: how far a computed Jacobian holds is
    # not known from it.
    misled = ~better & (s.secants > 0)
    radius = np.select(
        [first | misled, ~(share >= POOR), share > GOOD],
        [s.radius, SHRINKS * s.length, longer],
        s.radius,
    )

    one, two = better[:, None], better[:, None, None]
    x = np.where(one, s.trial, s.x)
    cost = np.where(better, found.cost, s.cost)
    gradient = np.where(one, found.gradient, s.gradient)
    curvature = np.where(two, found.curvature, s.curvature)

    step = Steps.of(gradient, curvature, lower - x, upper - x, radius)
    foretold, little = step.foretold, tolerance * cost
    longest = np.max(np.abs(step.p), axis=1, initial=0.0)
    secants = np.where(better, np.where(computed, 0, s.secants + 1), s.secants)
    evaluations = s.evaluations + np.where(better, computed, ~misled)
    state = np.select(
        [
            ~np.isfinite(cost),
            step.whole <= little,
            (~better & (foretold <= HARDLY * little)) | (longest <= SHORTEST),
            evaluations >= most,
        ],
        [
            int(SearchState.FAILED_START),
            int(SearchState.NOTHING_TO_GAIN),
            int(SearchState.STALLED),
            int(SearchState.EVALUATION_LIMIT),
        ],
        int(SearchState.SEARCHING),
    )
    anew = (secants > 0) & (misled | (state != SearchState.SEARCHING))
    new = Searches(
        x,
        cost,
        gradient,
        curvature,
        trial=np.where(anew[:, None], x, x + step.p),
        foretold=foretold,
        length=step.length,
        radius=radius,
        secants=np.where(anew, -1, secants),
        evaluations=evaluations,
        state=np.where(anew, int(SearchState.SEARCHING), state),
    )
    return new, better


def minimise(
    linearised: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    start: np.ndarray,
    bounds: tuple[np.ndarray, np.ndarray],
    *,
    tolerance: float,
    most: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Minimise one sum of squares.

    Args:
        linearised: function of x, (n,), that gives residuals, (m,), and Jacobian, (m, n).
        start: where to start, (n,).
        bounds: lower and upper bounds of x, (n,) each.
        tolerance, most: see `advanced`.

    Returns:
        the best x and the residuals there.
    """
    s = Searches.beginning(start[None], *bounds)
    best = np.zeros(0)
    while s.state[0] == SearchState.SEARCHING:
        r, J = linearised(s.trial[0])
        s, better = advanced(
            s, Normal.of([(r, J)]), *bounds, tolerance=tolerance, most=most
        )
        best = r if better[0] or not best.size else best
    return s.x[0], best


@dataclass(frozen=True)
class Steps:
    """Steps to try, and what the quadratic models predict of them.

    Attributes:
        p: steps, (k, n).
        length: lengths in the scaled norm, (k,).
        foretold: predicted fall of the cost, (k,).
        whole: predicted fall with a step of any length, (k,).
    """

    p: np.ndarray
    length: np.ndarray
    foretold: np.ndarray
    whole: np.ndarray

    @classmethod
    def of(
        cls,
        gradient: np.ndarray,
        curvature: np.ndarray,
        low: np.ndarray,
        high: np.ndarray,
        radius: np.ndarray,
    ) -> "Steps":
        """The steps inside of bounds and radius with the largest predicted fall.

        Three are compared: the damped step, shortened to stay inside of the bounds; the
        one that holds numbers at the bounds that they would cross; and steepest descent.

        Args:
            gradient, curvature: of the quadratic models, (k, n) and (k, n, n).
            low, high: bounds of the step, (k, n).
            radius: longest step, (k,).
        """
        towards = np.where(gradient < 0.0, high, -low)
        root = np.sqrt(np.maximum(towards, NEAREST))
        # Scaled variables p / root, in which the limit of the step is a ball.
        g = root * gradient
        A = root[:, :, None] * curvature * root[:, None, :]
        A = A + np.abs(gradient)[:, :, None] * np.eye(g.shape[1])
        values, vectors = np.linalg.eigh(A)
        values = np.maximum(values, FLAT * np.maximum(values[:, -1:], FLAT))
        along = np.einsum("kij,ki->kj", vectors, g)

        def step(damping: np.ndarray) -> np.ndarray:
            return -np.einsum("kij,kj->ki", vectors, along / (values + damping))

        whole, damping = step(np.zeros((len(g), 1))), _damping(along, values, radius)
        limited = step(damping[:, None])
        ends = INSIDE * low / root, INSIDE * high / root
        down = -g * (_dot(g, g) / np.maximum(_dot(g, _times(A, g)), 1e-300))[:, None]
        # So that one number close to its bound does not shorten the step of all others.
        curved = (vectors * (values + damping[:, None])[:, None]) @ vectors.mT
        held = _inside(g, curved, *ends)
        tries = [
            p
            * np.minimum(_room(p, *ends), radius / np.maximum(_norm(p), 1e-300))[
                :, None
            ]
            for p in (limited, held, down)
        ]
        falls = [-_dot(p, g) - 0.5 * _dot(p, _times(A, p)) for p in tries]
        best = np.argmax(falls, axis=0)
        p = np.choose(best[:, None], tries)
        return cls(
            root * p,
            _norm(p),
            np.choose(best, falls),
            -_dot(whole, g) - 0.5 * _dot(whole, _times(A, whole)),
        )


def _inside(g: np.ndarray, A: np.ndarray, low: np.ndarray, high: np.ndarray):
    """Approximate minimum of g p + p A p / 2 between bounds, (k, n).

    Numbers that would cross a bound are held at it, and the others are minimised again.
    """
    held, p = np.zeros(g.shape, bool), np.zeros_like(g)
    for _ in range(g.shape[1]):
        free = ~held
        kept = A * (free[:, :, None] & free[:, None, :]) + held[:, None] * np.eye(
            len(g.T)
        )
        pushed = np.where(held, p, -g - _times(A, np.where(held, p, 0.0)))
        p = np.linalg.solve(kept, pushed[:, :, None])[:, :, 0]
        leaves = free & ((p < low) | (p > high))
        if not leaves.any():
            break
        p, held = np.clip(p, low, high), held | leaves
    return p


def _room(p: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Largest factor, at most 1, with which each step stays between bounds, (k,)."""
    ends, moves = np.where(p < 0.0, low, high), p != 0.0
    share = np.where(moves, ends / np.where(moves, p, 1.0), 1.0)
    return np.minimum(1.0, np.min(share, axis=1, initial=1.0))


def _damping(along: np.ndarray, values: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Damping that shortens steps to the radius, by bisection, (k,); 0 for shorter steps.

    Args:
        along: gradients in the basis of the curvature's eigenvectors, (k, n).
        values: eigenvalues of the curvature, (k, n).
        radius: longest step, (k,).
    """

    def too_long(damping: np.ndarray) -> np.ndarray:
        return np.sum((along / (values + damping[:, None])) ** 2, axis=1) > radius**2

    low = 1e-16 * values[:, -1]
    high = _norm(along) / radius + low
    for _ in range(60):
        middle = np.sqrt(low * high)
        longer = too_long(middle)
        low, high = np.where(longer, middle, low), np.where(longer, high, middle)
    return np.where(too_long(np.zeros_like(radius)), high, 0.0)


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("ki,ki->k", a, b)


def _norm(a: np.ndarray) -> np.ndarray:
    return np.sqrt(_dot(a, a))


def _times(A: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("kij,kj->ki", A, b)
