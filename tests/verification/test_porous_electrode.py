"""Limits of the cell with analytic solutions."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import naion as na
from naion._constants import F, R
from naion.parameters import Stoichiometry
from naion.protocol import Control, Mode
from naion.solvers import RODAS5P, apply
from naion.solvers._initialisation import initialising
from naion.systems import CellSystem, Imposed

STO = Stoichiometry(jnp.asarray(0.5), jnp.asarray(0.6))


def newman_tobias(cell, electrode, sto: float) -> float:
    """Area resistance of an electrode: linear kinetics, uniform salt [ohm.m2].

    Newman and Tobias, J. Electrochem. Soc. 109 (1962) 1183.
    """
    T, c0 = cell.temperature, cell.electrolyte.concentration
    k = float(electrode.transport_efficiency * cell.electrolyte.conductivity(c0, T))
    s, L = float(electrode.conductivity), float(electrode.thickness)
    p = electrode.particle
    k_0 = float(p.rate_constant(jnp.asarray(sto), T))
    j_0 = F * k_0 * float(p.c_max) * np.sqrt(sto * (1.0 - sto))
    charge_transfer = float(electrode.interface) * F * j_0 / (R * float(T))
    nu = L * np.sqrt(charge_transfer * (1.0 / k + 1.0 / s))
    ratio = (2.0 + (s / k + k / s) * np.cosh(nu)) / (nu * np.sinh(nu))
    return L / (k + s) * (1.0 + ratio)


def start_resistance(cell, mesh, current: float) -> float:
    """(OCV - V) / I as a current comes on, at uniform composition [ohm]."""
    model = na.DFN(mesh=mesh)
    system = CellSystem(model.for_cell(cell))
    T = cell.temperature
    number = jnp.asarray(current)
    control = Control(jnp.asarray(int(Mode.CURRENT)), number, 0.0 * number, T, 0.0 * T)
    imposed = Imposed(control, None)

    @jax.jit
    def run(grid):
        y = system.equations.equilibrium(grid, STO, T)
        zero = jnp.zeros(())
        at_rest = system.outputs(zero, y, grid, imposed)[0]
        weights = initialising(RODAS5P, jnp.ones(()))
        settled = apply(weights, system, zero, y, grid, imposed)
        rounding = system.update_size(settled.error, grid) < 1.0
        return at_rest - system.outputs(zero, settled.y, grid, imposed)[0], rounding

    drop, found = run(model.discretise(cell))
    assert found
    return float(drop) / current


def test_resistance_of_porous_electrodes(cell):
    """Both electrodes, separator and contacts in series: order 2 in dx.

    The rate constants are raised so that the reaction zone is thinner than the
    electrode (nu about 3) and the mesh matters.
    """

    def rates(c):
        return [e.particle.rate_constant.curve.value for e in (c.negative, c.positive)]

    cell = eqx.tree_at(rates, cell, [30.0 * k for k in rates(cell)])
    T, c0 = cell.temperature, cell.electrolyte.concentration
    kappa = cell.electrolyte.conductivity(c0, T)
    separator = cell.separator.thickness / (cell.separator.transport_efficiency * kappa)
    areal = (
        newman_tobias(cell, cell.negative, 0.5)
        + newman_tobias(cell, cell.positive, 0.6)
        + float(separator)
    )
    expected = areal / float(cell.area) + float(cell.contact_resistance(T, T))
    counts = np.array([4, 8, 16, 32])
    # 1e-5 of 1C: sinh is linear to 1e-10, and the drop is resolved to 1e-8.
    errors = [
        abs(
            start_resistance(cell, na.Mesh(int(n), 2, int(n), 4), 1.5e-4) / expected - 1
        )
        for n in counts
    ]
    order = -np.polyfit(np.log(counts), np.log(errors), 1)[0]
    assert 1.8 < order < 2.2, (order, errors)
    assert errors[-1] < 2e-3, errors


def test_salt_gradient_of_the_separator(cell, model):
    """dc/dx = -(1 - t+) i / (F B D_e) once the liquid is steady.

    At constant D_e; C/20 for an hour, twenty times the diffusion time of the liquid. The
    flux between volume centres is exact for a straight profile, so that only the slow
    drift of the reaction is left: 1e-3.
    """
    cell = eqx.tree_at(
        lambda c: c.electrolyte.diffusivity.curve.rate, cell, jnp.zeros(())
    )
    solution = na.simulate(
        cell,
        "Discharge at C/20 for 1 hour",
        model=model,
        start=0.6,
        rtol=1e-6,
        max_steps=1000,
        keep_states=True,
    )
    s = solution.equations.layout.unpack(solution.final, cell.temperature)
    m = model.mesh
    c = s.c_e[m.n_neg : m.n_neg + m.n_sep] * cell.electrolyte.concentration
    T = cell.temperature
    t_plus = cell.electrolyte.t_plus(c, T)[0]
    D_e = cell.electrolyte.diffusivity(c, T)[0]
    i = s.current / cell.area
    slope = -(1.0 - t_plus) * i / (F * cell.separator.transport_efficiency * D_e)
    dx = cell.separator.thickness / m.n_sep
    np.testing.assert_allclose(jnp.diff(c) / dx, slope, rtol=1e-3)
