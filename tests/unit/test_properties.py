"""Curves and temperature laws."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import CubicHermiteSpline, PchipInterpolator

import naion as na
from naion.properties import (
    VTF,
    Arrhenius,
    Corrected,
    Freezing,
    Invariant,
    PowerExponential,
    PowerSeries,
    Property,
    Table,
    TanhSum,
    constant,
    prepare,
)

X = np.array([0.0, 0.1, 0.15, 0.4, 0.5, 0.7, 0.72, 1.0])
Y = {
    "monotone": np.array([4.0, 3.6, 3.59, 3.0, 2.9, 1.0, 0.9, 0.0]),
    "with extrema": np.array([0.0, 1.0, 0.5, 0.5, 2.0, -1.0, -0.9, 3.0]),
    "steep ends": np.array([9.0, 0.0, 0.1, 0.2, 0.1, 0.0, 1.0, -20.0]),
}
INSIDE = np.linspace(0.0, 1.0, 301)


def table(y, **kinds) -> Table:
    return Table(jnp.asarray(X), jnp.asarray(y), **kinds)


@pytest.mark.parametrize("y", Y.values(), ids=Y.keys())
def test_pchip_equals_scipy(y):
    # The same polynomials written in other powers: rounding of values of order ten.
    np.testing.assert_allclose(
        table(y)(INSIDE), PchipInterpolator(X, y)(INSIDE), rtol=0.0, atol=1e-13
    )


@pytest.mark.parametrize("y", Y.values(), ids=Y.keys())
def test_pchip_slope_equals_scipy(y):
    slope = jax.vmap(jax.grad(table(y)))(jnp.asarray(INSIDE[1:-1]))
    expected = PchipInterpolator(X, y).derivative()(INSIDE[1:-1])
    # Slopes are up to 1e3, so 1e-11 is rounding.
    np.testing.assert_allclose(slope, expected, rtol=0.0, atol=1e-11)


@pytest.mark.parametrize("y", Y.values(), ids=Y.keys())
def test_parabolic_equals_scipy_with_numpys_gradients(y):
    expected = CubicHermiteSpline(X, y, np.gradient(y, X, edge_order=2))(INSIDE)
    found = table(y, interpolation="parabolic")(INSIDE)
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-12)


def test_parabolic_is_linear_in_its_values():
    """So that values about zero can be fitted: monotone pieces have kinks there."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, len(X)))

    def at(y):
        return np.asarray(table(y, interpolation="parabolic")(INSIDE))

    np.testing.assert_allclose(at(2.0 * a - b), 2.0 * at(a) - at(b), atol=1e-12)


def test_logarithmic_is_parabolic_in_the_logarithm():
    """Positive between values of different decades, where a parabolic one is not."""
    y = np.array([1.0, 1.0, 1e-3, 2.0, 1e3])
    x = np.linspace(0.0, 1.0, len(y))
    found = np.asarray(Table(x, y, "logarithmic")(INSIDE))
    expected = np.exp(np.asarray(Table(x, np.log(y), "parabolic")(INSIDE)))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert np.min(Table(x, y, "parabolic")(INSIDE)) < 0.0 < found.min()
    clamped = Table(x, y, "logarithmic", "clamp")
    np.testing.assert_allclose(clamped(jnp.array([-0.5, 1.5])), y[[0, -1]], rtol=1e-12)


def test_logarithmic_needs_values_above_zero():
    with pytest.raises(ValueError, match="above zero, got -1"):
        Table([0.0, 0.5, 1.0], [1.0, -1.0, 2.0], "logarithmic")


def test_linear_equals_numpy():
    y = Y["with extrema"]
    curve = table(y, interpolation="linear")
    np.testing.assert_allclose(curve(INSIDE), np.interp(INSIDE, X, y), atol=1e-14)


def test_two_points_are_a_line():
    curve = Table(jnp.array([0.0, 2.0]), jnp.array([1.0, 5.0]))
    np.testing.assert_allclose(curve(jnp.array([0.5, 1.0, 3.0])), [2.0, 3.0, 7.0])


