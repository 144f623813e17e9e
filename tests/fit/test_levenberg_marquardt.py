"""The optimiser of fits, on problems whose answers are known."""

import numpy as np
import pytest
from scipy import optimize

from naion.fit._levenberg_marquardt import (
    Normal,
    Searches,
    SearchState,
    Steps,
    advanced,
    goes_well,
    minimise,
)
from naion.fit._problem import Linearised, Predicted


def rosenbrock(x):
    """Residuals with their minimum of zero at (1, 1), at the end of a curved valley."""
    r = np.array([10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]])
    return r, np.array([[-20.0 * x[0], 10.0], [-1.0, 0.0]])


WIDE = np.array([-5.0, -5.0]), np.array([5.0, 5.0])


def test_linear_problems_with_bounds_are_solved():
    """Against scipy's bounded linear least squares; numbers come to rest at bounds."""
    rng = np.random.default_rng(0)
    at_bounds = 0
    for _ in range(20):
        J, r = rng.standard_normal((9, 6)), rng.standard_normal(9)
        low, high = -rng.uniform(0.05, 0.3, 6), rng.uniform(0.05, 0.3, 6)
        x, _ = minimise(
            lambda x, J=J, r=r: (J @ x + r, J),
            np.zeros(6),
            (low, high),
            tolerance=1e-9,
            most=60,
        )
        best = optimize.lsq_linear(J, -r, (low, high), tol=1e-14)
        np.testing.assert_allclose(x, best.x, atol=2e-3)
        at_bounds += np.sum(best.active_mask != 0)
    assert at_bounds > 40


def test_steps_stay_inside_of_bounds_and_radius():
    rng = np.random.default_rng(3)
    k, n = 40, 5
    J, r = rng.standard_normal((k, 7, n)), rng.standard_normal((k, 7))
    g, H = np.einsum("kmi,km->ki", J, r), np.einsum("kmi,kmj->kij", J, J)
    low, high = -rng.uniform(1e-6, 1.0, (k, n)), rng.uniform(1e-6, 1.0, (k, n))
    radius = rng.uniform(0.01, 1.0, k)
    steps = Steps.of(g, H, low, high, radius)
    assert np.all((steps.p > low) & (steps.p < high))
    assert np.all(steps.length <= radius * (1.0 + 1e-9))
    assert np.all((steps.foretold > 0.0) & (steps.foretold <= steps.whole * (1 + 1e-9)))


def test_a_curved_valley_is_followed_to_its_end():
    x, r = minimise(rosenbrock, np.array([-1.2, 1.0]), WIDE, tolerance=1e-8, most=60)
    np.testing.assert_allclose(x, [1.0, 1.0], atol=1e-4)
    np.testing.assert_allclose(r, 0.0, atol=1e-3)


def test_the_best_point_at_a_bound_is_found_and_a_bound_is_left():
    """Where x <= 0.5 the minimum is at (0.5, 0.25); the start is at another bound."""
    bounds = np.array([-5.0, -5.0]), np.array([0.5, 5.0])
    x, _ = minimise(rosenbrock, np.array([-5.0, 5.0]), bounds, tolerance=1e-10, most=80)
    np.testing.assert_allclose(x, [0.5, 0.25], atol=1e-4)


def test_searches_do_not_disturb_each_other():
    """Ten at once take the steps that each takes alone."""
    starts = np.random.default_rng(1).uniform(-2.0, 2.0, (10, 2))
    s = Searches.beginning(starts, *WIDE)
    while np.any(s.state == SearchState.SEARCHING):
        (rows,) = np.nonzero(s.state == SearchState.SEARCHING)
        found = Normal.of([rosenbrock(x) for x in s.trial[rows]])
        part, _ = advanced(s.part(rows), found, *WIDE, tolerance=1e-8, most=60)
        s.update(rows, part)
    for start, x in zip(starts, s.x, strict=True):
        alone, _ = minimise(rosenbrock, start, WIDE, tolerance=1e-8, most=60)
        np.testing.assert_allclose(x, alone, rtol=1e-9)


@pytest.mark.parametrize("noise", [0.0, 1e-3])
def test_a_rough_cost_ends_a_search(noise):
    """Where no step brings what was foretold, the search ends at its best point."""
    rng = np.random.default_rng(2)

    def rough(x):
        r, J = rosenbrock(x)
        return np.append(r, 1.0 + noise * rng.standard_normal()), np.vstack([J, [0, 0]])

    x, r = minimise(rough, np.array([-1.2, 1.0]), WIDE, tolerance=1e-6, most=200)
    assert 0.5 * r @ r < 0.5 + 5e-3
    assert np.linalg.norm(x - 1.0) < 0.2


