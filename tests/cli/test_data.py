"""`naion data`, and the FIT.toml that is begun from measured files."""

import numpy as np
import pytest
from scipy.io import savemat

import naion as na
from naion._files import read_toml
from naion.cli import main
from naion.cli._fit_problem import problem_of
from naion.data import doubts_beside, oddities
from naion.fit import Kind
from naion.io import read_data

HEAD = "Data_Point,Test_Time(s),Step_Index,Cycle_Index,Current(A),Voltage(V)\n"


@pytest.fixture
def record(tmp_path):
    """An Arbin-like file: a pulse, a rest, a charge and the hold behind it, a rest."""
    t = np.arange(0.0, 3000.0, 10.0)
    step = np.searchsorted([100.0, 160.0, 600.0, 1800.0, 2400.0], t, side="right") + 1
    hold = 0.75 * np.exp(-(t - 1800.0) / 200.0)
    current = np.choose(step - 1, [0.0, -1.5, 0.0, 0.75, hold, 0.0])
    V = np.choose(step - 1, [3.3, 3.15, 3.3, 3.4 + (t - 600.0) * 5e-4, 4.0, 3.95])
    rows = zip(t, step, current, V, strict=True)
    path = tmp_path / "cell 07.csv"
    path.write_text(
        HEAD
        + "".join(f"{i},{t},{s},1,{c},{v}\n" for i, (t, s, c, v) in enumerate(rows))
    )
    return path


def test_a_file_is_shown(record, capsys):
    figure = record.with_name("a.png")
    asked = ["data", str(record), "--capacity", "1.5", "--plot", str(figure)]
    assert main(asked) == 0
    out = capsys.readouterr().out
    for text in ("rows         300", "CC charge", "hold", "0.5C", "steps = [4, 5]"):
        assert text in out
    assert figure.stat().st_size > 1000


def test_a_template_is_a_fit(record, tmp_path, capsys):
    to = tmp_path / "FIT.toml"
    asked = ["fit", "--template", str(record), "--out", str(to)]
    assert main(asked) == 0
    assert main(asked) == 2 and "exists" in capsys.readouterr().err
    content = read_toml(to)
    with pytest.warns(na.Caution):
        problem, _ = problem_of(content, to)
    charge, pulses = problem.experiments
    assert charge.name.endswith("steps 4 to 5") and charge.discharged > 0.0
    flowed = charge.protocol
    moved = np.sum(
        (flowed.value + 0.5 * flowed.slope * flowed.duration) * flowed.duration
    )
    t = np.arange(600.0, 2400.0, 10.0)
    measured = np.where(t < 1800.0, -0.75, -0.75 * np.exp(-(t - 1800.0) / 200.0))
    assert float(moved) == pytest.approx(np.trapezoid(measured, t), rel=1e-3)
    (seen,) = pulses.observations
    assert seen.kind == Kind.RESISTANCE
    np.testing.assert_allclose(seen.value, 0.1)


def test_a_template_says_from_which_state_a_discharge_begins(tmp_path, cell, model):
    """One that follows a rest below the upper limit is none from the charged state."""
    to, end = tmp_path / "FIT.toml", "Discharge at C/2 until 1.5 V"
    for charge, full in (([], True), (["Charge at C/2 until 4.0 V"], False)):
        # The template's cell rests at 4.1 V charged.
        steps = [*charge, "Rest for 1 hour", end]
        sol = na.simulate(cell, steps, model=model, start=0.6 if charge else 1.0)
        t = np.arange(0.0, float(sol.t_end), 20.0)
        seen = sol.at(t, after=True)
        rows = zip(t, seen.current, seen.voltage, strict=True)
        file = tmp_path / f"{full}.csv"
        text = "".join(f"{a},{b},{c}\n" for a, b, c in rows)
        file.write_text("time_s,current_A,voltage_V\n" + text)
        asked = ["--cell", "nfm_hc_18650", "--out", str(to)]
        to.unlink(missing_ok=True)
        assert main(["fit", "--template", str(file), *asked]) == 0
        last = read_toml(to)["data"][-1]
        assert last["kind"] == ("discharge" if full else "profile")
        if not full:
            moved = na.simulate(cell, charge, model=model, start=0.6).capacity
            at = na.parameters.stoichiometry_at_soc(cell, 0.6).negative
            charged = na.parameters.stoichiometry_at_soc(cell, 1.0).negative
            Q = float(na.parameters.electrode_capacities(cell)[0])
            gone = Q * float(charged - at) + float(moved)
            assert last["discharged"] == pytest.approx(gone, abs=0.02)
            assert gone > 0.01


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"kind": "charge", "steps": [2, 5]}, "kind = 'charge' is of a charge alone"),
        ({"kind": "profile", "steps": [5, 9]}, "has 6 steps"),
        ({"kind": "profile", "columns": {"current": "Curent(A)"}}, "'Current\\(A\\)'"),
        ({"kind": "pulses", "times": 100.0}, "no pulse from rest"),
        ({"kind": "profile", "units": {"time": "fortnight"}}, "fortnight"),
    ],
)
@pytest.mark.filterwarnings("ignore::naion.Caution")
def test_entries_that_cannot_be(entry, said, record):
    content = {
        "cell": "nfm_hc_18650",
        "data": [{"file": record.name, "soc": 0.5, **entry}],
        "free": [{"path": "contact_resistance.scale", "bounds": [0.1, 10.0]}],
    }
    with pytest.raises(ValueError, match=said):
        problem_of(content, record.with_name("x.toml"))


