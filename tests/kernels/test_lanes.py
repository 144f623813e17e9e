"""Lane programs against XLA's compilation of the same functions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion_kernels import block_tridiagonal, lanes
from naion_kernels.lanes import _call

pytestmark = pytest.mark.skipif(not lanes.has_compiler(), reason="needs g++ on Linux")

RNG = np.random.default_rng(20261122)
X = jnp.asarray(RNG.uniform(-1.0, 1.0, (6, 5)))
V = jnp.asarray(RNG.uniform(0.1, 2.0, 6))
N = jnp.asarray([2, -3, 0, 7, 5, 1])


@pytest.fixture(autouse=True)
def _vectors(monkeypatch):
    """Also where they do not pay."""
    monkeypatch.setattr(_call, "has_long_vectors", lambda: True)


LANES = (None, 3, 8, 11)
"""One lane; a few; a full vector; a vector and a rest."""


def elementwise(x, v, n):
    y = jnp.where(x > 0.2, jnp.exp(x), jnp.log(jnp.abs(x) + 0.1)) / v[:, None]
    z = jnp.tanh(y) ** 3 + jnp.sqrt(jnp.abs(y)) - jnp.arcsinh(x) * jnp.log1p(v)[:, None]
    k = jnp.where((n > 1) & ~(n == 5), n // 2 + n % 3, -n)
    return (
        z + jnp.float_power(v, 0.3)[:, None],
        k,
        jnp.isfinite(y),
        jnp.clip(x, -0.5, 0.5),
    )


def edges(x, v, n):
    """Integers and conversions where C++ would end the process or promise nothing."""
    # (Made from the arguments: what XLA folds while it compiles ends the process there.)
    least, by = jnp.where(n > 6, jnp.iinfo(n.dtype).min, n), jnp.where(n > 4, -1, n)
    wide = jnp.where(n == 7, jnp.nan, 1e300 * v * n)
    wide = jnp.concatenate([wide, 1e300 * wide, -1e300 * wide, v, -3.0 * v])
    pairs = (n, jnp.roll(n, 1)), (n, by), (least, by)
    divided = [f(*pair) for pair in pairs for f in (jax.lax.div, jax.lax.rem)]
    whole = wide.astype(jnp.int64), wide.astype(jnp.int32)
    signs = jnp.sign(wide), jnp.maximum(wide, 1.0), jnp.minimum(1.0, wide)
    return (*divided, *whole, *signs, jnp.clip(wide, -1.0, 1.0), v / jnp.abs(n) / n)


def views(x, v, n):
    y = jnp.concatenate([x[::-1], x[1:3] * 2.0, jnp.ones((1, 5))]).T
    z = jnp.stack([y[:, 1:4].reshape(-1), jnp.ravel(x[:3])])
    first, second = jnp.split(v, [2])
    return (
        y,
        z,
        first,
        jnp.pad(second, (2, 1)),
        x.reshape(5, 6) @ v,
        jnp.diff(x, axis=0),
    )


def reductions(x, v, n):
    return (
        jnp.sum(x), jnp.sum(x, axis=0), jnp.max(x, axis=1), jnp.min(x), jnp.prod(v),
        jnp.argmax(v), jnp.argmin(n), jnp.any(x > 0.9, axis=0), jnp.all(n > -9),
        jnp.einsum("ij,i->j", x, v), jnp.einsum("ij,kj->ik", x, x), x.T @ x, v @ v,
    )  # fmt: skip


def picked(x, v, n):
    inside = jnp.clip(n, 0, 5)
    return (
        v[inside], x[n[1]], x[inside, 2], v.at[n].get(mode="fill", fill_value=-1.0),
        jax.lax.dynamic_slice(x, (n[0], n[3]), (2, 3)), x[:, n[5]], v.at[n].get(mode="clip"),
    )  # fmt: skip


def updates(x, v, n):
    y = x.at[n[0]].set(v[:5]).at[:, 1].add(1.0)
    z = v.at[n].add(1.0, mode="drop").at[n[3]].set(9.0, mode="drop")
    w = jax.lax.dynamic_update_slice(x, jnp.ones((2, 2)), (n[4], n[5]))
    return y, z, w, v.at[2].multiply(3.0)


def loops(x, v, n):
    def halve(carry):
        y, count = carry
        return 0.5 * y, count + 1

    def body(carry):
        i, y, record = carry
        z, count = jax.lax.while_loop(
            lambda c: jnp.max(jnp.abs(c[0])) > 0.1, halve, (y + v[i % 6], 0)
        )
        return i + 1, z + 0.5, record.at[i].set(count + z, mode="drop")

    start = jnp.asarray(0), v, jnp.zeros((4, 6))
    i, y, record = jax.lax.while_loop(lambda c: c[0] < jnp.abs(n[3]), body, start)
    total, rows = jax.lax.scan(
        lambda c, row: (c + row, c * row), jnp.zeros(5), x, reverse=True
    )
    swapped = jax.lax.fori_loop(0, 3, lambda k, c: (c[1], c[0] + k * x), (x, 2.0 * x))
    return i, y, record, total, rows, swapped


def branches(x, v, n):
    def add_up(y):
        return jax.lax.scan(lambda c, row: (c + row, c * row), jnp.zeros(5), y)[1]

    y = jax.lax.cond(n[0] > 2, jnp.sin, add_up, x)
    which = n[1] + (n[5] > 1)  # beyond the ends, the last branch on that side
    z = jax.lax.switch(which + 2, [lambda a: a, lambda a: -a, lambda a: 0.0 * a], v)
    return y, z, jax.lax.switch(9, [jnp.cos, jnp.tanh], v)


def sums_into_tables(x, v, n):
    """What reverse mode makes of lookups: updates of zeros, added up in a loop."""

    def lookups(x, v):
        def body(total, row):
            place = (n + jnp.int32(row[0] > 0.0)) % 5
            found = x[:, place] * row[1]
            return total + jnp.sum(found**2) + jnp.sum(v[n % 6] * found[0]), found

        return jax.lax.scan(body, 0.0, x)

    _, pullback = jax.vjp(lookups, x, v)
    return pullback((v[0], jnp.ones((6, 6, 6))))


@pytest.mark.parametrize("count", LANES)
@pytest.mark.parametrize(
    "fn",
    [
        elementwise,
        edges,
        views,
        reductions,
        picked,
        updates,
        loops,
        branches,
        sums_into_tables,
    ],  # fmt: skip
    ids=lambda f: f.__name__,
)
def test_agrees_with_xla(fn, count):
    plain, native = fn, lanes.per_lane(fn)
    args = X, V, N
    if count is not None:
        # Lanes of their own for some operands, one for all for another.
        scale = jnp.asarray(RNG.uniform(0.5, 1.5, count))
        args = X * scale[:, None, None], V, N + jnp.arange(count)[:, None] % 2
        plain, native = (jax.vmap(f, in_axes=(0, None, 0)) for f in (plain, native))
    expected, found = jax.jit(plain)(*args), jax.jit(native)(*args)
    for a, b in zip(jax.tree.leaves(expected), jax.tree.leaves(found), strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        # Vector mathematics is good to 4 units in the last place.
        np.testing.assert_allclose(b, a, rtol=2e-14, atol=1e-14)


def test_nested_vmap_and_captured_values():
    @jax.jit
    def both(v):
        captured = jnp.sin(v)
        plain = lambda x, n: jnp.sum(x * captured) ** 2 + n  # noqa: E731
        over = [
            jax.vmap(jax.vmap(f, (None, 0)), (0, None))(X.T, N)
            for f in (plain, lanes.per_lane(plain))
        ]
        return over

    expected, found = both(V)
    assert found.shape == (5, 6)
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_float32():
    def fn(x, v):
        return jnp.exp(x) @ jnp.cos(x.T) / v[0], jnp.argmax(v)

    args = X.astype(jnp.float32), V.astype(jnp.float32)
    batch = tuple(jnp.stack([a] * 9) for a in args)
    for a, f in ((args, fn), (batch, jax.vmap(fn))):
        expected = jax.jit(f)(*a)
        g = lanes.per_lane(fn)
        found = jax.jit(jax.vmap(g) if f is not fn else g)(*a)
        for x, y in zip(expected, found, strict=True):
            assert x.dtype == y.dtype
            np.testing.assert_allclose(y, x, rtol=3e-6)


def test_a_bad_lane_leaves_its_neighbours_alone():
    def newton(a):
        """Square root; negative numbers never converge, NaN never begins."""
        step = lambda c: (0.5 * (c[0] + a / c[0]), c[0], c[2] + 1)  # noqa: E731
        go_on = lambda c: (jnp.abs(c[0] - c[1]) > 1e-12) & (c[2] < 50)  # noqa: E731
        return jax.lax.while_loop(go_on, step, (a, 2.0 * a + 1.0, 0))[0]

    a = jnp.asarray([4.0, -1.0, jnp.nan, 9.0, 0.0, 2.0, 1e-8, 1e8, 25.0, jnp.inf])
    one_by_one = [float(jax.jit(lanes.per_lane(newton))(x)) for x in a]
    together = jax.jit(jax.vmap(lanes.per_lane(newton)))(a)
    np.testing.assert_array_equal(together, one_by_one)


@pytest.mark.parametrize("lanes_", [3, 8, 11])
def test_groups_of_lanes(lanes_):
    """What the lanes of a group share, the groups among themselves, and both nested."""
    program = lanes.per_lane(_newton_towards)
    plain = _newton_towards
    target = jnp.asarray(RNG.uniform(1.0, 9.0, (2, 3, lanes_)))
    start = jnp.asarray(RNG.uniform(1.0, 2.0, (2, 3)))
    power = jnp.asarray([2.0, 3.0])

    def nested(f, axes):
        for inner in reversed(axes):
            f = jax.vmap(f, in_axes=inner)
        return jax.jit(f)

    for axes, operands in (
        # start by group
        ([(0, 0, None), (None, 0, None)], (start[0], target[0], power[0])),
        # start by group, power by outer group: groups of groups
        ([(0, 0, 0), (0, 0, None), (None, 0, None)], (start, target, power)),
        # power the same in all; start the same in outer groups
        (
            [(None, 0, None), (0, 0, None), (None, 0, None)],
            (start[0], target, power[0]),
        ),
        # all differ in all lanes
        ([(0, None, None), (None, 0, None)], (start[0], target[0, 0], power[1])),
    ):
        np.testing.assert_allclose(
            nested(program, axes)(*operands),
            nested(plain, axes)(*operands),
            rtol=1e-12,
        )


def _newton_towards(start, target, power):
    """The root of x^power = target, in as many iterations as it takes."""

    def better(x):
        return x - (x**power - target) / (power * x ** (power - 1.0))

    def goes_on(c):
        return (jnp.abs(c[0] ** power - target) > 1e-12 * target) & (c[1] < 60)

    return jax.lax.while_loop(goes_on, lambda c: (better(c[0]), c[1] + 1), (start, 0))[
        0
    ]


@pytest.mark.parametrize("count", [None, 8])
@pytest.mark.parametrize("m", [1, 2, 3, 4, 8])
def test_elimination_solves(m, count):
    """Block-tridiagonal solves and transposed ones, with backward error below 1e-13."""
    n = 12
    lower, diag, upper = RNG.uniform(-1.0, 1.0, (3, count or 1, n, m, m))
    diag = diag + 4.0 * m * np.eye(m)
    rhs = RNG.uniform(-1.0, 1.0, (count or 1, n, m, 2))

    def both(lower, diag, upper, rhs):
        factors = block_tridiagonal.factor(lower, diag, upper)
        return (
            block_tridiagonal.solve(factors, rhs),
            block_tridiagonal.solve_transposed(factors, rhs),
        )

    bands = tuple(map(jnp.asarray, (lower, diag, upper, rhs)))
    solve = lanes.per_lane(both)
    if count is None:
        x, y = (np.asarray(s)[None] for s in jax.jit(solve)(*(b[0] for b in bands)))
    else:
        x, y = map(np.asarray, jax.jit(jax.vmap(solve))(*bands))
    for k in range(count or 1):
        full = np.zeros((n, m, n, m))
        for i in range(n):
            full[i, :, i] = diag[k, i]
            if i:
                full[i, :, i - 1] = lower[k, i]
                full[i - 1, :, i] = upper[k, i - 1]
        matrix = full.reshape(n * m, n * m)
        for a, z in ((matrix, x[k]), (matrix.T, y[k])):
            z, b = z.reshape(n * m, 2), rhs[k].reshape(n * m, 2)
            scale = np.abs(a).sum(1).max() * np.abs(z).max() + np.abs(b).max()
            assert np.abs(a @ z - b).max() / scale < 1e-13


def test_singular_gives_no_finite_answer():
    zero, rhs = jnp.zeros((5, 2, 2)), jnp.ones((5, 2, 1))

    def solve(a, b):
        return block_tridiagonal.solve(block_tridiagonal.factor(a, a, a), b)

    assert not np.any(np.isfinite(jax.jit(lanes.per_lane(solve))(zero, rhs)))


def test_setting(monkeypatch):
    monkeypatch.setenv("NAION_KERNELS", "off")
    assert not lanes.enabled()
    monkeypatch.setenv("NAION_KERNELS", "maybe")
    with pytest.raises(ValueError, match="'auto', 'on' or 'off'"):
        lanes.enabled()
    monkeypatch.setenv("NAION_KERNELS", "on")
    assert lanes.enabled()
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(RuntimeError, match="Install g\\+\\+"):
        lanes.enabled()
    monkeypatch.setenv("NAION_KERNELS", "auto")
    with pytest.warns(
        na.Caution, match="'no-such-compiler' is not found.*Install g\\+\\+"
    ):
        assert not lanes.enabled()
