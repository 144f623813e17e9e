"""Solutions as tables, labelled arrays and files."""

import runpy
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion.simulation import WITH_CELL, Output, Outputs
from naion.simulation._cycles import cycles_of, efficiencies, joined
from naion.simulation._variables import known, variable
from naion.solvers import Record


@pytest.fixture(scope="module")
def solution(cell, model):
    protocol = na.Protocol(
        ["Discharge at 1C for 30 min", "Rest for 10 min", "Charge at 1C for 20 min"],
        cycles=2,
    )
    return na.simulate(cell, protocol, model=model, keep_states=True)


def test_printed(solution, cell, model):
    """A person reads how it ended and what came out, not the fields of a record."""
    first, *rest = str(solution).splitlines()
    assert first == "completed: The protocol ran to its end."
    assert f"{float(solution.capacity):.4g} A.h and" in rest[0] and "in 2 h" in rest[0]
    assert f"at the end {float(solution.end.voltage):.4g} V, -" in rest[1]
    steps = ["Charge at 1C until 3 V", "Rest for 1 min"]
    skipping = na.simulate(cell, steps, model=model, start="charged")
    assert "  step 1 skipped: already at" in str(skipping)
    assert str(skipping).startswith("completed, but step 1 of 2 skipped: The protocol")
    end = na.simulate(cell, "Rest for 1 min", model=model, keep="end")
    assert len(str(end).splitlines()) == 4
    many = jax.tree.map(lambda a: jnp.stack([a, a]), end)
    assert str(many) == "2 simulations: 2 completed"
    assert repr(many) == "<Solution of 2 simulations: 2 completed>"
    assert repr(solution).startswith("<Solution: completed, ") and "in 60 s" in repr(
        end
    )
    shown = []
    jax.jit(lambda s: shown.extend([str(s), repr(s)]) or s.end.voltage)(end)
    assert shown == 2 * ["<Solution, traced>"]
    assert "outcome=" in repr(jax.tree.map(type, end))


def test_a_cut_off_says_which_limit_and_what_was_not_run(cell, model):
    """Only "until 1.5 V" lets the next step begin: who forgot it reads so."""
    steps = ["Rest for 1 min", "Discharge at 1C", "Rest for 1 min", "Rest for 1 min"]
    first = str(na.simulate(cell, steps, model=model)).splitlines()[0]
    assert first == (
        "cut_off: Step 2 of 4 reached 1.5 V, the lower limit of voltage. Steps 3 to 4 "
        'were not run. With "until 1.5 V" in a step the next one begins there.'
    )
    twice = na.Protocol(["Rest for 1 min", "Charge at 1C"], cycles=2)
    charged = str(na.simulate(cell, twice, model=model, start=0.5)).splitlines()[0]
    assert "Step 2 of 4 (cycle 1) reached 4.1 V, the upper limit" in charged
    last = str(na.simulate(cell, steps[:2], model=model)).splitlines()[0]
    assert last.endswith("Step 2 of 2 reached 1.5 V, the lower limit of voltage.")
    end = str(na.simulate(cell, steps, model=model, keep="end")).splitlines()[0]
    assert "The cell reached 1.5 V, the lower limit of voltage, before" in end


def test_to_pandas(solution):
    table = solution.to_pandas()
    assert len(table) == int(solution.n_steps) + 1
    np.testing.assert_array_equal(table["Voltage [V]"], solution.voltage)
    assert list(table["Step"].unique()) == [0, 1, 2, 3, 4, 5]
    assert list(table.groupby("Step")["Cycle"].first()) == [0, 0, 0, 1, 1, 1]
    resting = table[table["Step"] == 1]
    np.testing.assert_allclose(resting["Current [A]"], 0.0, atol=1e-12)


def test_cycles(solution, cell):
    table = solution.cycles
    Q = float(cell.nominal_capacity)
    np.testing.assert_allclose(table["Discharge capacity [A.h]"], Q / 2, rtol=1e-9)
    np.testing.assert_allclose(table["Charge capacity [A.h]"], Q / 3, rtol=1e-9)
    # Both cycles begin with the discharge: no charge is before that of the first.
    np.testing.assert_allclose(table["Coulombic efficiency"], [np.nan, 1.5], rtol=1e-9)
    assert np.isnan(table["Energy efficiency"].iloc[0])
    before = table["Charge energy [W.h]"].iloc[0]
    expected = table["Discharge energy [W.h]"].iloc[1] / before
    assert table["Energy efficiency"].iloc[1] == expected
    np.testing.assert_allclose(table["Duration [h]"], 1.0, rtol=1e-9)
    given = table["Discharge energy [W.h]"] - table["Charge energy [W.h]"]
    assert abs(given.sum() - float(solution.energy)) < 1e-9
    assert np.all(table["Minimum voltage [V]"] < table["Maximum voltage [V]"])


def test_efficiency_is_of_the_charge_before():
    out = np.array([0.9, 1.9, 1.8, 0.0])
    taken = np.array([2.0, 1.9, 1.7, 1.0])
    first = efficiencies(out, taken, np.full(4, True))
    np.testing.assert_allclose(first, [np.nan, 0.95, 1.8 / 1.9, np.nan], rtol=1e-12)
    after = efficiencies(out, taken, np.full(4, False))
    np.testing.assert_allclose(after, [0.45, 1.0, 1.8 / 1.7, np.nan], rtol=1e-12)
    # A charge alone, then a discharge alone; then a rest, which passes round-off.
    out, taken = np.array([0.0, 0.99, 1e-16, 0.5]), np.array([1.0, 0.0, 1e-17, 0.0])
    found = efficiencies(out, taken, np.full(4, True))
    np.testing.assert_allclose(found, [np.nan, 0.99, np.nan, np.nan], rtol=1e-12)
    assert efficiencies(*np.zeros((2, 0)), np.zeros(0, bool)).shape == (0,)


