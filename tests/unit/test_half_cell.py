"""Half cells: what they are made of, what they say, and what is refused."""

import warnings

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion._constants import F, R
from naion.claims import audited_cell
from naion.io import read_cell, write_bpx, write_cell
from naion.parameters import (
    equilibrium_potential,
    is_half_cell,
    metal_kinetics,
    open_circuit_voltage,
    stoichiometries_at_limits,
    suited_mesh,
    with_hysteresis,
    with_sizes,
)
from naion.physics.kinetics import Interface

SETS = "cfm_hc_32140", "nmc811_chen2020", "nvpf_hc_chayambuka2022"
"""With a potential that is level at its end, formulas, and tables."""


@pytest.mark.parametrize("electrode", ["negative", "positive"])
def test_every_set_has_two(electrode):
    """They rest at their limits, or where their tables end; 1C is what lies between."""
    for name in SETS:
        cell = na.load(name)
        half, given = na.half_cell(cell, electrode), getattr(cell, electrode)
        assert is_half_cell(half) and not is_half_cell(cell)
        assert eqx.tree_equal(half.positive, given)
        empty, full = stoichiometries_at_limits(half)
        x, T = jnp.stack([full.positive, empty.positive]), half.temperature
        assert 0.0 < x[0] < x[1] < 1.0
        # The metal is at 0 V wherever it is.
        U = equilibrium_potential(given, x, T, T)
        V = [float(open_circuit_voltage(half, at, T)) for at in (full, empty)]
        np.testing.assert_allclose(V, U, atol=1e-9)
        assert abs(float(empty.negative) - 0.5) < 2e-4 > abs(float(full.negative) - 0.5)
        volume = half.area * given.thickness * given.active_fraction
        Q = volume * given.particle.c_max * F / 3600.0 * (x[1] - x[0])
        assert float(half.nominal_capacity) == pytest.approx(float(Q), rel=1e-6)
        # One square metre of metal for each of electrode.
        surface = half.negative.interface * half.negative.thickness
        assert float(surface) == pytest.approx(1.0, rel=1e-12)


def test_limits_and_mesh(cell):
    half = na.half_cell(cell)
    assert [float(half.limits.lower_voltage), float(half.limits.upper_voltage)] == [
        0,
        2,
    ]
    own, m = cell.defaults.mesh, half.defaults.mesh
    assert (m.n_neg, m.n_sep, m.n_pos, m.n_r) == (2, own.n_sep, own.n_neg, own.n_r)
    assert suited_mesh(half).n_neg == 2
    other = na.half_cell(cell, limits=(0.05, 1.0), area=2e-4, contact_resistance=3.0)
    rest = [float(s.positive) for s in stoichiometries_at_limits(other)]
    U = equilibrium_potential(cell.negative, jnp.asarray(rest), *[cell.temperature] * 2)
    np.testing.assert_allclose(U, [0.05, 1.0], atol=1e-6)
    assert float(other.contact_resistance(298.15, 298.15)) == 3.0
    # Of the positive electrode, the potentials at the limits of the cell.
    half = na.half_cell(cell, "positive")
    for limit, at in zip(
        (half.limits.lower_voltage, half.limits.upper_voltage),
        stoichiometries_at_limits(cell),
        strict=True,
    ):
        T = cell.temperature
        U = equilibrium_potential(cell.positive, at.positive, T, T)
        assert float(limit) == pytest.approx(float(U))


def test_parts_of_the_electrode_stay(cell):
    whole = with_sizes(with_hysteresis(cell), "negative", [0.5, 1.5], [0.4, 0.6])
    half = na.half_cell(whole)
    assert len(half.positive.others) == 1
    assert half.positive.particle.hysteresis is not None
    slope = jax.grad(lambda A: na.half_cell(cell, area=A).nominal_capacity)(2e-4)
    one = na.half_cell(cell, area=2e-4).nominal_capacity
    assert float(slope) == pytest.approx(float(one) / 2e-4)


