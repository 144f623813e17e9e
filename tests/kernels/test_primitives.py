"""Each primitive by itself, at the edges of its numbers, against what XLA computes."""

import functools as ft
import os
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from naion_kernels import _jax, lanes
from naion_kernels.lanes import _call
from naion_kernels.lanes._emit import emit
from naion_kernels.lanes._flatten import flatten
from naion_kernels.lanes._primitives import primitives, with_table

pytestmark = pytest.mark.skipif(not lanes.has_compiler(), reason="needs g++ on Linux")

DTYPES = {"r": ("float64", "float32"), "i": ("int64", "int32"), "b": ("bool",)}
RULES = {p.name: p for p in primitives()}


def edges(dtype: str) -> np.ndarray:
    """Numbers at which arithmetic has something to say."""
    if dtype == "bool":
        return np.asarray([False, True])
    if dtype.startswith("int"):
        info = np.iinfo(dtype)
        small = [0, 1, -1, 2, -2, 3, -3, 7, -7, 10, 31, 32, 63, 64, 46341, 3037000500]
        far = [info.min, info.min + 1, info.max, info.max - 1]
        return np.asarray([n for n in small + far if n <= info.max], dtype)
    info = np.finfo(dtype)
    positive = [0.0, 0.3, 0.5, 1.0, 1.5, 2.0, 2.5, 3.7, 8.0, 20.0, 89.0, 710.0, 1e22]
    small = [info.tiny / 8.0, info.tiny, info.eps, 1e-5, 0.999, 1.0 + info.eps]
    far = [info.max, 0.9 * info.max, np.sqrt(info.max), np.inf, np.nan]
    one_sign = np.asarray(positive + small + far, dtype)
    return np.concatenate([one_sign, -one_sign])


def pairs(dtype: str, count: int) -> tuple[np.ndarray, ...]:
    """All combinations of edges."""
    every = np.meshgrid(*[edges(dtype)] * count, indexing="ij")
    return tuple(a.ravel() for a in every)


def some(dtype: str, *shape: int, seed: int = 0) -> np.ndarray:
    """Unremarkable numbers; reals without rounding of their sums."""
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return rng.random(shape) > 0.5
    return rng.integers(-9, 10, shape).astype(dtype)


def elementwise(fn, count=1):
    """Cases of a function of `count` numbers."""
    return lambda dtype: [(fn, *pairs(dtype, count))]


def function(fn, count=1):
    """The same without the smallest numbers, which both sides treat as they like."""

    def cases(dtype):
        args = pairs(dtype, count)
        usual = [(x == 0.0) | ~(np.abs(x) < 1e-35) for x in args]
        return [(fn, *(x[np.all(usual, axis=0)] for x in args))]

    return cases


def of_array(*fns):
    """Cases of functions of a matrix, ordinary numbers and edges."""

    def cases(dtype):
        e = edges(dtype)
        e = np.resize(e, (len(e) + len(e) % 2,)).reshape(2, -1)
        return [(fn, x) for fn in fns for x in (some(dtype, 4, 6), e)]

    return cases


def ordinary(*fns):
    """Cases of functions of a matrix whose results depend on the order of sums."""
    return lambda dtype: [(fn, some(dtype, 4, 12)) for fn in fns]


def conversions(dtype):
    to = [d for many in DTYPES.values() for d in many]
    return [
        (lambda x, d=d: lax.convert_element_type(x, d), edges(dtype))
        for d in to
        if d != dtype
    ]


def powers(dtype):
    return [
        (lambda x, n=n: lax.integer_pow(x, n), edges(dtype))
        for n in (0, 1, 2, 3, 4, 5, 8) + ((-1, -2, -5) if dtype[0] == "f" else ())
    ]


def roundings(dtype):
    ways = lax.RoundingMethod.AWAY_FROM_ZERO, lax.RoundingMethod.TO_NEAREST_EVEN
    return [(lambda x, w=w: lax.round(x, w), edges(dtype)) for w in ways]


def selections(dtype):
    n = len(edges(dtype))
    which = np.arange(n, dtype=np.int32) % 5 - 1
    return [
        (lax.select_n, which > 0, edges(dtype), edges(dtype)[::-1]),
        (
            lambda k, x: lax.select_n(
                jnp.clip(k, 0, 2), x, -x if n > 2 else ~x, x[::-1]
            ),
            which,
            edges(dtype),
        ),
    ]


