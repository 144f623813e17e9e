"""What a cell can be: one declaration, read by `check` and inside programs."""

import dataclasses
import functools
import json
from importlib import resources

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion import batch
from naion.demo._layered_oxide import with_branches
from naion.parameters import (
    SEI,
    Cell,
    Electrode,
    PoreFilling,
    _cell,
    _ranges,
    available,
    cautions,
    check,
    doubts_of,
    from_json,
    half_cell,
    load,
    possible,
    to_json,
    with_double_layer,
    with_freezing,
    with_heat_through_stack,
    with_hysteresis,
    with_landesfeind,
    with_plating,
    with_pore_filling,
    with_reactions,
    with_second_material,
    with_sei,
    with_sizes,
)
from naion.properties import AbstractCurve, Expression, Property, constant

SODIUM, LITHIUM = "nfm_hc_18650", "nmc811_chen2020"
COLD, WARM = 253.15, 298.15


def put(where, value, cell=None) -> Cell:
    cell = load(SODIUM) if cell is None else cell
    return eqx.tree_at(where, cell, jnp.asarray(value, float))


def negative_curve(cell: Cell):
    return cell.negative.particle.diffusivity.curve


WRONG = {
    "porosity": (
        lambda: put(lambda c: c.negative.porosity, 1.5),
        r"negative.porosity = 1.5: expected more than 0 and less than 1.\n"
        r"  negative: porosity \+ active fractions = 1.5 \+ 0.602 = 2.102: expected at most",
    ),
    "negative porosity": (
        lambda: put(lambda c: c.separator.porosity, -0.5),
        "separator.porosity = -0.5",
    ),
    "sum of fractions": (
        lambda: put(lambda c: c.positive.porosity, 0.5),
        r"positive: porosity \+ active fractions = 0.5 \+ 0.603 = 1.103: expected at most 1",
    ),
    "sum with others": (
        lambda: put(
            lambda c: c.negative.others[0].active_fraction,
            0.5,
            with_sizes(load(SODIUM), "negative", [0.5, 1.5], [0.5, 0.5]),
        ),
        r"negative: porosity \+ active fractions = 0.372 .* = 1.173",
    ),
    "diffusivity": (
        lambda: put(lambda c: c.positive.particle.diffusivity.curve.value, -1e-14),
        "positive.particle.diffusivity = -1e-14 m2.s-1: expected more than 0 m2.s-1",
    ),
    "tabulated diffusivity": (
        lambda: put(
            lambda c: negative_curve(c).y,
            negative_curve(load(SODIUM)).y.at[4].set(-1e-15),
        ),
        "negative.particle.diffusivity = -1e-15 m2.s-1 at x = ",
    ),
    "law of the electrolyte": (
        lambda: put(
            lambda c: c.electrolyte.conductivity.curve.coefficient,
            [0.1, -5.0, 3.3],
            load(LITHIUM),
        ),
        "electrolyte.conductivity = -.* S.m-1 at salt ",
    ),
    "conductivity that is zero": (
        lambda: put(
            lambda c: c.electrolyte.conductivity.curve.y,
            np.zeros(
                load("nvpf_hc_chayambuka2022").electrolyte.conductivity.curve.y.size
            ),
            load("nvpf_hc_chayambuka2022"),
        ),
        "electrolyte.conductivity = 0 S.m-1: expected more than 0",
    ),
    "scale": (
        lambda: put(lambda c: c.electrolyte.diffusivity.scale, -1.0),
        "electrolyte.diffusivity.scale = -1: expected more than 0",
    ),
    "transference number": (
        lambda: put(lambda c: c.electrolyte.t_plus.curve.value, 1.2),
        "electrolyte.t_plus = 1.2: expected -1 to 1",
    ),
    "contact": (
        lambda: put(lambda c: c.contact_resistance.curve.value, -0.01),
        "contact_resistance = -0.01 ohm: expected at least 0 ohm",
    ),
    "area": (lambda: put(lambda c: c.area, -1.0), "area = -1 m2"),
    "infinite": (
        lambda: put(lambda c: c.thermal.mass, np.inf),
        "thermal.mass = inf kg",
    ),
    "micrometres": (
        lambda: put(lambda c: c.negative.thickness, 64.0),
        "negative.thickness = 64 m: expected more than 0 and less than 0.1 m",
    ),
    "degrees Celsius": (
        lambda: put(lambda c: c.temperature, 25.0),
        "temperature = 25 K: expected 150 to 450 K",
    ),
    "limits": (
        lambda: put(lambda c: c.limits.lower_voltage, 5.0),
        "limits: upper_voltage - lower_voltage = 4.1 - 5 = -0.9 V: expected more than 0 V",
    ),
    "stoichiometry": (
        lambda: put(lambda c: c.published.negative, 1.0),
        "published.negative = 1: expected more than 0 and less than 1",
    ),
    "gap in a table": (
        lambda: put(
            lambda c: c.negative.particle.ocp.curve.y,
            load(SODIUM).negative.particle.ocp.curve.y.at[3].set(jnp.nan),
        ),
        "negative.particle.ocp.curve.y = nan at point 4: expected a finite number",
    ),
    "falling table": (
        lambda: put(
            lambda c: c.negative.particle.ocp.curve.x,
            load(SODIUM).negative.particle.ocp.curve.x[::-1],
        ),
        r"negative.particle.ocp.curve: x\[i\+1\] - x\[i\] = .* - .* = -.* at point 1",
    ),
    "law in temperature": (
        lambda: put(lambda c: c.electrolyte.conductivity.temperature.vogel, 400.0),
        "electrolyte.conductivity.temperature: reference - vogel = 298.15 - 400 = -101.85 K",
    ),
    "plating": (
        lambda: put(
            lambda c: c.negative.plating.transfer, 1.5, with_plating(load(SODIUM))
        ),
        "negative.plating.transfer = 1.5",
    ),
    "cooling of faces": (
        lambda: put(
            lambda c: c.thermal.through_plane.first,
            0.7,
            with_heat_through_stack(load(SODIUM), 0.01),
        ),
        r"thermal.through_plane: first \+ last = 0.7 \+ 0.5 = 1.2",
    ),
}


