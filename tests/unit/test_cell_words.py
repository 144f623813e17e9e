"""Cells by readable names: what they show, and how their numbers are changed."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion.parameters import with_plating, with_sizes
from naion.properties import Property

THICKNESS = "Negative electrode thickness [m]"
DIFFUSIVITY = "Positive particle diffusivity [m2.s-1]"


def test_a_cell_says_what_it_is_and_where_its_numbers_are_from(any_cell):
    (name,) = (
        n for n in na.parameters.available() if na.parameters.load(n) is any_cell
    )
    of = na.parameters.load_set(name)
    said = str(any_cell)
    assert said.startswith(f"{of.name}: {of.title}\n")
    assert f"{float(any_cell.limits.upper_voltage):.5g} V" in said
    lines = {line.strip().split("  ")[0]: line for line in said.splitlines()}
    for entry in of.provenance:
        if entry.name == "negative.porosity":
            assert f" {entry.value:.5g} " in lines["Negative electrode porosity"]
            assert f"  {entry.quality}  " in lines["Negative electrode porosity"]
    page, names = any_cell._repr_html_(), any_cell.keys()
    assert all(n.rsplit(" [", 1)[0] in page for n in names)
    assert page.count("<img") == 1


def test_changed_numbers_have_no_source(cell):
    changed = cell.with_(**{THICKNESS: 5e-5, DIFFUSIVITY: ([0.0, 1.0], [1e-15, 2e-15])})
    assert float(changed.negative.thickness) == 5e-5
    law = changed.positive.particle.diffusivity.temperature
    assert eqx.tree_equal(law, cell.positive.particle.diffusivity.temperature)
    said = str(changed)
    assert "2 not as in the set: Negative electrode thickness [m], Positive" in said
    (line,) = (s for s in said.splitlines() if "Negative electrode thickness  " in s)
    assert line.split()[-7:] == ["5e-05", "m", "not", "as", "in", "the", "set"]
    # The set's own numbers again: nothing is changed.
    back = changed.with_(**{THICKNESS: cell[THICKNESS], DIFFUSIVITY: cell[DIFFUSIVITY]})
    assert str(back) == str(cell)


def test_a_prompt_shows_words_and_numbers(cell):
    """Not a tree of array types; whatever is no cell of numbers is still that tree."""
    assert repr(cell).startswith("<nfm_hc_18650: ") and "1.5 and 4.1 V" in repr(cell)
    thicker = cell.with_({THICKNESS: 9e-5}, area=0.1)
    assert ", 2 not as there; between" in repr(thicker)
    resistance = cell.with_({"Contact resistance [ohm]": 0.0125})
    assert "<Property: 0.0125" in repr(resistance["Contact resistance [ohm]"])
    n = len(cell.positive.particle.ocp.curve.x)
    assert f"table of {n} points, 2." in repr(cell["positive.particle.ocp"])
    kinds = jax.tree.map(type, cell)
    assert "thickness=" in repr(kinds) and "curve=" in repr(kinds.contact_resistance)
    with pytest.raises(TypeError, match="with_ got a list: expected values by name"):
        cell.with_([1.0])


def test_names_lead_to_every_number(cell):
    every = with_sizes(with_plating(cell), "positive", [1.0, 2.0], [0.5, 0.5])
    names = every.keys()
    assert len(set(names)) == len(names)
    assert set(cell.keys()) < set(names)
    for name in names:
        leaf = every[name]
        if not isinstance(leaf, Property):
            new = every.with_(**{name: leaf})
            assert eqx.tree_equal(new, every)
    assert every.search("PLATING") and not cell.search("plating")


def test_what_is_unknown_or_impossible_is_refused(cell):
    for name, nearest in (
        ("Negative electrode thicknes [m]", "Nearest: Negative electrode thickness"),
        ("Negative electrode thickness [um]", r"unit is \[m\]"),
        ("positive diffusivity", DIFFUSIVITY.partition(" [")[0]),
    ):
        with pytest.raises(KeyError, match=nearest):
            cell.with_(**{name: 1.0})
    with pytest.raises(ValueError, match="area = -1 m2: expected more than 0"):
        cell.with_(area=-1.0)
    with pytest.raises(TypeError, match="expected a number in m2"):
        cell.with_(area="large")
    with pytest.raises(ValueError, match="shape \\(2,\\)"):
        cell.with_(area=jnp.ones(2))
    with pytest.raises(ValueError, match="are the same number"):
        cell.with_(**{"area": 0.1, "Electrode area [m2]": 0.2})


def test_under_transformations(cell):
    said = []

    @jax.grad
    def slope(area):
        new = cell.with_(**{"area": area, DIFFUSIVITY: 1e-15 * area})
        said.extend([str(new), new._repr_html_()])
        return new.area**2 + 1e15 * new[DIFFUSIVITY](0.5, 298.15)

    assert float(slope(3.0)) == pytest.approx(7.0)
    assert said[0].startswith("Cell, traced") and "traced" in said[1]
    shown = [repr(cell.with_(area=3.0))]
    jax.jit(lambda c: shown.extend([repr(c), repr(c[DIFFUSIVITY])]) or c.area)(cell)
    assert "traced" in shown[1] and "traced" in shown[2]
    many = jax.vmap(lambda a: cell.with_(area=a))(jnp.array([0.1, 0.2]))
    assert repr(many).startswith("<2 cells of nfm_hc_18650")
    text = str(many)
    assert text.startswith("2 cells of nfm_hc_18650")
    assert "0.1 to 0.2" in text and "1 not as in the set: Electrode area" in text
    np.testing.assert_array_equal(many.with_(area=0.3).area, [0.3, 0.3])
    assert "<table>" in many._repr_html_()