def clamped(dtype):
    low, high = (e[:, None] for e in pairs(dtype, 2))
    x = np.broadcast_to(edges(dtype), (len(low), len(edges(dtype))))
    low, high = np.broadcast_to(low, x.shape), np.broadcast_to(high, x.shape)
    return [(lax.clamp, low.copy(), x.copy(), high.copy())]


def iotas(dtype):
    return [(lambda x: lax.broadcasted_iota(dtype, (3, 5), 1) + x, some(dtype, 1, 1))]


def products(dtype):
    a, b, c = some(dtype, 4, 12), some(dtype, 12, 5, seed=1), some(dtype, 3, 4, 12)
    v = some(dtype, 12, seed=2)
    return [
        (jnp.matmul, a, b),
        (jnp.matmul, a[:, :3], b[:3]),
        (lambda x, y: jnp.einsum("bij,bkj->bik", x, y), c, c[:, ::-1]),
        (jnp.dot, v, v),
        (jnp.dot, a, v),
    ]


def gathers(dtype):
    x, n = some(dtype, 5, 4), np.asarray([0, -1, 4, 5, 7, -9, 2])
    modes = "clip", "fill", "promise_in_bounds"
    inside = {"promise_in_bounds": np.clip(n, 0, 4)}
    return [
        (lambda x, k, m=m: x.at[k].get(mode=m, wrap_negative_indices=False), x, i)
        for m in modes
        for i in [inside.get(m, n)]
    ] + [(lambda x, k: x[k, k % 4], x, np.clip(n, 0, 4))]


def dynamic_slices(dtype):
    x = some(dtype, 5, 4)
    return [
        (lambda x, k: lax.dynamic_slice(x, (k, k - 1), (2, 3)), x, np.asarray(k))
        for k in (-7, 0, 2, 4, 9)
    ]


def dynamic_updates(dtype):
    x, y = some(dtype, 5, 4), some(dtype, 2, 3, seed=1)
    return [
        (
            lambda x, y, k: lax.dynamic_update_slice(x, y, (k, k - 1)),
            x,
            y,
            np.asarray(k),
        )
        for k in (-7, 0, 2, 4, 9)
    ]


def scatters(method):
    def cases(dtype):
        x, n = some(dtype, 6, 2), np.asarray([0, 5, 6, -1, 3, -8])
        x[1:3] = edges(dtype)[-4:].reshape(2, 2) if dtype != "bool" else x[1:3]
        y = some(dtype, 6, 2, seed=3)

        def update(x, n, y, mode, unique=False):
            at = x.at[n]
            return getattr(at, method)(
                y, mode=mode, unique_indices=unique, wrap_negative_indices=False
            )

        return [
            (ft.partial(update, mode=mode), x, n, y) for mode in ("drop", "clip")
        ] + [
            (
                ft.partial(update, mode="promise_in_bounds"),
                x,
                np.asarray([0, 1, 2, 3, 4, 5]),
                y,
            )
        ]

    return cases


def extremes(fn):
    def cases(dtype):
        e = edges(dtype)
        return [(fn, some(dtype, 9)), (fn, e), (fn, e[::-1].copy()), (fn, e[:3])]

    return cases


def whiles(dtype):
    def count(x):
        """Until the sum is large, which it never is for some."""
        go_on = lambda c: (c[1] < 5) & jnp.any(c[0] == c[0])  # noqa: E731
        return lax.while_loop(go_on, lambda c: (c[0][::-1], c[1] + 1), (x, 0))

    return [(count, edges(dtype))]


def scans(dtype):
    def run(x, reverse):
        def body(carry, row):
            return jnp.where(row == row[0], carry, row), (carry, row[::-1])

        return lax.scan(body, x[0], x, reverse=reverse)

    x = some(dtype, 4, 3)
    return [(ft.partial(run, reverse=r), x) for r in (False, True)]


def conds(dtype):
    def two(k, x):
        return lax.cond(k > 0, lambda y: y[::-1], lambda y: y, x)

    def three(k, x):
        cases = [lambda y: y, lambda y: y[::-1], lambda y: jnp.roll(y, 1)]
        return lax.switch(k, cases, x)

    return [
        (f, np.asarray(k), edges(dtype)) for f in (two, three) for k in (-2, 0, 1, 9)
    ]


@jax.custom_jvp
def own_tangent(x):
    return x[::-1]


own_tangent.defjvps(lambda t, _, x: t)


@jax.custom_vjp
def own_cotangent(x):
    return x[::-1]