@pytest.mark.parametrize(("made", "message"), WRONG.values(), ids=WRONG.keys())
def test_impossible_numbers_are_named_and_seen_inside(made, message):
    cell = made()
    with pytest.raises(ValueError, match=message):
        check(cell)
    assert not possible(cell)


def test_all_that_is_wrong_is_said_at_once():
    cell = put(lambda c: c.area, -1.0, put(lambda c: c.negative.thickness, 0.0))
    with pytest.raises(ValueError, match="2 of its numbers or parts are not") as error:
        check(cell)
    assert "area = -1" in str(error.value) and "thickness = 0" in str(error.value)


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        (lambda c: c.area, "0.1", "area = '0.1': expected numbers"),
        (lambda c: c.area, None, "area = None: expected numbers"),
        (lambda c: c.area, jnp.ones(1), r"area of shape \(1,\): expected one number"),
        (
            lambda c: c.separator,
            load(SODIUM).negative,
            "expected a part of type Separator",
        ),
        (
            lambda c: c.kinetics,
            "BV",
            "kinetics = 'BV': expected a part of type Abstract",
        ),
        (
            lambda c: c.negative.particle.ocp.curve.y,
            jnp.ones(3),
            r"ocp.curve.y of shape \(3,\): expected \(n\), as long as its neighbours",
        ),
    ],
)
def test_parts_of_another_kind_are_named(where, value, message):
    with pytest.raises(ValueError, match=message):
        check(eqx.tree_at(where, load(SODIUM), value))


def test_check_wants_a_cell():
    with pytest.raises(ValueError, match="cell = 'nfm': expected a part of type Cell"):
        check("nfm")


