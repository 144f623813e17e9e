"""What `_jax.py` takes from JAX is still there, and still does what it is used for.

A test that fails here names the function of `_jax.py` to mend for a new JAX.
"""

import ast
import contextlib
import gc
import weakref
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naion_kernels
from naion_kernels import _jax

HERE = Path(naion_kernels.__file__).parent
INTERNAL = {"_src", "core", "extend", "ffi", "interpreters"}
"""Parts of JAX that only `_jax.py` may use."""


@contextlib.contextmanager
def contract(function: str):
    """What goes wrong inside is a change of JAX that `function` has to follow."""
    try:
        yield
    except Exception as problem:
        pytest.fail(
            f"JAX {jax.__version__} is not as naion_kernels._jax.{function} uses it: "
            f"{type(problem).__name__}: {problem}"
        )


CONTROL = ("while", "scan", "cond", "custom_linear_solve")


def only(fn, *args):
    """The one operation of a traced function, or the one that is control flow."""
    found = list(_jax.equations(jax.make_jaxpr(fn)(*args)))
    return next((eqn for eqn in found if eqn.name in CONTROL), found[0])


def names(program):
    return [eqn.name for eqn in _jax.equations(program)]


@pytest.mark.parametrize(
    "path", [p for p in HERE.rglob("*.py") if p.name != "_jax.py"], ids=lambda p: p.name
)
def test_internals_of_jax_are_used_in_one_module(path):
    for node in ast.walk(ast.parse(path.read_text())):
        used: list[str] = []
        if isinstance(node, ast.Import):
            used = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            used = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            used = [f"{node.value.id}.{node.attr}"]
        for name in used:
            first, *rest = name.split(".")
            inside = first == "jaxlib" or (first == "jax" and {*rest} & INTERNAL)
            assert not inside, f"{path}:{node.lineno}: {name} belongs into _jax.py"


def test_everything_is_exported():
    assert all(hasattr(_jax, name) for name in _jax.__all__)


def test_shape_of_a_value():
    with contract("shape_of"):
        (own,) = jax.make_jaxpr(jnp.sin)(_jax.shape_of(1.0)).in_avals
        (array,) = jax.make_jaxpr(jnp.sin)(_jax.shape_of(jnp.ones(3))).in_avals
    assert (own.shape, own.dtype, own.weak_type) == ((), np.float64, True)
    assert (array.shape, array.dtype, array.weak_type) == ((3,), np.float64, False)


def test_settings_that_change_what_is_traced():
    with contract("settings"):
        usual = _jax.settings()
        assert usual == _jax.settings()
        with jax.enable_x64(False):
            assert _jax.settings() != usual
        with jax.numpy_rank_promotion("raise"):
            assert _jax.settings() != usual
        assert "0x" not in usual  # addresses differ between processes


def test_equations_of_a_program():
    program = jax.make_jaxpr(lambda x, y: jnp.transpose(x + y))(
        jnp.ones((2, 3)), jnp.ones((2, 3))
    )
    with contract("equations"):
        add, transpose = _jax.equations(program)
        assert (add.name, transpose.name) == ("add", "transpose")
        assert transpose.params["permutation"] == (1, 0)
        assert transpose.inputs == add.outputs
    with contract("inputs"):
        assert _jax.inputs(program) == add.inputs
    with contract("outputs"):
        assert _jax.outputs(program) == transpose.outputs
    with contract("shape"):
        assert _jax.shape(transpose.outputs[0]) == (3, 2)
    with contract("dtype"):
        assert _jax.dtype(transpose.outputs[0]) == np.float64
    with contract("ClosedJaxpr"):
        assert [a.shape for a in program.in_avals] == [(2, 3), (2, 3)]
        assert [a.shape for a in program.out_avals] == [(3, 2)]
        assert program.out_avals[0].dtype == np.float64


def test_literals():
    with contract("Literal"):
        _, two = only(lambda x: x * 2.0, 1.0).inputs
        assert isinstance(two, _jax.Literal) and two.val == 2.0
        assert _jax.shape(two) == () and _jax.dtype(two) == np.float64


def test_variables():
    with contract("variable_like"):
        (old,) = only(jnp.sin, jnp.ones(3)).outputs
        new = _jax.variable_like(old)
        assert new != old and len({new, old}) == 2
        assert (_jax.shape(new), _jax.dtype(new)) == ((3,), np.float64)


def test_constants_and_captured_values():
    table = jnp.arange(3.0)
    found = []

    def outer(x):
        program = jax.make_jaxpr(lambda y: y + x + table)(jnp.ones(3))
        found.append((program, *_jax.with_captures_as_inputs(program)))
        return x

    jax.make_jaxpr(outer)(2.0)
    ((program, new, captured),) = found
    with contract("constants"):
        values = [value for _, value in _jax.constants(program)]
        assert sum(isinstance(v, _jax.Tracer) for v in values) == 1
    with contract("with_captures_as_inputs"):
        assert len(captured) == 1 and isinstance(captured[0], _jax.Tracer)
        assert len(_jax.inputs(new)) == 2
        assert not any(isinstance(v, _jax.Tracer) for _, v in _jax.constants(new))
    with contract("as_function"):
        (sums,) = _jax.as_function(new)(2.0, jnp.ones(3))
        np.testing.assert_array_equal(sums, [3.0, 4.0, 5.0])


