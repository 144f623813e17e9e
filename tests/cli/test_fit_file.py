"""`naion fit`: its files, what it writes, what `naion predict` makes of it."""

import csv
import json

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion._files import read_toml
from naion.cli import main
from naion.cli._fit_problem import problem_of
from naion.cli._fit_words import in_sentences
from naion.fit import SearchState, _searched
from naion.fit._fit import fit_at
from naion.io import write_cell
from naion.parameters import load

FIT = """
cell = "nfm_hc_18650"
mesh = [4, 3, 4, 10]

[[data]]
file = "measured.csv"
kind = "discharge"
temperature = 25
sigma = 0.002

[[data]]
kind = "pulse"
current = 1.5
times = [1.0]
resistance = [0.09]
discharged = 0.5

[[free]]
path = "contact_resistance.scale"
bounds = [0.1, 10.0]
transform = "log"
prior = 0.7
"""


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A fit of a simulated discharge whose contact resistance is 1.5 times as large."""
    folder = tmp_path_factory.mktemp("fit")
    cell = na.parameters.load("nfm_hc_18650")
    moved = eqx.tree_at(lambda c: c.contact_resistance.scale, cell, jnp.asarray(1.5))
    model = na.DFN(na.Mesh(4, 3, 4, 10))
    solution = na.simulate(moved, "Discharge at 1 A until 1.5 V", model=model)
    t = np.linspace(0.0, float(solution.t_end), 200)
    V = np.asarray(solution.at(t).voltage)
    rows = [f"{a:.6g},1.0,{b:.6g}" for a, b in zip(t, V, strict=True)]
    text = "\n".join(["time_s,current_A,voltage_V", *rows]) + "\n"
    (folder / "measured.csv").write_text(text)
    (folder / "fit.toml").write_text(FIT)
    assert main(["fit", str(folder / "fit.toml"), "--out", str(folder / "out")]) == 0
    return folder


def test_fit_predicts_what_it_leaves_out(fitted, capsys):
    """Beside each fit its prediction from the other tests, in the report and in words."""
    out = fitted / "left_out"
    asked = ["fit", str(fitted / "fit.toml"), "--out", str(out), "--left-out"]
    assert main(asked) == 0
    said, html = capsys.readouterr().out, (out / "report.html").read_text()
    for text in (said, html):
        assert "predicted from the other conditions" in text
    known = [json.loads((f / "cell.json").read_text()) for f in (fitted / "out", out)]
    # The pulse's resistance is another one than the discharge's.
    plain, left = (k["fit"]["discrepancy_V"] for k in known)
    assert left > plain


def test_leaving_out_one_test_is_refused_before_the_fit(fitted, capsys):
    """And nothing is written: a long fit would be lost."""
    pulse = FIT[FIT.index("[[data]]\nkind") : FIT.index("[[free]]")]
    (fitted / "one.toml").write_text(FIT.replace(pulse, ""))
    asked = [
        "fit",
        str(fitted / "one.toml"),
        "--out",
        str(fitted / "one"),
        "--left-out",
    ]
    assert main(asked) == 2
    assert "two conditions or more; this fit has one" in capsys.readouterr().err
    assert not (fitted / "one").exists()


def test_fit_writes_cell_and_report(fitted):
    out = fitted / "out"
    html = (out / "report.html").read_text()
    assert "<img" in html and (out / "report.md").is_file()
    assert "100 voltages, evenly spaced in charge between rows, of 200 measured" in html
    known = json.loads((out / "cell.json").read_text())
    (found,) = [p for p in known["parameters"] if "contact" in p["name"]]
    # 2 mV of uncertainty on a drop of 20 mV, and a pulse that pulls the other way.
    assert found["low"] < found["value"] < found["high"]
    assert found["value"] == pytest.approx(1.5, rel=0.2)


def test_a_report_begins_with_what_came_out(fitted):
    """Whether it converged, the worst test, what the data tell: before any table."""
    before = (fitted / "out" / "report.md").read_text().split("|")[0]
    assert "The fit converged: no step is expected to lower the cost." in before
    assert "the sum of squared residuals, is" in before
    # The pulse was not simulated with the resistance that the discharge has.
    assert "The worst test of 2 is pulse" in before and "mohm measured" in before
    assert "The data determine the free parameter." in before


def test_what_did_not_end_and_what_is_open_is_said(fitted):
    """A fit that stalled is no converged one, and heat tells nothing at 25 degC."""
    free = FIT[FIT.index("[[free]]") :]
    text = FIT + free.replace("contact_resistance", "positive.particle.dudt")
    (fitted / "open.toml").write_text(text)
    problem, _ = problem_of(read_toml(fitted / "open.toml"), fitted / "open.toml")
    near = problem.linearised(problem.start)
    for ended, said in (
        (SearchState.STALLED, "did not converge: it stalled"),
        (SearchState.EVALUATION_LIMIT, "did not converge: it stopped at the most"),
        (SearchState.FAILED_START, "The fit failed at its start."),
    ):
        told = in_sentences(fit_at(problem, problem.start, near, ended=ended))
        assert said in told[0]
    assert (
        told[2] == "The data determine 1 of 2 independent sums of the free parameters."
    )
    assert "dudt" in told[3] and "not determined by these data" in told[3]


def test_fits_from_several_starts_agree_and_go_on(
    fitted, tmp_path, monkeypatch, capsys
):
    """Stopped in the middle, the same command goes on; the report says what starts found."""
    run = ["fit", str(fitted / "fit.toml"), "--out", str(tmp_path), "--starts", "3"]
    advanced, rounds = _searched.advanced, []

    def stopping(*arguments, **options):
        rounds.append(1)
        if len(rounds) == 3:
            raise KeyboardInterrupt
        return advanced(*arguments, **options)

    monkeypatch.setattr(_searched, "advanced", stopping)
    assert main(run) == 130
    assert not (tmp_path / "cell.json").exists()
    capsys.readouterr()
    assert main(run) == 0
    said, progress = capsys.readouterr()
    assert "goes on after 2 evaluations" in progress
    assert "3 of 3 starts reach the least cost" in said
    assert "3 of 3 starts reach" in (tmp_path / "report.md").read_text()
    assert not (tmp_path / "search").exists()
    with pytest.raises(SystemExit):
        main([*run[:-1], "0"])
    assert "expected a whole number from 1" in capsys.readouterr().err


def test_predict_gives_a_band(fitted, tmp_path):
    out = tmp_path / "band.csv"
    cell = str(fitted / "out" / "cell.json")
    step = ["Discharge at 1C until 2.0 V"]
    assert main(["predict", cell, "--protocol", *step, "--out", str(out)]) == 0
    header, *rows = csv.reader(out.read_text().splitlines())
    assert header[3:5] == ["voltage_lo_V", "voltage_hi_V"] and len(header) == 6
    V, low, high = np.array([[float(r[i]) for i in (2, 3, 4)] for r in rows[:-5]]).T
    assert np.all(low < V) and np.all(high > V)
    # The model made the data: little is unknown.
    assert np.median(high - low) < 0.1


def test_predict_needs_a_fit_or_a_set(tmp_path, capsys):
    write_cell(tmp_path / "cell.json", load("nfm_hc_18650"))
    out = ["--protocol", "Discharge at C/2 for 5 min", "--out", str(tmp_path / "o.csv")]
    assert main(["predict", str(tmp_path / "cell.json"), *out]) == 2
    assert "carries no fit" in capsys.readouterr().err
    assert main(["predict", "nfm_hc_18650", *out]) == 0
    assert "assumed numbers" in capsys.readouterr().out


def rows(current=1.0, voltage=3.9, n=20, step=60.0, head="time_s,current_A,voltage_V"):
    """A table of a discharge at constant current."""
    lines = [f"{step * i:g},{current:g},{voltage - 0.02 * i:g}" for i in range(n)]
    return "\n".join([head, *lines]) + "\n"


KIND, TIMES = 'kind = "discharge"', "times = [1.0]"
PATH, BOUNDS = '"contact_resistance.scale"', "bounds = [0.1, 10.0]"
KNOTS = '[[ocp_correction]]\nelectrode = "positive"\nknots = '


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--cell", "nvpf_hc_chayambuka2022"], "--cell nvpf_hc_chayambuka2022 is of"),
        (["--unit", "current=mA"], "--unit ['current=mA'] is of --template"),
        (["--positive", "charge"], "the TOML file says it"),
        (["--starts", "1000000000"], "from 1 to 10,000"),
    ],
)
def test_options_without_effect_are_refused(tmp_path, capsys, options, said):
    (tmp_path / "measured.csv").write_text(rows())
    (tmp_path / "fit.toml").write_text(FIT)
    asked = ["fit", str(tmp_path / "fit.toml"), "--out", str(tmp_path / "out")]
    try:
        status = main([*asked, *options])
    except SystemExit as end:  # argparse's own
        status = end.code
    assert status == 2 and said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    asked = ["fit", "--template", str(tmp_path / "measured.csv"), "--left-out"]
    assert main(asked) == 2
    assert "--left-out is of a fit" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (KIND, 'kind = "dicharge"', "Did you mean discharge?"),
        (KIND, "kind = 3", "data 1, kind = 3; known are"),
        (KIND, "", "data 1 has no kind; known are"),
        (
            KIND,
            'kind = "profile"\nsoc = 2',
            "data 1, soc = 2: expected a number from 0 to 1",
        ),
        (
            KIND,
            'kind = "profile"\nsoc = "full"',
            "data 1, soc = 'full': expected a number",
        ),
        (KIND, 'kind = "profile"\nsoc = 1\ndischarged = 0', "not both"),
        (KIND, 'kind = "profile"\ndischarged = 99', "electrode holds"),
        ('"measured.csv"', '"gone.csv"', "gone.csv: no such file"),
        ('"measured.csv"', "3", "data 1, file = 3: expected a text"),
        ("sigma = 0.002", "weight = 1", "unknown key weight"),
        ("sigma = 0.002", "sgima = 1", "Did you mean sigma?"),
        (
            "sigma = 0.002",
            "sigma = 0",
            "data 1, sigma = 0: expected a number above zero",
        ),
        (
            "sigma = 0.002",
            "sigma = -1",
            "data 1, sigma = -1: expected a number above zero",
        ),
        ("sigma = 0.002", 'sigma = "1"', "data 1, sigma = '1': expected a number"),
        (
            "sigma = 0.002",
            f"sigma = {'9' * 400}",
            "(400 digits, too large): expected a number",
        ),
        ("temperature = 25", "temperature = 298", "Is it in kelvin?"),
        ("[[data]]", "[data]", "need double brackets, [[data]]"),
        ("[[free]]", "[free]", "expected tables [[free]], with double brackets"),
        ('cell = "nfm_hc_18650"', "cell = 3", "fit.toml: cell = 3: expected a text"),
        ('cell = "nfm_hc_18650"', 'cell = "nope"', "No cell 'nope'"),
        ("mesh = [4", "mesh = (4", "not TOML"),
        (
            "mesh = [4, 3",
            "mesh = [100000, 3",
            "mesh = [100000, 3, 4, 10]: expected [n_neg",
        ),
        ("mesh = [4, 3, 4, 10]", "mesh = [400, 3, 400, 400]", "n_r is 320000"),
        (
            "mesh = [4, 3",
            "mesh = [6.5, 3",
            "[n_neg, n_sep, n_pos, n_r], whole numbers from 1",
        ),
        ("mesh = [4, 3", "mesh = [4, 1", "mesh: Mesh needs at least 2"),
        (PATH, '"contact_resistence.scale"', "contact_resistance"),
        (PATH, '"contact_resistance"', "free 1: contact_resistance is a curve"),
        (
            PATH,
            '"Contact resistance [ohm]"',
            "free 1: 'Contact resistance [ohm]' is contact_resistance, a curve: give the "
            "path contact_resistance.scale",
        ),
        (
            PATH,
            '"Electrode aria [m2]"',
            "free 1: This cell has no number 'Electrode aria",
        ),
        (
            PATH,
            '"Electrode area [m2]"\nsmooth = 1.0',
            "free 1: area is no list of three numbers",
        ),
        (PATH, "3", "free 1, path = 3: expected a text"),
        (PATH, "[]", "free 1, path = []: expected a text"),
        (BOUNDS, "bounds = [2.0, 10.0]", "outside its bounds"),
        (BOUNDS, "bounds = [10.0, 0.1]", "free 1: contact_resistance.scale: bounds 10"),
        (BOUNDS, "bounds = [0.1]", "bounds = [0.1]: expected two finite numbers"),
        (BOUNDS, 'bounds = "wide"', "free 1, bounds = 'wide': expected two finite"),
        (BOUNDS, 'bounds = ["a", "b"]', "bounds = ['a', 'b']: expected two finite"),
        (BOUNDS, "", "free 1 has no bounds: give bounds = [0.05"),
        ('"log"', '"sqrt"', "free 1, transform = 'sqrt'; known are log"),
        ("prior = 0.7", "prior = 0", "free 1, prior = 0: expected a standard"),
        ("prior = 0.7", 'prior = "x"', "prior = 'x': expected a standard deviation"),
        ("[[free]]", f"[[free]]\npath = {PATH}\n{BOUNDS}\n[[free]]", "free 2: contact"),
        ("[[free]]", f"{KNOTS}[0.9, 0.5]\n[[free]]", "ocp_correction 1: knots = [0.9"),
        ("[[free]]", f"{KNOTS}[0.9, 1.5]\n[[free]]", "from 0 to 1, rising"),
        (
            "[[free]]",
            f"{KNOTS}3\n[[free]]",
            "ocp_correction 1, knots = 3: expected a list",
        ),
        (
            "[[free]]",
            '[[ocp_correction]]\nelectrode = "positive"\n[[free]]',
            "ocp_correction 1 has no knots: give",
        ),
        ("current = 1.5", "current = 0", "data 2: pulse 0 A: current = 0"),
        ("current = 1.5", "", "data 2 has no current: give current = 1.5"),
        (TIMES, "times = [1.0, 2.0]", "data 2: pulse 1.5 A: 2 times and 1 resistances"),
        (TIMES, "times = [-1.0]", "times must be finite and above zero"),
        (TIMES, 'times = "1"', "data 2, times = '1': expected a number, or"),
        ("resistance = [0.09]", "resistance = [-0.09]", "resistances must be finite"),
    ],
)
def test_bad_fit_files_name_the_problem(tmp_path, capsys, old, new, expected):
    assert old in FIT
    (tmp_path / "measured.csv").write_text(rows())
    (tmp_path / "fit.toml").write_text(FIT.replace(old, new, 1))
    out = tmp_path / "out"
    assert main(["fit", str(tmp_path / "fit.toml"), "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert expected in error and "fit.toml" in error.replace("gone.csv", "fit.toml")
    assert not out.exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (rows(voltage=3900.0), "voltages reach 3900 V; a single cell has"),
        (rows(current=-1.0), "negative: a charge"),
        (rows(current=0.0), "no current flows"),
        (rows(n=3), "a discharge needs more than 5"),
        (rows(step=0.0), "all rows have the same time"),
        (rows() + "1300,0,3.9\n", "is not constant within 10 % of its mean"),
        (rows() + "0,1,3.9\n", "row 22: time 0 s comes after 1140 s"),
        (rows(head="t,I,U"), "--unit time=s current=A voltage=V"),
    ],
)
def test_bad_measurements_name_the_problem(tmp_path, capsys, text, expected):
    (tmp_path / "measured.csv").write_text(text)
    (tmp_path / "fit.toml").write_text(FIT)
    assert main(["fit", str(tmp_path / "fit.toml"), "--out", str(tmp_path / "o")]) == 2
    error = capsys.readouterr().err
    assert expected in error and "measured.csv" in error


def test_what_is_compared_is_said(tmp_path):
    head = "test_time_second,current_ampere,voltage_volt,ambient_temperature_celsius"
    body = [f"{9 * i},-1,{3.9 - 0.002 * i:g},-10" for i in range(300)]
    (tmp_path / "cold.csv").write_text("\n".join([head, *body]) + "\n")
    text = {
        "cell": "nfm_hc_18650",
        "data": [
            {"file": "cold.csv", "kind": "discharge"},
            {"file": "cold.csv", "kind": "profile", "temperature": -10.5},
        ],
        "free": [{"path": "contact_resistance.scale", "bounds": [0.1, 10.0]}],
    }
    problem, _ = problem_of(text, tmp_path / "fit.toml")
    slow, under = problem.experiments
    assert slow.temperature == pytest.approx(263.15) and slow.capacity > 0.0
    assert "100 voltages, evenly spaced in charge between rows, of 300" in slow.note
    assert "temperature -10.0 degC, the median" in slow.note
    assert under.temperature == pytest.approx(262.65)
    assert under.note.startswith("299 of 300 measured voltages")
    text["data"] = [{"file": "cold.csv", "kind": "profile", "temperature": 25}]
    with pytest.warns(na.Caution, match="25 degC is taken"):
        problem_of(text, tmp_path / "fit.toml")


def test_segments_are_alike(tmp_path, capsys):
    names = "segment,duration_s,current_A,loaded_V,rest_V"
    (tmp_path / "s.csv").write_text(f"{names}\n0,600,1,3.9,3.95\n1,700,1,3.8,3.9\n")
    text = FIT.replace(KIND, 'kind = "segments"').replace("measured.csv", "s.csv")
    (tmp_path / "fit.toml").write_text(text)
    assert main(["fit", str(tmp_path / "fit.toml"), "--out", str(tmp_path / "o")]) == 2
    assert "duration_s is 600 to 700; all segments" in capsys.readouterr().err


def test_a_senseless_fit_is_no_success(fitted, tmp_path, capsys):
    text = (fitted / "measured.csv").read_text().splitlines()
    moved = [
        f"{float(r.split(',')[0]) / 3600.0},{r.split(',', 1)[1]}" for r in text[1:]
    ]
    (tmp_path / "measured.csv").write_text("\n".join([text[0], *moved]) + "\n")
    (tmp_path / "fit.toml").write_text(FIT)
    out = tmp_path / "out"
    assert main(["fit", str(tmp_path / "fit.toml"), "--out", str(out)]) == 2
    assert "are times in hours" in capsys.readouterr().err
    assert "makes no sense" in (out / "report.md").read_text()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", ": The file has no cell: give cell ="),
        (FIT.replace("[4, 3", "[4 3"), "(at line 3, column"),
        (
            FIT.replace("sigma", "temperature"),
            "(at line 9, column 20). A key or a table stands twice",
        ),
        (FIT.replace("cell", "# °\ncell").encode("latin-1"), "save it as UTF-8"),
        (FIT.encode("utf-16-le"), "without its byte-order mark"),
    ],
)
def test_texts_that_are_no_fit(tmp_path, capsys, content, expected):
    """Empty, no TOML, a key twice, other encodings."""
    file = tmp_path / "fit.toml"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    assert main(["fit", str(file), "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert expected in error and error.startswith(f"naion: {file}")


SLOW = """
cell = "nfm_hc_18650"
mesh = [4, 3, 4, 10]

