"""Sodium, salt, charge and energy are kept.

Sums are written out here with the definitions of the model, not with its code.
"""

import jax
import jax.numpy as jnp
import numpy as np

import naion as na
from naion._constants import F
from naion.physics.electrolyte import FaceFlux


def solid_sodium(cell, solution, states) -> tuple[np.ndarray, np.ndarray]:
    """Moles in each electrode, against time."""
    m = solution.model.mesh
    volumes = 3.0 * m.shells().volumes
    mean = np.einsum("r,tre->te", volumes, np.asarray(states.sto))
    amounts = []
    for electrode, columns in (
        (cell.negative, slice(0, m.n_neg)),
        (cell.positive, slice(m.n_neg, None)),
    ):
        sites = cell.area * electrode.thickness * electrode.active_fraction
        sites = float(sites * electrode.particle.c_max)
        amounts.append(sites * mean[:, columns].mean(axis=1))
    return amounts[0], amounts[1]


def volumes_of(cell, mesh, name: str | None = None) -> np.ndarray:
    """dx of every volume, or dx times a field of its region."""
    parts = (cell.negative, cell.separator, cell.positive)
    counts = (mesh.n_neg, mesh.n_sep, mesh.n_pos)
    return np.concatenate(
        [
            np.full(n, float(p.thickness / n * (getattr(p, name) if name else 1.0)))
            for p, n in zip(parts, counts, strict=True)
        ]
    )


def source(cell, mesh, j) -> np.ndarray:
    """a j dx of every volume, zero in the separator [A.m-2]."""
    dx = volumes_of(cell, mesh)
    a_n, a_p = float(cell.negative.interface), float(cell.positive.interface)
    n, s = mesh.n_neg, mesh.n_neg + mesh.n_sep
    return np.concatenate(
        [
            a_n * j[:, :n] * dx[:n],
            0.0 * j[:, :1] * dx[None, n:s],
            a_p * j[:, n:] * dx[s:],
        ],
        axis=1,
    )


def test_sodium(discharge, with_end):
    """The change of either electrode is the charge passed, to 1e-10 of it."""
    cell, solution = discharge
    states = with_end(solution)
    passed = np.asarray(states.charge) / F
    negative, positive = solid_sodium(cell, solution, states)
    total = passed[-1]
    assert total > 0.0 and solution.result is na.Result.CUT_OFF
    # Linear invariants, which every stage keeps: rounding only.
    assert np.abs(negative[0] - negative - passed).max() < 1e-10 * total
    assert np.abs(positive - positive[0] - passed).max() < 1e-10 * total
    expected = float(cell.nominal_capacity) * np.asarray(solution.t)
    np.testing.assert_allclose(states.charge, expected, rtol=1e-10, atol=1e-9)


def test_salt(discharge, with_end):
    cell, solution = discharge
    states = with_end(solution)
    pores = volumes_of(cell, solution.model.mesh, "porosity")
    salt = np.asarray(states.c_e) @ pores
    assert np.abs(states.c_e - 1.0).max() > 1e-3
    # Conservative fluxes: rounding only.
    assert np.abs(salt / pores.sum() - 1.0).max() < 1e-10


def test_charge(discharge, with_end):
    """All reactions of an electrode are the current; i_s + i_e = I/A at every face."""
    cell, solution = discharge
    states, mesh = with_end(solution), solution.model.mesh
    a_j_dx = source(cell, mesh, np.asarray(states.j))
    i_total = np.asarray(states.current) / float(cell.area)
    n = mesh.n_neg
    # Charge in the solid is linear in the unknowns, so that every stage and step keeps
    # it to rounding.
    tolerance = 1e-12 * i_total.max()
    assert np.abs(a_j_dx[:, :n].sum(1) - i_total).max() < tolerance
    assert np.abs(a_j_dx[:, n:].sum(1) + i_total).max() < tolerance
    # In the liquid it is not: a Rosenbrock step leaves a residual of the order of its
    # local error: rtol = 1e-6, more where a table bends.
    i_e, i_s = currents(cell, solution, states)
    assert np.abs(i_e + i_s - i_total[:, None]).max() < 1e-5 * i_total.max()