@pytest.mark.parametrize(
    "charge, expected",
    [
        ([1.0, 0.0, -1.0], True),
        ([-1.0, 1e-17, 1.0], False),
        ([-1e-17, 1.0], True),
        ([-0.01, 1.0, -1.0], True),
        ([0.01, -1.0, 1.0], False),
        ([0.5, -0.1, 0.5, -1.0], True),
    ],
)
def test_which_comes_first(charge, expected):
    """A short pulse the other way, or energy won back, does not decide."""
    rows = [_record(charge[:2]), _record(charge[2:])]
    whole = cycles_of(_record(charge), len(charge), np.zeros(1, int))
    parts = joined(*(cycles_of(r, len(r.h), np.zeros(1, int)) for r in rows))
    for sums in (whole, parts):
        assert bool(sums.discharge_first[0]) is expected
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_allclose(a, b)


def _record(charge):
    """Steps of one cycle that pass some charge each."""
    n = len(charge)
    outputs = np.zeros((n, 2, len(Output)))
    outputs[:, 1, Output.CHARGE] = charge
    none = {name: np.zeros(n) for name in Record._fields}
    return Record(**none | {"segment": np.zeros(n, int), "outputs": outputs})


def test_names_are_those_of_one_registry(solution, model):
    """What is listed can be asked for, is in the tables, and PyBaMM's words are known."""
    names = solution.keys()
    assert {"Voltage [V]", "Plating margin [V]", "Particle stoichiometry"} <= set(names)
    assert "Layer temperature [K]" not in names
    n = int(solution.n_steps)
    for name in names:
        found = variable(name, known(solution.equations))
        rows = n + 1 if found.dimensions[0] == "time" else n
        assert solution[name].shape[0] == rows
    assert set(solution.to_xarray().data_vars) >= set(names) - {"Time [s]", "Time [h]"}
    assert solution.search("POTENTIAL") == [
        "Negative electrode potential vs reference [V]",
        "Positive electrode potential vs reference [V]",
        "Electrolyte potential [V]",
        "Electrode potential [V]",
    ]
    assert solution.search("terminal") == ["Voltage [V]"]
    np.testing.assert_array_equal(
        solution["Terminal voltage [V]"], solution["Voltage [V]"]
    )
    with pytest.raises(KeyError, match=r"Volt.*Nearest: Voltage \[V\]"):
        _ = solution["Voltge [V]"]


def test_the_page_of_variables_is_that_of_the_registry():
    """`make docs` writes it."""
    docs = Path(__file__).parents[2] / "docs"
    page = runpy.run_path(str(docs / "variables.py"))["page"]()
    assert (docs / "variables.md").read_text(encoding="utf-8") == page


def test_outputs_stand_in_the_order_of_the_record(solution):
    assert Outputs._fields == tuple(output.name.lower() for output in Output)
    end = solution.at(solution.t_end)
    for name in Outputs._fields:
        np.testing.assert_allclose(getattr(end, name), getattr(solution.end, name))
    # Both ends of every step count: the current jumps between them.
    V = solution.record.outputs[: int(solution.n_steps), :2, Output.VOLTAGE]
    assert float(solution.least.voltage) == float(V.min())
    assert float(solution.greatest.voltage) == float(V.max())


def test_to_xarray(solution, cell):
    plain, placed = solution.to_xarray(), solution.to_xarray(cell)
    assert plain["Voltage [V]"].attrs["units"] == "V" and plain.outcome == "COMPLETED"
    of_cell = {v.name for v in WITH_CELL if v.is_field}
    assert set(placed.data_vars) == set(plain.data_vars) | of_cell
    c_e = placed["Electrolyte concentration [mol.m-3]"]
    assert c_e.dims == ("step_time", "x") and c_e.attrs["units"] == "mol.m-3"
    e = cell.negative, cell.separator, cell.positive
    thick = float(sum(part.thickness for part in e))
    assert 0.0 < placed.x[0] < placed.x[-1] < thick
    sto = placed["Particle stoichiometry"]
    assert sto.dims == ("step_time", "r", "particle") and sto.r[-1] == 1.0
    np.testing.assert_allclose(placed["Surface stoichiometry"], sto[:, -1])
    at_end = placed.sel(time=float(solution.t_end))
    assert float(at_end["Voltage [V]"]) == float(solution.voltage[-1])


def test_without_fields(cell, model):
    s = na.simulate(cell, "Discharge at 1C for 60 s", model=model)
    assert "x" not in s.to_xarray(cell).dims
    assert np.isnan(s.cycles["Coulombic efficiency"].iloc[0])


def test_save_and_load(solution, tmp_path):
    file = tmp_path / "solution.npz"
    solution.save(file)
    again = na.Solution.load(file)
    assert again.result == solution.result and again.model == solution.model
    np.testing.assert_array_equal(again.voltage, solution.voltage)
    np.testing.assert_array_equal(again.states.sto, solution.states.sto)
    np.testing.assert_array_equal(again.at(100.0), solution.at(100.0))
    assert list(tmp_path.iterdir()) == [file]


def test_load_refuses_other_files(tmp_path):
    other = tmp_path / "x.npz"
    other.write_text("time,voltage\n")
    with pytest.raises(ValueError, match="not a solution"):
        na.Solution.load(other)
    np.savez(other, a=np.zeros(3))
    with pytest.raises(ValueError, match="not a solution"):
        na.Solution.load(other)
    with pytest.raises(FileNotFoundError):
        na.Solution.load(tmp_path / "none.npz")