own_cotangent.defvjp(lambda x: (x[::-1], None), lambda _, c: (c,))


def linear_solves(dtype):
    def solve(a, b):
        return lax.custom_linear_solve(
            lambda x: a * x, b, lambda _, r: r / a, lambda _, r: r / a
        )

    return [(solve, *pairs(dtype, 2))] if dtype[0] == "f" else []


EVERYWHERE = jax.sharding.NamedSharding(
    jax.make_mesh((1,), ("a",), axis_types=(jax.sharding.AxisType.Explicit,)),
    jax.sharding.PartitionSpec(),
)

FUNCTIONS = (
    *("acos", "acosh", "asin", "asinh", "atan", "atanh", "cbrt", "cos", "cosh", "erf"),
    *("erfc", "exp", "exp2", "expm1", "log", "log1p", "logistic", "rsqrt", "sin"),
    *("sinh", "tan", "tanh"),
)
UNARY = ("abs", "ceil", "floor", "is_finite", "neg", "sign", "sqrt", "square")
BINARY = (
    *("add", "div", "eq", "ge", "gt", "le", "lt", "max", "min", "mul", "ne", "rem"),
    "sub",
)

CASES = {
    **{name: function(getattr(lax, name)) for name in FUNCTIONS},
    "atan2": function(lax.atan2, 2),
    "pow": function(lax.pow, 2),
    **{name: elementwise(getattr(lax, name)) for name in UNARY},
    **{name: elementwise(getattr(lax, name), 2) for name in BINARY},
    "and": elementwise(lax.bitwise_and, 2),
    "or": elementwise(lax.bitwise_or, 2),
    "xor": elementwise(lax.bitwise_xor, 2),
    "not": elementwise(lax.bitwise_not),
    "add_any": elementwise(lambda x, y: jax.vjp(lambda z: (z, z), x)[1]((x, y))[0], 2),
    "integer_pow": powers,
    "round": roundings,
    "select_n": selections,
    "clamp": clamped,
    "convert_element_type": conversions,
    "broadcast_in_dim": of_array(lambda x: jnp.broadcast_to(x[:, :1], (len(x), 3))),
    "squeeze": of_array(lambda x: lax.squeeze(x[:1], (0,))),
    "transpose": of_array(jnp.transpose),
    "slice": of_array(lambda x: x[1:, ::2]),
    "rev": of_array(lambda x: lax.rev(x, (1,))),
    "split": of_array(lambda x: lax.split(x, (1, x.shape[0] - 1))),
    "unstack": of_array(lambda x: jnp.unstack(x, axis=1)),
    "reshape": of_array(lambda x: x.reshape(-1), lambda x: x.reshape(-1, 2)),
    "iota": iotas,
    "pad": of_array(lambda x: lax.pad(x, x[0, 0], ((1, 2, 0), (-1, 1, 0)))),
    "dynamic_slice": dynamic_slices,
    "gather": gathers,
    "concatenate": of_array(lambda x: jnp.concatenate([x, x[:1], x], axis=0)),
    "stack": of_array(lambda x: jnp.stack([x, x[::-1]], axis=1)),
    "reduce_sum": ordinary(
        lambda x: jnp.sum(x), lambda x: jnp.sum(x, 0), lambda x: jnp.sum(x, 1)
    ),
    "reduce_prod": ordinary(lambda x: jnp.prod(x), lambda x: jnp.prod(x % 3 + 1, 1)),
    "reduce_max": of_array(
        lambda x: jnp.max(x), lambda x: jnp.max(x, 0), lambda x: jnp.max(x, 1)
    ),
    "reduce_min": of_array(
        lambda x: jnp.min(x), lambda x: jnp.min(x, 0), lambda x: jnp.min(x, 1)
    ),
    "reduce_and": of_array(lambda x: jnp.all(x), lambda x: jnp.all(x, 0)),
    "reduce_or": of_array(lambda x: jnp.any(x), lambda x: jnp.any(x, 0)),
    "argmin": extremes(jnp.argmin),
    "argmax": extremes(jnp.argmax),
    "dot_general": products,
    "dynamic_update_slice": dynamic_updates,
    "scatter": scatters("set"),
    "scatter-add": scatters("add"),
    "scatter-mul": scatters("multiply"),
    "scatter-min": scatters("min"),
    "scatter-max": scatters("max"),
    "while": whiles,
    "scan": scans,
    "cond": conds,
    "jit": elementwise(jax.jit(lambda x: x[::-1])),
    "remat2": elementwise(jax.remat(lambda x: x[::-1])),
    "custom_jvp_call": elementwise(lambda x: own_tangent(x)),
    "custom_vjp_call": elementwise(lambda x: own_cotangent(x)),
    "custom_linear_solve": linear_solves,
    "stop_gradient": elementwise(lax.stop_gradient),
    "copy": elementwise(jnp.copy),
    "optimization_barrier": elementwise(lax.optimization_barrier),
    "reshard": elementwise(lambda x: jax.reshard(x, EVERYWHERE)),
}
"""By primitive: for a type of numbers, functions and their arguments."""


