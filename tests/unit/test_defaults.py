"""Which mesh and heat balance a simulation takes when none is asked for."""

import dataclasses

import equinox as eqx
import pybamm
import pytest

import naion as na
from naion.io import from_pybamm, read_cell, write_cell
from naion.parameters import Defaults, available, load, suited_mesh

FINER = "nvpf_hc_chayambuka2022"
"""The one set whose own mesh is finer than the rule's: its salt runs out at 3C."""


def counts(mesh):
    return mesh.n_neg, mesh.n_sep, mesh.n_pos, mesh.n_r


@pytest.mark.parametrize("name", available())
def test_sets_record_the_suited_mesh(name):
    cell = load(name)
    own, suited = counts(cell.defaults.mesh), counts(suited_mesh(cell))
    if name == FINER:
        assert all(a >= 0.85 * b for a, b in zip(own, suited, strict=True))
        assert own[0] > suited[0] and own[2] > suited[2]
    else:
        assert own == suited


def test_slower_transport_asks_for_a_finer_mesh():
    cell = load("nfm_hc_18650")
    usual = suited_mesh(cell)
    slow = eqx.tree_at(
        lambda c: (
            c.electrolyte.conductivity.scale,
            c.positive.particle.diffusivity.scale,
        ),
        cell,
        (0.25 * cell.electrolyte.conductivity.scale, 1e-3),
    )
    finer = suited_mesh(slow)
    assert finer.n_neg > usual.n_neg and finer.n_pos > usual.n_pos
    assert finer.n_r > usual.n_r


def test_the_cold_asks_for_a_finer_mesh():
    cell = load("nfm_hc_18650")
    usual, cold = suited_mesh(cell), suited_mesh(cell, 233.15)
    assert all(a > b for a, b in zip(counts(cold), counts(usual), strict=True))
    with pytest.raises(ValueError, match="temperature=-40: expected .*298.15"):
        suited_mesh(cell, -40.0)


def test_numbers_of_no_cell_get_a_mesh_too():
    cell = load("nfm_hc_18650")
    still = eqx.tree_at(lambda c: c.positive.particle.diffusivity.scale, cell, 0.0)
    assert suited_mesh(still).n_r == 60


def test_the_cell_s_own_mesh_and_heat_balance_are_taken_unless_others_are_chosen():
    cell = load("nfm_hc_18650")
    cell = dataclasses.replace(cell, defaults=Defaults(na.Mesh(5, 2, 4, 8), "lumped"))
    plain = na.simulate(cell, "Discharge at 1C for 60 s")
    assert plain.model == na.DFN(na.Mesh(5, 2, 4, 8), na.Lumped())
    chosen = na.simulate(
        cell, "Discharge at 1C for 60 s", model=na.DFN(na.Mesh(4, 2, 4, 8))
    )
    assert chosen.model == na.DFN(na.Mesh(4, 2, 4, 8), na.Lumped())
    cool = na.DFN(thermal=na.Isothermal())
    assert na.simulate(cell, "Discharge at 1C for 60 s", model=cool).model == na.DFN(
        na.Mesh(5, 2, 4, 8), na.Isothermal()
    )


def test_a_cell_s_defaults_survive_its_file(tmp_path):
    cell = load("nfm_hc_18650")
    cell = dataclasses.replace(cell, defaults=Defaults(na.Mesh(5, 2, 4, 8), "lumped"))
    write_cell(tmp_path / "cell.json", cell)
    again, _ = read_cell(tmp_path / "cell.json")
    assert again.defaults == cell.defaults


def test_imported_cells_get_a_suited_mesh():
    cell = from_pybamm(pybamm.ParameterValues("Chen2020"))
    assert cell.defaults.mesh == suited_mesh(cell)
    assert cell.defaults.mesh.n_neg > 14


def test_a_set_file_can_choose_its_mesh(tmp_path):
    from naion.parameters import template

    text = template("mine")
    file = tmp_path / "mine.toml"
    file.write_text(text)
    assert load(str(file)).defaults.mesh == suited_mesh(load(str(file)))
    chosen = text.replace("\nlevel = ", "\nmesh = [9, 3, 8, 20]\nlevel = ", 1)
    file.write_text(chosen)
    assert counts(load(str(file)).defaults.mesh) == (9, 3, 8, 20)
    file.write_text(chosen.replace("[9, 3, 8, 20]", "[9, 3, 8]"))
    with pytest.raises(ValueError, match=r"mesh.*n_neg, n_sep, n_pos, n_r"):
        load(str(file))
