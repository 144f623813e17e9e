"""Half cells and three electrodes from the command line."""

import csv
import tomllib

import numpy as np
import pytest

import naion as na
from naion.cli import main
from naion.cli._fit_problem import problem_of
from naion.fit import Kind
from naion.io import read_cell, read_data
from naion.parameters import is_half_cell

RUN = ["run", "nfm_hc_18650", "--protocol", "Discharge at C/10 for 1 hour", "--out"]

FIT = """
cell = "nfm_hc_18650"
mesh = [2, 3, 4, 10]
{half}

[[data]]
file = "measured.csv"
kind = "{kind}"
temperature = 25
{more}

[[free]]
path = "positive.particle.rate_constant.scale"
bounds = [0.1, 10.0]
transform = "log"
"""

ROWS = (
    "time_s,current_A,voltage_V,negative_potential_mV,positive_potential_V\n"
    + "".join(
        f"{60 * k},0.3,{0.9 - 0.01 * k},{5 + k},{0.905 - 0.01 * k}\n" for k in range(9)
    )
)


def run(*words):
    return main([str(w) for w in words])


def table(path):
    with path.open(encoding="utf-8") as f:
        rows = list(csv.reader(f))
    return {name: np.array(c, float) for name, *c in zip(*rows, strict=True)}


def test_run_of_a_half_cell(tmp_path):
    out = tmp_path / "half.csv"
    assert run(*RUN, out, "--half-cell", "negative", "--reference", "0.25") == 0
    found = table(out)
    V, E_n, E_p = (
        found[k] for k in ("voltage_V", "negative_potential_V", "positive_potential_V")
    )
    # The whole area of the 18650 works; hard carbon against sodium.
    assert np.all((V > 0.0) & (V < 1.2)) and V[-1] < V[0]
    assert np.median(found["current_A"]) == pytest.approx(0.1 * 1.5650527, rel=1e-3)
    np.testing.assert_allclose(E_p - E_n, V, atol=1e-6)
    assert 0.0 < np.median(E_n) < 0.05
    # What it writes is read with all its columns.
    assert {"negative_potential_V", "positive_potential_V"} < set(read_data(out))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--metal", "lithium"], "--metal lithium is of a half cell: add --half-cell"),
        (["--reference", "2"], "--reference 2: expected 0 (at the negative electrode)"),
    ],
)
def test_runs_that_cannot_be(tmp_path, capsys, words, said):
    assert run(*RUN, tmp_path / "x.csv", *words) == 2
    assert said in capsys.readouterr().err


def problem(tmp_path, half="", kind="profile", more="soc = 1.0", rows=ROWS):
    (tmp_path / "measured.csv").write_text(rows)
    file = tmp_path / "fit.toml"
    text = FIT.format(half=half, kind=kind, more=more)
    return problem_of(tomllib.loads(text), file)[0]


def test_file_of_a_half_cell(tmp_path):
    half = """[half_cell]
    electrode = "negative"
    area = 2.01e-4
    separator = 2.6e-4
    metal = "lithium"
    exchange_current = 20.0
    limits = [0.01, 1.0]
    contact_resistance = 1.5"""
    found = problem(tmp_path, half, more='soc = 1.0\ncompare = ["voltage"]')
    cell = found.specimen.cell
    assert is_half_cell(cell) and float(cell.area) == 2.01e-4
    assert float(cell.separator.thickness) == 2.6e-4
    assert float(cell.limits.lower_voltage) == 0.01
    assert float(cell.negative.kinetics.exchange_current(1e3, 298.15)) == pytest.approx(
        20
    )
    assert cell.negative.kinetics.exchange_current.curve.exponent == (0.3,)
    (test,) = found.experiments
    assert [o.kind for o in test.observations] == [Kind.VOLTAGE]
    # A fit goes on below what was measured, where that is low.
    low = problem(tmp_path, 'half_cell = "negative"', rows=ROWS.replace("0.9,", "0.2,"))
    lowest = low.experiments[0].protocol.lower_voltage[0]
    assert float(lowest) == pytest.approx(0.2 - 0.3)


def test_potentials_are_compared(tmp_path):
    shown = problem(tmp_path).experiments[0]
    kinds = [Kind.VOLTAGE, Kind.NEGATIVE_POTENTIAL, Kind.POSITIVE_POTENTIAL]
    assert [o.kind for o in shown.observations] == kinds
    np.testing.assert_allclose(shown.observations[1].value, 1e-3 * np.arange(6, 14))
    assert "8 of 9 measured rows (voltage, negative electrode, positive" in shown.note
    one = problem(tmp_path, kind="discharge", more='compare = ["positive"]')
    (seen,) = one.experiments[0].observations
    assert seen.kind is Kind.POSITIVE_POTENTIAL and len(seen.value) == 8
    assert "8 rows (positive) of 9 measured are compared" in one.experiments[0].note


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"half": 'half_cell = "anode"'}, "half_cell = 'anode'; known are negative"),
        ({"half": "half_cell = {area = 1.0}"}, r"\[half_cell\] has no electrode"),
        (
            {"half": 'half_cell = {electrode = "negative", limits = [2, 0]}'},
            "lower volt",
        ),
        ({"more": 'compare = ["anode"]'}, "data 1, compare, entry 1 = 'anode'"),
        ({"more": "compare = []"}, "compare"),
        (
            {
                "more": 'compare = ["negative"]',
                "rows": "time_s,current_A,voltage_V\n0,1,3\n9,1,2.9\n",
            },
            "compare asks for negative, and there is no column 'negative_potential_V'",
        ),
        (
            {"kind": "pulses", "more": 'times = [1.0]\ncompare = ["voltage"]'},
            "compare is of voltages and potentials; of pulses",
        ),
        (
            {"rows": ROWS.replace(",5,", ",,")},
            "negative_potential_V .*is empty",
        ),
    ],
)
def test_files_that_cannot_be(tmp_path, given, said):
    with pytest.raises(ValueError, match=said):
        problem(tmp_path, **given)


def test_a_whole_fit(tmp_path):
    """The metal's exchange current from a simulated pulse; the cell can be run again."""
    half = na.half_cell(na.load("nfm_hc_18650"), metal=na.sodium_metal(2.0))
    s = na.simulate(
        half,
        "Discharge at 0.3 A for 8 min",
        model=na.DFN(na.Mesh(2, 3, 4, 10)),
        start=0.9,
    )
    t = np.linspace(0.0, 480.0, 33)
    V = np.asarray(s.at(t).voltage)
    rows = "".join(f"{a},0.3,{b:.6f}\n" for a, b in zip(t, V, strict=True))
    (tmp_path / "measured.csv").write_text(f"time_s,current_A,voltage_V\n{rows}")
    text = FIT.format(half='half_cell = "negative"', kind="profile", more="soc = 0.9")
    text = text.replace(
        "positive.particle.rate_constant.scale",
        "negative.kinetics.exchange_current.scale",
    )
    (tmp_path / "fit.toml").write_text(text)
    assert run("fit", tmp_path / "fit.toml", "--out", tmp_path / "out") == 0
    fitted, _ = read_cell(tmp_path / "out" / "cell.json")
    scale = fitted.negative.kinetics.exchange_current.scale
    assert is_half_cell(fitted) and float(scale) == pytest.approx(0.4, rel=0.02)