@pytest.fixture
def spectra(tmp_path):
    """A BioLogic-like file of two spectra, at 3.2 and 3.4 V."""
    f = np.geomspace(1e3, 1e-1, 5)
    Z = 0.05 + 0.05 / (1.0 + 1j * f / 10.0)
    rows = [
        f"{a}\t{z.real}\t{-z.imag}\t{V}\n"
        for V in (3.2, 3.4)
        for a, z in zip(f, Z, strict=True)
    ]
    path = tmp_path / "eis.mpt"
    head = "EC-Lab ASCII FILE\nfreq/Hz\tRe(Z)/Ohm\t-Im(Z)/Ohm\t<Ewe>/V\n"
    path.write_text(head + "".join(rows))
    return path


def test_spectra_are_shown(spectra, capsys):
    figure = spectra.with_name("a.png")
    asked = ["data", str(spectra), "--cell", "nfm_hc_18650"]
    assert main([*asked, "--plot", str(figure)]) == 0
    out = capsys.readouterr().out
    for text in (
        "1000",
        "3.4000",
        'kind = "impedance"',
        "spectrum = 2",
        "discharged =",
    ):
        assert text in out
    assert "upside down" not in out and figure.stat().st_size > 1000
    assert main([*asked, "--imaginary", "Im"]) == 0
    assert "spectrum 1 looks upside down" in capsys.readouterr().out


def test_a_spectrum_of_a_cell_that_changed_is_odd(tmp_path, capsys):
    f = np.geomspace(1e4, 1e-2, 50)
    Z = (
        0.01
        + 0.02 / (1.0 + 2j * np.pi * f * 0.05)
        + 0.03 / (1.0 + 2j * np.pi * f * 4.0)
    )
    passed = np.cumsum(1.0 / f)
    path = tmp_path / "eis.csv"
    for change, odd in ((0.0, False), (0.3, True)):
        measured = Z * (1.0 + change * passed / passed[-1])
        rows = [f"{a},{z.real},{z.imag}\n" for a, z in zip(f, measured, strict=True)]
        path.write_text("frequency_Hz,real_ohm,imaginary_ohm\n" + "".join(rows))
        assert main(["data", str(path)]) == 0
        out = capsys.readouterr().out
        assert "K-K residual [%]" in out
        assert ("spectrum 1 violates the Kramers-Kronig relations" in out) == odd


OWN = "frequency_Hz,real_ohm,imaginary_ohm\n"


@pytest.mark.parametrize(
    ("text", "asked", "said"),
    [
        # What has a spectrum's labels is told what a spectrum lacks.
        (OWN + "1,0.04,-0.01\n", [], "1 rows below the header"),
        (OWN + "2,0,0,04,-0,01\n1,0,0,04,-0,01\n", [], "row 2: 6 cells under 3 names"),
        ("frequency_Hz,modulus_ohm\n1,1\n2,1\n", [], "no column of real, imaginary"),
        (OWN + "2,1,-1\n1,1,-1\n", ["--column", "real=Re"], "no column 'Re' for real"),
        (OWN + "2,1,-1\n1,1,-1\n", ["--capacity", "1.5"], "has no C-rates"),
        (OWN + "2,1,-1\n1,1,-1\n", ["--plot", "a.xyz"], "--plot a.xyz: no figure"),
        (
            OWN + "2,1,-1\n1,1,-1\n",
            ["--column", "real=real_ohm", "real=imaginary_ohm"],
            "real is given twice",
        ),
        ("a," * 100_000 + "\n1,2\n", [], "no column 'time_s'"),
    ],
)
def test_files_that_are_no_data(text, asked, said, tmp_path, capsys):
    path = tmp_path / "eis.csv"
    path.write_text(text)
    assert main(["data", str(path), *asked]) == 2
    assert said in capsys.readouterr().err


