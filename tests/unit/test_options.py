"""Meshes, models, reports and writers refuse what is none of their kind."""

import json
import math

import numpy as np
import pytest

import naion as na
from naion.io import write_bpx, write_cell
from naion.report import Report


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((6.5, 3, 6, 16), "n_neg is 6.5; expected a whole number"),
        (("fine", 3, 6, 16), "n_neg is 'fine'"),
        ((4, 3, 4, True), "n_r is True"),
        ((1, 3, 6, 16), "n_neg is 1"),
        ((4, 3, 4, 3), "at least 4 radial nodes"),
        ((4, 3, 4, 10, math.nan), "grading is nan; expected a number"),
        ((4, 3, 4, 10, -1.0), "grading is -1.0"),
    ],
)
def test_meshes_that_cannot_be(given, said):
    with pytest.raises(ValueError, match=said):
        na.Mesh(*given)


@pytest.mark.parametrize("nodes", [0, 2.5, "five"])
def test_layers_that_cannot_be(nodes):
    with pytest.raises(
        ValueError, match=f"nodes is {nodes!r}; expected a whole number"
    ):
        na.ThroughStack(nodes)


def test_meshes_of_numpy_numbers_are_meshes():
    given = na.Mesh(np.int64(4), n_r=np.int32(9))
    assert given == na.Mesh(4, n_r=9)
    assert json.dumps([given.n_neg, given.n_r]) == "[4, 9]"


def test_models_are_of_a_mesh_and_a_heat_balance():
    with pytest.raises(TypeError, match=r"mesh is \[4, 3, 4, 10\]; expected a `Mesh`"):
        na.DFN([4, 3, 4, 10])  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="thermal is 'lumped'; expected .*`Lumped"):
        na.DFN(thermal="lumped")  # pyright: ignore[reportArgumentType]


def test_a_name_is_no_cell(tmp_path):
    for write in (write_cell, write_bpx):
        with pytest.raises(TypeError, match="is a str: expected a `Cell`, such as"):
            write(tmp_path / "c.json", "nfm_hc_18650")  # pyright: ignore[reportArgumentType]
    assert not list(tmp_path.iterdir())


def test_other_things_than_solutions_and_tables(cell):
    with pytest.raises(TypeError, match="of a Solution, got a Cell"):
        na.plot.overview(cell)
    with pytest.raises(TypeError, match="got 'text'; text is added with `paragraph`"):
        Report("r").add("text")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="draws='many'"):
        na.claims.audit((), {}, draws="many")  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("voltage", ["3.8 V", [3.8, 3.9], True])
def test_voltages_that_are_no_number(cell, voltage):
    with pytest.raises(ValueError, match="voltage=.*expected one number of volts"):
        na.parameters.stoichiometry_at_voltage(cell, voltage)
