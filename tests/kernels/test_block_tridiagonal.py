"""The reference kernel against dense linear algebra."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from naion_kernels import block_tridiagonal

TOLERANCE = 1e-12
"""Residual over the norms of matrix and solution: a few hundred roundings of float64
for well-conditioned, diagonally dominant matrices."""


def bands(n: int, m: int, batch: tuple[int, ...] = (), seed: int = 0):
    """Random diagonally dominant bands (n, m, m, *batch), and right-hand sides."""
    rng = np.random.default_rng([seed, n, m])
    lower, diag, upper = rng.uniform(-1.0, 1.0, (3, n, m, m, *batch))
    eye = np.eye(m).reshape(m, m, *(1,) * len(batch))
    rhs = rng.uniform(-1.0, 1.0, (n, m, 2, *batch))
    return lower, diag + 4.0 * m * eye, upper, rhs


def dense(lower, diag, upper) -> np.ndarray:
    """The matrix in full, (n m, n m), of bands without a batch."""
    n, m, _ = diag.shape
    full = np.zeros((n, m, n, m))
    for i in range(n):
        full[i, :, i] = diag[i]
        if i > 0:
            full[i, :, i - 1] = lower[i]
        if i + 1 < n:
            full[i, :, i + 1] = upper[i]
    return full.reshape(n * m, n * m)


def scaled_residual(matrix, x, rhs) -> float:
    x, rhs = x.reshape(matrix.shape[0], -1), rhs.reshape(matrix.shape[0], -1)
    scale = np.abs(matrix).sum(1).max() * np.abs(x).max()
    return np.abs(matrix @ x - rhs).max() / scale


@jax.jit
def solve_both(lower, diag, upper, rhs):
    """A^-1 rhs and A^-T rhs from the same factors."""
    factors = block_tridiagonal.factor(lower, diag, upper)
    return (
        block_tridiagonal.solve(factors, rhs),
        block_tridiagonal.solve_transposed(factors, rhs),
    )


# Every length up to a few powers of two, where the reduction changes shape, then some.
@pytest.mark.parametrize("m", [1, 2, 3, 4])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 7, 9, 16, 30])
def test_solves_as_dense(n, m):
    lower, diag, upper, rhs = bands(n, m)
    x, y = map(np.asarray, solve_both(lower, diag, upper, rhs))
    matrix = dense(lower, diag, upper)
    assert x.shape == rhs.shape
    assert scaled_residual(matrix, x, rhs) < TOLERANCE
    exact = np.linalg.solve(matrix, rhs.reshape(n * m, -1)).reshape(rhs.shape)
    # Condition numbers here are below 10.
    np.testing.assert_allclose(x, exact, rtol=0.0, atol=1e-13)
    assert scaled_residual(matrix.T, y, rhs) < TOLERANCE


def test_ignores_blocks_outside_the_matrix():
    lower, diag, upper, rhs = map(jnp.asarray, bands(7, 3))
    expected = solve_both(lower, diag, upper, rhs)
    outside = lower.at[0].set(jnp.nan), diag, upper.at[-1].set(jnp.nan)
    for a, b in zip(solve_both(*outside, rhs), expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("n, m, batch", [(10, 1, (6,)), (11, 3, (5,)), (6, 2, (2, 3))])
def test_trailing_batch_is_independent_systems(n, m, batch):
    lower, diag, upper, rhs = bands(n, m, batch)
    x, y = map(np.asarray, solve_both(lower, diag, upper, rhs))
    for i in np.ndindex(*batch):
        at = (..., *i)
        matrix = dense(lower[at], diag[at], upper[at])
        assert scaled_residual(matrix, x[at], rhs[at]) < TOLERANCE
        assert scaled_residual(matrix.T, y[at], rhs[at]) < TOLERANCE


def test_vmap_equals_trailing_batch():
    lower, diag, upper, rhs = bands(9, 3, (4,))
    mapped = jax.vmap(solve_both, in_axes=-1, out_axes=-1)(lower, diag, upper, rhs)
    direct = solve_both(lower, diag, upper, rhs)
    for a, b in zip(mapped, direct, strict=True):
        # Same operations in another order of the loops: rounding only.
        np.testing.assert_allclose(a, b, rtol=0.0, atol=1e-15)


def test_transposed_is_the_adjoint():
    """<y, A^-1 b> = <A^-T y, b> for random vectors."""
    lower, diag, upper, rhs = map(jnp.asarray, bands(13, 3))
    b, y = rhs[:, :, 0], rhs[:, :, 1]
    x, x_transposed = solve_both(lower, diag, upper, rhs)
    left, right = jnp.sum(y * x[:, :, 0]), jnp.sum(x_transposed[:, :, 1] * b)
    assert abs(left - right) < 1e-13 * abs(left) + 1e-15


def test_derivatives_in_both_modes():
    """d(A^-1 b) = A^-1 (db - dA x), forwards; its transpose backwards."""
    lower, diag, upper, rhs = map(jnp.asarray, bands(6, 2))
    tangent = map(jnp.asarray, bands(6, 2, seed=1))

    def solve(*args):
        return solve_both(*args)[0]

    args, dots = (lower, diag, upper, rhs), tuple(tangent)
    x, x_dot = jax.jit(lambda a, d: jax.jvp(solve, a, d))(args, dots)
    matrix = dense(*map(np.asarray, args[:3]))
    matrix_dot = dense(*map(np.asarray, dots[:3]))
    flat, flat_dot = (np.asarray(a).reshape(12, 2) for a in (x, x_dot))
    expected = np.linalg.solve(
        matrix, np.asarray(dots[3]).reshape(12, 2) - matrix_dot @ flat
    )
    np.testing.assert_allclose(flat_dot, expected, rtol=0.0, atol=1e-12)
    weight = jnp.cos(jnp.arange(x.size, dtype=float)).reshape(x.shape)
    bars = jax.jit(lambda a, w: jax.vjp(solve, *a)[1](w))(args, weight)
    paired = sum(jnp.sum(a * b) for a, b in zip(bars, dots, strict=True))
    assert abs(paired - jnp.sum(weight * x_dot)) < 1e-12


def test_singular_gives_no_finite_answer():
    lower, diag, upper, rhs = map(jnp.asarray, bands(5, 2))
    zero = jnp.zeros_like(diag)
    assert not np.any(np.isfinite(solve_both(zero, zero, zero, rhs)[0]))
