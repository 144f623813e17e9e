"""Designs against known cells, and as one differentiable source of geometry and mass."""

import equinox as eqx
import jax
import numpy as np
import pytest

import naion as na
from naion import design
from naion.design import Coat, Foil, SeparatorFilm, Stack, balance

# Sums of parts of known cells (model A.h and Wh/kg). None: no capacity is known.
KNOWN = [
    ("nfm_18650", 1.41, 117.0),
    ("nfm_prismatic", 264.0, 150.0),
    ("nfpp_32140", 8.1, 103.0),
    ("oxide_pouch", None, 155.0),
    ("pw_prismatic", None, 153.0),
    ("lfp_prismatic", None, 194.0),
]


@pytest.mark.parametrize("name, capacity, energy", KNOWN)
def test_known_cells(name, capacity, energy):
    blueprint = design.load(name)
    voltage = blueprint.inputs["voltage"].value
    sheet = blueprint.design(allowance=1.0).data_sheet(voltage)
    assert float(sheet.specific_energy) == pytest.approx(energy, rel=0.05)
    if capacity is not None:
        assert float(sheet.capacity) == pytest.approx(capacity, rel=0.05)


# Percentages of mass: positive, negative, foils, separator, electrolyte, packaging.
SHARES = {
    "nfm_18650": (32, 20, 7, 2, 19, 21),
    "nfm_prismatic": (43, 20, 8, 2, 17, 11),
    "nfpp_32140": (38, 17, 10, 2, 19, 14),
    "oxide_pouch": (41, 21, 10, 2, 23, 4),
    "pw_prismatic": (37, 19, 8, 2, 24, 10),
}


@pytest.mark.parametrize("name", SHARES)
def test_shares_of_mass(name):
    m = design.load(name).design(allowance=1.0).masses
    parts = m.positive, m.negative, m.foils, m.separator, m.electrolyte, m.packaging
    shares = [100.0 * float(part / m.total) for part in parts]
    np.testing.assert_allclose(shares, SHARES[name], atol=3.0)


def test_weighed_cells():
    """The Hakadi cell weighs 36.5 to 37.5 g, HiNa's 0.270 kg."""
    small, large = (design.load(n).design() for n in ("nfm_18650", "cfm_32140"))
    assert 0.0365 <= float(small.masses.total) <= 0.0375
    assert float(large.masses.total) == pytest.approx(0.270, rel=0.02)


BOX = {
    3.00: (165, 175, 183, 192),
    3.05: (168, 178, 187, 195),
    3.10: (171, 180, 190, 198),
}
"""Wh/kg of the lean box by mean voltage, for oxides of 120, 130, 140 and 150 mAh/g."""

LEAN = {"allowance": 1.0, "negative__capacity": 350.0}


@pytest.mark.parametrize("voltage", BOX)
def test_what_175_needs(voltage):
    found = [
        float(_lean(q).data_sheet(voltage).specific_energy)
        for q in (120, 130, 140, 150)
    ]
    np.testing.assert_allclose(found, BOX[voltage], rtol=0.05)


def _lean(q, **changes):
    given = LEAN | {"positive__capacity": q, "positive__first_charge": 1.15 * q}
    return design.load("lean_prismatic").design(**(given | changes))


# Changes of Wh/kg around 140 mAh/g and 3.05 V, tabulated to a tenth.
CHANGES = [
    ({"positive__loading": 24.2}, 1.6),
    ({"positive__density": 3.3}, 2.9),
    ({"positive__capacity": 147.0, "positive__first_charge": 169.0}, 5.8),
    ({"negative__capacity": 385.0}, 6.2),
    ({"negative__density": 1.1}, 6.0),
    ({"positive_foil__thickness": 8.0, "negative_foil__thickness": 8.0}, 2.4),
    ({"positive_foil__thickness": 13.0, "negative_foil__thickness": 13.0}, -3.5),
    ({"separator__thickness": 7.0}, 1.2),
    ({"overfill": 1.45}, -4.8),
    ({"n_to_p": 1.2}, -5.7),
    ({"housing__wall": 0.6}, 2.6),
]


@pytest.mark.parametrize("changes, expected", CHANGES)
def test_sensitivities(changes, expected):
    before, after = (
        float(d.data_sheet(3.05).specific_energy)
        for d in (_lean(140.0), _lean(140.0, **changes))
    )
    assert after - before == pytest.approx(expected, abs=0.4)