def test_falling_points_are_turned_round_and_equal_ones_are_one():
    up = Table([0.0, 0.5, 1.0], [0.0, 1.0, 3.0])
    down = Table([1.0, 0.5, 0.5, 0.0], np.array([3.0, 1.0, 1.0, 0.0]))
    np.testing.assert_array_equal(down.x, up.x)
    np.testing.assert_array_equal(down.y, up.y)
    assert [float(down(jnp.asarray(x))) for x in (0.25, 0.75)] == [
        float(up(jnp.asarray(x))) for x in (0.25, 0.75)
    ]


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (
            [0.0, 0.5, 0.4, 1.0],
            [0.0, 1.0, 2.0, 3.0],
            "point 3, x = 0.4, follows x = 0.5",
        ),
        (
            [1.0, 0.5, 0.6, 0.1],
            [0.0, 1.0, 2.0, 3.0],
            "point 3, x = 0.6, follows x = 0.5",
        ),
        (
            [1.0, 0.5, 0.5, 0.0],
            [0.0, 1.0, 2.0, 3.0],
            r"x = 0.5 \(points 2 and 3\): y = 1",
        ),
        ([1.0, 1.0], [2.0, 2.0], "two or more: got x of shape"),
        ([1.0], [2.0], "two or more: got x of shape"),
        ([], [], "two or more: got x of shape"),
        (1.0, 2.0, "two or more: got x of shape"),
        ([0.0, 1.0], [0.0, 1.0, 2.0], r"x of shape \(2,\) and y of shape \(3,\)"),
        ([0.0, np.nan], [0.0, 1.0], "x of a table: expected finite.*nan at point 2"),
        ([0.0, 1.0], [np.inf, 1.0], "y of a table: expected finite.*inf at point 1"),
        ([0.0, 1.0], ["a", "b"], "y of a table: expected numbers"),
        ([0.0, 1.0], None, "y of a table: expected finite|expected numbers"),
    ],
)
def test_tables_that_are_none(x, y, message):
    with pytest.raises(ValueError, match=message):
        Table(x, y)


@pytest.mark.parametrize("what", ["interpolation", "extrapolation"])
def test_words_of_tables_are_known_ones(what):
    with pytest.raises(ValueError, match=f"{what}='banana' of a table: expected"):
        Table([0.0, 1.0], [0.0, 1.0], **{what: "banana"})


def test_traced_and_stacked_tables_are_taken_as_they_are():
    x, y = jnp.asarray([[0.0, 1.0], [1.0, 0.0]]), jnp.asarray([[0.0, jnp.nan]] * 2)
    assert Table(x, jnp.zeros((2, 2))).x.shape == (2, 2)
    assert jax.eval_shape(Table, x[0], y[0]).y.shape == (2,)
    assert jax.vmap(Table)(x, y).y.shape == (2, 2)
    # Known points are put in order under unknown values too.
    down = jax.eval_shape(lambda y: Table([1.0, 0.5, 0.0], y), jnp.zeros(3))
    assert down.y.shape == (3,)
    with pytest.raises(ValueError, match="two values at x = 0.5"):
        jax.eval_shape(lambda y: Table([1.0, 0.5, 0.5], y), jnp.zeros(3))


@pytest.mark.parametrize("kind", ["pchip", "parabolic", "linear"])
def test_extrapolation(kind):
    y = Y["monotone"]
    outside = jnp.array([-0.3, 1.2])
    clamp = table(y, interpolation=kind, extrapolation="clamp")
    np.testing.assert_allclose(clamp(outside), [y[0], y[-1]], atol=1e-14)
    np.testing.assert_array_equal(jax.vmap(jax.grad(clamp))(outside), [0.0, 0.0])
    line = table(y, interpolation=kind)
    slopes = jax.vmap(jax.grad(line))(jnp.array([1e-12, 1.0 - 1e-12]))
    expected = [y[0] - 0.3 * slopes[0], y[-1] + 0.2 * slopes[1]]
    np.testing.assert_allclose(line(outside), expected, rtol=1e-9)
    np.testing.assert_allclose(jax.vmap(jax.grad(line))(outside), slopes, rtol=1e-9)