def test_it_is_kept_and_shown(cell, tmp_path):
    half = na.half_cell(cell, area=2.01e-4)
    write_cell(tmp_path / "half.json", half)
    assert eqx.tree_equal(read_cell(tmp_path / "half.json")[0], half)
    said = str(half)
    assert said.startswith("Half cell, negative electrode of nfm_hc_18650: ")
    assert "a discharge fills it, and lowers the voltage" in said
    lines = said.splitlines()
    at = lines.index("Metal (counter electrode)")
    # Assumed, and the layer that stands for the metal is not shown as if it were one.
    assert "  A  sodium metal" in lines[at + 1]
    assert lines[at + 2] == "Separator" and "Positive electrode (working)" in lines
    (radius,) = (line for line in lines if "Positive particle radius" in line)
    assert radius.endswith("A  typical powder")
    assert "Half cell" in half._repr_html_()
    changed = str(half.with_(**{"Positive electrode thickness [m]": 5e-5}))
    assert "1 not as in the set: Positive electrode thickness [m]" in changed
    with pytest.raises(ValueError, match="the metal of a half cell"):
        write_bpx(tmp_path / "half.bpx.json", half)


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        ({"electrode": "anode"}, ValueError, "electrode='anode': expected 'negative'"),
        ({"metal": "Na"}, TypeError, r"metal='Na' is a str: .* `sodium_metal\(\)`"),
        ({"metal": na.ButlerVolmer()}, TypeError, "is a ButlerVolmer"),
        ({"limits": (2.0, 0.0)}, ValueError, "expected the lower voltage first"),
        ({"limits": 1.0}, ValueError, r"limits=1.0: expected the lower"),
        ({"area": -1.0}, ValueError, "area = -1 m2"),
        ({"contact_resistance": -1.0}, ValueError, "contact_resistance"),
        ({"metal": na.sodium_metal(-5.0)}, ValueError, "exchange_current"),
        ({"cell": "nfm_hc_18650"}, TypeError, "is a str: expected a `Cell`"),
    ],
)
def test_what_is_no_half_cell(cell, change, kind, said):
    with pytest.raises(kind, match=said):
        na.half_cell(**({"cell": cell} | change))


def test_a_half_cell_has_no_halves(cell):
    with pytest.raises(ValueError, match="This cell is a half cell"):
        na.half_cell(na.half_cell(cell))


@pytest.mark.parametrize("exponent", [0.3, 0.5, 1.0])
def test_kinetics_of_metal(exponent):
    """The textbook's current at any overpotential, with j_0 of the salt alone."""
    form, T, eta = metal_kinetics(4.0, exponent), 283.15, jnp.linspace(-0.2, 0.2, 9)
    x = jnp.full(9, 0.5)
    at = Interface(x, x, x, x, x, jnp.asarray(T), jnp.full(9, 1500.0))
    j = 2.0 * 4.0 * 1.5**exponent * jnp.sinh(F * eta / (2.0 * R * T))
    np.testing.assert_allclose(form.residual(j, eta, at), 0.0, atol=1e-7)
    # Without salt it is small and its slope finite.
    none = form.exchange_current(jnp.asarray(0.0), T)
    slope = jax.grad(lambda c: form.residual(j, eta, at._replace(salt=c)).sum())
    assert 0.0 < none < 0.1 and np.all(np.isfinite(slope(jnp.zeros(9))))


def test_lithium_is_that_of_xu():
    j_0 = na.lithium_metal().exchange_current(jnp.asarray(700.0), 298.15)
    assert float(j_0) == pytest.approx(3.5e-8 * F * 76900.0**0.7 * 700.0**0.3, rel=1e-9)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"area": "2 cm2"}, "area='2 cm2': expected square metres"),
        (
            {"contact_resistance": "5 mohm"},
            "contact_resistance='5 mohm': expected ohms",
        ),
        ({"limits": ("0 V", "2 V")}, "limits='0 V': expected the lower and the upper"),
        (
            {"limits": (3.0, 4.0)},
            "limits=3 to 4 V: the negative electrode takes nothing",
        ),
        ({"limits": (0.0, float("nan"))}, "the lower voltage first"),
    ],
)
def test_texts_and_limits_without_charge_are_refused(given, said):
    with pytest.raises(ValueError, match=said):
        na.half_cell(na.load("nfm_hc_18650"), **given)


def test_an_area_in_square_centimetres_is_doubted():
    cell = na.load("nfm_hc_18650")
    with pytest.warns(
        na.Caution, match="area=2.01 m2 .* 20,100 cm2: is it in cm2"
    ) as said:
        na.half_cell(cell, area=2.01)
    assert said[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for area in (None, 2.01e-4, 5e-3, cell.area):
            na.half_cell(cell, area=area)


def test_what_is_of_full_cells_is_not_asked_of_half_ones(tmp_path):
    half = na.half_cell(na.load("nfm_hc_18650"))
    with pytest.raises(ValueError, match="mine is a half cell.*a summary needs a full"):
        na.summary({"mine": half})
    file = tmp_path / "half.json"
    write_cell(file, half, fit={})
    with pytest.raises(ValueError, match="half.json is a half cell.*an audit needs"):
        audited_cell(str(file))