@functools.cache
def variants() -> dict[str, Cell]:
    """Every variant, and what users and fits put into cells."""
    sodium, lithium = load(SODIUM), load(LITHIUM)
    reactions = with_reactions(sodium)
    free = put(lambda c: c.contact_resistance.curve.value, 0.0)
    text = Expression("1e-14 + 0.0 * x")
    return {
        "hysteresis": with_branches(with_hysteresis(sodium)),
        "plating": with_plating(sodium),
        "sei": with_sei(sodium),
        "double layer": with_double_layer(sodium),
        "pores": with_pore_filling(reactions),
        "sizes": with_sizes(sodium, "negative", [0.5, 1.5], [0.4, 0.6]),
        "materials": with_second_material(
            sodium, "positive", lithium.positive.particle, 0.3
        ),
        "landesfeind": with_landesfeind(lithium),
        "stack": with_heat_through_stack(sodium, 0.01),
        "freezing": with_freezing(sodium, 260.0),
        "no contact": free,
        "text": eqx.tree_at(negative_curve, sodium, text),
        "own curve": eqx.tree_at(negative_curve, sodium, Own(jnp.asarray(1e-14))),
    }


class Own(AbstractCurve):
    """As a user may write one."""

    size: jax.Array

    def __call__(self, x):
        return self.size * (1.0 + x)

    def prepared(self):
        return self


@pytest.mark.parametrize("name", list(variants()))
def test_variants_are_possible(name):
    check(variants()[name])


def test_sets_and_fitted_cells_are_possible():
    """As programs see them; each is checked by name when it is loaded."""
    for name in na.parameters.available():
        assert possible(load(name))
    fitted = resources.files("naion.claims") / "tuberlin.json"
    check(from_json(json.loads(fitted.read_text(encoding="utf-8"))["cell"]))


def test_of_many_cells_the_impossible_ones_are_told():
    """In one call, lane by lane, and with derivatives through what is possible."""
    good, bad = load(SODIUM), put(lambda c: c.area, -1.0)
    cells = batch.stack([good, bad, good])
    np.testing.assert_array_equal(jax.vmap(possible)(cells), [True, False, True])
    with pytest.raises(ValueError, match="1 of 3 cells cannot be. The first is cell 1"):
        check(cells)

    def energy(area):
        cell = eqx.tree_at(lambda c: c.area, good, area)
        return jnp.where(possible(cell), area**2, jnp.nan)

    area = jnp.asarray(0.1)
    np.testing.assert_allclose(jax.grad(energy)(area), 0.2)
    np.testing.assert_allclose(jax.jvp(energy, (area,), (1.0,))[1], 0.2)
    # Traced cells are not looked at by `check`.
    jax.eval_shape(lambda a: check(eqx.tree_at(lambda c: c.area, bad, a)), area)


def is_declared(kind, field):
    own = "range" in _ranges._metadata(kind, field)
    return own or field in _ranges._BELOW.get(kind, {})


def test_every_number_of_a_cell_has_a_range():
    """A field that is added must be declared."""
    for kind in (*vars(_cell).values(), PoreFilling):
        is_part = isinstance(kind, type) and issubclass(kind, eqx.Module)
        if not is_part or kind is Property:
            continue
        numbers = [
            f.name
            for f in dataclasses.fields(kind)
            if f.type is Property or getattr(f.type, "dim_str", None) == ""
        ]
        undeclared = [n for n in numbers if not is_declared(kind, n)]
        assert not undeclared, kind
    assert is_declared(Electrode, "porosity")
    assert is_declared(SEI, "thickness")
    assert not is_declared(Electrode, "particle")


def test_files_with_impossible_numbers_are_refused():
    data = to_json(load(SODIUM))
    data["negative"]["porosity"] = -0.5
    data["negative"]["particle"]["ocp"]["curve"]["extrapolation"] = "banana"
    with pytest.raises(
        ValueError, match="extrapolation: expected 'linear' .* got 'banana'"
    ):
        from_json(data)
    data["negative"]["particle"]["ocp"]["curve"]["extrapolation"] = "clamp"
    with pytest.raises(ValueError, match="negative.porosity = -0.5"):
        from_json(data)


