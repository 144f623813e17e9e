"""`naion data`, and the FIT.toml that is begun from measured files."""

import numpy as np
import pytest

import naion as na
from naion._files import read_toml
from naion.cli import main
from naion.cli._fit_problem import problem_of
from naion.fit import Kind

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
