"""Tests of several steps, with sensors that err and cells of several sizes."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion.fit import (
    Experiment,
    FreeParameter,
    Kind,
    Observations,
    Part,
    Problem,
    SearchState,
    Specimen,
    least_squares,
    recorded,
    simulate_test,
)
from naion.protocol import Mode, Step

MODEL = na.DFN(na.Mesh(4, 3, 4, 10))
HELD = 4.1

SENSOR = (
    FreeParameter(("gain",), (0.9, 1.1), "log", 0.05),
    FreeParameter(("offset",), (-0.05, 0.05), "linear", 0.02),
)
RESISTANCE = FreeParameter(("cell.contact_resistance.scale",), (0.2, 5.0), "log")


def cycle(current: float, group: int):
    """A hold, a discharge and a charge whose voltages are yet to be measured."""
    t = np.linspace(30.0, 0.8 * 3600.0 * 1.5 / current, 25)
    V = np.linspace(4.0, 2.5, 25)
    charge = Step(Mode.CURRENT, -current, duration=600.0, upper_voltage=HELD)
    discharge = Step(Mode.CURRENT, current, duration=float(t[-1]), lower_voltage=0.3)
    hold = Step(Mode.VOLTAGE, HELD, duration=1e5, current_below=0.02)
    return recorded(
        f"{current} A",
        [
            Part(hold, lasted=123.0),
            Part(discharge, t, V, "discharge"),
            Part(charge, np.linspace(20.0, 580.0, 20), np.full(20, 3.0), "charge"),
        ],
        298.15,
        group=group,
        since=1,
    )


def measured(tests, specimen):
    """The same tests with what a specimen would have shown."""
    problem = Problem(specimen, (RESISTANCE,), tests, MODEL, 1e-5)
    found = []
    for e, values in zip(tests, problem.predictions(problem.start), strict=True):
        n = len(e.observations[0].value)
        parts = values[:n], values[n:]
        observed = tuple(
            dataclasses.replace(o, value=v, sigma=np.full(v.shape, 2e-3))
            for o, v in zip(e.observations, parts, strict=True)
        )
        found.append(dataclasses.replace(e, observations=observed))
    return tuple(found)


@pytest.fixture(scope="module")
def problem(cell):
    tests = cycle(0.75, 0), cycle(1.5, 1)
    truth = Specimen(
        cell, [0.02, 0.03], gain=[0.97, 1.02], offset=[0.01, -0.01], size=[1.0, 1.05]
    )
    found = measured(tests, truth)
    start = Specimen(cell, truth.missing, size=truth.size)
    return Problem(start, (RESISTANCE, *SENSOR), found, MODEL, 1e-4), truth


def test_fit_finds_the_errors_of_the_sensors(problem):
    """At one constant current gain and offset have the same effect: only their sum shows."""
    problem, truth = problem
    fit = least_squares(problem, tolerance=1e-8)
    # 1e-8 of a cost of 0.5 is less than simulations repeat to.
    assert fit.ended in (SearchState.NOTHING_TO_GAIN, SearchState.STALLED)
    assert abs(float(fit.specimen.cell.contact_resistance.scale) - 1.0) < 0.02
    for i, logged in enumerate((0.75, 1.5)):
        flowed = [
            float(s.gain[i] * logged + s.offset[i]) for s in (truth, fit.specimen)
        ]
        assert abs(flowed[1] / flowed[0] - 1.0) < 3e-3


def test_derivatives_of_groups(problem):
    """Against differences; what is of one group does not move the others."""
    problem, _ = problem
    tight = dataclasses.replace(problem, rtol=1e-7)
    z = tight.start
    J = tight.jacobian(z)
    n = tight.experiments[0].n_observations
    for name, i in (("gain[0]", 0), ("offset[1]", 1)):
        k = tight.vector.names.index(name)
        step = np.zeros_like(z)
        step[k] = 1e-3
        difference = (tight.residuals(z + step) - tight.residuals(z - step)) / 2e-3
        scale = np.abs(difference).max()
        np.testing.assert_allclose(J[:, k], difference, atol=2e-3 * scale)
        other = slice(n, 2 * n) if i == 0 else slice(0, n)
        np.testing.assert_array_equal(J[other, k], 0.0)


def test_times_count_from_a_row(cell):
    """However long the hold takes, the first number is of the same time after it."""
    e = cycle(1.5, 0)
    voltages = []
    for missing in (0.0, 0.2):
        _, s = simulate_test(Specimen(cell, [missing]), e, MODEL, 1e-6)
        began = float(s.began(1))
        voltages.append(float(s.at(began + e.observations[0].b[0]).voltage))
        assert (began > 60.0) == (missing > 0.0)
    # Full up to C/75 in both cases.
    assert abs(voltages[0] - voltages[1]) < 2e-2
    assert np.isnan(float(s.began(7)))


def test_temperature_is_observed(cell):
    step = Step(Mode.CURRENT, 3.0, duration=600.0)
    t = np.linspace(10.0, 590.0, 12)
    part = Part(step, t, np.full(12, 3.0), temperature=np.full(12, 300.0))
    e = recorded("2C", [part], 298.15)
    model = na.DFN(MODEL.mesh, na.Lumped())
    problem = Problem(Specimen(cell, [0.0]), (RESISTANCE,), (e,), model)
    (values,) = problem.predictions(problem.start)
    assert np.all(np.diff(values[12:]) > 0.0) and 298.0 < values[12] < 299.0


def test_rows_behind_the_end_of_the_model_go_on_from_it(cell):
    """If one such row jumped, it would forbid every step that moves the end."""
    step = Step(Mode.CURRENT, 6.0, duration=3600.0, lower_voltage=2.8)
    discharge = na.Protocol([Step(Mode.CURRENT, 0.0, duration=1.0), step])
    model = na.DFN(MODEL.mesh, na.Lumped())
    run = na.simulate(cell, discharge, model=model, temperature=298.15)
    end = float(run.t_end)
    b = end * np.array([1.0 - 1e-6, 1.0 + 1e-6, 1.1])
    seen = tuple(
        Observations(kind, np.full(3, a), b, np.full(3, v), np.ones(3), "seen", b)
        for kind in (Kind.VOLTAGE, Kind.MEAN_VOLTAGE, Kind.RESISTANCE, Kind.TEMPERATURE)
        for a in ([0.5, 1.05 * end] if kind is Kind.MEAN_VOLTAGE else [0.5])
        for v in ([300.0] if kind is Kind.TEMPERATURE else [1.0])
    )
    e = Experiment("early", discharge, 298.15, seen)
    problem = Problem(Specimen(cell, [0.0]), (RESISTANCE,), (e,), model)
    before, behind, late = (
        np.asarray(problem.residuals(problem.start))[:15].reshape(5, 3).T
    )
    here = [0, 1, 3, 4]  # The other mean begins behind the end.
    np.testing.assert_allclose(behind[here], before[here], rtol=1e-3)
    voltage, mean, _, resistance, warm = late + [1.0, 1.0, 1.0, 1.0, 300.0]
    assert voltage == pytest.approx(2.8 - 20.0 * (1.0 - 1.0 / 1.1), abs=0.05)
    assert voltage < mean < before[1] + 1.0 and resistance > before[3] + 1.0
    assert warm == pytest.approx(float(run.end.temperature), abs=0.2)
    (numbers,) = problem.predictions(problem.start)
    assert np.isnan(numbers.reshape(5, 3)[:, 1:]).all(), "they were not measured"


@pytest.mark.parametrize(
    "part, message",
    [
        (Part(Step(Mode.CURRENT, 1.0, duration=9.0), [1, 2, 3], [3.0, 2.9]), "3 times"),
        (Part(Step(Mode.CURRENT, 1.0, duration=9.0), [1, 3, 2], [3, 3, 3]), "increase"),
        (
            Part(Step(Mode.CURRENT, 1.0, duration=9.0), [1, 2, 3], [3, np.nan, 3]),
            "finite",
        ),
        (Part(Step(Mode.CURRENT, 1.0)), "say how long"),
    ],
)
def test_refuses(part, message):
    with pytest.raises(ValueError, match=message):
        recorded("x", [part], 298.15)


def test_one_number_for_each_group(cell):
    s = Specimen(cell, [0.0, 0.1], gain=1.01)
    assert s.gain.shape == s.offset.shape == (2,)
    own = s.of_group(jnp.asarray(1))
    assert float(own.missing) == 0.1 and float(own.gain) == pytest.approx(1.01)