def currents(cell, solution, states) -> tuple[np.ndarray, np.ndarray]:
    """Liquid and solid current through the inner faces [A.m-2]."""
    grid = solution.model.discretise(cell)

    def faces(s) -> FaceFlux:
        dphi = jnp.diff(s.phi_e)
        return grid.face_flux(s.c_e[:-1], s.c_e[1:], dphi, s.temperature)

    i_e = jax.jit(jax.vmap(faces))(states).current
    i_s = -grid.sigma_face * jnp.diff(states.phi_s, axis=1)
    return np.asarray(i_e), np.asarray(i_s)


def test_electrical_work(discharge, with_end):
    """I V + I^2 R_c + ohmic + reaction heat = -A int a j U(surface) dx.

    The discrete equations satisfy it exactly; a wrong sign or factor in any flux,
    in the kinetics or in the terminal voltage breaks it.
    """
    cell, solution = discharge
    states, model = with_end(solution), solution.model
    equations, grid = solution.equations, model.discretise(cell)
    terms = jax.jit(jax.vmap(lambda s: jnp.stack(equations.heat_terms(s, grid))))
    ohmic, reaction, _, contact = np.asarray(terms(states)).T
    m, T = model.mesh, cell.temperature
    x = states.sto[:, -1]
    U_n = cell.negative.particle.ocp(x[:, : m.n_neg], T)
    U_p = cell.positive.particle.ocp(x[:, m.n_neg :], T)
    a_j_dx = source(cell, m, np.asarray(states.j))
    a_j_dx = np.delete(a_j_dx, np.s_[m.n_neg : m.n_neg + m.n_sep], axis=1)
    chemical = -float(cell.area) * np.sum(a_j_dx * np.hstack([U_n, U_p]), axis=1)
    electrical = np.asarray(solution.current * solution.voltage)
    work = electrical + contact + ohmic + reaction
    # What is left is the residual of charge in the liquid, of the order of local errors.
    assert np.abs(work - chemical).max() < 1e-8 * electrical.max()
    assert np.all(ohmic > 0.0) and np.all(reaction > 0.0)


def test_heat_balance(cell, lumped, with_end):
    """m c_p dT + heat lost = heat released, to 0.1 %, through a pulse."""
    solution = na.simulate(
        cell,
        "Discharge at 2C for 10 minutes",
        model=lumped,
        rtol=1e-6,
        max_steps=1000,
        keep_states=True,
    )
    states, grid = with_end(solution), lumped.discretise(cell)
    heat = jax.jit(jax.vmap(lambda s: solution.equations.heat_source(s, grid)))(states)
    heat, t = np.asarray(heat), np.asarray(solution.t)
    T = np.asarray(solution.temperature)
    released = np.trapezoid(heat, t)
    ambient = float(cell.temperature)
    lost = float(cell.thermal.cooling) * np.trapezoid(T - ambient, t)
    stored = float(cell.thermal.mass * cell.thermal.specific_heat) * (T[-1] - T[0])
    assert T.max() - ambient > 3.0
    # The trapezoidal rule over some 200 steps leaves less than 1e-4.
    assert abs(stored + lost - released) < 1e-3 * released


def test_energy_is_the_integral_of_power(discharge):
    cell, solution = discharge
    power = np.asarray(solution.voltage * solution.current)
    by_rule = np.trapezoid(power, np.asarray(solution.t)) / 3600.0
    # The rule's own error over some 100 steps.
    assert abs(float(solution.energy) - by_rule) < 2e-3 * by_rule
    assert abs(float(solution.capacity) - float(solution.discharged[-1])) < 1e-12