@pytest.mark.parametrize(
    ("where", "factor", "said"),
    [
        (lambda c: c.negative.thickness, 1e3, "negative.thickness is 0.0987 m"),
        (lambda c: c.positive.particle.radius, 1e3, "nanometres"),
        (lambda c: c.electrolyte.diffusivity.scale, 1e4, "electrolyte.diffusivity"),
        (lambda c: c.positive.particle.diffusivity.scale, 1e5, "cm2.s-1"),
        (lambda c: c.negative.particle.ocp.scale, 1e3, "in millivolt"),
        (lambda c: c.contact_resistance.scale, 1e3, "in milliohm"),
        (lambda c: c.thermal.mass, 1e3, "mass in gram"),
    ],
)
def test_other_units_are_spoken_of(where, factor, said):
    cell = load(SODIUM)
    (sentence,) = doubts_of(eqx.tree_at(where, cell, where(cell) * factor))
    assert said in sentence


def test_no_set_has_other_units():
    for name in available():
        cell = load(name)
        halves = [half_cell(cell, side) for side in ("negative", "positive")]
        assert [doubts_of(c, far=0.5) for c in (cell, *halves)] == [[], [], []], name


def test_sets_at_one_temperature_say_so_elsewhere():
    for name, said in (
        (
            "nvpf_hc_chayambuka2022",
            "diffusivities of both electrodes and rate constants of both",
        ),
        (LITHIUM, "diffusivities of both electrodes are those of 25 degC"),
    ):
        (sentence,) = cautions(load(name), COLD, WARM)
        assert said in sentence
        assert "do not change with temperature: at -20 degC they are used" in sentence
        assert cautions(load(name), 294.0, 303.0) == ()


def test_laws_are_extrapolated_beyond_their_measurements():
    cell = load(SODIUM)
    assert cautions(cell, 288.15, 318.15) == ()
    (cold,) = cautions(cell, COLD, WARM)
    assert cold == (
        "Rate constants of both electrodes and contact resistance rest on measurements at "
        "15 to 45 degC: at -20 degC they are extrapolated."
    )
    liquid, solid = cautions(cell, 213.15, 333.15)
    assert liquid == (
        "Electrolyte conductivity and electrolyte diffusivity rest on measurements at "
        "-20 to 50 degC: at -60 and 60 degC they are extrapolated."
    )
    assert "15 to 45 degC: at -60 and 60 degC" in solid
    published, fitted = cautions(load("lfp_aboutenergy"), COLD, WARM)
    assert "diffusivities of both electrodes rest on measurements at 25" in published
    assert fitted == (
        "Rate constants of both electrodes rest on measurements at 5 to 45 degC: at "
        "-20 degC they are extrapolated."
    )


def test_laws_that_do_not_vary_speak_where_others_decide():
    """A resistance that is constant is no reason; conductivities and the like are."""
    cell = load(SODIUM)
    free = eqx.tree_at(
        lambda c: [
            c.contact_resistance,
            c.negative.particle.rate_constant,
            c.positive.particle.rate_constant,
        ],
        cell,
        [constant(0.01), constant(1e-11), constant(1e-11)],
    )
    (sentence,) = cautions(free, COLD, WARM)
    assert sentence == (
        "Rate constants of both electrodes are those of 25 degC and do not change with "
        "temperature: at -20 degC they are used as they are."
    )
    moved = put(lambda c: c.temperature, COLD, free)
    assert cautions(moved, COLD, COLD) == ()


def test_ranges_of_validity_are_kept():
    """By files, variants and moved numbers; files without them can be read."""
    cell = load(SODIUM)
    p = cell.electrolyte.conductivity
    assert p.valid == (253.15, 323.15)
    assert with_freezing(cell, 260.0).electrolyte.conductivity.valid == p.valid
    data = json.loads(json.dumps(to_json(cell)))
    assert from_json(data).electrolyte.conductivity.valid == p.valid
    del data["electrolyte"]["conductivity"]["valid"]
    assert from_json(data).electrolyte.conductivity.valid is None
    moved = put(lambda c: c.electrolyte.conductivity.scale, 1.1)
    assert jax.tree.structure(moved) == jax.tree.structure(cell)
    with pytest.raises(ValueError, match=r"valid=\(300.0, 200.0\): expected two temp"):
        constant(1.0, valid=(300.0, 200.0))