def test_effects():
    with contract("effects"):
        assert _jax.effects(jax.make_jaxpr(jnp.sin)(1.0)) == []
        loud = jax.make_jaxpr(lambda x: jax.debug.print("{}", x))(1.0)
        assert len(_jax.effects(loud)) == 1


@jax.custom_jvp
def own_tangent(x):
    return jnp.sin(x)


own_tangent.defjvps(lambda t, _, x: t)


@jax.custom_vjp
def own_cotangent(x):
    return jnp.sin(x)


own_cotangent.defvjp(lambda x: (jnp.sin(x), None), lambda _, c: (c,))


@pytest.mark.parametrize(
    "fn",
    [
        jax.jit(lambda x: jnp.sin(x)),
        jax.remat(lambda x: jnp.sin(x)),
        own_tangent,
        own_cotangent,
    ],
    ids=["jit", "remat", "custom_jvp", "custom_vjp"],
)
def test_calls(fn):
    with contract("call"):
        found = _jax.call(only(fn, 1.0))
        assert found is not None
        program, own = found
        assert names(program) == ["sin"] and own == [0]


def test_call_of_a_linear_solve():
    def solve(a, b):
        return jax.lax.custom_linear_solve(
            lambda x: a * x, b, lambda _, r: r / a, lambda _, r: r * 0.0 + a
        )

    with contract("call"):
        outer = jax.make_jaxpr(solve)(2.0, 6.0)
        equation = next(_jax.equations(outer))
        found = _jax.call(equation)
        assert found is not None
        program, own = found
        assert names(program) == ["div"]
        assert [equation.inputs[k] for k in own] == _jax.inputs(outer)


def test_bodies_of_control_flow():
    def test(y):
        return y < 9.0

    def add(c, y):
        return c + y, c

    x = jnp.ones(3)
    with contract("bodies"):
        loop = only(lambda x: jax.lax.while_loop(test, jnp.square, x), 2.0)
        assert [names(b) for b in _jax.bodies(loop)] == [["lt"], ["square"]]
        assert {"cond_nconsts", "body_nconsts"} <= loop.params.keys()
        scan = only(lambda x: jax.lax.scan(add, x[0], x, reverse=True), x)
        assert [names(b) for b in _jax.bodies(scan)] == [["add"]]
        p = scan.params
        counts = p["num_consts"], p["num_carry"], p["length"], p["reverse"]
        assert counts == (0, 1, 3, True)
        # In the order of the index: false, then true.
        either = only(lambda k, x: jax.lax.cond(k, jnp.sin, jnp.cos, x), True, x)
        assert [names(b) for b in _jax.bodies(either)] == [["cos"], ["sin"]]
    with contract("programs_within"):
        counts = [len(list(_jax.programs_within(e))) for e in (loop, scan, either)]
        assert counts == [2, 1, 2]


def double():
    """An operation that doubles a vector; in a batch, it adds one, too."""

    def batch(operands, axes, *, factor):
        assert axes == (0,) or axes == [0]
        return [operands[0] * factor + 1.0], [0]

    def lower(ctx, *operands, factor):
        assert _jax.operand_shapes(ctx) == [(3,)]
        return _jax.lower_function(lambda x: [factor * x], ctx, *operands)

    def results(x, *, factor):
        return [_jax.ShapedArray(x.shape, x.dtype)]

    return _jax.new_primitive("test_double", results, batch, {"cpu": lower})


def test_an_operation_of_our_own():
    x = jnp.arange(3.0)
    with contract("new_primitive"):
        operation = double()
        run = lambda x: operation.bind(x, factor=2.0)[0]  # noqa: E731
        np.testing.assert_array_equal(run(x), 2.0 * x)
        np.testing.assert_array_equal(jax.jit(run)(x), 2.0 * x)
        np.testing.assert_array_equal(jax.vmap(run)(x[None]), 2.0 * x[None] + 1.0)


class Held:
    """Something that a call needs."""


def test_what_a_call_needs_lives_as_long_as_its_executable():
    """Made of an operation whose lowering attaches it to the module."""

    def results(x):
        return [_jax.ShapedArray(x.shape, x.dtype)]

    def lower(ctx, operand):
        thing = Held()
        found.append(weakref.ref(thing))
        return _jax.lower_call("test_call", {"program": "k"}, thing, ctx, operand)

    found: list[weakref.ref] = []
    with contract("lower_call"):
        operation = _jax.new_primitive(
            "test_held", results, lambda *_: ([], []), {"cpu": lower}
        )
        lowered = jax.jit(lambda x: operation.bind(x)[0]).lower(jnp.ones(3))
        gc.collect()
        assert found[-1]() is not None
        assert '"k"' in lowered.as_text()
        del lowered
        jax.clear_caches()
        gc.collect()
        assert found[-1]() is None


def test_parameters_are_let_go_with_the_function_that_has_them():
    with contract("hold_weakly"):

        @_jax.hold_weakly
        class Parameter:
            pass

        def trace() -> weakref.ref:
            operation, parameter = double(), Parameter()
            jax.make_jaxpr(lambda x: operation.bind(x, factor=parameter))(1.0)
            return weakref.ref(parameter)

        known = trace()
        gc.collect()
        assert known() is None


def test_foreign_functions():
    with contract("include_folder"):
        folder = Path(_jax.include_folder())
        assert (folder / "xla" / "ffi" / "api" / "c_api.h").is_file()
    with contract("versions"):
        assert all(version[0].isdigit() for version in _jax.versions())