@pytest.mark.parametrize("which", ["points", "values"])
@pytest.mark.parametrize("kind", ["pchip", "parabolic", "linear"])
def test_gradient_reaches_points_and_values(kind, which):
    """Against central differences, inside and outside of the table."""
    at = jnp.array([-0.1, 0.05, 0.3, 0.6, 1.1])

    @jax.jit
    def value(moved):
        data = {"points": jnp.asarray(X), "values": jnp.asarray(Y["monotone"])}
        data[which] = moved
        return Table(data["points"], data["values"], interpolation=kind)(at)

    data = jnp.asarray(X if which == "points" else Y["monotone"])
    gradient = jax.jacrev(value)(data)
    assert np.all(np.any(gradient != 0.0, axis=1))
    differences = [(value(data + e) - value(data - e)) / 2e-6 for e in 1e-6 * np.eye(8)]
    # Rounding 1e-16/1e-6 and truncation, for slopes up to about 1e2.
    np.testing.assert_allclose(gradient, np.stack(differences, 1), rtol=1e-5, atol=1e-6)


def test_gradient_forward_equals_reverse():
    y = jnp.asarray(Y["with extrema"])

    def values(y):
        return table(y)(jnp.asarray(INSIDE[::10]))

    forward, reverse = jax.jacfwd(values)(y), jax.jacrev(values)(y)
    np.testing.assert_allclose(forward, reverse, atol=1e-13)


def test_prepared_tree_gives_the_same_values():
    p = Property(table(Y["monotone"]), Arrhenius(jnp.asarray(3e4), jnp.asarray(298.15)))
    x, T = jnp.asarray(INSIDE), jnp.asarray(310.0)
    np.testing.assert_array_equal(prepare(p)(x, T), p(x, T))
    both = Corrected(table(Y["monotone"]), table(Y["with extrema"]))
    expected = table(Y["monotone"])(x) + table(Y["with extrema"])(x)
    np.testing.assert_array_equal(both(x), expected)
    np.testing.assert_array_equal(prepare(both)(x), expected)


def test_published_forms():
    tanh = TanhSum(
        *map(jnp.asarray, (1.0, 2.0, 3.0, 4.0)), *jnp.array([[5.0], [6.0], [0.2]])
    )
    x = 0.3
    expected = 1.0 + 2.0 * x + 3.0 * np.exp(-4.0 * x) + 5.0 * np.tanh(6.0 * (x - 0.2))
    np.testing.assert_allclose(tanh(jnp.asarray(x)), expected, rtol=1e-14)
    assert tanh(jnp.full((3, 2), x)).shape == (3, 2)
    series = PowerSeries(jnp.array([2.0, -1.0]), (1.5, 0.0))
    # The smooth floor at zero moves m by 1e-12.
    np.testing.assert_allclose(series(jnp.asarray(4000.0)), 15.0, rtol=1e-11)
    law = PowerExponential(jnp.asarray(0.9), jnp.asarray(0.5), 1.0)
    np.testing.assert_allclose(law(jnp.asarray(1000.0)), 0.9, rtol=1e-11)
    expected = 0.9 * 2.0 * np.exp(-0.5)
    np.testing.assert_allclose(law(jnp.asarray(2000.0)), expected, rtol=1e-11)


@pytest.mark.parametrize(
    "curve",
    [
        PowerSeries(jnp.array([0.1, -2.5, 3.3]), (3.0, 1.5, 1.0)),
        PowerExponential(jnp.asarray(0.9), jnp.asarray(0.5), 1.0),
    ],
)
def test_forms_are_finite_without_salt(curve):
    for x in (-10.0, 0.0, 1e-9):
        assert np.isfinite(curve(jnp.asarray(x)))
        assert np.isfinite(jax.grad(curve)(jnp.asarray(x)))


