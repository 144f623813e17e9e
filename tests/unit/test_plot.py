"""Figures: what they show, and that they take and return axes."""

import jax.numpy as jnp
import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure

import naion as na
from naion._pictures import content_of

matplotlib.use("agg")


@pytest.fixture(scope="module")
def solution(cell, model):
    return na.simulate(
        cell, "Discharge at 1C until 1.5 V", model=model, keep_states=True
    )


def test_overview(solution):
    own = Figure().subplots(2, 2)
    axes = na.plot.overview(solution, own)
    assert axes is own
    (line,) = axes[0, 0].get_lines()
    t, V = line.get_data()
    np.testing.assert_allclose(V, solution.at(3600.0 * t).voltage, atol=1e-5)
    assert len(t) > 8 * int(solution.n_steps) and np.all(np.isfinite(V))
    assert na.plot.overview(solution).shape == solution.plot().shape == (2, 2)
    (same,) = solution.plot()[0, 0].get_lines()
    np.testing.assert_array_equal(same.get_data(), line.get_data())
    page = solution._repr_html_()
    assert page.startswith("<pre>") and page.count("<img") == 1
    labels = [axis.get_ylabel() for axis in axes.flat]
    assert set(labels) < set(solution.keys())
    assert axes[1, 0].get_xlabel() == "Time [h]"
    with pytest.raises(ValueError, match="needs 4 axes, got 1"):
        na.plot.overview(solution, Figure().add_subplot())


def test_overview_of_several_has_a_legend_off_the_lines(solution, cell, model):
    steps = ["Discharge at 1C for 10 min", "Rest for 10 min"]
    resting = na.simulate(cell, steps, model=model)
    axes = na.plot.overview({"without": solution, "with a rest": resting})
    said = [text.get_text() for text in axes[0, 0].get_legend().get_texts()]
    assert said == ["without", "with a rest"]
    # The current jumps where the rest begins, and does not slope.
    t, current = axes[0, 1].get_lines()[1].get_data()
    assert set(np.round(current / float(cell.nominal_capacity), 9)) == {0.0, 1.0}
    assert np.ptp(t[np.abs(np.diff(current, append=0.0)) > 1e-6]) == 0.0
    with pytest.raises(ValueError, match="at least one solution"):
        na.plot.overview({})


def test_new_figures_are_pyplot_s(solution):
    """So notebooks show them, and `pyplot.savefig` and `show` have them."""
    pyplot.close("all")
    na.plot.overview(solution), na.plot.electrodes(solution), solution.plot()
    assert len(pyplot.get_fignums()) == 3
    content_of(solution.plot()[0, 0].figure)
    assert len(pyplot.get_fignums()) == 3
    pyplot.close("all")


def test_what_takes_several_solutions_says_how(solution):
    for given in ([solution, solution], (solution,)):
        with pytest.raises(TypeError, match='"25 degC": a'):
            na.plot.overview(given)
    with pytest.raises(TypeError, match='"25 degC": a'):
        na.plot.overview(solution, solution)
    with pytest.raises(TypeError, match="expected axes of Matplotlib"):
        solution.plot(["Voltage [V]"])


def test_losses_end_at_the_voltage(cell, model):
    """Also at both sides of jumps, and at the end."""
    steps = ["Discharge at 1C until 1.5 V", "Rest for 1 hour", "Charge at 1C until 4 V"]
    solution = na.simulate(cell, steps, model=model, keep_states=True)
    axes = na.plot.losses(solution, cell)
    t, V = axes.get_lines()[-1].get_data()
    sides = [solution.at(3600.0 * t, after=later).voltage for later in (False, True)]
    assert np.all(np.isclose(V, sides, atol=1e-5).any(axis=0))
    assert V[-1] == pytest.approx(4.0, abs=1e-4)
    # The last area ends where the voltage runs.
    edge = axes.collections[-1].get_paths()[0].vertices
    for row in (1, 2):
        start = float(solution.began(row))
        for after in (False, True):
            voltage = float(solution.at(start, after=after).voltage)
            assert np.min(np.hypot(*(edge - (start / 3600.0, voltage)).T)) < 1e-5


def test_fields_of_the_nearest_step(solution, cell):
    axes = na.plot.fields(solution, cell, time=0.0)
    (salt,) = axes[0, 0].get_lines()
    np.testing.assert_allclose(salt.get_ydata(), 1000.0, rtol=1e-9)
    (solid, _) = axes[0, 1].get_lines()
    assert np.isnan(solid.get_ydata()).sum() == solution.model.mesh.n_sep
    assert axes[0, 0].get_ylabel() == "Electrolyte concentration [mol.m-3]"
    assert axes[0, 1].get_ylabel() == "phi_s, phi_e [V]"
    assert axes[1, 1].get_xlabel() == "Position [um]"
    shades = [[p.get_x(), p.get_x() + p.get_width()] for p in axes[0, 0].patches]
    np.testing.assert_allclose(shades[0], [0.0, 1e6 * cell.negative.thickness])
    assert shades[1][1] == axes[0, 0].get_xlim()[1]
    surface = axes[1, 1].get_lines()[-1].get_ydata()
    np.testing.assert_allclose(surface, solution.states.sto[0, -1, -len(surface) :])
    with pytest.raises(ValueError, match="keep_states"):
        na.plot.fields(na.simulate(cell, "Rest for 1 s", model=solution.model), cell)


def test_fields_slider(solution, cell):
    slider = na.plot.fields_slider(solution, cell).children[0]
    assert slider.max == pytest.approx(float(solution.t_end) / 3600.0)


def test_impedance(cell, model):
    f = jnp.geomspace(1e3, 1e-2, 11)
    Z = na.impedance(cell, f, model=model)
    axes = na.plot.impedance(f, Z, Figure().add_subplot())
    np.testing.assert_allclose(axes.get_lines()[0].get_xdata(), 1e3 * Z.real)
    assert any(t.get_text() == "10 Hz" for t in axes.texts)


def test_fit_names_its_abscissa():
    t = np.linspace(0.0, 7200.0, 5)
    e = na.fit.measured_profile("x", t, np.ones(5), np.full(5, 3.5), 298.15)
    axes = na.plot.fit(e, np.full(4, 3.4))
    below = axes.figure.axes[1]
    assert below.get_xlabel() == "Time [h]" and below.get_ylabel() == "Off [mV]"
    np.testing.assert_allclose(below.get_lines()[1].get_ydata(), -100.0)
    np.testing.assert_allclose(axes.get_lines()[1].get_xdata(), [0.5, 1.0, 1.5, 2.0])
    q = na.fit.discharge("x", [0.1, 0.2, 0.3], [4.0, 3.9, 3.8], 1.0, 298.15)
    one = Figure().add_subplot()
    assert na.plot.fit(q, np.full(3, 3.9), one).get_xlabel() == "Discharged [A.h]"


def test_electrodes(solution):
    axes = na.plot.electrodes(solution)
    positive, voltage, negative = axes.get_lines()
    (t, E_p), (_, V), (_, E_n) = (x.get_data() for x in (positive, voltage, negative))
    np.testing.assert_allclose(E_p, solution.at(3600.0 * t).positive_potential)
    # What is missing are the contacts.
    apart = np.asarray(E_p) - E_n - V
    assert np.all(apart > 0.0) and np.ptp(apart) < 1e-6
    assert axes.get_ylabel() == "Voltage, potentials vs reference [V]"