def _stack(capacity=127.0, first=145.0, efficiency=0.9):
    positive = Coat(0.19, 2710.0, 0.97, 4250.0, capacity, first)
    negative = Coat(0.09, 1020.0, 0.95, 1500.0, 300.0, 300.0 / efficiency)
    return Stack(positive, negative, Foil(12e-6), Foil(12e-6), SeparatorFilm(12e-6))


@pytest.mark.parametrize(
    "first, efficiency", [(145.0, 0.9), (130.0, 0.85), (180.0, 0.95)]
)
@pytest.mark.parametrize("ratio", [1.0, 1.1, 1.4])
def test_balance(first, efficiency, ratio):
    b = balance(_stack(127.0, first, efficiency).balanced(ratio))
    assert float(b.n_to_p) == pytest.approx(ratio, rel=1e-9)
    # Written out: Q_irr = Q_a (1/ICE - 1) min(1, Q_c1 ICE/Q_a).
    lost = (
        b.negative * (1 / efficiency - 1) * min(1, b.supplied * efficiency / b.negative)
    )
    assert float(b.lost) == pytest.approx(float(lost), rel=1e-9)
    assert float(b.capacity) == pytest.approx(
        min(float(b.positive), float(b.supplied - lost), float(b.negative))
    )


def test_built_cell_has_the_designs_geometry_and_sodium():
    blueprint = design.load("nfm_prismatic")
    d = blueprint.design()
    cell = d.build(na.parameters.load(blueprint.materials))
    assert float(cell.area) == pytest.approx(11.86, rel=1e-9)
    # Tabulated for this teardown: 70.1 and 87.0 um, porosities 0.338 and 0.327.
    assert float(cell.positive.thickness) == pytest.approx(70.1e-6, rel=1e-2)
    assert float(cell.negative.thickness) == pytest.approx(87.0e-6, rel=1e-2)
    assert float(cell.positive.porosity) == pytest.approx(0.338, abs=2e-3)
    assert float(cell.negative.porosity) == pytest.approx(0.327, abs=2e-3)
    Q_n, Q_p = na.parameters.electrode_capacities(cell)
    b, start = d.balance, cell.published
    moved = float(start.negative * Q_n)
    assert moved == pytest.approx(float((b.supplied - b.lost) * d.area), rel=1e-3)
    # The positive's capacity is that of its coat between its potentials.
    sol = na.simulate(cell, "Discharge at C/10", throw=False)
    assert float(sol.capacity) == pytest.approx(float(b.capacity * d.area), rel=0.02)


def test_sizes_of_one_material_share_the_coat():
    """Capacities and rested voltages are those of one size, in both electrodes."""
    cell, blueprint = na.parameters.load("nfm_hc_18650"), design.load("nfm_prismatic")
    blend = cell
    for side in ("negative", "positive"):
        blend = na.parameters.with_sizes(blend, side, (1.0, 1.5), (0.7, 0.3))
    one, several = (blueprint.design().build(c) for c in (cell, blend))
    Q = [na.parameters.electrode_capacities(c) for c in (one, several)]
    np.testing.assert_allclose(Q[1], Q[0], rtol=1e-12)
    for soc in (0.0, 0.5, 1.0):
        rests = [
            na.parameters.open_circuit_voltage(
                c, na.parameters.stoichiometry_at_soc(c, soc), c.temperature
            )
            for c in (one, several)
        ]
        assert float(rests[1]) == pytest.approx(float(rests[0]), abs=1e-5)


def test_differentiable_end_to_end():
    """From a loading, through the DFN, to Wh/kg; against a finite difference."""
    blueprint = design.load("nfm_prismatic")
    materials = na.parameters.load(blueprint.materials)

    def energy(loading):
        d = blueprint.design(positive__loading=loading)
        done = na.simulate(
            d.build(materials), "Discharge at 1C", throw=False, rtol=1e-6
        )
        return done.energy / d.masses.total

    slope = float(jax.grad(energy)(19.0))
    h = 0.05
    by_hand = float(energy(19.0 + h) - energy(19.0 - h)) / (2 * h)
    assert slope == pytest.approx(by_hand, rel=1e-2)


