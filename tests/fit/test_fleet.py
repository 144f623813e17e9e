"""A fleet of fits gives what single fits give, whatever becomes of its members."""

import dataclasses
import time

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import naion as na
from naion.fit import FreeParameter, Problem, Specimen, discharge, fleet, least_squares
from naion.parameters import leaf

MODEL = na.DFN(na.Mesh(4, 3, 4, 10))
PATHS = ("contact_resistance.scale", "positive.particle.rate_constant.scale")
FREE = tuple(FreeParameter((f"cell.{p}",), (0.1, 10.0), "log") for p in PATHS)
TRUTH = {"a": (1.4, 0.7), "b": (0.8, 1.2), "c": (2.0, 0.5)}


@pytest.fixture(scope="module")
def problems(cell):
    """Three cells with one to three discharges of unlike length."""
    rng = np.random.default_rng(1)
    made = {}
    for i, (name, values) in enumerate(TRUTH.items()):
        true = eqx.tree_at(lambda c: [leaf(c, p) for p in PATHS], cell, list(values))
        tests = []
        for k, current in enumerate((0.75, 1.5, 3.0)[: i + 1]):
            sol = na.simulate(
                true, f"Discharge at {current} A until 1.5 V", model=MODEL
            )
            n = 20 + 7 * i + 3 * k
            q = np.linspace(0.05, 0.9 * float(sol.capacity), n)
            V = np.asarray(sol.voltage_at_charge(q)) + 1e-3 * rng.standard_normal(n)
            tests.append(discharge(f"{current} A", q, V, current, 298.15, sigma=1e-3))
        made[name] = Problem(Specimen(cell, [0.0]), FREE, tuple(tests), MODEL)
    return made


def test_fits_are_those_of_single_cells(problems):
    said = []
    fits = fleet(problems, at_once=2, done=lambda name, fit: said.append(name))
    assert list(fits) == list(problems) and sorted(said) == sorted(problems)
    alone = least_squares(problems["c"])
    # Where it stops is decided to 1e-4; the same steps differ by rounding only.
    np.testing.assert_allclose(fits["c"].z, alone.z, atol=1e-6)
    np.testing.assert_allclose(fits["c"].covariance, alone.covariance, rtol=1e-4)
    for name in ("b", "c"):  # one rate, as in "a", cannot tell two resistances apart
        assert fits[name].converged
        np.testing.assert_allclose(np.exp(fits[name].z), TRUTH[name], rtol=0.08)


def test_one_failure_stays_alone(problems):
    """A cell that has 50 A.h less than it holds can be simulated at no start."""
    empty = dataclasses.replace(
        problems["b"], specimen=Specimen(problems["b"].specimen.cell, [50.0])
    )
    fits = fleet(problems | {"b": empty})
    assert isinstance(fits["b"], ValueError)
    assert "No experiment can be simulated" in str(fits["b"])
    assert fits["a"].converged and fits["c"].converged


def test_an_error_of_the_caller_stops_the_fleet(problems):
    def full(name, fit):
        raise OSError("disk full")

    began = time.perf_counter()
    with pytest.raises(OSError, match="disk full"):
        fleet(problems, done=full)
    assert time.perf_counter() - began < 120.0


def test_a_fit_of_nothing_does_not_converge(cell):
    """Where no simulation works, residuals are constant; that is no optimum."""
    test = discharge("1C", [0.1, 0.2, 0.3], [3.0, 2.9, 2.8], 1.5, 298.15)
    problem = Problem(Specimen(cell, [50.0]), FREE, (test,), MODEL)  # A.h missing
    with pytest.raises(ValueError, match="No experiment can be simulated"):
        least_squares(problem)


def test_starts_and_refusals(problems):
    a = problems["c"]
    starts = {"low": np.log([0.3, 0.3]), "high": np.log([4.0, 4.0])}
    fits = fleet({"low": a, "high": a}, starts=starts)
    np.testing.assert_allclose(fits["low"].z, fits["high"].z, atol=0.02)
    with pytest.raises(ValueError, match="at least one problem"):
        fleet({})
    # Bounds and priors are the program's, too.
    tighter = tuple(dataclasses.replace(f, prior=0.01) for f in FREE)
    stiff = Problem(a.specimen, tighter, a.experiments, MODEL)
    with pytest.raises(ValueError, match="bounds and priors included"):
        fleet({"a": a, "stiff": stiff})
    other = Problem(a.specimen, FREE[:1], a.experiments, MODEL)
    with pytest.raises(ValueError, match="'x' and 'a' differ in free parameters"):
        fleet({"a": a, "x": other})


def test_a_fit_that_was_stopped_goes_on(problems, tmp_path):
    """Stopped after three evaluations; the second run needs no more than were left."""
    whole = least_squares(problems["c"])
    keep = na.batch.Checkpoint(tmp_path, {"kind": "fit"})

    def stop(said):
        if said.startswith("iteration 3"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        least_squares(problems["c"], keep=keep, progress=stop)
    said = []
    again = least_squares(problems["c"], keep=keep, progress=said.append)
    assert "goes on after 2 evaluations" in said[0] and str(tmp_path) in said[0]
    assert again.evaluations <= whole.evaluations + 1
    np.testing.assert_allclose(again.z, whole.z, atol=1e-3)
    # Another problem does not begin there.
    said.clear()
    least_squares(problems["b"], keep=keep, progress=said.append, max_evaluations=1)
    assert not any("goes on" in line for line in said)


def test_the_loss_can_be_traced(problems):
    """It can be compiled and batched, and its gradient in both modes is J^T r."""
    p = problems["c"]
    z = jnp.asarray(p.start) + 0.1
    near = p.linearised(z)
    np.testing.assert_allclose(p.residuals(z), near.residuals, atol=1e-9)
    value, slope = jax.jit(jax.value_and_grad(p.loss))(z)
    assert float(value) == pytest.approx(0.5 * near.residuals @ near.residuals)
    np.testing.assert_allclose(slope, near.residuals @ near.jacobian, rtol=1e-5)
    two = jax.jit(jax.vmap(p.loss))(jnp.stack([z, p.start]))
    assert float(two[0]) == pytest.approx(float(value))
    forward = jax.jit(jax.jacfwd(p.residuals))(z)
    np.testing.assert_allclose(forward, near.jacobian, rtol=1e-6, atol=1e-6)


def test_ten_lines_of_optax_fit_a_cell(problems):
    p = problems["c"]
    solver = optax.lbfgs()
    z = jnp.asarray(p.start)
    state = solver.init(z)
    value_and_grad = optax.value_and_grad_from_state(p.loss)

    @jax.jit
    def step(z, state):
        value, grad = value_and_grad(z, state=state)
        update, state = solver.update(
            grad, state, z, value=value, grad=grad, value_fn=p.loss
        )
        return optax.apply_updates(z, update), state

    for _ in range(12):
        z, state = step(z, state)
    np.testing.assert_allclose(np.exp(z), TRUTH["c"], rtol=0.08)
