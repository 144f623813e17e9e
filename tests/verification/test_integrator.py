"""The integrator on problems with known answers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from naion.solvers import (
    RODAS5P,
    Settings,
    Status,
    apply,
    beginning,
    interpolate,
    solve,
    stepping,
)

from .dense import DenseSystem, segments


class Manufactured(DenseSystem):
    """y' = z cos(t) / y, 0 = z - y^2: y = exp(sin t), z = exp(2 sin t)."""

    algebraic = (False, True)

    def rates(self, tau, y, args, control):
        return jnp.stack([y[1] * jnp.cos(tau) / y[0], y[1] - y[0] ** 2])


class Robertson(DenseSystem):
    """Robertson's kinetics with the third equation replaced by the sum."""

    algebraic = (False, False, True)

    def rates(self, tau, y, args, control):
        a, b, c = args
        one, two = a * y[0] - b * y[1] * y[2], c * y[1] ** 2
        return jnp.stack([-one, one - two, y[0] + y[1] + y[2] - 1.0])

    def error_ratio(self, error, y, args, control, tau):
        # The third follows from a sum that is rounded at 1e-16.
        floor = jnp.array([1e-12, 1e-12, 1e-8])
        return jnp.max(jnp.abs(error) / (floor + jnp.abs(y)))


class Decay(DenseSystem):
    """y' = -k y until y = 1/2, then y' = -k z with 0 = z - y^2."""

    algebraic = (False, True)

    def rates(self, tau, y, args, control):
        return jnp.stack([-args * y[0], y[1] - y[0]])

    def events(self, tau, y, args, control):
        return (y[0] - 0.5)[None]


def slope(sizes, errors) -> float:
    return np.polyfit(np.log(sizes), np.log(errors), 1)[0]


def test_order_of_a_step_sequence():
    """Order 5 at the ends, 4 in between, for differential and algebraic unknowns."""
    system, end = Manufactured(), 2.0

    def exact(t):
        return jnp.stack([jnp.exp(jnp.sin(t)), jnp.exp(2.0 * jnp.sin(t))])

    @jax.jit
    def run(n):
        h = end / n

        def body(i, carry):
            y, worst = carry
            t = i * h
            weights = stepping(RODAS5P, h)
            step = apply(weights, system, t, y, (), ())
            inner = interpolate(0.4, y, step.y, step.dense)
            error = jnp.max(jnp.abs(inner - exact(t + 0.4 * h)))
            return step.y, jnp.maximum(worst, error)

        start = (jnp.array([1.0, 1.0]), jnp.zeros(()))
        y, worst = jax.lax.fori_loop(0, n, body, start)
        return jnp.abs(y - exact(end)), worst

    counts = np.array([10, 20, 40, 80])
    results = [run(jnp.asarray(n)) for n in counts]
    ends = np.array([r[0] for r in results])
    inner = np.array([r[1] for r in results])
    # Half an order of room for higher terms at these few steps.
    assert slope(1.0 / counts, ends[:, 0]) > 4.7
    assert slope(1.0 / counts, ends[:, 1]) > 4.7
    # A dense output of order 4 has a local error of h^5, but its start has h^5 too.
    assert slope(1.0 / counts, inner) > 3.7
    assert ends[-1].max() < 1e-8


@pytest.fixture(scope="module")
def robertson():
    rates = jnp.array([0.04, 1e4, 3e7])
    y0 = jnp.array([1.0, 0.0, 0.0])

    @jax.jit
    def run(rates, rtol):
        settings = Settings(rtol, jnp.asarray(1e-4), 4000, 4000)
        return solve(
            Robertson(),
            beginning(y0, 1e-4),
            rates,
            segments(40.0, 1e11 - 40.0),
            settings,
        )

    return run, rates


def test_robertson(robertson):
    """Reference: Mazzia and Magherini, Test Set for IVP Solvers 2.4, problem ROBER."""
    run, rates = robertson
    done = run(rates, 1e-6)
    assert int(done.status) == Status.COMPLETED
    n = int(done.n_steps)
    second = int(np.argmax(np.asarray(done.record.segment[:n]) == 1))
    at_40 = np.asarray(done.record.outputs[second, 0])
    expected = [0.7158270687193941, 9.185534764557338e-06, 0.2841637457458614]
    # Local errors of 1e-6 a step, which the stiff decay does not let grow.
    np.testing.assert_allclose(at_40, expected, rtol=2e-6)
    expected = [0.2083340149701255e-07, 0.8333360770334713e-13, 0.9999999791665050]
    # y_1 falls like 1/t, so that errors of the whole way remain.
    np.testing.assert_allclose(done.y, expected, rtol=1e-4)
    # The sum is an equation of the step matrix: rounding only.
    assert abs(float(done.y.sum()) - 1.0) < 1e-12


def test_robertson_derivatives(robertson):
    """Both modes agree with each other and with differences."""
    run, rates = robertson

    def final(log_rates):
        return run(jnp.exp(log_rates), 1e-7).y[0] * 1e8

    x = jnp.log(rates)
    reverse = np.asarray(jax.jit(jax.jacrev(final))(x))
    forward = np.asarray(jax.jit(jax.jacfwd(final))(x))
    # The step matrices have condition numbers of 1e8 and more.
    np.testing.assert_allclose(forward, reverse, rtol=1e-6)
    e = 1e-3 * jnp.eye(3)
    differences = [(final(x + d) - final(x - d)) / 2e-3 for d in e]
    # Truncation 1e-6, noise of step selection about 1e-5.
    np.testing.assert_allclose(forward, differences, rtol=1e-3)


def test_event_time_and_its_derivative():
    """y = exp(-k t) meets 1/2 at t = ln 2 / k; then a second segment starts there."""

    def run(k):
        settings = Settings(jnp.asarray(1e-8), jnp.asarray(0.01), 400, 400)
        done = solve(
            Decay(),
            beginning(jnp.ones(2), 0.01),
            k,
            segments(jnp.inf, stops=True),
            settings,
        )
        return done.t, done.y

    k = jnp.asarray(0.7)
    t, y = jax.jit(run)(k)
    # Tolerance 1e-8 of each step, over 40 steps; events are met to 1e-9.
    assert abs(float(t) - np.log(2.0) / 0.7) < 1e-6
    assert abs(float(y[0]) - 0.5) < 2e-9
    for mode in (jax.jacfwd, jax.jacrev):
        t_k, y_k = jax.jit(mode(run))(k)
        assert abs(float(t_k) + np.log(2.0) / 0.7**2) < 1e-5
        # The state at the event does not move.
        assert np.all(np.abs(y_k) < 1e-10)