def test_own_file(tmp_path):
    """A design of a user's own, like one that ships."""
    file = tmp_path / "mine.toml"
    file.write_text(
        "[base]\n"
        + "\n".join(
            f'{i.name} = {{ value = {i.value}, quality = "M", source = "x" }}'
            for i in design.load("nfm_prismatic").inputs.values()
        )
        + '\n[thin]\nlike = "base"\nseparator.thickness = '
        '{ value = 7.0, quality = "S", source = "a talk" }\n'
    )
    base, thin = (design.load(n, file) for n in ("base", "thin"))
    assert thin.inputs["separator.thickness"].quality == "S"
    assert base.inputs["overfill"] == thin.inputs["overfill"]
    assert float(thin.design().masses.total) < float(base.design().masses.total)


@pytest.mark.parametrize(
    "entry, text",
    [
        ("overfil = { value = 1 }", "unknown key overfil; .*Did you mean overfill"),
        ("overfill = 1.2", "expected { value"),
        (
            'overfill = { value = 1.2, quality = "X", source = "y" }',
            "known are M, S, D, F, A",
        ),
        ('overfill = { value = 1.2, quality = "A", source = "y" }', "give its range"),
        (
            'overfill = { value = 1.2, quality = "M", source = "y", range = [1.3, 1.4] }',
            "does not hold the value",
        ),
        ('format = "sphere"', "known are cylinder, prismatic, pouch"),
        ('housing.diameter = { value = 18, quality = "M", source = "y" }', "has no"),
        ('like = "nobody"', "expected another of nfm_prismatic"),
        ('like = "mine"', "expected another of nfm_prismatic"),
        ('like = "other"\n[other]\nlike = "mine"', "expected another of"),
        ("like = []", "expected the name of another design"),
        ("overfill = 1.2", "mine.toml: mine.overfill = 1.2: expected { value"),
        (
            'overfill = { value = "1", quality = "M", source = "y" }',
            "value = '1': expected a number",
        ),
        (
            'overfill = { value = -1, quality = "M", source = "y" }',
            "value = -1: expected a number above zero",
        ),
        ('overfill = { value = 1, quality = [], source = "y" }', "known are M"),
        (
            'overfill = { value = 1, quality = "M", source = 3 }',
            "source = 3: expected a text",
        ),
        (
            'overfill = { value = 1, quality = "M", source = "y", range = [1] }',
            "expected two numbers",
        ),
        ("format = []", "known are cylinder"),
        ('like = "nfm_18650"\ntitle = 3', "title = 3: expected a text"),
        ('like = "nfm_18650"\npotentials = [4.0]', "expected those of the positive"),
        (
            'like = "nfm_18650"\npotentials = [[2.0, 4.0], [2.0, 0.0]]',
            "the higher of each two first",
        ),
        (
            'overfill = { value = nan, quality = "M", source = "y" }',
            "value = nan: expected a number",
        ),
        (
            'like = "nfm_prismatic"\npositive.density = '
            '{ value = 4.5, quality = "M", source = "y" }',
            "would be -",
        ),
        ("overfill = ", "not TOML"),
        ("", "give positive.loading"),
    ],
)
def test_files_that_cannot_be_understood(tmp_path, entry, text):
    file = tmp_path / "mine.toml"
    file.write_text(f"[mine]\n{entry}\n")
    with pytest.raises(ValueError, match=text):
        design.load("mine", file)


def test_a_design_like_one_that_ships(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        '[mine]\nlike = "nfm_prismatic"\n'
        'overfill = { value = 1.5, quality = "S", source = "a talk" }\n'
    )
    own, shipped = design.load("mine", file), design.load("nfm_prismatic")
    assert own.inputs["overfill"].value == 1.5
    assert own.inputs | {"overfill": 0} == shipped.inputs | {"overfill": 0}
    assert design.available(file) == ("mine",)


def test_unknown_names():
    with pytest.raises(KeyError, match="There are: nfm_prismatic"):
        design.load("nobody")
    with pytest.raises(ValueError, match="no number named loading"):
        design.load("nfm_prismatic").design(loading=3.0)


def test_under_vmap():
    blueprint = design.load("lean_prismatic")

    def energy(q):
        return blueprint.design(positive__capacity=q).data_sheet(3.05).specific_energy

    values = eqx.filter_vmap(energy)(np.array([120.0, 130.0, 140.0]))
    assert np.all(np.diff(values) > 0)