def test_rows_that_stand_twice_are_no_gaps(tmp_path, capsys):
    path = tmp_path / "twice.csv"
    rows = "".join(f"{80 * i},1.5,{3.9 - 0.03 * i:.3f}\n" * 2 for i in range(20))
    path.write_text("time_s,current_A,voltage_V\n" + rows)
    assert main(["data", str(path)]) == 0
    out = capsys.readouterr().out
    assert "20 rows at the time of the row before" in out and "gap" not in out


def test_a_template_of_spectra_is_a_fit(spectra, record, tmp_path):
    to = tmp_path / "FIT.toml"
    files = str(spectra), str(record)
    asked = ["fit", "--template", *files, "--cell", "nfm_hc_18650"]
    assert main([*asked, "--out", str(to)]) == 0
    with pytest.warns(na.Caution):
        problem, _ = problem_of(read_toml(to), to)
    first, second, *in_time = problem.experiments
    assert first.is_spectrum and second.is_spectrum and len(in_time) == 2
    # The higher voltage is the fuller cell.
    assert first.discharged > second.discharged > 0.0
    layer = problem.specimen.cell.negative.double_layer
    assert layer is not None and float(layer.capacitance) == 0.2
    assert float(layer.exponent) == 0.9 and 10.0 < layer.reference_frequency < 15.0
    names = [f.name for f in problem.free]
    assert "positive.double_layer.exponent" in names and "lead_inductance" not in names


