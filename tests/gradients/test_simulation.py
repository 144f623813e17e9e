"""Derivatives of a simulation: CC, CC-CV, rest, and a discharge to the cut-off."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na

from .cases import ABSOLUTE, OUTPUTS, PARAMETERS


def test_protocol_runs_as_intended(case):
    """Every output is finite, and the current is sampled inside the hold."""
    value = dict(zip(OUTPUTS, np.asarray(case.value(case.zero, 1e-6)), strict=True))
    assert all(np.isfinite(v) for v in value.values())
    assert -1.5 < value["current at 2080 s"] < -0.3


def test_values_that_come_with_derivatives_are_those_without(case):
    """Simulations that keep their states, to be differentiated, take the same steps."""
    _, values = case.forward_program(case.zero, 1e-6)
    np.testing.assert_allclose(values, case.value(case.zero, 1e-6), rtol=1e-9)


def test_forward_equals_reverse(forward, reverse):
    """Both modes differentiate the same discrete solution: rounding only.

    1e-6 of each entry, but no less than 1e-13 of the output's largest sensitivity: what
    rounding leaves, through step matrices with condition numbers of 1e5 and more, in an
    entry that nearly cancels (the capacity hardly depends on how long step 1 lasts).
    """
    floor = 1e-7 * np.abs(forward).max(axis=1, keepdims=True)
    ratio = np.abs(forward - reverse) / (np.abs(forward) + floor)
    assert ratio.max() < 1e-6, _worst(ratio)


def test_no_sensitivity_is_lost(forward):
    """Every parameter moves some output, every output is moved."""
    assert np.all(np.isfinite(forward))
    assert np.all(np.abs(forward).max(axis=0) > 1e-5)
    assert np.all(np.abs(forward).max(axis=1) > 1e-2)


def test_both_modes_against_finite_differences(case, forward, reverse):
    """Central differences of adaptive solves at rtol = 1e-8.

    1e-3 relative covers the truncation of the differences and the error of derivatives
    at rtol = 1e-6. 3e-5 of the output's largest sensitivity is what the noise of step
    selection leaves in a difference over 4e-4, and what rtol = 1e-6 leaves in a
    sensitivity that nearly cancels.
    """
    differences = np.stack([_central(case, i) for i in range(len(PARAMETERS))], axis=1)
    floor = 3e-2 * np.abs(differences).max(axis=1, keepdims=True)
    for jacobian in (forward, reverse):
        ratio = np.abs(jacobian - differences) / (np.abs(differences) + floor)
        assert ratio.max() < 1e-3, _worst(ratio)


def _central(case, i: int) -> np.ndarray:
    size = 2e-4 if PARAMETERS[i] in ABSOLUTE else 1e-3
    step = np.zeros(len(PARAMETERS))
    step[i] = size
    plus, minus = case.value(step, 1e-8), case.value(-step, 1e-8)
    return (np.asarray(plus) - np.asarray(minus)) / (2.0 * size)


def _worst(ratio: np.ndarray) -> str:
    i, j = np.unravel_index(np.argmax(ratio), ratio.shape)
    return f"{OUTPUTS[i]} by {PARAMETERS[j]}: {ratio[i, j]:.2e}"


def test_taylor_remainder_is_quadratic(case):
    """|f(e v) - f(0) - e J v| falls with e^2, all parameters moving at once.

    At rtol = 1e-8, so that the noise of step selection stays below the remainder.
    """
    value = np.asarray(case.value(case.zero, 1e-8))
    jacobian = np.asarray(case.forward_program(case.zero, 1e-8)[0])
    # Each parameter moves the outputs by about as much as any other, and none by so
    # much that an end of a step passes one of the times.
    largest = (np.abs(jacobian) / np.abs(jacobian).max(axis=1, keepdims=True)).max(
        axis=0
    )
    v = np.random.default_rng(7).choice([-1.0, 1.0], largest.shape)
    v = v * np.minimum(1.0 / np.maximum(largest, 0.01), 1.0)
    scale = np.abs(jacobian @ v)
    sizes = np.array([4e-3, 2e-3, 1e-3, 5e-4])
    remainder = [
        np.linalg.norm(
            (np.asarray(case.value(e * v, 1e-8)) - value - e * jacobian @ v) / scale
        )
        for e in sizes
    ]
    slope = np.polyfit(np.log(sizes), np.log(remainder), 1)[0]
    assert 1.9 < slope < 2.2, (slope, remainder)


def test_second_derivatives_are_refused(case):
    def energy(theta):
        return case.outputs(theta, 1e-3)[-2]

    with pytest.raises(NotImplementedError, match="differentiates a simulation once"):
        jax.eval_shape(jax.hessian(energy), case.zero)
    with pytest.raises(NotImplementedError, match="Gauss-Newton"):
        jax.eval_shape(
            lambda t: jax.jvp(jax.grad(energy), (t,), (t,)), jnp.asarray(case.zero)
        )


def test_gradient_has_the_shape_of_the_cell(cell, model):
    """A gradient for every number of a cell, as `eqx.filter_grad` promises."""

    def energy(c):
        return na.simulate(c, "Discharge at 1C", model=model, throw=False).energy

    gradient = eqx.filter_eval_shape(eqx.filter_grad(energy), cell)
    numbers = eqx.filter(cell, eqx.is_inexact_array)
    assert jax.tree.structure(gradient) == jax.tree.structure(numbers)
    shapes = [a.shape for a in jax.tree.leaves(numbers)]
    assert [a.shape for a in jax.tree.leaves(gradient)] == shapes


PROFILE = na.Protocol.profile(
    [0.0, 60.0, 200.0, 300.0, 300.0, 500.0, 900.0], [0.0, 2.0, 2.0, -1.0, 1.0, 0.5, 3.0]
)
"""Rows that go on where the one before ends, but for the jump at 300 s."""


def test_joined_rows_have_the_derivatives_of_any_others(cell, model):
    """Where nothing jumps nothing is initialised, unless what is imposed moves.

    A number of the cell goes through the joints; a current moved in one row alone makes
    a jump of what was none.
    """
    times = jnp.asarray([30.0, 199.0, 201.0, 250.0, 499.0, 501.0, 800.0])

    def voltages(by, rtol):
        def where(c):
            return c.positive.particle.rate_constant.scale

        slower = eqx.tree_at(where, cell, where(cell) * (1.0 + by[0]))
        moved = PROFILE.value.at[2].add(by[1])
        protocol = eqx.tree_at(lambda p: p.value, PROFILE, moved)
        s = na.simulate(slower, protocol, model=model, start=0.6, rtol=rtol)
        return jax.vmap(lambda t: s.at(t).voltage)(times)

    cell_only = jax.jacfwd(lambda a: voltages(jnp.stack([a, 0.0]), 1e-6))(0.0)
    zero = jnp.zeros(2)
    both = jax.jit(jax.jacfwd(voltages))(zero, 1e-6)
    size = 1e-3
    plus_minus = [[voltages(s * e, 1e-9) for s in (size, -size)] for e in jnp.eye(2)]
    differences = jnp.stack([(a - b) / (2.0 * size) for a, b in plus_minus], axis=1)
    np.testing.assert_allclose(both, differences, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(cell_only, differences[:, 0], rtol=1e-3, atol=1e-5)
    s = na.simulate(cell, PROFILE, model=model, start=0.6)
    n = int(s.n_steps)
    fresh = np.asarray(s.record.fresh[:n])
    # The last row, steep, may begin anew by what is inside its first step.
    assert np.asarray(s.record.initialised[:n])[fresh].tolist()[:4] == [
        True,
        False,
        False,
        True,
    ]