@pytest.mark.parametrize("reference", [298.15, 273.0])
def test_temperature_laws_are_one_at_the_reference(reference):
    T = jnp.asarray(reference)
    laws = [
        Invariant(),
        Arrhenius(jnp.asarray(5e4), T),
        VTF(jnp.asarray(420.0), jnp.asarray(150.0), T),
        VTF(jnp.asarray(420.0), jnp.asarray(150.0), T, True),
    ]
    for law in laws:
        assert float(law(T)) == 1.0
    for law in laws[1:]:
        assert law(T + 10.0) > 1.0 > law(T - 10.0)


def test_temperature_laws_against_the_formulas():
    T = 260.0
    arrhenius = Arrhenius(jnp.asarray(5e4), jnp.asarray(298.15))
    expected = np.exp(5e4 / 8.314462618 * (1.0 / 298.15 - 1.0 / T))
    np.testing.assert_allclose(arrhenius(jnp.asarray(T)), expected, rtol=1e-13)
    vtf = VTF(*map(jnp.asarray, (420.0, 150.0, 298.15)), True)
    expected = np.exp(420.0 / 148.15 - 420.0 / 110.0) * T / 298.15
    np.testing.assert_allclose(vtf(jnp.asarray(T)), expected, rtol=1e-13)


def test_property_is_the_product():
    law = Arrhenius(jnp.asarray(5e4), jnp.asarray(298.15))
    p = Property(table(Y["monotone"]), law, scale=2.0)
    T = jnp.asarray(300.0)
    expected = 2.0 * float(law(T)) * np.asarray(table(Y["monotone"])(INSIDE))
    np.testing.assert_allclose(p(INSIDE, T), expected, rtol=1e-14)
    assert constant(3.0)(jnp.zeros((2, 3)), T).shape == (2, 3)


def test_landesfeind_electrolyte():
    """Values of LiPF6 in EC:EMC at 1 mol/L, 25 degC, and what falls with temperature."""
    cell = na.parameters.with_landesfeind(na.parameters.load("nmc811_chen2020"))
    e, c = cell.electrolyte, jnp.asarray(1000.0)
    warm, cold = jnp.asarray(298.15), jnp.asarray(263.15)
    np.testing.assert_allclose(e.conductivity(c, warm), 0.913, rtol=1e-3)
    np.testing.assert_allclose(e.diffusivity(c, warm), 2.89e-10, rtol=1e-3)
    np.testing.assert_allclose(e.t_plus(c, warm), 0.221, rtol=1e-2)
    np.testing.assert_allclose(e.thermodynamic_factor(c, warm), 2.18, rtol=1e-2)
    for law in (e.conductivity, e.diffusivity):
        assert float(law(c, cold)) < 0.6 * float(law(c, warm))
    assert float(e.conductivity(c, jnp.asarray(200.0))) > 0.0


def test_freezing_begins_at_the_liquidus():
    law = Freezing(Invariant(), *map(jnp.asarray, (260.0, 20.0, 2.0)))
    T = jnp.asarray([300.0, 261.0, 240.0, 200.0])
    factor = np.asarray(law(T))
    assert factor[0] > 1.0 - 1e-12 and factor[1] > 0.96
    np.testing.assert_allclose(factor[2], 0.25, rtol=1e-3)
    assert 0.0 < factor[3] < 0.1


def test_electrolyte_variants_simulate(model):
    """Colder is worse, a slush is worse still; both give gradients."""
    cell = na.parameters.with_landesfeind(na.parameters.load("nfm_hc_18650"))
    frozen = na.parameters.with_freezing(cell, 278.15)

    def energy(cell, T):
        s = na.simulate(
            cell, "Discharge at 1C for 600 s", model=model, temperature=T, rtol=1e-6
        )
        return s.energy

    at = jnp.asarray(268.15)
    # The slush's energy comes with its derivative.
    slush, forward = jax.jvp(lambda T: energy(frozen, T), (at,), (jnp.ones(()),))
    assert float(energy(cell, 298.15)) > float(energy(cell, 268.15)) > float(slush)
    reverse = jax.grad(lambda T: energy(frozen, T))(at)
    np.testing.assert_allclose(forward, reverse, rtol=1e-6)