def test_what_has_no_slope_stays_alone():
    """One search meets a Jacobian that is not finite: it ends, the other goes on."""
    s = Searches.beginning(np.array([[-1.2, 1.0], [-1.2, 1.0]]), *WIDE)
    for k in range(60):
        (rows,) = np.nonzero(s.state == SearchState.SEARCHING)
        found = Normal.of([rosenbrock(x) for x in s.trial[rows]])
        if k > 0:
            found.curvature[rows == 0] = np.nan
        part, _ = advanced(s.part(rows), found, *WIDE, tolerance=1e-8, most=60)
        s.update(rows, part)
        if not np.any(s.state == SearchState.SEARCHING):
            break
    np.testing.assert_allclose(s.x, [[-1.2, 1.0], [1.0, 1.0]], atol=1e-4)


def test_a_start_that_cannot_be_evaluated_ends_at_once():
    s = Searches.beginning(np.zeros((1, 2)), *WIDE)
    nothing = Normal(np.array([np.nan]), np.full((1, 2), np.nan), np.zeros((1, 2, 2)))
    s, better = advanced(s, nothing, *WIDE, tolerance=1e-4, most=30)
    assert not better[0] and s.state[0] == SearchState.FAILED_START
    assert not np.isfinite(s.cost[0])


def decays(x):
    """Residuals of a sum of two decays against what none of its numbers meets."""
    t = np.linspace(0.0, 3.0, 30)
    first, second = np.exp(-x[1] * t), np.exp(-x[3] * t)
    measured = np.exp(-2.0 * t) + np.exp(-0.5 * t) + 0.1 * np.sin(7.0 * t)
    r = x[0] * first + x[2] * second - measured
    return r, np.stack([first, -x[0] * t * first, second, -x[2] * t * second], axis=1)


def searched(start, bounds, secants):
    """A search, with and without secants, and how many Jacobians it computed."""
    s, near, jacobians = Searches.beginning(start[None], *bounds), None, 0
    none = np.zeros((0, len(start)))
    while s.state[0] == SearchState.SEARCHING:
        r, J = decays(s.trial[0])
        here = Predicted([], r, none)
        secant = goes_well(s, np.array([here.cost])) & secants
        if secant[0]:
            trial = near.moved(s.trial[0] - s.x[0], np.ones(len(start)), here)
        else:
            trial, jacobians = Linearised([], r, J), jacobians + 1
        found = Normal.of([(trial.residuals, trial.jacobian)])
        s, better = advanced(s, found, *bounds, tolerance=1e-8, most=200, secant=secant)
        near = trial if better[0] else near
    return s, near, jacobians


def test_secants_lead_to_the_same_end_with_fewer_jacobians():
    start, bounds = np.array([0.5, 3.0, 1.5, 0.2]), (np.zeros(4), np.full(4, 9.0))
    exact, _, many = searched(start, bounds, False)
    s, near, few = searched(start, bounds, True)
    np.testing.assert_allclose(s.cost, exact.cost, rtol=1e-6)
    assert few < many
    # No search ends on a Jacobian that is not of its best point.
    np.testing.assert_array_equal(near.jacobian, decays(s.x[0])[1])
    assert s.secants[0] == 0


def test_a_secant_meets_the_residuals_and_keeps_the_priors():
    rng = np.random.default_rng(5)
    r, J, move = rng.standard_normal(9), rng.standard_normal((9, 4)), np.ones(4)
    to = Predicted([], rng.standard_normal(9), rng.standard_normal((2, 4)))
    moved = Linearised([], r, J).moved(move, np.array([1.0, 2.0, 3.0, 4.0]), to)
    np.testing.assert_allclose(
        (moved.jacobian @ move)[:7], (to.residuals - r)[:7], atol=1e-12
    )
    np.testing.assert_array_equal(moved.jacobian[7:], to.prior_slopes)
    # Across the move nothing is known, and nothing changes.
    across = np.array([1.0, -4.0, 0.0, 0.0])
    np.testing.assert_allclose((moved.jacobian @ across)[:7], (J @ across)[:7])
