"""The condensed step matrix against a dense derivative of the rates."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion.parameters import (
    stoichiometry_at_soc,
    with_double_layer,
    with_hysteresis,
    with_plating,
    with_pore_filling,
    with_reactions,
    with_sei,
    with_sizes,
)
from naion.protocol import Control, Mode
from naion_kernels import lanes

MESH = na.Mesh(3, 2, 4, 6)
SHIFT, TAU = 0.3, 2.0

VALUES = {
    Mode.CURRENT: (1.2, 0.1),
    Mode.VOLTAGE: (3.0, -0.01),
    Mode.POWER: (4.0, 0.2),
    Mode.RESISTANCE: (2.0, 0.1),
    Mode.POWER_WITHIN_LIMITS: (4.0, 0.2),
}


def roughened(s, *, sto, local):
    """State far from equilibrium: noise on every field, current, a warm cell."""
    rng = np.random.default_rng(3)
    sizes = {"sto": sto, "pores": 0.003, "c_e": 0.3, "phi_e": 0.05, "phi_s": 0.01}
    fields = {
        name: (a := getattr(s, name)) + size * rng.uniform(-1.0, 1.0, a.shape)
        for name, size in (sizes | {"local": local}).items()
    }
    fixed = {"current": jnp.asarray(0.8), "temperature": jnp.asarray(303.0)}
    return s._replace(**fields, **fixed)


@pytest.fixture(scope="module", params=["isothermal", "lumped"])
def system(request):
    """A model, a rough state far from equilibrium, and programs for all modes."""
    cell = na.parameters.load("nfm_hc_18650")
    thermal = na.Lumped() if request.param == "lumped" else na.Isothermal()
    model = na.DFN(mesh=MESH, thermal=thermal)
    grid, model = model.discretise(cell), model.for_cell(cell)
    sto = stoichiometry_at_soc(cell, jnp.asarray(0.6))
    y = model.equilibrium(grid, sto, cell.temperature)
    s = model.layout.unpack(y, cell.temperature)
    s = roughened(s, sto=0.05, local=0.3)
    y = model.layout.pack(s._replace(charge=jnp.asarray(100.0)))

    def control(mode, value, slope):
        a = jnp.asarray
        return Control(mode, value, slope, a(303.0), a(0.01))

    @jax.jit
    def matrix(mode, value, slope):
        c = control(mode, value, slope)

        def rates(y):
            return model.rates(jnp.asarray(TAU), y, grid, c)

        return SHIFT * jnp.diag(jnp.asarray(model.layout.mass())) - jax.jacfwd(rates)(y)

    def solves(mode, value, slope):
        """Solve with the step matrix and with its transpose, factored once."""
        c = control(mode, value, slope)
        step = model.linearise(jnp.asarray(SHIFT), jnp.asarray(TAU), y, grid, c)
        factors, layout = step.factor(), model.layout
        return tuple(
            lambda b, of=of: layout.join(*of(*layout.split(b)))
            for of in (factors.solve, factors.solve_transposed)
        )

    @jax.jit
    def solve(mode, value, slope, b):
        return tuple(of(b) for of in solves(mode, value, slope))

    return model, y, matrix, solves, solve


@pytest.mark.skipif(not lanes.has_compiler(), reason="needs g++ on Linux")
@pytest.mark.parametrize("count", [None, 11])
def test_native_condensed_equals_plain(system, count):
    """Lane programs of solves, their tangents and cotangents: 100 eps cond(A)."""
    _, y, matrix, solves, _ = system
    imposed = tuple(map(jnp.asarray, (int(Mode.POWER), *VALUES[Mode.POWER])))
    A = matrix(*imposed)
    cond = np.linalg.cond(np.asarray(A))

    def everything(b, bar):
        solve, solve_transposed = solves(*imposed)

        def along(b):
            return jax.lax.custom_linear_solve(
                lambda u: A @ u,
                b,
                lambda _, b: solve(b),
                lambda _, b: solve_transposed(b),
            )

        x, pullback = jax.vjp(along, b)
        _, x_dot = jax.jvp(along, (b,), (bar,))
        (x_transposed,) = jax.linear_transpose(along, b)(bar)
        return x, x_dot, pullback(b)[0], x_transposed

    shape = y.shape if count is None else (count, *y.shape)
    b, bar = np.random.default_rng(5).uniform(-1.0, 1.0, (2, *shape))
    plain, native = everything, lanes.per_lane(everything)
    if count is not None:
        plain, native = jax.vmap(plain), jax.vmap(native)
    expected, found = jax.jit(plain)(b, bar), jax.jit(native)(b, bar)
    for a, z in zip(jax.tree.leaves(expected), jax.tree.leaves(found), strict=True):
        error = np.linalg.norm(z - a, axis=-1) / np.linalg.norm(a, axis=-1)
        assert np.all(error < 100 * np.finfo(float).eps * cond)


@pytest.mark.parametrize("mode", list(Mode), ids=lambda m: m.name.lower())
def test_condensed_equals_dense(system, mode):
    """Residuals of solves, row by row, over the size of the row's terms.

    1e-9: elimination without pivoting, of matrices with condition numbers of 1e6.
    """
    model, y, matrix, _, solve = system
    imposed = (jnp.asarray(int(mode)), *map(jnp.asarray, VALUES[mode]))
    A = np.asarray(matrix(*imposed))
    rng = np.random.default_rng(int(mode))
    for _ in range(3):
        b = rng.uniform(-1.0, 1.0, y.shape)
        x, x_transposed = map(np.asarray, solve(*imposed, b))
        for left, z in ((A, x), (A.T, x_transposed)):
            scale = np.abs(left) @ np.abs(z) + np.abs(b)
            assert np.max(np.abs(left @ z - b) / scale) < 1e-9
            exact = np.linalg.solve(left, b)
            assert np.linalg.norm(z - exact) < 1e-7 * np.linalg.norm(exact)


PARTS = {
    "double layer": lambda c: with_double_layer(c),
    "SEI": lambda c: with_sei(c, thickness=2e-8),
    "sizes": lambda c: with_sizes(c, "negative", [1.0, 2.0], [0.6, 0.4]),
    "pores": lambda c: with_pore_filling(with_reactions(c), 1.0),
}


def all_parts(cell):
    cell = PARTS["sizes"](PARTS["pores"](PARTS["double layer"](cell)))
    cell = with_sizes(cell, "positive", [1.0, 2.0, 3.0], [0.5, 0.3, 0.2])
    return PARTS["SEI"](with_plating(with_hysteresis(cell)))


@pytest.mark.parametrize("part", [*PARTS, "all"])
def test_parts_condense_exactly(part):
    """Every part's rows and columns, from a rough state; 1e-13 of the rows' terms."""
    plain = na.parameters.load("nfm_hc_prismatic")
    cell = PARTS.get(part, all_parts)(plain)
    chosen = na.DFN(MESH, na.Lumped())
    grid, model = chosen.discretise(cell), chosen.for_cell(cell)
    layout = model.layout
    sto = stoichiometry_at_soc(plain, jnp.asarray(0.6))
    s = layout.unpack(model.equilibrium(grid, sto, cell.temperature), cell.temperature)
    s = roughened(s, sto=0.02, local=0.1)
    names = [u.name for u in model.surface]
    if "sei" in names:
        thick = s.local.at[names.index("sei")].add(5.0)
        s = s._replace(local=thick)
    y, tau = layout.pack(s), jnp.asarray(TAU)
    a = jnp.asarray
    imposed = Control(a(int(Mode.POWER)), a(4.0), a(0.2), a(303.0), a(0.01))
    jacobian = jax.jit(jax.jacfwd(lambda y: model.rates(tau, y, grid, imposed)))(y)
    A = SHIFT * np.diag(layout.mass()) - np.asarray(jacobian)
    b = np.random.default_rng(0).uniform(-1.0, 1.0, y.shape)

    # Two programs: XLA takes far longer over both in one.
    matrix = jax.jit(lambda y: model.linearise(SHIFT, tau, y, grid, imposed))(y)

    @jax.jit
    def solved(matrix, b):
        factors = matrix.factor()
        both = factors.solve, factors.solve_transposed
        return [layout.join(*solve(*layout.split(b))) for solve in both]

    for left, x in zip((A, A.T), map(np.asarray, solved(matrix, b)), strict=True):
        scale = np.abs(left) @ np.abs(x) + np.abs(b)
        assert np.max(np.abs(left @ x - b) / scale) < 1e-13


def test_layout_round_trip(system):
    model, y, *_ = system
    layout = model.layout
    assert y.shape == (layout.size,) == layout.mass().shape
    s = layout.unpack(y, jnp.asarray(303.0))
    np.testing.assert_array_equal(layout.pack(s), y)
    np.testing.assert_array_equal(layout.join(*layout.split(y)), y)


def test_equilibrium_is_at_rest(any_cell):
    """Uniform composition, no current: all rates vanish, but for SOC-free rounding."""
    model, T = na.DFN(mesh=MESH), any_cell.temperature
    grid, model = model.discretise(any_cell), model.for_cell(any_cell)
    zero = jnp.zeros(())
    control = Control(jnp.asarray(int(Mode.CURRENT)), zero, zero, T, zero)
    sto = any_cell.published
    y = model.equilibrium(grid, sto, T)
    f = jax.jit(model.rates)(zero, y, grid, control)
    # Potentials of 4 V times conductances of 1e6 over the current scale: rounding.
    blocks, border = model.layout.split(f)
    assert np.abs(blocks.inner).max() < 1e-12
    assert np.abs(blocks.local).max() < 1e-14
    assert np.abs(blocks.macro).max() < 1e-7
    assert np.abs(border).max() == 0.0
    V = model.terminal_voltage(model.layout.unpack(y, T), grid)
    expected = na.parameters.open_circuit_voltage(any_cell, sto, T)
    assert abs(float(V - expected)) < 1e-12


@pytest.mark.parametrize("size", [{"n_neg": 1}, {"n_sep": 0}, {"n_r": 3}])
def test_mesh_refuses_what_it_cannot_do(size):
    with pytest.raises(ValueError, match="Mesh needs at least"):
        na.Mesh(**size)


def test_shells_fill_the_sphere():
    for grading in (0.0, 2.0, 5.0):
        shells = na.Mesh(n_r=12, grading=grading).shells()
        assert abs(shells.volumes.sum() - 1.0 / 3.0) < 1e-15
        assert shells.nodes[0] == 0.0 and shells.nodes[-1] == 1.0
        assert np.all(np.diff(shells.nodes) > 0.0)
