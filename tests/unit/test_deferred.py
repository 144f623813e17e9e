"""Deferred calls: the values, batches and transposes of calls that are not deferred."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from naion.solvers._deferred import deferred, deferred_map

A = np.random.default_rng(0).standard_normal((4, 3, 2))
B = np.random.default_rng(1).standard_normal((5, 2))


def mapped(matrix, b):
    """Matrix times b, as a map that is traced late."""
    return deferred_map(
        lambda m, b: m @ b, lambda m, c: m.T @ c, matrix, b, jnp.zeros(3)
    )


def test_a_call_is_traced_only_when_it_is_compiled():
    count = []

    def fn(tree):
        count.append(1)
        return {"sum": tree["a"] + tree["b"], "n": jnp.asarray(2)}

    def call(a):
        return deferred(
            fn, {"sum": jnp.zeros(2), "n": jnp.asarray(0)}, {"a": a, "b": 1.0}
        )

    jax.make_jaxpr(call)(jnp.ones(2))
    assert not count
    got = jax.jit(jax.vmap(call))(jnp.asarray(B))
    assert len(count) == 1
    np.testing.assert_array_equal(got["sum"], B + 1.0)
    np.testing.assert_array_equal(got["n"], 2)


@pytest.mark.parametrize("axes", [(0, None), (None, 0), (0, 0), (1, 1)])
def test_batches_of_a_map_and_of_its_transpose(axes):
    matrix = jnp.asarray(A[0] if axes[0] is None else A)
    vectors = jnp.asarray(B[0] if axes[1] is None else B[:4])
    matrix = jnp.moveaxis(matrix, 0, 1) if axes[0] == 1 else matrix
    vectors = vectors.T if axes[1] == 1 else vectors

    def both_ways(of):
        def every(b):
            return jax.vmap(of, in_axes=axes)(matrix, b)

        result = every(vectors)
        return result, jax.linear_transpose(every, vectors)(jnp.sin(result))[0]

    got, want = jax.jit(both_ways, static_argnums=0)(mapped), both_ways(jnp.matmul)
    for ours, plain in zip(got, want, strict=True):
        np.testing.assert_allclose(ours, plain, rtol=1e-13, atol=1e-14)


def test_batches_in_batches():
    def grid(of):
        inner = jax.vmap(of, in_axes=(None, 0))
        return jax.vmap(inner, in_axes=(0, None), out_axes=1)

    got = jax.jit(grid(mapped))(jnp.asarray(A), jnp.asarray(B))
    want = grid(lambda m, b: m @ b)(jnp.asarray(A), jnp.asarray(B))
    np.testing.assert_allclose(got, want, rtol=1e-14)