def cases_of(name, only=""):
    """Functions and arguments for a primitive, of one type of numbers or of all."""
    found = []
    for dtype in [d for kind in RULES[name].kinds for d in DTYPES[kind]]:
        if only in ("", dtype):
            found += CASES[name](dtype)
    return found


def all_names(program):
    for eqn in _jax.equations(program):
        yield eqn.name
        for inner in _jax.programs_within(eqn):
            yield from all_names(inner)


def test_every_primitive_has_cases():
    assert CASES.keys() == RULES.keys()


def test_the_readme_has_the_table_of_today():
    readme = Path(__file__).parents[2] / "kernels" / "README.md"
    text = readme.read_text()
    assert with_table(text) == text, f"python -m naion_kernels {readme}"
    with pytest.raises(ValueError, match="needs lines"):
        with_table("# Nothing\n")


def distance(found, expected):
    """Units in the last place between two arrays; infinite between unlike numbers."""
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    if found.dtype.kind != "f":
        return np.where(found == expected, 0.0, np.inf)
    # Subnormal numbers are zero to XLA, unless it only moves them.
    tiny = np.finfo(found.dtype).tiny
    found, expected = (
        np.where(np.abs(x) < tiny, np.copysign(np.zeros_like(x), x), x)
        for x in (found, expected)
    )

    def place(x):
        """Where a number stands among all, zeros of both signs apart."""
        n = x.view({8: np.int64, 4: np.int32}[x.itemsize])
        return np.where(n < 0, -1 - (n & np.iinfo(n.dtype).max), n).astype(np.int64)

    # In halves: a float64 holds places of such numbers to a thousand only, and the
    # difference of two may be no int64.
    a, b = place(found), place(expected)
    high, low = (a >> 32) - (b >> 32), (a & 0xFFFFFFFF) - (b & 0xFFFFFFFF)
    apart = np.abs(high * 2.0**32 + low)
    finite = np.isfinite(found) & np.isfinite(expected)
    both_nan = np.isnan(found) & np.isnan(expected)
    return np.where(
        finite, apart, np.where((found == expected) | both_nan, 0.0, np.inf)
    )


WAYS = {"one lane": (None, ""), "lanes": (8, ""), "lanes of float32": (8, "float32")}
"""Lanes and the only type of numbers; reals are doubles where some are."""


SINCE = {"stack": (0, 10, 1), "unstack": (0, 10, 1)}
"""Operations that older JAX makes of others."""


TOGETHER = 8
"""Primitives in one program, which is compiled in little more time than one of them."""


@ft.cache
def names_of(way: str) -> list[str]:
    """Primitives that this JAX traces and that have cases of a way's types."""
    _, only = WAYS[way]
    return [n for n in sorted(RULES) if is_traced(n) and cases_of(n, only)]


def is_traced(name: str) -> bool:
    return jax.__version_info__ >= SINCE.get(name, (0,))


