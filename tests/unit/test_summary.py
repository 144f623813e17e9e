"""`naion.summary`: a row for every cell, in the units that its columns name."""

import re

import equinox as eqx
import numpy as np
import pytest

import naion as na
from naion.models import Isothermal

MESH = na.Mesh(4, 3, 4, 10)
COLUMNS = [
    "Capacity at rest [A.h]",
    "Capacity at C/3 [A.h]",
    "Energy at C/3 [W.h]",
    "Specific energy [W.h.kg-1]",
    "Capacity at 1C [% of C/3]",
    "Capacity at 2C [% of C/3]",
    "Capacity at 3C [% of C/3]",
    "Energy at 0 degC [% of 25 degC]",
    "Energy at -20 degC [% of 25 degC]",
    "Energy at -40 degC [% of 25 degC]",
    "Energy efficiency at 1C [%]",
    "Warming at 1C [K]",
    "10 to 80 % without plating at 25 degC [min]",
    "10 to 80 % without plating at 0 degC [min]",
]
WITHOUT_PLATING = COLUMNS[-2:]

LOWER = 0.5
"""By which a negative electrode is that plates at any current [V]."""


@pytest.fixture(scope="module")
def cells():
    cell = na.load("nfm_hc_18650")
    limits, U = cell.limits, cell.negative.particle.ocp.curve.y
    plating = eqx.tree_at(
        lambda c: (
            c.negative.particle.ocp.curve.y,
            c.limits.lower_voltage,
            c.limits.upper_voltage,
        ),
        cell,
        (U - LOWER, limits.lower_voltage + LOWER, limits.upper_voltage + LOWER),
    )
    return {"as it is": cell, "always plates": plating}


@pytest.fixture(scope="module")
def table(cells):
    said = []
    found = na.summary(cells, mesh=MESH, progress=said.append)
    assert [str(text) for text in said] == [
        "as it is: cell 1 of 2",
        "always plates: cell 2 of 2",
    ]
    return found


def test_rows_are_cells_and_columns_name_their_units(table, cells):
    assert list(table.index) == list(cells)
    assert list(table.columns) == COLUMNS
    assert all(re.search(r" \[[^]]+\]$", name) for name in table.columns)
    assert np.all(np.isfinite(table.loc["as it is"])) and table.dtypes.eq(float).all()


def test_a_terminal_shows_all_of_it(table, cells):
    """Cells are columns there: pandas would leave out most of fourteen titles."""
    for text in (str(table), repr(table)):
        lines = text.splitlines()
        assert len(lines) == 1 + len(COLUMNS) and max(map(len, lines)) <= 80
        assert all(name in lines[0] for name in cells)
        assert all(
            line.startswith(name) for line, name in zip(lines[1:], COLUMNS, strict=True)
        )
    assert "Capacity at 2C" in table._repr_html_()


def test_numbers_are_those_of_simulations_by_hand(table, cells):
    """Of discharges at 25 and -20 degC, isothermal, from full to the lower limit."""
    row, model = table.loc["as it is"], na.DFN(MESH, Isothermal())

    def run(rate, degC=25.0):
        step, T = f"Discharge at {rate} until 1.5 V", 273.15 + degC
        return na.simulate(cells["as it is"], step, model=model, temperature=T)

    slow, fast, cold = run("C/3"), run("1C"), run("C/3", -20.0)
    by_hand = {
        "Capacity at C/3 [A.h]": slow.capacity,
        "Energy at C/3 [W.h]": slow.energy,
        "Specific energy [W.h.kg-1]": slow.energy / cells["as it is"].thermal.mass,
        "Capacity at 1C [% of C/3]": 100.0 * fast.capacity / slow.capacity,
        "Energy at -20 degC [% of 25 degC]": 100.0 * cold.energy / slow.energy,
    }
    for name, value in by_hand.items():
        assert row[name] == pytest.approx(float(value), rel=1e-6), name
    assert row["Capacity at C/3 [A.h]"] < row["Capacity at rest [A.h]"]


def test_what_cannot_be_computed_is_nan_and_nothing_else(table):
    """A negative electrode 0.5 V lower, between limits 0.5 V higher: the same charge
    flows, and at no current without plating."""
    row, usual = table.loc["always plates"], table.loc["as it is"]
    assert sorted(row.index[row.isna()]) == sorted(WITHOUT_PLATING)
    for name in COLUMNS[:2] + COLUMNS[4:7] + ["Warming at 1C [K]"]:
        assert row[name] == pytest.approx(usual[name], rel=2e-3), name
    charge = usual["Capacity at C/3 [A.h]"]
    more = row["Energy at C/3 [W.h]"] - usual["Energy at C/3 [W.h]"]
    assert more == pytest.approx(LOWER * charge, rel=2e-3)


@pytest.mark.parametrize(
    ("cells", "kind", "said"),
    [
        ({}, ValueError, "at least one cell"),
        ([], ValueError, "at least one cell"),
        (["nfm_hc_18560"], KeyError, "Nearest: nfm_hc_18650"),
        ({"a": "nfm_hc_18650"}, TypeError, "A summary needs a `Cell`.* a str"),
        ([3], TypeError, "names for its cells"),
        (3, TypeError, "names for its cells"),
        ("half", ValueError, "a is a half cell.* needs a full cell"),
    ],
)
def test_other_things_than_cells(cells, kind, said):
    if cells == "half":
        cells = {"a": na.half_cell(na.load("nfm_hc_18650"), "negative")}
    with pytest.raises(kind, match=said):
        na.summary(cells)