[[data]]
name = "slow"
file = "eis.csv"
kind = "impedance"
soc = 0.5
temperature = 25

[[free]]
path = "contact_resistance.scale"
bounds = [0.1, 10.0]
transform = "log"

[[free]]
path = "lead_resistance"
bounds = [-0.1, 0.1]
prior = 1e-3
"""


@pytest.mark.filterwarnings("ignore::naion.Caution")
def test_a_spectrum_is_fitted_shown_and_repeated(tmp_path, capsys):
    """Frequencies at which the cell needs no double layer."""
    cell = na.load("nfm_hc_18650")
    moved = eqx.tree_at(lambda c: c.contact_resistance.scale, cell, jnp.asarray(1.5))
    model = na.DFN(na.Mesh(4, 3, 4, 10))
    f = np.array([0.1, 0.05, 0.02, 0.01])
    Z = np.asarray(na.impedance(moved, f, model=model, start=0.5, temperature=298.15))
    rows = [f"{a},{1e3 * z.real},{-1e3 * z.imag}" for a, z in zip(f, Z, strict=True)]
    text = "\n".join(["Freq (Hz),Re(Z) (mΩ),-Im(Z) (mΩ)", *rows])
    (tmp_path / "eis.csv").write_text(text + "\n", encoding="utf-8")
    (tmp_path / "fit.toml").write_text(SLOW)
    out = tmp_path / "out"
    assert main(["fit", str(tmp_path / "fit.toml"), "--out", str(out)]) == 0
    known = json.loads((out / "cell.json").read_text())
    (found,) = [p for p in known["parameters"] if "contact" in p["name"]]
    # Nothing else holds it: the leads could be part of it, as far as their prior goes.
    assert found["value"] == pytest.approx(1.5, rel=0.02)
    report = (out / "report.md").read_text()
    assert "impedances at 4 frequencies, 0.1 to 0.01 Hz, are compared" in report
    assert "% of \\|Z\\|, most" in report and "(figures/fit_0.png)" in report
    capsys.readouterr()
    like = tmp_path / "like.csv"
    asked = ["predict", str(out / "cell.json"), "--like", "slow", "--out", str(like)]
    assert main(asked) == 0
    assert "impedance: " in capsys.readouterr().out
    header, *rows = csv.reader(like.read_text().splitlines())
    assert header[:2] == ["what", "frequency_Hz"] and len(rows) == 8
    measured, fitted = np.array([[float(r[i]) for i in (2, 4)] for r in rows]).T
    np.testing.assert_allclose(fitted[:4], Z.real, rtol=1e-3)
    np.testing.assert_allclose(measured[4:], Z.imag, rtol=1e-5)