def test_a_template_frees_the_inductance_that_a_spectrum_shows(tmp_path):
    f = np.geomspace(1e4, 0.1, 20)
    Z = 0.03 + 0.05 / (1.0 + 2j * np.pi * f * 0.05) + 2j * np.pi * f * 3e-7
    rows = (f"{a},{z.real},{z.imag}\n" for a, z in zip(f, Z, strict=True))
    (tmp_path / "eis.csv").write_text(OWN + "".join(rows))
    to = tmp_path / "FIT.toml"
    assert main(["fit", "--template", str(tmp_path / "eis.csv"), "--out", str(to)]) == 0
    free = read_toml(to)["free"]
    assert [f["bounds"] for f in free if f["path"] == "lead_inductance"] == [
        [0.0, 1e-5]
    ]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({}, "has 2 spectra; `naion data` shows them"),
        ({"spectrum": 3}, "spectrum = 3; the file has 2 spectra"),
        ({"spectrum": 1, "discharged": 0.1}, "give soc or discharged, one of them"),
        ({"spectrum": 1, "soc": None}, "give soc or discharged, one of them"),
        ({"spectrum": 1, "imaginary": "im"}, "known are Im, -Im"),
        ({"spectrum": 1, "units": {"real": "mV"}}, "expected ohm, mohm"),
        ({"spectrum": 1, "frequencies": [1e5, 1e6]}, "measured are 1000 to 0.1 Hz"),
        ({"spectrum": 1, "layer": None}, "double_layer = 0.2 at the top"),
        ({"spectrum": 1, "exponent": 0.3}, "exponent = 0.3: expected a number from 0.5"),
        ({"spectrum": 1, "exponent": 0.8, "layer": None}, "and no double_layer; give"),
        ({"spectrum": 1, "free": "negative.double_layer.capacitance", "layer": None},
         "double_layer = 0.2 at the top of the file gives the cell one"),
        ({"kind": "discharge", "free": "lead_inductance"}, "there is none"),
        ({"spectrum": 1, "free": "lead_inductance"}, "nothing of the cell"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::naion.Caution")
def test_spectra_that_cannot_be(entry, said, spectra):
    data = {"file": spectra.name, "kind": "impedance", "soc": 0.5} | entry
    path = data.pop("free", "contact_resistance.scale")
    content = {
        "cell": "nfm_hc_18650",
        "double_layer": data.pop("layer", 0.2),
        "double_layer_exponent": data.pop("exponent", None),
        "data": [{k: v for k, v in data.items() if v is not None}],
        "free": [{"path": path, "bounds": [0.0, 10.0]}],
    }
    if content["data"][0]["kind"] == "discharge":
        del content["data"][0]["soc"]
    with pytest.raises(ValueError, match=said):
        problem_of(content, spectra.with_name("x.toml"))


@pytest.mark.filterwarnings("ignore::naion.Caution")
def test_spectra_of_an_area_and_of_two_rigs(spectra):
    """An area's impedance is divided by the cell's; each rig has leads of its own."""
    one = {"file": spectra.name, "kind": "impedance", "spectrum": 1, "soc": 0.5}
    content = {
        "cell": "nfm_hc_18650",
        "double_layer": 0.2,
        "data": [one, {**one, "units": {"impedance": "ohm.m2"}, "rig": "B"}],
        "free": [
            {"path": "contact_resistance.scale", "bounds": [0.1, 10.0]},
            {"path": "lead_inductance", "bounds": [0.0, 1e-5], "prior": 1e-6},
        ],
    }
    problem, _ = problem_of(content, spectra.with_name("x.toml"))
    whole, area = (e.observations[0].value for e in problem.experiments)
    np.testing.assert_allclose(area * problem.specimen.cell.area, whole)
    assert [e.group for e in problem.experiments] == [0, 1]
    assert problem.vector.names[1:] == ("lead_inductance[0]", "lead_inductance[1]")
    assert "divided by the cell's area" in problem.experiments[1].note


@pytest.mark.filterwarnings("ignore::naion.Caution")
def test_relaxations_compare_voltages_at_rest(record):
    content = {
        "cell": "nfm_hc_18650",
        "data": [{"file": record.name, "soc": 0.5, "kind": "relaxation"}],
        "free": [{"path": "contact_resistance.scale", "bounds": [0.1, 10.0]}],
    }
    problem, _ = problem_of(content, record.with_name("x.toml"))
    (seen,) = problem.experiments[0].observations
    b = seen.b
    assert np.all((b < 100.0) | ((b >= 160.0) & (b < 600.0)) | (b >= 2400.0))


def test_what_cannot_be_beside_a_cell_is_odd():
    t = np.arange(0.0, 3600.0, 60.0)
    table = {
        "time_s": t,
        "current_A": np.full(60, 1.5),
        "voltage_V": np.linspace(3.9, 2.5, 60),
    }
    assert oddities(table, 1.5) == doubts_beside(table, 1.5) == []
    fast = table | {"current_A": 1e3 * table["current_A"]}
    first, second = oddities(fast, 1.5)
    assert "1000C of a cell of 1.5 A.h" in first and "1475 A.h flow one way" in second
    assert "milliampere" in oddities(fast)[0]
    (hours,) = doubts_beside(table | {"time_s": t / 3600.0}, 1.5)
    assert "moves by 1.40 V" in hours and "in hours" in hours
    (turned,) = doubts_beside(table | {"current_A": -table["current_A"]}, 1.5)
    assert "sign of the current" in turned


def test_a_test_is_given_once(tmp_path):
    (tmp_path / "d.csv").write_text(
        "time_s,current_A,voltage_V\n"
        + "".join(f"{80 * i},1.5,{3.9 - 0.03 * i:.3f}\n" for i in range(40))
    )
    test = {"file": "d.csv", "kind": "discharge"}
    free = [{"path": "contact_resistance.scale", "bounds": [0.05, 20.0]}]
    content = {"cell": "nfm_hc_18650", "data": [test, {**test, "name": "b"}]}
    with pytest.raises(ValueError, match="data 2 is the same as data 1"):
        problem_of(content | {"free": free}, tmp_path / "FIT.toml")
    free[0]["path"] = "positive.particle.ocp.curve.x"
    with pytest.raises(ValueError, match="free its values, .*curve.y"):
        problem_of(content | {"free": free}, tmp_path / "FIT.toml")


def saved(path, **variables):
    savemat(path, variables)
    return path.read_bytes()


def test_vectors_of_matlab_files_are_columns(tmp_path):
    t = np.arange(9.0)
    table = {"time_s": t, "current_A": t, "voltage_V": 3.0 + t}
    path = tmp_path / "d.mat"
    for variables in (table, {"cell": {"info": "x", "data": table}, "n": np.eye(3)}):
        saved(path, **variables)
        with pytest.warns(na.Caution, match="'voltage_V'"):
            read = read_data(path)
        np.testing.assert_array_equal(read["voltage_V"], table["voltage_V"])
    whole = saved(path, **table)
    for content, said in (
        (whole[:400], "damaged or cut off"),
        (b"time_s,current_A\n", "no MATLAB file"),
        (b" " * 512 + b"\x89HDF\r\n\x1a\n", "version 7.3"),
        (saved(path, x=np.eye(3)), r"no vectors .* x \(3x3 double\)"),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"d.mat.*{said}"):
            read_data(path)
