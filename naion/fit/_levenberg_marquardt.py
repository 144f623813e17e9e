"""Bounded Levenberg-Marquardt for many sums of squares at once.

Each search keeps the quadratic of its best point, with g = J^T r, H = J^T J and d_i the
distance to the bound that x_i moves towards along -g, and tries the step p that minimises

    g p + p (H + diag(|g| / d)) p / 2,    sum of p_i^2 / d_i <= radius^2.

The term |g| / d keeps numbers from running into their bounds long before the others have
found their places, which ends many fits in poor minima: numbers come to rest at bounds, but
late, and can leave them again.

A Jacobian by many numbers costs as much as a hundred simulations. A step that went well may
be followed by others whose Jacobian is not computed, but follows from the residuals by
Broyden's rule; what such a Jacobian does not foretell, or would end, is decided by one that
is computed anew.

Searches know nothing of each other: what is evaluated together is up to the caller, and one
that has ended takes no part any more.

Reference: Coleman and Li, SIAM J. Optim. 6 (1996) 418 for the scaling; Branch, Coleman and
Li, SIAM J. Sci. Comput. 21 (1999) 1 for least squares; Broyden, Math. Comput. 19 (1965) 577.
"""

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np

POOR, GOOD = 0.25, 0.75
"""Shares of the foretold fall: steps that bring less are followed by shorter ones, steps
that bring more may be followed by longer ones."""

SHRINKS, GROWS = 0.25, 2.0
HARDLY = 0.01
"""Of the gain at which a search ends: where steps do not bring what is foretold, shorter ones
are tried down to this."""

INSIDE = 0.995
"""Of the way to a bound that one step goes."""

MARGIN = 1e-6
"""How far inside of the bounds a search begins, of their distance."""

NEAREST = 1e-12
"""Least distance to a bound that is counted with."""

FLAT = 1e-14
"""Least curvature that is counted with, of the largest."""

ACCEPTED = 1e-3
"""Of the fall that the quadratic foretells: points that gain less are not gone to."""

SECANTS = 8
"""Steps in a row without a Jacobian that is computed, at most."""

FAR = 0.5
"""Where the cost falls to less than this share, the Jacobian is computed: far from the
minimum it changes too much, and searches on secants end in poor ones."""

SHORTEST = 1e-5
"""Steps shorter than this end a search, in units of x."""


class SearchState(enum.IntEnum):
    """How a search stands.

    `STALLED`: steps, however short, no longer bring what the quadratic foretells. The cost
    has kinks there, or is rough by what simulations choose anew at each point.
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
        length: of the trial's step, in the norm of `radius`, (k,).
        radius: most that the next step may have; none is known at first, (k,).
        secants: steps since the Jacobian was computed; -1 where it is to be computed anew
            at the best point, which then is the trial, (k,).
        evaluations: so far, (k,); not of steps without a Jacobian.
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
        """Searches of which nothing is known but where they start, (k, n).

        What lies outside of the bounds, (n,) each, starts just inside of them.
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
        """Some of the searches."""
        return Searches(*(getattr(self, f.name)[rows] for f in fields(self)))

    def update(self, rows: np.ndarray, part: "Searches") -> None:
        """Put back what became of some of the searches."""
        for f in fields(self):
            getattr(self, f.name)[rows] = getattr(part, f.name)


def comes_true(s: Searches, costs: np.ndarray) -> np.ndarray:
    """Which trials are gone to, from their costs, (k,); the first of a search always is."""
    return np.isfinite(costs) & (_share(s, costs) > ACCEPTED)


def goes_well(s: Searches, costs: np.ndarray) -> np.ndarray:
    """After which trials the Jacobian need not be computed, from their costs, (k,)."""
    foretold = np.isfinite(costs) & (_share(s, costs) >= POOR)
    near = costs > FAR * s.cost
    return foretold & near & ~_is_first(s) & (s.secants < SECANTS)


def _is_first(s: Searches) -> np.ndarray:
    """Where no Jacobian is known that the trial follows from."""
    return np.isinf(s.cost) | (s.secants < 0)


def _share(s: Searches, costs: np.ndarray) -> np.ndarray:
    """Falls of the costs over what was foretold."""
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
    """What follows from the evaluation of all trials.

    Args:
        s: searches.
        found: at their trials; a cost that is not finite is refused.
        lower, upper: bounds of x, (n,) each.
        secant: at which trials the Jacobian was not computed, but follows from the
            residuals, (k,); none: at none.
        tolerance: a search ends when the quadratic foretells a fall of the cost by less
            than this share of it; it stalls when no step that is foretold more comes true.
        most: evaluations of each search.

    Returns:
        the searches with their next trials, and which trials are their best points, (k,).
    """
    first = _is_first(s)
    computed = ~np.zeros(len(s.cost), bool) if secant is None else ~secant
    # What has no slope cannot be gone on from; of others it must not be seen at all.
    smooth = np.isfinite(found.gradient).all(1) & np.isfinite(found.curvature).all(
        (1, 2)
    )
    costs = np.where(smooth, found.cost, np.nan)
    share, better = _share(s, costs), comes_true(s, costs)
    longer = np.maximum(s.radius, GROWS * s.length)
    # A step that an old Jacobian foretold says nothing about how far a new one holds.
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
    """One search by itself.

    Args:
        linearised: of x, residuals (m,) and their Jacobian (m, n).
        start: of x, (n,).
        bounds: of x, (n,) each.
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
    """Steps that are to be tried.

    Attributes:
        p: (k, n).
        length: in the scaled norm, (k,).
        foretold: fall of the quadratic, (k,).
        whole: fall of the quadratic with no limit to the step, (k,).
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
        """The best of steps inside of bounds and radius.

        Args:
            gradient, curvature: of quadratics, (k, n) and (k, n, n).
            low, high: bounds of the step, (k, n).
            radius: (k,).
        """
        towards = np.where(gradient < 0.0, high, -low)
        root = np.sqrt(np.maximum(towards, NEAREST))
        # In the variables p / root, in which the limit of the step is a ball.
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
        # One number close to its bound need not shorten the way of all others.
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
    """About the least of g p + p A p / 2 between bounds, (k, n).

    What would leave them is held there, and the least of the others sought again.
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
    """Share of steps that stays between bounds, at most 1, (k,)."""
    ends, moves = np.where(p < 0.0, low, high), p != 0.0
    share = np.where(moves, ends / np.where(moves, p, 1.0), 1.0)
    return np.minimum(1.0, np.min(share, axis=1, initial=1.0))


def _damping(along: np.ndarray, values: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """What shortens steps to the radius, by bisection, (k,); zero where they are shorter.

    Args:
        along: gradients in the eigenvectors of the curvature, (k, n).
        values: its eigenvalues, (k, n).
        radius: (k,).
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
