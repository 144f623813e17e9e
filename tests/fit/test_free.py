"""What may be free: every entry is checked at the library's door, which files share."""

import json
import re

import equinox as eqx
import jax.numpy as jnp
import pytest

import naion as na
from naion.fit import (
    FreeParameter,
    Specimen,
    check_free,
    check_start,
    with_ocp_correction,
)
from naion.parameters import leaf, with_double_layer

SCALE = "cell.contact_resistance.scale"


@pytest.fixture(scope="module")
def specimen():
    return Specimen(na.parameters.load("nfm_hc_18650"), [0.0])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"paths": "cell.area"}, "expected a tuple of dotted paths"),
        ({"paths": ()}, "expected a tuple of dotted paths"),
        ({"paths": (3,)}, "expected a tuple of dotted paths"),
        ({"transform": "sqrt"}, "transform = 'sqrt'; known are log and linear"),
        ({"transform": "Log"}, "nearest log"),
        ({"bounds": (0.1,)}, "expected two numbers"),
        ({"bounds": (0.1, 1.0, 10.0)}, "expected two numbers"),
        ({"bounds": 3.0}, "expected two numbers"),
        ({"bounds": (10.0, 0.1)}, "bounds 10 and 0.1; .* the lower first"),
        ({"bounds": (1.0, 1.0)}, "the lower first"),
        ({"bounds": ("a", "b")}, "bounds = 'a'; expected a number"),
        ({"bounds": (True, 2.0)}, "bounds = True"),
        ({"bounds": (0.1, float("inf"))}, "finite"),
        ({"bounds": (float("nan"), 1.0)}, "expected a number"),
        ({"bounds": (0.0, 1.0), "transform": "log"}, "needs bounds above zero"),
        ({"prior": 0.0}, "prior = 0; .* above zero"),
        ({"prior": -1.0}, "prior = -1"),
        ({"prior": "wide"}, "prior = 'wide'; expected a number"),
        ({"prior": float("nan")}, "prior = nan"),
        ({"smooth": 0.0}, "smooth = 0"),
    ],
)
def test_entries_that_cannot_be(arguments, said):
    with pytest.raises(ValueError, match=said):
        FreeParameter(**({"paths": (SCALE,), "bounds": (0.1, 10.0)} | arguments))


def test_bounds_become_numbers():
    assert FreeParameter((SCALE,), (jnp.asarray(1), 2)).bounds == (1.0, 2.0)


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        (
            ("cell.contact_resistance",),
            "is a curve; free its scale, contact_resistance.sc",
        ),
        (("cell.negative.particle",), "is not a number .* it has radius"),
        (("cell.negative.plating",), "is absent"),
        (("cell.negative.particle.driven_by",), "is not a number that can be fitted"),
        ((SCALE, SCALE), "free already, in free 1"),
        ((SCALE, "cell.positive.particle.ocp.curve.y"), "unlike counts"),
    ],
)
def test_paths_are_of_numbers(specimen, paths, said):
    bounds = (-10.0, 10.0) if "curve.y" in paths[-1] else (0.5, 10.0)
    with pytest.raises(ValueError, match=said):
        check_free([FreeParameter(paths, bounds)], specimen)


def test_bounds_are_of_numbers_that_can_be(specimen):
    layered = Specimen(with_double_layer(specimen.cell), [0.0])
    path = ("cell.negative.double_layer.exponent",)
    check_free([FreeParameter(path, (0.5, 1.0))], layered)
    for bounds in ((0.5, 1.1), (0.3, 1.0)):
        with pytest.raises(ValueError, match=r"exponent; expected .* 0\.5 to 1\."):
            check_free([FreeParameter(path, bounds)], layered)


def test_a_number_is_free_once(specimen):
    tied = FreeParameter(
        ("cell.negative.particle.diffusivity.scale", SCALE), (0.1, 10.0)
    )
    with pytest.raises(ValueError) as error:
        check_free([FreeParameter((SCALE,), (0.1, 10.0)), tied], specimen)
    assert "free 1" in str(error.value) and "free 2" in str(error.value)
    with pytest.raises(ValueError, match=r"b: contact_resistance.scale .* in a\."):
        check_free([FreeParameter((SCALE,), (0.1, 10.0)), tied], specimen, ["a", "b"])


def test_a_start_at_a_bound_is_inside(specimen):
    bound = 10.0
    moved = eqx.tree_at(
        lambda s: s.cell.contact_resistance.scale,
        specimen,
        jnp.exp(jnp.log(bound)) * (1 + 1e-12),
    )
    check_start(FreeParameter((SCALE,), (0.1, bound), "log"), moved, "free 1")
    with pytest.raises(ValueError, match="free 1: .* starts at 1, outside .* 2 to 10"):
        check_start(FreeParameter((SCALE,), (2.0, bound), "log"), specimen, "free 1")


def test_only_fields_are_paths(specimen):
    for path in ("cell.negative.interface", "cell.__class__", "cell.negative.others.x"):
        with pytest.raises(KeyError, match="Nearest"):
            leaf(specimen, path)


@pytest.mark.parametrize(
    "knots",
    [[0.9, 0.5, 0.4], [0.5], [], [0.1, 0.1], [-0.1, 0.5], [0.5, 1.1], 3.0, "abc"]
    + [[0.1, float("nan")]],
)
def test_knots_rise_within_the_electrode(specimen, knots):
    said = re.escape(f"knots = {knots!r}")
    with pytest.raises(ValueError, match=said):
        with_ocp_correction(specimen.cell, "positive", knots)


def test_a_correction_is_of_an_electrode(specimen):
    with pytest.raises(ValueError, match="electrode = 'cathode'"):
        with_ocp_correction(specimen.cell, "cathode", [0.1, 0.9])  # pyright: ignore


def test_a_free_parameter_is_kept_as_it_is(specimen):
    """Also in files of naion 0.2, which say no more than paths, bounds and transform."""
    free = FreeParameter(
        (SCALE, "cell.area"), (0.1, 2.0), "log", prior=0.3, follows=(("cell.x", 2.0),)
    )
    kept = json.loads(json.dumps(free.to_json()))
    assert FreeParameter.from_json(kept) == free
    before = {k: kept[k] for k in ("paths", "bounds", "transform")}
    assert FreeParameter.from_json(before) == FreeParameter(
        free.paths, free.bounds, "log"
    )