@ft.cache
def results(way: str, group: int) -> dict[str, tuple[list, list]]:
    """What XLA and what native code compute, by primitive: arrays of all its cases."""
    count, only = WAYS[way]
    names = names_of(way)[TOGETHER * group :][:TOGETHER]
    cases = {name: cases_of(name, only) for name in names}
    args = {name: [tuple(own) for _, *own in cases[name]] for name in names}

    def run(args):
        return {
            name: [
                fn(*own) for (fn, *_), own in zip(cases[name], args[name], strict=True)
            ]
            for name in names
        }

    assert set(names) <= set(all_names(jax.make_jaxpr(run)(args)))
    plain, native = run, lanes.per_lane(run)
    if count is not None:
        # Each lane has the numbers in another order.
        args = jax.tree.map(ft.partial(in_lanes, count), args)
        plain, native = jax.vmap(run), jax.vmap(native)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAION_KERNELS", "on")
        patch.setattr(_call, "has_long_vectors", lambda: True)
        expected, found = jax.jit(plain)(args), jax.jit(native)(args)
    return {
        name: (jax.tree.leaves(expected[name]), jax.tree.leaves(found[name]))
        for name in names
    }


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", sorted(RULES))
def test_agrees_with_xla(name, way):
    if not is_traced(name):
        pytest.skip(f"jax {jax.__version__} traces no such operation")
    if name not in names_of(way):
        pytest.skip("has no real numbers")
    if WAYS[way][0] and os.environ.get("NAION_KERNELS_SANITISE") == "1":
        pytest.skip("takes long to compile for sanitisers; test_lanes.py has vectors")
    group = names_of(way).index(name) // TOGETHER
    expected, found = results(way, group)[name]
    for k, (x, y) in enumerate(zip(expected, found, strict=True)):
        x, y = np.asarray(x), np.asarray(y)
        apart = np.max(distance(y, x), initial=0.0)
        assert apart <= RULES[name].ulps, (
            f"{name}, {x.dtype}: result {k} is {apart} ulp from XLA's, {different(y, x)}"
        )


@pytest.mark.parametrize("name", ["exp2", "sinh", "cosh", "cbrt"])
def test_where_xla_is_far_off_native_results_are_exact(name):
    """XLA's errors grow with the argument; those of native code do not."""
    x = np.linspace(-700.0, 700.0, 401)
    found = np.asarray(jax.jit(lanes.per_lane(getattr(jnp, name)))(jnp.asarray(x)))
    exact = getattr(np, name)(x.astype(np.longdouble)).astype(float)
    assert np.max(distance(found, exact)) <= 2


def in_lanes(count, x):
    return np.stack([np.roll(x, k, -1) if x.ndim else x for k in range(count)])


def different(found, expected) -> str:
    """Where two arrays differ most."""
    k = np.unravel_index(np.argmax(distance(found, expected)), found.shape)
    return f"{found[k]!r} and not {expected[k]!r}"


NARROW = {
    "float32": lambda x: (x[0] * x[1]).astype(np.float64) * 3.0,
    "int32": lambda x: (x[0] * x[1] + x[1]).astype(np.int64) // 3,
}


@pytest.mark.parametrize("count", [None, 8])
@pytest.mark.parametrize("dtype", NARROW)
def test_what_exceeds_a_type_does_not_go_on(dtype, count, monkeypatch):
    """C++ has one type of integers and one of reals: results are brought to JAX's."""
    monkeypatch.setenv("NAION_KERNELS", "on")
    monkeypatch.setattr(_call, "has_long_vectors", lambda: True)
    big = {"float32": [1.1, 3.3], "int32": [2**30 + 7, 2**31 - 9]}[dtype]
    x, fn = jnp.asarray(big, dtype), NARROW[dtype]
    plain, native = fn, lanes.per_lane(fn)
    if count:
        x = x + jnp.arange(count, dtype=dtype)[:, None] * x
        plain, native = jax.vmap(plain), jax.vmap(native)
    wide = fn(np.asarray(big, {"float32": np.float64, "int32": np.int64}[dtype]))
    expected, found = jax.jit(plain)(x), jax.jit(native)(x)
    np.testing.assert_array_equal(found, expected)
    assert np.ravel(found)[0] != wide


@pytest.mark.parametrize(
    ("fn", "wrapped"),
    [
        (lambda n: jnp.clip(n, 0, 10) * 2 + 1, False),
        (lambda n: (n > 3).astype(np.int32) + lax.iota(np.int32, 4), False),
        (lambda n: jnp.where(n > 0, 7, -7)[::-1] - 3, False),
        (lambda n: n + 1, True),
        (lambda n: jnp.clip(n, 0, 2**20) * 2**12, True),
        (lambda n: -n, True),
    ],
)
def test_only_integers_that_may_leave_their_type_are_wrapped(fn, wrapped):
    n = jnp.arange(4, dtype=np.int32)
    source = emit(flatten(jax.make_jaxpr(fn)(n)), (True,), 1)
    assert ("as_int32(" in source) == wrapped


def test_kinds_of_numbers_without_a_rule_are_named(monkeypatch):
    monkeypatch.setenv("NAION_KERNELS", "on")
    every_bit = lanes.per_lane(lambda n: lax.reduce(n, -1, lax.bitwise_and, (0,)))
    with pytest.raises(RuntimeError, match="'reduce_and' of integer numbers"):
        jax.jit(every_bit)(jnp.arange(3))
