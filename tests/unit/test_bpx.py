"""BPX files: a round trip, what cannot be said, and what cannot be read."""

import json
import warnings

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion.io import read_bpx, write_bpx
from naion.parameters import with_hysteresis, with_plating, with_second_material
from naion.properties import Expression

EXPRESSIBLE = ("nmc811_chen2020", "lfp_aboutenergy", "nmc111_aboutenergy")


def voltages(cell, **options):
    s = na.simulate(cell, "Discharge at 1C", **options)
    q = jnp.linspace(0.0, 0.98, 50) * s.capacity
    return np.append(np.asarray(s.voltage_at_charge(q)), s.capacity)


@pytest.mark.parametrize("name", EXPRESSIBLE)
@pytest.mark.parametrize("thermal", [na.Isothermal(), na.Lumped()], ids=str)
def test_round_trip(name, thermal, mesh, tmp_path):
    """1e-9 V, away from the reference temperature, with and without a heat balance."""
    cell, file = na.parameters.load(name), tmp_path / "cell.json"
    write_bpx(file, cell, name)
    again = read_bpx(file)
    options = dict(model=na.DFN(mesh, thermal), temperature=283.15)
    expected, found = (voltages(c, **options) for c in (cell, again))
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_blends_survive(mesh, tmp_path):
    cell = na.parameters.load("nmc811_chen2020")
    other = na.parameters.load("nmc111_aboutenergy").positive.particle
    blend = with_second_material(cell, "positive", other, 0.3)
    # Walls are an expression of ours; without them both potentials are tables or text.
    plain = eqx.tree_at(
        lambda c: (c.positive.particle.ocp, c.positive.others[0].particle.ocp),
        blend,
        (cell.positive.particle.ocp, other.ocp),
    )
    file = tmp_path / "blend.json"
    write_bpx(file, plain)
    again = read_bpx(file)
    assert len(again.positive.others) == 1
    # The same numbers but for rounding, which moves the steps a little.
    options = dict(model=na.DFN(mesh), rtol=1e-5)
    expected, found = (voltages(c, **options) for c in (plain, again))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_lists_all_that_would_be_lost(cell, tmp_path):
    file = tmp_path / "cell.json"
    rich = with_plating(with_hysteresis(cell))
    with pytest.raises(ValueError) as error:
        write_bpx(file, rich)
    for lost in (
        "contact_resistance",
        "thermodynamic_factor",
        "conductivity's law in temperature (VTF)",
        "negative.particle.hysteresis",
        "positive.particle.hysteresis",
        "negative.plating",
    ):
        assert lost in str(error.value)
    assert not file.exists()
    nvpf = na.parameters.load("nvpf_hc_chayambuka2022")
    with pytest.raises(ValueError, match="rate_constant \\(depends on composition"):
        write_bpx(file, nvpf)


def edited(tmp_path, edit):
    file = tmp_path / "file.json"
    write_bpx(file, na.parameters.load("nmc811_chen2020"))
    data = json.loads(file.read_text())
    edit(data)
    file.write_text(json.dumps(data))
    return file


@pytest.mark.parametrize(
    "edit, message",
    [
        (lambda d: d["Parameterisation"].pop("Separator"), "is not a BPX file"),
        (lambda d: d.pop("State"), "no initial electrolyte concentration"),
        (
            lambda d: d["Parameterisation"]["Negative electrode"].update(
                {"OCP (lithiation) [V]": 0.1}
            ),
            r"Negative electrode: OCP \(lithiation\)",
        ),
    ],
    ids=["no separator", "no state", "hysteresis"],
)
def test_refuses(edit, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        read_bpx(edited(tmp_path, edit))


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="No BPX file"):
        read_bpx(tmp_path / "none.json")
    empty = tmp_path / "empty.json"
    empty.write_text("")
    with warnings.catch_warnings(), pytest.raises(ValueError, match="not a BPX file"):
        warnings.simplefilter("ignore")
        read_bpx(empty)


def test_expressions():
    curve = Expression("1e-3 * x ** 2 - exp(-x / 2.0) + tanh(+x)")
    x = jnp.linspace(0.0, 2.0, 5)
    np.testing.assert_allclose(curve(x), 1e-3 * x**2 - jnp.exp(-x / 2) + jnp.tanh(x))
    for text, message in (
        ("1 +", "not an expression"),
        ("y + 1", "cannot be used"),
        ("__import__('os')", "cannot be used"),
        ("x.real", "cannot be used"),
    ):
        with pytest.raises(ValueError, match=message):
            Expression(text)
